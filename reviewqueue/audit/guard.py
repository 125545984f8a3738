"""The second ring: a session refuses to commit what the trail does not tell.

A changed, new or deleted audited object needs an event in the same transaction. Statements that change audited
tables in bulk are refused unless they say which named set-based operation they belong to. Events never change.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction

from .models import Event, EventContent, EventPosition
from .trail import Trail


class Audited:
    """Marks a mapped class whose every change needs an event."""


class SetBased(StrEnum):
    """The operations that may write audited tables by statement. Each records its own events, or says why none."""

    CLAIM_NEXT = "claim next"
    RENEW_CLAIM = "renew claim"  # changes nothing but how long the claim lasts; the claim's own event stands
    LAPSE_CLAIMS = "lapse claims"
    POSTPONE_TIMER = (
        "postpone timer"  # a timer that failed is tried later; the failure itself is kept on the item
    )
    KEY_LAST_USED = "key last used"  # a hint for the admin's list, not a change of the key
    PERSON_SEEN = "person seen"
    NOTE_DELIVERY = "note delivery"  # whether a receiver answered; the attempt itself is kept


class Unrecorded(RuntimeError):
    """A programming error: something audited would have changed without an event."""


def set_based(operation: SetBased) -> dict[str, Any]:
    """The execution options that let a statement write an audited table."""
    return {"set_based": operation}


def require_unaudited(entity: type) -> None:
    """Refuses rows that would go past the session, where their events are looked for."""
    if issubclass(entity, Audited | Event | EventContent | EventPosition):
        raise Unrecorded(f"{entity.__name__} is written through the session and the trail only")


def check(session: Session, trail: Trail) -> None:
    """Refuses the commit when a touched audited object has no event."""
    for subject in session.info.get("touched", ()):
        if subject not in trail.subjects:
            raise Unrecorded(f"{type(subject).__name__} was changed without an event")


@sa.event.listens_for(Session, "before_flush")
def _collect(session: Session, _context: UOWTransaction, _instances: object) -> None:
    touched = session.info.setdefault("touched", [])
    for subject in (*session.new, *session.dirty, *session.deleted):
        if isinstance(subject, Event | EventContent | EventPosition) and subject not in session.new:
            raise Unrecorded("an event can be neither changed nor deleted")
        if isinstance(subject, Audited) and (subject not in session.dirty or session.is_modified(subject)):
            if "trail" not in session.info:
                raise Unrecorded("audited objects change in a Transaction only")
            touched.append(subject)


@sa.event.listens_for(Session, "do_orm_execute")
def _refuse_bulk(state: ORMExecuteState) -> None:
    if not (state.is_update or state.is_delete):
        return
    table = getattr(state.statement, "table", None)
    name = getattr(table, "name", None)
    if name in {Event.__tablename__, EventPosition.__tablename__, EventContent.__tablename__}:
        raise Unrecorded("events can be neither changed nor deleted")
    if _is_audited(name) and not isinstance(state.execution_options.get("set_based"), SetBased):
        raise Unrecorded(f"{name} may be changed in bulk by a named set-based operation only")


@cache
def _is_audited(table: str | None) -> bool:
    """Asked of every bulk statement; the class of a table that is written is mapped by then."""
    from ..db import Base, table_of

    return any(
        table_of(m.class_).name == table and issubclass(m.class_, Audited) for m in Base.registry.mappers
    )
