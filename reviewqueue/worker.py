"""The recurring jobs, as a list to read, and the loop that runs them.

Any number of workers may run at once. On PostgreSQL they share the work row by row; on SQLite the one that holds
the ticker's lease does it, and another takes over when that lease runs out.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from .audit.events import EventType
from .audit.ordering import order_events
from .clock import ContinuedClock
from .clock_watch import ClockWatch
from .config import Settings
from .db import Database
from .escalation.operations import AT_ONCE, fire_due
from .insights.sampling import sample_backlog
from .items.lapsing import record_lapsed
from .leases import release_lease, take_lease
from .notifications.sending import sending
from .planning import inform_planner
from .pruning import prune
from .receipts.operations import destroy_retired
from .transaction import SYSTEM
from .webhooks.delivery import sender_of

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    name: str
    every: float
    """Seconds between the end of a run and the next."""
    run: Callable[[Database], object]
    full: int | None = None
    """What a run returns when there may be more to do: then its next turn follows at once."""
    by_the_clock: bool = False
    """Acts on what time it is: held for a while when the clock was moved."""
    apart: bool = False
    """Runs in a thread of its own: it waits for other machines, which must not make a timer late."""


JOBS = (
    Job("fire timers", 1, fire_due, full=AT_ONCE, by_the_clock=True),
    Job("record lapsed claims", 5, record_lapsed, by_the_clock=True),
    Job("order events", 1, order_events),
    Job("sample the backlog", 60, sample_backlog, by_the_clock=True),
    Job("prune", 3600, prune, by_the_clock=True),
    Job("destroy retired signing keys", 3600, destroy_retired, by_the_clock=True),
    Job("inform the planner", 3600, inform_planner),
)


def jobs(settings: Settings) -> tuple[Job, ...]:
    """All jobs: those of every worker, and what needs the operator's settings."""
    return (
        *JOBS,
        Job("send messages", 2, sending(settings), apart=True),
        Job("send deliveries", 0.5, sender_of(settings).run, apart=True),
    )


WORKER = "worker"
"""The lease's name begins so: the one ticker's on SQLite, each worker's own on PostgreSQL."""
LEASE = timedelta(seconds=30)
RENEW_AFTER = 10.0
LONGEST_PAUSE = 60.0
"""Seconds until a job that goes on failing is tried again."""


@dataclass(slots=True)
class _Turn:
    job: Job
    at: float
    failures: int = 0
    more: bool = False
    thread: threading.Thread | None = None
    """Of a job that runs apart."""


@dataclass(slots=True)
class Worker:
    """Runs the jobs until it is stopped."""

    db: Database
    jobs: Sequence[Job] = JOBS
    monotonic: Callable[[], float] = time.monotonic
    holder: str = field(
        default_factory=lambda: f"{socket.gethostname()[:40]}:{os.getpid()}:{uuid.uuid4().hex[:6]}"
    )
    _stopped: threading.Event = field(default_factory=threading.Event)
    _watch: ClockWatch = field(default_factory=ClockWatch)
    _turns: list[_Turn] = field(default_factory=list)
    _renew_at: float = float("-inf")
    _may_work: bool = False
    _steady: Database | None = None
    """By the time that the watch saw last: were the clock moved while a job runs, the job would not know of it."""

    def run(self) -> None:
        """Returns soon after `stop` was called: a job that runs is finished first."""
        log.info("worker started", holder=self.holder)
        while not self._stopped.is_set():
            self._stopped.wait(max(0.0, self.tick()))
        if self._may_work:
            self._guarded(lambda: release_lease(self.db, self._lease_name(), self.holder))
        log.info("worker stopped", holder=self.holder)

    def stop(self) -> None:
        self._stopped.set()

    def tick(self) -> float:
        """Runs every job whose turn has come; returns the seconds until the next turn."""
        if not self._turns:
            self._turns = [_Turn(job, self.monotonic()) for job in self.jobs]
        self._keep_lease()
        if not self._may_work:
            return self._renew_at - self.monotonic()
        self._guarded(self._watch_clock)
        for turn in self._turns:
            if self.monotonic() >= turn.at and not self._stopped.is_set():
                self._take_turn(turn)
        return min(turn.at for turn in self._turns) - self.monotonic()

    def _take_turn(self, turn: _Turn) -> None:
        if turn.job.by_the_clock and self._watch.holds(self.monotonic()):
            turn.at = self.monotonic() + turn.job.every
            return
        if turn.job.apart:
            self._start_apart(turn)
        elif self._guarded(lambda: self._run(turn), job=turn.job.name):
            turn.failures = 0
        else:
            turn.failures += 1
        pause = max(turn.job.every, min(turn.job.every * 2 ** min(turn.failures, 10), LONGEST_PAUSE))
        turn.at = self.monotonic() + (0.0 if turn.more else pause)

    def _run(self, turn: _Turn) -> None:
        turn.more = False
        taken = turn.job.run(self._steady if turn.job.by_the_clock and self._steady else self.db)
        turn.more = turn.job.full is not None and taken == turn.job.full

    def _start_apart(self, turn: _Turn) -> None:
        """Starts the job unless its last run is still under way. Its thread never keeps the process alive."""
        if turn.thread is not None and turn.thread.is_alive():
            return

        def run() -> None:
            self._guarded(lambda: turn.job.run(self.db), job=turn.job.name)

        turn.thread = threading.Thread(target=run, name=turn.job.name, daemon=True)
        turn.thread.start()

    def _keep_lease(self) -> None:
        if self.monotonic() < self._renew_at:
            return
        self._renew_at = self.monotonic() + RENEW_AFTER
        self._may_work = False
        self._guarded(self._take_lease)

    def _take_lease(self) -> None:
        self._may_work = take_lease(self.db, self._lease_name(), self.holder, LEASE)

    def _lease_name(self) -> str:
        return WORKER if self.db.embedded else f"{WORKER} {self.holder[-32:]}"

    def _watch_clock(self) -> None:
        now, at = self.db.clock.now(), self.monotonic()
        self._steady = self.db.by(ContinuedClock(now, at, self.monotonic))
        step = self._watch.look(now, at)
        if step is None:
            return
        log.warning("the clock was moved; timers wait a minute", seconds=round(step, 1))
        with self.db.transaction(SYSTEM) as tx:
            tx.trail.append(EventType.CLOCK_STEPPED, {"seconds": round(step, 3), "seen_by": self.holder})

    def _guarded(self, call: Callable[[], object], **about: object) -> bool:
        """Whether it went well. What goes wrong in one job is told and stops no other."""
        try:
            call()
        except Exception:
            log.exception("the worker failed", **about)
            return False
        return True
