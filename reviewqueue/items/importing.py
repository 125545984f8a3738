"""Taking enqueue bodies from a file: what is refused is told by its line, and running again goes on."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..db import Database
from ..errors import Fault, Invalid, Refusal
from ..people.access import Caller
from .enqueueing import Taken, enqueue_batch

AT_ONCE = 1_000
MOST_BYTES = 16 * 1024 * 1024
"""Of one batch: what is held at once stays small, whatever the records hold."""


@dataclass(frozen=True, slots=True)
class Record:
    """One enqueue body as a file has it."""

    line: int
    """Where it begins, from 1."""
    size: int
    """How many bytes of the file it took."""
    body: Any
    """The body, or the Refusal that says why there is none."""
    identity: bytes = b""
    """What makes an external id where the body has none: the same again in a file sent again."""


@dataclass(slots=True)
class Imported:
    """How far an import has come."""

    lines: int = 0
    bytes: int = 0
    accepted: int = 0
    replayed: int = 0
    refused: int = 0
    refusals: list[tuple[int, Refusal]] = field(default_factory=list)
    """Of the latest batch: the line's number, from 1, and why."""


def import_records(
    db: Database, caller: Caller, records: Iterable[Record], *, queue: str | None = None
) -> Iterator[Imported]:
    """Takes the records batch by batch, each batch at once, and yields how far it has come after each.

    A body without an `external_id` is given one that its own content makes, with a count where bodies are the same:
    so a file can be sent again, after a stop or with more lines, and nothing comes in twice.
    """
    so_far, seen = Imported(), Counter[str]()
    batch: list[tuple[int, Any]] = []
    held = 0
    for record in records:
        so_far.lines, so_far.bytes = record.line, so_far.bytes + record.size
        batch.append((record.line, _body(record, queue, seen)))
        held += record.size
        if len(batch) == AT_ONCE or held >= MOST_BYTES:
            yield _take(db, caller, batch, so_far)
            batch.clear()
            held = 0
    yield _take(db, caller, batch, so_far)


def _body(record: Record, queue: str | None, seen: Counter[str]) -> Any:
    body = record.body
    if isinstance(body, Refusal):
        return body
    if not isinstance(body, dict):
        return Invalid("The line is not a JSON object.", faults=[Fault("", "must be an object")])
    if queue is not None:
        body.setdefault("queue", queue)
    if body.get("external_id") is None:
        digest = hashlib.sha256(record.identity).hexdigest()[:32]
        seen[digest] += 1
        body["external_id"] = f"import-{digest}-{seen[digest]}"
    return body


def _take(db: Database, caller: Caller, batch: list[tuple[int, Any]], so_far: Imported) -> Imported:
    results = enqueue_batch(db, caller, [body for _, body in batch]) if batch else []
    so_far.refusals = []
    for (number, _), result in zip(batch, results, strict=True):
        if isinstance(result, Taken):
            so_far.accepted += not result.replayed
            so_far.replayed += result.replayed
        else:
            so_far.refused += 1
            so_far.refusals.append((number, result))
    return so_far
