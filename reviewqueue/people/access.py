"""What one caller may do: loaded once per operation, in one query at most, and asked before anything happens.

A queue that the caller has no role in, or that the key does not serve, does not exist for them.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reviewqueue.errors import Forbidden, NoSuchQueue
from reviewqueue.people.actions import ALLOWED, BY_ADMIN, BY_APP, THROUGH_A_KEY, Action, scope_for
from reviewqueue.people.callers import SYSTEM_CALLER, Caller
from reviewqueue.people.models import Membership, Role, Scope, Team, TeamMember
from reviewqueue.transaction import Actor

__all__ = ["SYSTEM_CALLER", "Access", "Action", "Caller", "access_of"]

# Which feature is below which: queues ask people for permission, so people know a queue by these two alone.
QUEUES = sa.table("queue", sa.column("id", sa.Integer), sa.column("name", sa.String))

_RANK = (Role.MANAGER, Role.LEAD, Role.REVIEWER)


@dataclass(frozen=True, slots=True)
class Access:
    """What one caller may do, queue by queue."""

    caller: Caller
    roles: dict[int, frozenset[Role]] = field(default_factory=dict)
    """The roles held in each queue, directly or through a team."""
    teams: tuple[str, ...] = ()
    served: frozenset[int] | None = None
    """The queues that the key serves; None: no limit."""

    @property
    def actor(self) -> Actor:
        return self.caller.actor

    @property
    def person_id(self) -> uuid.UUID | None:
        return self.caller.person_id

    @property
    def email(self) -> str | None:
        return self.caller.email

    @property
    def is_admin(self) -> bool:
        return self.caller.is_admin or self.caller.is_system

    @property
    def is_auditor(self) -> bool:
        return self.caller.is_auditor

    @property
    def assignees(self) -> tuple[str, ...]:
        """The values of `Item.assigned_to` that mean this caller."""
        own = (self.email,) if self.email else ()
        return own + tuple(f"team:{slug}" for slug in self.teams)

    @property
    def visible_queue_ids(self) -> frozenset[int] | None:
        """The queues that exist for this caller; None: all of them."""
        if self.caller.is_system or self.caller.is_app or self.is_admin or self.is_auditor:
            return self.served
        own = frozenset(self.roles)
        return own if self.served is None else own & self.served

    @property
    def sees_what_is_of_no_queue(self) -> bool:
        """Whether the installation's own events are theirs to read: who signed in, which keys there are."""
        return (self.is_admin or self.is_auditor) and self.caller.queues is None

    def role_in(self, queue_id: int) -> Role | None:
        """The highest role that may decide; being an auditor is no such role."""
        held = self.roles.get(queue_id, frozenset())
        return next((role for role in _RANK if role in held), None)

    def queue_ids_for(self, action: Action) -> frozenset[int] | None:
        """The queues in which the action is allowed; None: all of them."""
        if self.caller.is_system:
            return None
        visible = self.visible_queue_ids
        if visible is not None:
            return frozenset(q for q in visible if self.may(action, q))
        everywhere = self._held_everywhere()
        if action in everywhere and self._by_this_door(action):
            return None
        return frozenset(q for q in self.roles if self.may(action, q))

    def may(self, action: Action, queue_id: int) -> bool:
        if self.caller.is_system:
            return True
        return self._sees(queue_id) and self._by_this_door(action) and action in self._allowed_in(queue_id)

    def require(self, action: Action, queue_id: int, queue: str) -> None:
        """Lets the action pass.

        Raises NoSuchQueue where the caller has no role at all, Forbidden where the role, the scope or the
        kind of key is not enough.
        """
        if self.may(action, queue_id):
            return
        if not self._sees(queue_id):
            raise no_such_queue(queue)
        self.require_scope(scope_for(action))
        if self.caller.is_app:
            raise Forbidden(
                f"A key that belongs to no person cannot {action.value}. "
                "Decisions through the API need a key that belongs to a person."
            )
        raise Forbidden(f"Your role in the queue {queue} does not allow you to {action.value}.")

    def require_scope(self, scope: Scope) -> None:
        """Raises Forbidden when the call came with a key that lacks the scope."""
        if self.caller.scopes is not None and scope not in self.caller.scopes:
            raise Forbidden(f"The key lacks the scope {scope.value}.", scope=scope.value)

    def require_new_queue(self, queue: str) -> None:
        """Raises unless the caller may create a queue of that name: an admin, or a key with queues:write."""
        caller = self.caller
        if caller.is_system:
            return
        if caller.queues is not None and queue not in caller.queues:
            raise no_such_queue(queue)
        self.require_scope(Scope.QUEUES_WRITE)
        if not (caller.is_admin or caller.is_app):
            raise no_such_queue(queue)

    def require_admin(self) -> None:
        """Raises Forbidden unless an admin is here in person: no key manages people, teams and keys."""
        if not self.caller.is_system and (not self.caller.is_admin or self.caller.scopes is not None):
            raise Forbidden("Only an admin who is signed in may do this.")

    def require_admin_or_their_key(self, scope: Scope) -> None:
        """Raises Forbidden unless an admin is here, in person or by a key of theirs with the scope, for all queues."""
        caller = self.caller
        if caller.is_system:
            return
        self.require_scope(scope)
        if not caller.is_admin or caller.queues is not None:
            raise Forbidden("Only an admin may do this, or a key that acts as one for all queues.")

    def _sees(self, queue_id: int) -> bool:
        visible = self.visible_queue_ids
        return visible is None or queue_id in visible

    def _by_this_door(self, action: Action) -> bool:
        scopes = self.caller.scopes
        return action not in THROUGH_A_KEY if scopes is None else scope_for(action) in scopes

    def _allowed_in(self, queue_id: int) -> frozenset[Action]:
        held = self.roles.get(queue_id, frozenset())
        return self._held_everywhere().union(*(ALLOWED[role] for role in held))

    def _held_everywhere(self) -> frozenset[Action]:
        if self.caller.is_app:
            return BY_APP
        as_admin = BY_ADMIN if self.caller.is_admin else frozenset()
        return as_admin | (ALLOWED[Role.AUDITOR] if self.is_auditor else frozenset())


def access_of(session: Session, caller: Caller) -> Access:
    """What the caller may do: one query for persons and for keys limited to queues, none for the rest."""
    if caller.person_id is not None:
        return _access_of_person(session, caller, caller.person_id)
    if caller.queues is None:
        return Access(caller)
    ids = session.scalars(sa.select(QUEUES.c.id).where(QUEUES.c.name.in_(sorted(caller.queues))))
    return Access(caller, served=frozenset(ids))


_MINE = (
    sa.select(Team.id, Team.slug)
    .join(TeamMember, TeamMember.team_id == Team.id)
    .where(TeamMember.person_id == sa.bindparam("me", type_=sa.Uuid))
    .cte("mine")
)
_ROLES_AND_TEAMS = (
    sa.select(Membership.queue_id, Membership.role.label("word"), QUEUES.c.name)
    .join(QUEUES, QUEUES.c.id == Membership.queue_id)
    .where(
        sa.or_(
            Membership.person_id == sa.bindparam("me", type_=sa.Uuid),
            Membership.team_id.in_(sa.select(_MINE.c.id)),
        )
    )
    .union_all(sa.select(sa.null(), _MINE.c.slug, sa.null()))
)
_Rows: TypeAlias = Sequence[tuple[int | None, str, str | None]]
"""(queue id, role, queue name), then (None, team, None)."""


def _access_of_person(session: Session, caller: Caller, person_id: uuid.UUID) -> Access:
    roles: dict[int, frozenset[Role]] = {}
    teams: list[str] = []
    served: set[int] = set()
    for queue_id, word, name in cast("_Rows", session.execute(_ROLES_AND_TEAMS, {"me": person_id}).all()):
        if queue_id is None:
            teams.append(word)
            continue
        roles[queue_id] = roles.get(queue_id, frozenset()) | {Role(word)}
        if caller.queues is not None and name in caller.queues:
            served.add(queue_id)
    if caller.queues is None:
        return Access(caller, roles, tuple(sorted(teams)))
    if caller.is_admin or caller.is_auditor:
        served = set(session.scalars(sa.select(QUEUES.c.id).where(QUEUES.c.name.in_(sorted(caller.queues)))))
    return Access(caller, roles, tuple(sorted(teams)), frozenset(served))


def no_such_queue(queue: str) -> NoSuchQueue:
    """The refusal for a queue that is unknown or out of reach: the two read the same."""
    return NoSuchQueue(f"There is no queue {queue!r} that you can reach.")
