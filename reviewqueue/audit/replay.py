"""Computing an item again from its events alone: a pure fold, held against the row by `audit verify`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Replayed:
    """What an item's events say about it."""

    state: str | None = None
    level: int = 0
    claim: str | None = None
    """The id of the person who holds it. A lease that ran out stands until its lapse is recorded."""
    outcome: dict[str, Any] | None = None
    """{verdict, by, reason, revision} of the one that stands, and `output` of an edit."""


def replay(bodies: Iterable[str | bytes]) -> Replayed:
    """The item as the stored bodies of its events, oldest first, leave it.

    Every event that changes one of the four says its new value under that name; what it does not name stays.
    """
    item = Replayed()
    for body in bodies:
        item = _after(item, orjson.loads(body)["data"])
    return item


def _after(item: Replayed, data: dict[str, Any]) -> Replayed:
    claim = data.get("claim")
    return replace(
        item,
        state=data.get("state", item.state),
        level=data.get("level", item.level),
        claim=(claim["by"] if claim else None) if "claim" in data else item.claim,
        outcome=data.get("outcome", item.outcome),
    )
