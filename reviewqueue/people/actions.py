"""What can be done, and which role, scope or kind of caller it takes: the table of roles, as code."""

from __future__ import annotations

from enum import StrEnum

from reviewqueue.people.models import Role, Scope


class Action(StrEnum):
    """Something that a role in a queue allows."""

    SEE = "see"
    ENQUEUE = "enqueue"
    WITHDRAW = "withdraw"
    FOLLOW_EVENTS = "follow events"
    CLAIM = "claim"
    REVIEW = "review"
    COMMENT = "comment"
    SNOOZE = "snooze"
    ESCALATE = "escalate"
    ACKNOWLEDGE = "acknowledge an escalation"
    DEESCALATE = "de-escalate"
    ADJUDICATE = "adjudicate"
    REOPEN = "reopen"
    RECALL = "recall"
    ASSIGN = "assign"
    RELEASE_OTHERS_CLAIM = "release another's claim"
    BULK_DECIDE = "bulk-decide"
    SEE_BACKLOG = "see the backlog"
    EDIT_POLICY = "edit the policy"
    MANAGE_MEMBERS = "manage the members"


BY_REVIEWER = frozenset(
    {
        Action.SEE,
        Action.ENQUEUE,
        Action.WITHDRAW,
        Action.CLAIM,
        Action.REVIEW,
        Action.COMMENT,
        Action.SNOOZE,
        Action.ESCALATE,
        Action.ACKNOWLEDGE,
    }
)
# The feed tells what others decided, which a blind reviewer must not learn from it.
BY_LEAD = BY_REVIEWER | {
    Action.ADJUDICATE,
    Action.REOPEN,
    Action.RECALL,
    Action.DEESCALATE,
    Action.ASSIGN,
    Action.RELEASE_OTHERS_CLAIM,
    Action.BULK_DECIDE,
    Action.FOLLOW_EVENTS,
}
BY_MANAGER = BY_LEAD | {Action.SEE_BACKLOG, Action.EDIT_POLICY, Action.MANAGE_MEMBERS}
BY_AUDITOR = frozenset({Action.SEE, Action.SEE_BACKLOG, Action.FOLLOW_EVENTS})
# Whoever creates queues, and answers for what is kept of their evidence, changes their documents too.
BY_ADMIN = frozenset({Action.SEE, Action.ACKNOWLEDGE, Action.EDIT_POLICY, Action.MANAGE_MEMBERS})
BY_APP = frozenset(
    {
        Action.SEE,
        Action.ENQUEUE,
        Action.WITHDRAW,
        Action.FOLLOW_EVENTS,
        Action.SEE_BACKLOG,
        Action.EDIT_POLICY,
        Action.MANAGE_MEMBERS,
    }
)

ALLOWED: dict[Role, frozenset[Action]] = {
    Role.REVIEWER: BY_REVIEWER,
    Role.LEAD: BY_LEAD,
    Role.MANAGER: BY_MANAGER,
    Role.AUDITOR: BY_AUDITOR,
}

THROUGH_A_KEY = frozenset({Action.ENQUEUE, Action.WITHDRAW})
"""What only apps do: a person does it with a key that acts as them, never in the browser."""

SCOPES: dict[Action, Scope] = {
    Action.SEE: Scope.ITEMS_READ,
    Action.ENQUEUE: Scope.ITEMS_WRITE,
    Action.WITHDRAW: Scope.ITEMS_WRITE,
    Action.FOLLOW_EVENTS: Scope.EVENTS_READ,
    Action.SEE_BACKLOG: Scope.ITEMS_READ,
    Action.EDIT_POLICY: Scope.QUEUES_WRITE,
    Action.MANAGE_MEMBERS: Scope.QUEUES_WRITE,
}
"""The scope that a key needs; every action not named here needs `decisions:write`."""


def scope_for(action: Action) -> Scope:
    return SCOPES.get(action, Scope.DECISIONS_WRITE)
