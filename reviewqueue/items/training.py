"""Decisions as training data: what people accepted or made of an output, and what they preferred to it.

Only outcomes that stand and that people decided, which the policy's redaction has passed over. Whether an item is for
training or for testing follows from its input alone, as redaction has left it, so that no row is on both sides.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..audit.events import EventType
from ..audit.models import Event
from ..audit.trail import rfc3339
from ..canonical import canonical, sha256_of
from ..db import Database, Json
from ..people.access import Action, Caller, access_of
from ..queues.policies import policy_of, queue_named
from .exporting import pages_of
from .views import Shown

REDACTED = "[redacted]"
TEST_SHARE = 0.1
TAUGHT = ("accept", "edit")
DECISIONS = (EventType.ITEM_ACCEPTED.value, EventType.ITEM_EDITED.value)

Row = dict[str, Any]


def outputs(
    db: Database, caller: Caller, queue: str, base_url: str, test_share: float = TEST_SHARE
) -> Iterator[Row]:
    """Each output as people left it: accepted as it was, or edited. Raises NoSuchQueue, Forbidden."""
    for row, suggested, decided in _decisions(db, caller, queue, base_url, test_share):
        yield {**row, "output": decided, "suggested": suggested}


def preferences(
    db: Database, caller: Caller, queue: str, base_url: str, test_share: float = TEST_SHARE
) -> Iterator[Row]:
    """Each edit as a pair: what a person wrote is `chosen`, what the model had written `rejected`.

    A rejected output without a better one is no pair. Raises NoSuchQueue, Forbidden.
    """
    for row, suggested, decided in _decisions(db, caller, queue, base_url, test_share):
        if suggested is not None and canonical(suggested) != canonical(decided):
            yield {**row, "chosen": decided, "rejected": suggested}


def split_of(input: Json, test_share: float) -> str:
    """`test` or `train`. A larger share keeps in the test what was there."""
    drawn = sha256_of(["reviewqueue split", input])
    return "test" if int.from_bytes(drawn[:8]) < test_share * 2**64 else "train"


def redacted(values: dict[str, Json], pointers: Sequence[str]) -> dict[str, Json]:
    """A copy in which each place that a JSON pointer names says that it was redacted."""
    copied = copy.deepcopy(values)
    for pointer in pointers:
        *path, last = (part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])
        within: Any = copied
        for part in path:
            within = _inside(within, part)
        if isinstance(within, dict) and last in within:
            within[last] = REDACTED
        elif isinstance(within, list) and _index(last, within) is not None:
            within[int(last)] = REDACTED
    return copied


def _decisions(
    db: Database, caller: Caller, queue: str, base_url: str, test_share: float
) -> Iterator[tuple[Row, Json, Json]]:
    """What all rows have, the suggestion and the decided output, the oldest item first."""
    with db.reading() as session:
        named = queue_named(session, queue)
        access_of(session, caller).require(Action.SEE, named.id, named.name)
        hidden = policy_of(session, named.policy_id).redact
    for page in pages_of(db, named.id):
        now = db.clock.now()
        taught = [one for one in page if _teaches(one) and not one.may_be_undone(now)]
        with db.reading() as session:
            events = _decided_by(session, [one.item["id"] for one in taught])
            pointers = {
                one.item["policy_id"]: policy_of(session, one.item["policy_id"]).redact for one in taught
            }
        for one in taught:
            item_pointers = dict.fromkeys((*hidden, *pointers[one.item["policy_id"]]))
            yield _row(one, events.get(one.item["id"]), tuple(item_pointers), base_url, test_share)


def _teaches(shown: Shown) -> bool:
    outcome = shown.outcome
    return outcome is not None and outcome["by"] == "person" and outcome["verdict"] in TAUGHT


def _decided_by(session: Session, item_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """The event of each item's latest decision."""
    query = (
        sa.select(Event.item_id, Event.id)
        .where(Event.item_id.in_(item_ids), Event.type.in_(DECISIONS))
        .order_by(Event.item_id, Event.item_seq)
    )
    return {item_id: event_id for item_id, event_id in session.execute(query) if item_id is not None}


def _row(
    shown: Shown, event: uuid.UUID | None, pointers: Sequence[str], base_url: str, test_share: float
) -> tuple[Row, Json, Json]:
    item, outcome, evidence = shown.item, shown.outcome or {}, shown.evidence
    if evidence is None:
        raise LookupError(f"item {item['id']} was read without its evidence")
    url = f"{base_url}/items/{item['id']}"
    seen = redacted({"input": evidence.input, "output": evidence.output}, pointers)
    row = {
        "item": str(item["id"]),
        "queue": item["queue"],
        "external_id": item["external_id"],
        "split": split_of(seen["input"], test_share),
        "input": seen["input"],
        "verdict": outcome["verdict"],
        "reason": outcome["reason"],
        "comment": outcome["comment"],
        "confidence": item["confidence"],
        "model": item["model_name"],
        "model_version": item["model_version"],
        "prompt": item["prompt_name"],
        "prompt_version": item["prompt_version"],
        "policy_version": item["policy_version"],
        "revision": outcome["revision"],
        "decided_at": rfc3339(outcome["decided_at"]),
        "event": str(event) if event else None,
        "event_url": f"{url}#event-{event}" if event else url,
    }
    return row, seen["output"], redacted({"output": shown.output}, pointers)["output"]


def _inside(within: Any, part: str) -> Any:
    if isinstance(within, dict):
        return within.get(part)
    index = _index(part, within) if isinstance(within, list) else None
    return None if index is None else within[index]


def _index(part: str, within: list[Any]) -> int | None:
    fits = part.isascii() and part.isdigit() and int(part) < len(within)
    return int(part) if fits else None
