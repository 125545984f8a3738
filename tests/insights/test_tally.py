"""One count for all who look: exact while little waits, kept for some seconds while much does."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.insights import tally as tallies
from reviewqueue.insights.escalated import Narrowed
from reviewqueue.insights.operations import watch_backlog
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.queues.models import Queue

from ..support.making import make_items, make_queue


@pytest.fixture
def queue(db: Database) -> Queue:
    return make_queue(db, policy={"due": {"after": "1h"}})


def passes(db: Database, times: int) -> int:
    """How often that many looks at the backlog read all waiting items."""
    counted = 0

    def note(_connection: object, _cursor: object, statement: str, *_: Any) -> None:
        nonlocal counted
        counted += "GROUP BY waiting.queue_id" in statement

    sa.event.listen(db.engine, "before_cursor_execute", note)
    for _ in range(times):
        watch_backlog(db, SYSTEM_CALLER)
    sa.event.remove(db.engine, "before_cursor_execute", note)
    return counted


def test_little_is_counted_at_each_look(db: Database, queue: Queue) -> None:
    make_items(db, queue, [{}] * 3)
    assert passes(db, 3) == 3


def test_much_is_counted_once_for_all_and_says_of_when(
    db: Database, queue: Queue, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As 180,000 waiting items are, at a ten-thousandth of the size."""
    monkeypatch.setattr(tallies, "KEPT_ABOVE", 2)
    monkeypatch.setattr(tallies, "ITEMS_A_SECOND", 1)
    make_items(db, queue, [{}] * 18)
    began = clock.now()
    assert passes(db, 3) == 1
    make_items(db, queue, [{}])
    clock.move(seconds=17)
    watched = watch_backlog(db, SYSTEM_CALLER)
    assert (watched.backlog.total.waiting, watched.backlog.as_of, watched.kept) == (18, began, True)
    clock.move(seconds=1)
    watched = watch_backlog(db, SYSTEM_CALLER)
    assert (watched.backlog.total.waiting, watched.kept) == (19, False)
    clock.move(hours=-2)  # a clock that is set back makes no count stand for hours
    assert watch_backlog(db, SYSTEM_CALLER).kept is False


def test_a_department_narrows_every_figure_of_what_waits(db: Database, queue: Queue) -> None:
    for department, count in (("eu", 3), ("us", 2)):
        make_items(db, queue, [{"tags": {"department": department}}] * count)
    make_items(db, queue, [{"tags": {"other": "eu"}}])
    found = watch_backlog(db, SYSTEM_CALLER, narrowed=Narrowed(department="eu")).backlog
    assert (found.total.waiting, found.queues[0].by_age["1h"], found.departments) == (3, 3, ("eu", "us"))
    assert watch_backlog(db, SYSTEM_CALLER).backlog.total.waiting == 6
