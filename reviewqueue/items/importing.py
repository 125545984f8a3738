"""Taking a file of enqueue bodies, one a line: what is refused is told by its line, and running again goes on."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..db import Database
from ..errors import Fault, Invalid, NotJson, Refusal
from ..people.access import Caller
from ..web.strict_json import loads
from .enqueueing import Taken, enqueue_batch

AT_ONCE = 1_000


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


def import_lines(
    db: Database, caller: Caller, lines: Iterable[bytes], *, queue: str | None = None
) -> Iterator[Imported]:
    """Takes the lines batch by batch, each batch at once, and yields how far it has come after each.

    A line without an `external_id` is given one that its own bytes make, with a count where lines are the same:
    so a file can be sent again, after a stop or with more lines, and nothing comes in twice.
    """
    so_far, seen = Imported(), Counter[str]()
    batch: list[tuple[int, Any]] = []
    for number, line in enumerate(lines, start=1):
        so_far.lines, so_far.bytes = number, so_far.bytes + len(line)
        if line.strip():
            batch.append((number, _body(line.strip(), queue, seen)))
        if len(batch) == AT_ONCE:
            yield _take(db, caller, batch, so_far)
            batch.clear()
    yield _take(db, caller, batch, so_far)


def _body(line: bytes, queue: str | None, seen: Counter[str]) -> Any:
    try:
        body = loads(line)
    except NotJson as refusal:
        return refusal
    if not isinstance(body, dict):
        return Invalid("The line is not a JSON object.", faults=[Fault("", "must be an object")])
    if queue is not None:
        body.setdefault("queue", queue)
    if body.get("external_id") is None:
        digest = hashlib.sha256(line).hexdigest()[:32]
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
