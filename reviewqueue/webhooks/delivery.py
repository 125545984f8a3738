"""The sender: attempts deliveries, several subscriptions at once, each over a few connections of its own.

A thread works for one subscription as long as that has anything due. A receiver that never answers holds its own
threads and nobody else's; one that fails gets a single one until something arrives.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from ..config import Settings
from ..db import Database
from ..items.receipts import Receipts, receipts_of
from ..outbound.client import Answer, Client, Limits, NoAnswer
from ..outbound.guard import Guard
from ..sealing import CannotOpen
from . import claiming, schedule, settling
from .claiming import Batch, Due
from .completing import completed
from .settling import Result, Results
from .signing import Seal, headers

log = logging.getLogger(__name__)

MOST_THREADS = 200
LOOK_EVERY = 0.5
"""Seconds until the dispatcher looks again by itself: for what is due now, and for what other processes staged."""
LINGER = 5.0
"""Seconds that a run waits for more, listening for commits of this process."""
UNSIGNED = "its secret cannot be read: was REVIEWQUEUE_SECRET_KEY changed? Then rotate the secret"


@dataclass(slots=True)
class Sender:
    """Sends what is due, as the settings allow."""

    guard: Guard
    seal: Seal
    receipts: Callable[[Database], Receipts | None]
    """Who signs the outcomes in the bodies; None: nobody."""
    limits: Limits = field(default_factory=Limits)
    batch_seconds: float = claiming.BATCH_SECONDS

    def run(self, db: Database, linger: float = LINGER) -> int:
        """Sends until nothing was due for a while; returns how many attempts were made. A worker's job."""
        return _Run(self, db).until_idle(linger)

    def attempt(self, db: Database, batch: Batch) -> Results:
        """Attempts the batch's deliveries one after the other, and leaves what it has no time for."""
        results: Results = {}
        began = time.monotonic()
        try:
            secrets = [self.seal.open(sealed) for sealed in batch.secrets]
        except CannotOpen:
            return {due.id: Result(db.clock.now(), 0.0, error=UNSIGNED) for due in batch.deliveries}
        with Client(self.guard, self.limits) as client:
            for due in batch.deliveries:
                result = results[due.id] = self._send(db, client, batch.url, due, secrets)
                if time.monotonic() - began >= self.batch_seconds or not result.arrived:
                    break  # the others would only wait for a receiver that fails: each is tried when it is due again
        return results

    def _send(self, db: Database, client: Client, url: str, due: Due, secrets: list[str]) -> Result:
        started_at, began = db.clock.now(), time.monotonic()
        signed = headers(str(due.event_id), started_at, due.body, secrets)
        try:
            answer = client.post(url, due.body, {**signed, **_CONTENT})
            seconds = time.monotonic() - began
            wish = schedule.wished(answer.headers.get("retry-after"), started_at)
            return Result(started_at, seconds, answer.status, answer=_text(answer), wish=wish)
        except NoAnswer as error:
            return Result(started_at, time.monotonic() - began, error=str(error)[:300])
        except Exception as error:
            # Kept as an attempt like others: else the same would be tried each minute for ever.
            log.exception("a delivery to %s broke", due.id)
            return Result(started_at, time.monotonic() - began, error=f"unexpected {type(error).__name__}")


def sender_of(settings: Settings) -> Sender:
    return Sender(settings.guard, Seal(settings.secret_key), partial(receipts_of, settings))


class _Run:
    """One run of the sender: a dispatcher, and the threads that it has sent out."""

    def __init__(self, sender: Sender, db: Database) -> None:
        self._sender, self._db, self._receipts = sender, db, sender.receipts(db)
        self._lock = threading.Lock()
        self._busy: Counter[uuid.UUID] = Counter()
        self._made = 0

    def until_idle(self, linger: float) -> int:
        last = time.monotonic()
        while True:
            self._db.to_send.clear()
            if self._dispatch() or self._busy_now():
                last = time.monotonic()
            elif time.monotonic() - last >= linger:
                return self._made
            self._db.to_send.wait(min(LOOK_EVERY, max(linger, 0.01)))

    def _dispatch(self) -> bool:
        """Sends out threads to whoever has work and not enough of them; whether there was any work."""
        work = claiming.with_work(self._db)
        for subscription_id, most in work:
            with self._lock:
                free = min(most - self._busy[subscription_id], MOST_THREADS - self._busy.total())
                self._busy[subscription_id] += max(0, free)
            for _ in range(free):
                self._start(subscription_id)
        return bool(work)

    def _start(self, subscription_id: uuid.UUID) -> None:
        target, to = self._work_for, (subscription_id,)
        threading.Thread(target=target, args=to, name="deliveries", daemon=True).start()

    def _work_for(self, subscription_id: uuid.UUID) -> None:
        worked = False
        try:
            batch = claiming.claim(self._db, subscription_id)
            while batch is not None:
                worked = True
                batch = completed(self._db, batch, self._receipts)
                results = self._sender.attempt(self._db, batch)
                with self._lock:
                    self._made += len(results)
                batch = settling.settle_and_claim(self._db, batch, results)
        except Exception:
            # The lease runs out by itself, and the same is sent again.
            log.exception("deliveries to subscription %s stopped for now", subscription_id)
        finally:
            with self._lock:
                self._busy[subscription_id] -= 1
            if worked:  # else others send to it as much as may be: looking again at once would find the same
                self._db.to_send.set()

    def _busy_now(self) -> bool:
        with self._lock:
            return self._busy.total() > 0


def _text(answer: Answer) -> str:
    """The beginning of the answer as text that the database takes."""
    return (
        answer.body[: 4 * settling.KEPT].decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    )


_CONTENT = {"Content-Type": "application/json", "User-Agent": "reviewqueue-webhooks"}
