"""The worker: it runs what is due, outlives what fails, shares or takes turns, and stops when told."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from reviewqueue.audit.models import Event, EventPosition, Lease
from reviewqueue.clock import MovableClock
from reviewqueue.clock_watch import ClockWatch
from reviewqueue.db import Database
from reviewqueue.escalation.operations import fire_due
from reviewqueue.leases import release_lease, take_lease
from reviewqueue.people.models import Attempt, BrowserSession
from reviewqueue.pruning import prune
from reviewqueue.transaction import SYSTEM
from reviewqueue.worker import JOBS, Job, Worker

from ..support.making import load, make_item, make_person, make_queue


class Monotonic:
    """A monotonic clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def monotonic() -> Monotonic:
    return Monotonic()


def test_the_jobs_do_their_work(db: Database, clock: MovableClock, monotonic: Monotonic) -> None:
    queue = make_queue(db, policy={"escalation": [{"after": "1h", "to": "lead"}]})
    item_id = make_item(db, queue)
    clock.move(hours=1)
    assert 0 < Worker(db, JOBS, monotonic).tick() <= 1
    assert load(db, item_id).level == 1
    with db.reading() as session:
        count = sa.select(sa.func.count())
        assert session.scalar(count.select_from(EventPosition)) == session.scalar(count.select_from(Event))


def test_a_job_that_fails_stops_no_other_and_is_tried_less_and_less_often(
    sqlite_db: Database, monotonic: Monotonic
) -> None:
    ran: list[tuple[str, float]] = []

    def fail(_: Database) -> None:
        ran.append(("bad", monotonic.now))
        raise RuntimeError("no way")

    worker = Worker(
        sqlite_db,
        [Job("bad", 1, fail), Job("good", 1, lambda _: ran.append(("good", monotonic.now)))],
        monotonic,
    )
    for _ in range(16):
        worker.tick()
        monotonic.now += 1
    assert [at - 1000 for name, at in ran if name == "good"] == list(range(16))
    assert [at - 1000 for name, at in ran if name == "bad"] == [0, 2, 6, 14]


def test_a_job_that_left_some_undone_goes_on_at_once_and_keeps_nobody_waiting(
    sqlite_db: Database, monotonic: Monotonic
) -> None:
    left, ran = [5, 5, 2, 5], []

    def take(_: Database) -> int:
        ran.append("many")
        return left.pop(0)

    jobs = [Job("many", 1, take, full=5), Job("other", 1, lambda _: ran.append("other"))]
    worker = Worker(sqlite_db, jobs, monotonic)
    assert [worker.tick(), worker.tick(), worker.tick()] == [0, 0, 1]
    assert ran == ["many", "other", "many", "many"]


def test_on_sqlite_one_worker_ticks_and_another_takes_over(
    sqlite_db: Database, clock: MovableClock, monotonic: Monotonic
) -> None:
    ran: list[str] = []
    first = Worker(sqlite_db, [Job("count", 1, lambda _: ran.append("first"))], monotonic)
    second = Worker(sqlite_db, [Job("count", 1, lambda _: ran.append("second"))], monotonic)
    first.tick()
    second.tick()
    assert ran == ["first"]
    clock.move(seconds=31)
    monotonic.now += 31
    second.tick()
    first.tick()
    assert ran == ["first", "second"]


def test_on_postgresql_every_worker_ticks(db: Database, monotonic: Monotonic) -> None:
    ran: list[int] = []
    Worker(db, [Job("count", 1, lambda _: ran.append(0))], monotonic).tick()
    Worker(db, [Job("count", 1, lambda _: ran.append(1))], monotonic).tick()
    assert ran == ([0] if db.embedded else [0, 1])


def test_it_stops_when_told_and_gives_its_lease_back(db: Database) -> None:
    running = threading.Event()
    worker = Worker(db, [Job("say so", 1, lambda _: running.set())])
    thread = threading.Thread(target=worker.run)
    thread.start()
    assert running.wait(10)
    worker.stop()
    thread.join(10)
    assert not thread.is_alive()
    with db.reading() as session:
        assert session.scalars(sa.select(Lease.name)).all() == []


def test_a_clock_that_jumps_is_recorded_and_holds_the_timers(
    sqlite_db: Database, clock: MovableClock, monotonic: Monotonic
) -> None:
    ran: list[float] = []
    worker = Worker(
        sqlite_db, [Job("timers", 1, lambda _: ran.append(monotonic.now), by_the_clock=True)], monotonic
    )
    worker.tick()
    clock.move(hours=-1)
    for _ in range(65):
        monotonic.now += 1
        clock.move(seconds=1)
        worker.tick()
    assert [at - 1000 for at in ran] == [0, 61, 62, 63, 64, 65]
    with sqlite_db.reading() as session:
        assert session.scalars(sa.select(Event.type)).all() == ["clock.stepped"]


def test_a_job_knows_of_no_time_that_the_watch_has_not_seen(
    db: Database, clock: MovableClock, monotonic: Monotonic
) -> None:
    queue = make_queue(db, policy={"escalation": [{"after": "1h", "to": "lead"}]})
    item_id = make_item(db, queue)

    def fire_while_the_clock_is_moved(given: Database) -> int:
        clock.move(days=1)
        return fire_due(given)

    worker = Worker(db, [Job("timers", 1, fire_while_the_clock_is_moved, by_the_clock=True)], monotonic)
    worker.tick()
    assert load(db, item_id).level == 0


def test_a_clock_that_is_put_right_slowly_is_no_step(clock: MovableClock) -> None:
    watch = ClockWatch()
    for second in range(100):
        assert watch.look(clock.move(seconds=1.25), float(second)) is None
    assert not watch.holds(100.0)
    assert watch.look(clock.move(seconds=32), 100.0) == pytest.approx(31.0)
    assert watch.holds(159.9)
    assert not watch.holds(160.0)


def test_a_lease_has_one_holder(db: Database, clock: MovableClock) -> None:
    lasts = timedelta(seconds=30)
    assert take_lease(db, "it", "one", lasts)
    assert not take_lease(db, "it", "two", lasts)
    assert take_lease(db, "it", "one", lasts)
    release_lease(db, "it", "two")
    assert not take_lease(db, "it", "two", lasts)
    clock.move(seconds=30)
    assert take_lease(db, "it", "two", lasts)


def test_a_lease_from_before_the_clock_was_set_back_is_over(db: Database, clock: MovableClock) -> None:
    assert take_lease(db, "it", "one", timedelta(seconds=30))
    clock.move(hours=-2)
    assert take_lease(db, "it", "two", timedelta(seconds=30))


def test_pruning_removes_what_is_over_and_nothing_else(db: Database, clock: MovableClock) -> None:
    person = make_person(db, "clerk@example.org")
    with db.transaction(SYSTEM) as tx:
        for number, ends in enumerate((timedelta(minutes=1), timedelta(hours=9))):
            session = BrowserSession(
                id_hash=bytes([number]) * 32, person_id=person.id, created_at=tx.now, seen_at=tx.now, data={},
                expires_at=tx.now + ends,
            )  # fmt: skip
            tx.session.add_all([session, Attempt(subject=f"s{number}", window_start=tx.now, count=1)])
    clock.move(hours=2)
    removed = prune(db)
    assert (removed["sessions"], removed["counters of attempts"]) == (1, 0)
    clock.move(days=1)
    removed = prune(db)
    assert (removed["sessions"], removed["counters of attempts"]) == (1, 2)


def test_a_job_that_waits_for_other_machines_holds_up_no_other(db: Database, monotonic: Monotonic) -> None:
    """It runs in a thread of its own, and not a second time while it still runs."""
    begun, may_end = threading.Semaphore(0), threading.Event()
    runs: list[str] = []

    def slow(_: Database) -> None:
        runs.append("slow")
        begun.release()
        may_end.wait(10)

    jobs = [Job("slow", 1, slow, apart=True), Job("quick", 1, lambda _: runs.append("quick"))]
    worker = Worker(db, jobs, monotonic)
    worker.tick()
    assert begun.acquire(timeout=10)
    monotonic.now += 1
    worker.tick()
    assert sorted(runs) == ["quick", "quick", "slow"]
    may_end.set()
    for thread in [turn.thread for turn in worker._turns if turn.thread]:
        thread.join(10)
    monotonic.now += 1
    worker.tick()
    assert begun.acquire(timeout=10)
    assert sorted(runs) == ["quick", "quick", "quick", "slow", "slow"]
