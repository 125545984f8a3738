"""The states of an item, and which of them leads where. Nothing else decides that."""

from __future__ import annotations

from enum import StrEnum

from ..errors import AlreadyDecided, WrongState


class State(StrEnum):
    PENDING = "pending"
    DISPUTED = "disputed"
    ACCEPTED = "accepted"
    EDITED = "edited"
    REJECTED = "rejected"
    AUTO_ACCEPTED = "auto_accepted"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Verdict(StrEnum):
    ACCEPT = "accept"
    EDIT = "edit"
    REJECT = "reject"


OPEN = frozenset({State.PENDING, State.DISPUTED})
DECIDED = frozenset({State.ACCEPTED, State.EDITED, State.REJECTED})

DECIDED_BY_VERDICT = {
    Verdict.ACCEPT: State.ACCEPTED,
    Verdict.EDIT: State.EDITED,
    Verdict.REJECT: State.REJECTED,
}

_LEADS_TO: dict[State, frozenset[State]] = {
    State.PENDING: DECIDED | {State.DISPUTED, State.EXPIRED, State.WITHDRAWN},
    State.DISPUTED: DECIDED | {State.EXPIRED, State.WITHDRAWN, State.PENDING},  # pending: a review taken back
    State.ACCEPTED: frozenset({State.PENDING, State.DISPUTED}),
    State.EDITED: frozenset({State.PENDING, State.DISPUTED}),
    State.REJECTED: frozenset({State.PENDING, State.DISPUTED}),
    State.AUTO_ACCEPTED: frozenset({State.PENDING}),
    State.EXPIRED: frozenset({State.PENDING}),
    State.WITHDRAWN: frozenset(),
}


def require_transition(now: State, to: State) -> None:
    """Raises AlreadyDecided or WrongState when an item in `now` cannot become `to`."""
    if to in _LEADS_TO[now]:
        return
    if now in DECIDED and to not in OPEN:
        raise AlreadyDecided(f"the item is {now} already; a lead can reopen it")
    raise WrongState(f"an item that is {words(now)} cannot become {words(to)}")


def words(state: State) -> str:
    return state.replace("_", "-")
