"""Kept items as they were enqueued, so that a policy can route them again.

Conditions see an item as it was enqueued, `priority` and `supersedes` aside, which are not kept as they were sent.
"""

from __future__ import annotations

from typing import Any, Protocol

import orjson

from ..queues.models import Queue
from ..queues.routing import Policy, Routing, route
from .models import Evidence, Item


class Facts(Protocol):
    """What conditions see of an item, whichever row holds it."""

    external_id: Any
    confidence: Any
    flags: Any
    tags: Any
    valid_until: Any


class Texts(Protocol):
    """Its evidence."""

    input_json: Any
    output_json: Any
    details_json: Any


def as_enqueued(queue: str, item: Facts, evidence: Texts) -> dict[str, Any]:
    return {
        **orjson.loads(evidence.details_json),
        "queue": queue,
        "external_id": item.external_id,
        "input": orjson.loads(evidence.input_json),
        "output": orjson.loads(evidence.output_json),
        "confidence": item.confidence,
        "flags": item.flags,
        "tags": item.tags,
        "valid_until": item.valid_until.isoformat() if item.valid_until else None,
    }


def rerouted(policy: Policy, queue: Queue, item: Item, evidence: Evidence) -> Routing:
    """How the policy would route the item if it came now."""
    return route(policy, as_enqueued(queue.name, item, evidence), item.id, queue.stage)
