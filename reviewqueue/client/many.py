"""Submitting many in batches: one result for each, in their order, and never two items for one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from .calls import API, Calls, told_by
from .encoding import encoded
from .errors import NotSendable, ReviewQueueError, TooLarge, problem_of
from .exchange import END, Give, Pause, Pull, Request, Stream, ask
from .values import Document, Progress, Submission

MOST_ITEMS = 10_000
"""Of one batch, by the server's rule."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One of many, ready to be sent, or what is wrong with it."""

    index: int
    external_id: str | None
    line: bytes
    problem: ReviewQueueError | None = None


@dataclass
class Many:
    """One run of `submit_many`.

    Each item goes out under an external id, its own or one made of the run's name and its place. So a batch whose
    answer was lost is sent again as it was, and so is a whole run that broke off, when it gets the same name and
    the same items.
    """

    calls: Calls
    queue: str | None = None
    run: str | None = None
    batch_items: int = 500
    batch_bytes: int = 4 * 1024 * 1024
    on_progress: Callable[[Progress], object] | None = None
    progress: Progress = field(default_factory=Progress)

    def __post_init__(self) -> None:
        if not 1 <= self.batch_items <= MOST_ITEMS:
            raise ValueError(f"A batch holds 1 to {MOST_ITEMS} items, not {self.batch_items}.")
        self.run = self.run or uuid4().hex

    def submissions(self) -> Stream[Submission]:
        batch: list[Entry] = []
        size = 0
        for index in itertools.count():
            given = yield Pull()
            if given is END:
                break
            entry = self._entry(index, given)
            if batch and size + len(entry.line) > self.batch_bytes:
                yield from self._hand_in(batch)
                batch, size = [], 0
            batch.append(entry)
            size += len(entry.line) + 1
            if len(batch) == self.batch_items:
                yield from self._hand_in(batch)
                batch, size = [], 0
        if batch:
            yield from self._hand_in(batch)

    def _entry(self, index: int, given: Any) -> Entry:
        if not isinstance(given, Mapping):
            return _wrong(
                index, None, f"Number {index} is a {type(given).__name__}, not the fields of an item."
            )
        body = dict(given)
        if self.queue is not None:
            body.setdefault("queue", self.queue)
        if body.get("external_id") is None:
            body["external_id"] = f"{self.run}-{index}"
        try:
            return Entry(index, body["external_id"], encoded(body))
        except NotSendable as problem:
            return Entry(index, body["external_id"], b"", problem)

    def _hand_in(self, batch: Sequence[Entry]) -> Stream[Submission]:
        results = yield from self._sent([entry for entry in batch if entry.problem is None])
        told = {result.index: result for result in results}
        wrong = [entry for entry in batch if entry.problem is not None]
        self._count(done=len(wrong), refused=len(wrong))
        for entry in batch:
            yield Give(told.get(entry.index) or _refused(entry, entry.problem))

    def _sent(self, entries: Sequence[Entry]) -> Generator[Request | Pause, Any, list[Submission]]:
        if not entries:
            return []
        body = b"\n".join(entry.line for entry in entries)
        headers = {"Content-Type": "application/x-ndjson"}
        try:
            answer = yield from ask(
                Request("POST", f"{API}/items/batch", body=body, headers=headers), self.calls.retries
            )
        except TooLarge as problem:
            # Which size the operator chose is not known here: halve until it fits.
            if len(entries) == 1:
                self._count(done=1, refused=1)
                return [_refused(entries[0], problem)]
            half = len(entries) // 2
            first = yield from self._sent(entries[:half])
            rest = yield from self._sent(entries[half:])
            return first + rest
        counts, submissions = told_by(answer, lambda told: _read(told, entries))
        self._count(done=len(entries), **counts)
        return submissions

    def _count(self, **more: int) -> None:
        so_far = self.progress
        counted = {name: getattr(so_far, name) + number for name, number in more.items()}
        self.progress = replace(so_far, **counted)
        if self.on_progress is not None and more["done"]:
            self.on_progress(self.progress)


def _wrong(index: int, external_id: str | None, why: str) -> Entry:
    return Entry(index, external_id, b"", NotSendable(why))


def _refused(entry: Entry, problem: ReviewQueueError | None) -> Submission:
    return Submission(entry.index, entry.external_id, problem=problem)


def _read(told: Document, entries: Sequence[Entry]) -> tuple[dict[str, int], list[Submission]]:
    results = {result["index"]: result for result in told["results"]}
    counts = {name: int(told[name]) for name in ("accepted", "replayed", "refused")}
    return counts, [_submission(entry, results[place]) for place, entry in enumerate(entries)]


def _submission(entry: Entry, result: Mapping[str, Any]) -> Submission:
    problem = result.get("problem")
    if problem is not None:
        return _refused(entry, problem_of(problem, int(problem.get("status", 422))))
    return Submission(entry.index, entry.external_id, result["id"], result["state"], result["lane"])
