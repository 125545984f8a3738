"""Begin, record, guard, commit: the only commit() there is.

    with db.transaction(actor, request_id) as tx:
        item = tx.session.get(...)
        item.accept(tx, ...)

Leaving the block writes the recorded events and commits everything at once; an exception leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

import sqlalchemy as sa
from sqlalchemy.orm import Session

from .audit.events import EventType
from .audit.guard import check, require_unaudited
from .audit.trail import Recorded, Trail
from .bulk import insert_rows
from .db import Base, table_of

if TYPE_CHECKING:
    from .audit.trail import Chained
    from .db import Database

ActorKind = Literal["person", "app", "policy", "timer", "system"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a signed-in person, an app by its key, policy, a timer, or the system itself."""

    kind: ActorKind
    id: str | None = None
    name: str = ""

    def as_dict(self) -> dict[str, str | None]:
        return {"kind": self.kind, "id": self.id, "name": self.name}


POLICY = Actor("policy", None, "policy")
TIMER = Actor("timer", None, "timer")
SYSTEM = Actor("system", None, "reviewqueue")


SUBSCRIPTIONS = sa.select(
    sa.func.coalesce(sa.func.sum(sa.table("subscription", sa.column("version", sa.Integer)).c.version), 0)
).scalar_subquery()
"""What tells whether there are any subscriptions, and whether this process knows them as they are: see webhooks."""


class Transaction:
    """One unit of work: who does it, when, and what is recorded of it. Verbs are given it as `tx`."""

    session: Session
    now: datetime
    trail: Trail

    def __init__(self, db: Database, actor: Actor, request_id: str | None = None) -> None:
        self.db, self.actor, self.request_id = db, actor, request_id
        self._stack = ExitStack()
        self._after: list[Callable[[], None]] = []
        self._staged: dict[type[Base], list[dict[str, Any]]] = {}

    def __enter__(self) -> Self:
        try:
            self._stack.enter_context(self.db.writer())
            self.now = self.db.clock.now()
            self.session = self._stack.enter_context(Session(self.db.writing, expire_on_commit=False))
        except BaseException:
            self._stack.close()
            raise
        self.trail = Trail(self.session, self.actor, self.now, self.request_id)
        self.session.info["trail"] = self.trail
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stack:
            if error is None:
                self._write_staged()
                check(self.session, self.trail)
                self._tell_subscribers(self.trail.write(SUBSCRIPTIONS))
                self.session.commit()
        # The session and its trail name each other: what ten thousand items left would wait for a search for cycles.
        self.session.info.clear()
        if error is None:
            for call in self._after:
                call()

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part that may fail alone: an exception takes back its rows and its events, and goes on."""
        self._write_staged()
        mark = len(self.trail.events)
        try:
            with self.session.begin_nested():
                yield
                self._write_staged()
        except BaseException:
            self._staged.clear()
            self.trail.rewind(mark)
            raise

    def stage(self, entity: type[Base], **row: Any) -> None:
        """Keeps a new row of a table that is not audited; all those of one table are written together at the end.

        What verbs write by the thousand goes this way, at a tenth of what an object of the session costs. `row` holds
        every column that has no default in the database.
        """
        require_unaudited(entity)
        self._staged.setdefault(entity, []).append(row)

    def record(self, item: Chained, type: EventType, **data: Any) -> Recorded:
        """Records what happened to an item."""
        return self.trail.record_item(item, type, data)

    def _write_staged(self) -> None:
        """Writes the staged rows, in the order in which their tables came, after what they may refer to."""
        self.session.flush()
        for entity, rows in self._staged.items():
            insert_rows(self.session, table_of(entity), rows)
        self._staged.clear()

    def _tell_subscribers(self, subscriptions: int) -> None:
        """Stages a delivery of each event to each of its subscribers; costs nothing while there is none."""
        if subscriptions:
            from .webhooks.outbox import stage_deliveries

            stage_deliveries(self, subscriptions)

    def after_commit(self, call: Callable[[], None]) -> None:
        """Asks for a call once the commit is through, such as waking those who wait for an outcome."""
        self._after.append(call)
