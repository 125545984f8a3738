"""A batch on the wire: an array or one item a line in, and one answer that tells what became of each."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from typing import Any

from ..errors import Invalid, NotJson, Refusal, UnsupportedMedia
from ..web.strict_json import loads
from .enqueueing import MOST_IN_BATCH
from .operations import Taken
from .repeats import OneBatch

NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl")


def bodies(data: bytes, mimetype: str) -> list[Any]:
    """The batch's bodies; a line that cannot be read is the refusal that says why.

    Raises NotJson for an array that cannot be read, since then its parts cannot be told apart, UnsupportedMedia,
    and Invalid for more than 10,000.
    """
    if mimetype in NDJSON:
        lines = [line for line in data.split(b"\n") if line.strip()]
        _require_few(len(lines))
        return [_line(line) for line in lines]
    if mimetype != "application/json":
        raise UnsupportedMedia(
            "Send a JSON array as application/json, or one item a line as application/x-ndjson."
        )
    array = loads(data)
    if not isinstance(array, list):
        raise Invalid("The body of a batch is a JSON array of items.")
    _require_few(len(array))
    return array


def one_batch(key: str, data: bytes, mimetype: str, atomic: bool, request_id: str) -> OneBatch:
    """A batch under an Idempotency-Key: equal are those of the same bytes, read the same way."""
    way = f"batch\0{mimetype}\0{atomic}\0".encode()
    return OneBatch(key, hashlib.sha256(way + data).digest(), partial(answer, request_id=request_id))


def answer(results: Sequence[Taken | Refusal], request_id: str) -> dict[str, Any]:
    told = [_told(index, result, request_id) for index, result in enumerate(results)]
    replayed = sum(isinstance(r, Taken) and r.replayed for r in results)
    refused = sum(isinstance(r, Refusal) for r in results)
    return {
        "accepted": len(told) - replayed - refused,
        "replayed": replayed,
        "refused": refused,
        "results": told,
    }


def _require_few(count: int) -> None:
    if count > MOST_IN_BATCH:
        raise Invalid(f"A batch holds up to {MOST_IN_BATCH} items; this one has {count}. Send several.")


def _line(line: bytes) -> Any:
    try:
        return loads(line)
    except NotJson as refusal:
        return refusal


def _told(index: int, result: Taken | Refusal, request_id: str) -> dict[str, Any]:
    if isinstance(result, Refusal):
        return {"index": index, "problem": result.problem(request_id)}
    return {"index": index, "id": str(result.id), "state": result.state, "lane": result.lane}
