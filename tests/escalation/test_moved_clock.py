"""Somebody sets the clock of a real PostgreSQL: nothing fires twice, and nothing is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import orjson
import pytest
import sqlalchemy as sa

from reviewqueue.audit.events import EventType
from reviewqueue.audit.models import Event, EventContent
from reviewqueue.audit.verify import Checked, verify
from reviewqueue.db import Database
from reviewqueue.escalation.models import Firing
from reviewqueue.worker import JOBS, Worker

from ..support.databases import Databases
from ..support.making import load, make_item, make_items, make_queue
from ..support.moved_server import MovedServer, moved_server

HOUR, DAY = 3600, 86400
COUNT = 40
STEPS = {
    "escalation": [
        {"after": "1h", "to": "lead"},
        {"after": "6h", "to": "lead"},
        {"after": "12h", "to": "lead", "repeat": {"every": "20h", "times": 3}},
    ],
    "deadline": {"after": "72h", "fallback": {"verdict": "reject"}},
}
SOON = {"escalation": [{"after": "20s", "to": "lead"}]}


@pytest.fixture
def server(databases: Databases) -> Iterator[MovedServer]:
    folder = databases.folder / "moved"
    folder.mkdir()
    with moved_server(folder) as server:
        yield server


class Desk:
    """Items that wait, and two workers that tick as time goes by."""

    def __init__(self, server: MovedServer) -> None:
        self.server, self.db = server, server.db
        self.soon = make_queue(self.db, "soon", policy=SOON)
        self.ids = make_items(self.db, make_queue(self.db, policy=STEPS), [{}] * COUNT)
        self.workers = [Worker(self.db, JOBS, server.monotonic) for _ in range(2)]
        self.live(1, ticks=1)

    def live(self, seconds: int, ticks: int) -> None:
        for _ in range(ticks):
            self.server.wait(seconds)
            for worker in self.workers:
                worker.tick()

    def firings(self) -> Counter[tuple[int, int]]:
        """How many items had each step and occurrence."""
        with self.db.reading() as session:
            rows = session.execute(
                sa.select(Firing.step, Firing.occurrence).where(Firing.item_id.in_(self.ids))
            )
            return Counter((step, occurrence) for step, occurrence in rows)

    def jump(self, seconds: int) -> None:
        """The clock jumps: timers are held, and go on within 90 s."""
        before = self.firings()
        self.server.jump(seconds)
        self.live(5, ticks=1)
        soon = make_item(self.db, self.soon)
        self.live(5, ticks=10)
        assert load(self.db, soon).level == 0
        assert self.firings() == before, "held for a minute"
        self.live(5, ticks=7)
        assert load(self.db, soon).level == 1, "firing goes on within 90 s"
        assert sum((self.firings() - before).values()) <= COUNT, "at most one step for each item"


def test_a_clock_that_is_set_forward_back_and_right_again(server: MovedServer) -> None:
    desk = Desk(server)
    desk.live(HOUR, ticks=1)
    assert desk.firings() == {(1, 0): COUNT}
    desk.jump(DAY)
    missed = {(1, 0): COUNT, (3, 0): COUNT}
    assert desk.firings() == missed, "the step of that hour, and not the one before it"
    desk.jump(-2 * HOUR)
    assert desk.firings() == missed
    desk.jump(-22 * HOUR)
    assert desk.firings() == missed
    desk.live(HOUR, ticks=75)
    assert desk.firings() == missed | {(3, 1): COUNT, (3, 2): COUNT, (-1, 0): COUNT}
    assert steps_of_the_clock(desk.db) == pytest.approx([DAY] * 2 + [-2 * HOUR] * 2 + [-22 * HOUR] * 2, abs=5)
    assert list(verify(desk.db, Checked())) == []


def steps_of_the_clock(db: Database) -> list[float]:
    """As the trail tells them, by each worker."""
    with db.reading() as session:
        bodies = session.scalars(
            sa.select(EventContent.body)
            .join(Event, Event.id == EventContent.event_id)
            .where(Event.type == EventType.CLOCK_STEPPED)
            .order_by(Event.id)
        )
        return [orjson.loads(body)["data"]["seconds"] for body in bodies]
