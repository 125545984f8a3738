"""Three policies, each as its document has it and once more in plain Python: what the product's routing is held to.

Nothing here calls the product; the rules are few and are written out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from typing import Any
from uuid import UUID

from .real_outputs import FILES, LANGUAGES, MESSAGES, RECEIPTS, Body, Sample

Condition = dict[str, Any]
FILE_TYPES = """json html markdown xml css ruby yaml c javascript toml php ini python go shell java typescript txt
    rust sql""".split()


@dataclass(frozen=True, slots=True)
class Lanes:
    """One queue's lanes, and the rules that keep an output from passing: as conditions, and as a function."""

    autonomous_at: float | None
    assist_at: float | None
    review_when: Sequence[Condition] = ()
    needs_a_look: Callable[[Body], bool] = lambda _: False

    def lane_of(self, body: Body) -> str:
        confidence = body["confidence"]
        sure = self.autonomous_at is not None and confidence >= self.autonomous_at
        if sure and is_whole(body) and not self.needs_a_look(body):
            return "autonomous"
        return "assist" if self.assist_at is not None and confidence >= self.assist_at else "step_aside"


@dataclass(frozen=True, slots=True)
class TriedPolicy:
    """One of the three policies that the main job is done under."""

    name: str
    audit_sample: float
    queues: dict[str, Lanes]
    reviews: dict[str, Any] = field(default_factory=lambda: {"needed": 1})

    def document_of(self, queue: str) -> dict[str, Any]:
        lanes = self.queues[queue]
        return {
            "lanes": {"autonomous_at": lanes.autonomous_at, "assist_at": lanes.assist_at},
            "review_when": list(lanes.review_when),
            "audit_sample": self.audit_sample,
            "reviews": self.reviews,
        }

    def lane_of(self, sample: Sample) -> str:
        return self.queues[sample.queue].lane_of(sample.body)

    def is_audited(self, sample: Sample, item_id: str) -> bool:
        return self.lane_of(sample) == "autonomous" and _draw(item_id) < self.audit_sample

    def asks_people(self, sample: Sample, item_id: str) -> bool:
        return self.lane_of(sample) != "autonomous" or self.is_audited(sample, item_id)


def is_whole(body: Body) -> bool:
    """Whether the output is what its queue's schema asks for."""
    output = body["output"]
    if body["queue"] == FILES:
        return output["label"] in FILE_TYPES
    if body["queue"] == MESSAGES:
        return output["language"] in LANGUAGES
    texts = [output[name] for name in ("merchant", "date", "currency", "total")]
    if not all(isinstance(text, str) for text in texts):
        return False
    merchant, day, currency, total = texts
    return (
        2 <= len(merchant) <= 80
        and _is_a_day(day)
        and currency in {"EUR", "USD", "GBP", "CHF"}
        and re.fullmatch(r"[0-9]+\.[0-9]{2}", total) is not None
    )


def _is_a_day(text: str) -> bool:
    try:
        return re.fullmatch(r"20\d\d-\d\d-\d\d", text) is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _draw(item_id: str) -> float:
    """The share at which an item is drawn for audit: the first 64 bits of a SHA-256 over a fixed text and its id."""
    digest = sha256(b"reviewqueue audit sample" + UUID(item_id).bytes).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _flagged(flag: str) -> Callable[[Body], bool]:
    return lambda body: flag in body["flags"]


def _is_dear_or_european(body: Body) -> bool:
    total = body["output"]["total"]
    dear = re.fullmatch(r"[0-9]+(\.[0-9]+)?", total or "") is not None and float(total) > 300
    return dear or body["tags"]["department"] == "finance-eu"


CAUTIOUS = TriedPolicy(
    "cautious",
    audit_sample=0.05,
    queues={
        RECEIPTS: Lanes(None, 0.80),
        FILES: Lanes(
            0.95,
            0.40,
            [{"field": "flags", "op": "contains", "value": "model-overruled"}],
            _flagged("model-overruled"),
        ),
        MESSAGES: Lanes(
            0.60, 0.30, [{"field": "flags", "op": "contains", "value": "close-call"}], _flagged("close-call")
        ),
    },
)
TRUSTING = TriedPolicy(
    "trusting",
    audit_sample=0.2,
    queues={RECEIPTS: Lanes(0.9, None), FILES: Lanes(0.5, None), MESSAGES: Lanes(0.4, None)},
)
FOUR_EYES = TriedPolicy(
    "four eyes",
    audit_sample=0.1,
    queues={
        RECEIPTS: Lanes(
            0.95,
            0.5,
            [
                {
                    "any": [
                        {"field": "output.total", "op": "gt", "value": 300},
                        {"field": "tags.department", "op": "in", "value": ["finance-eu"]},
                    ]
                }
            ],
            _is_dear_or_european,
        ),
        FILES: Lanes(
            0.6,
            0.4,
            [{"not": {"field": "input.bytes", "op": "ge", "value": 40}}],
            lambda body: body["input"]["bytes"] < 40,
        ),
        MESSAGES: Lanes(
            0.5,
            0.3,
            [{"field": "input.text", "op": "matches", "value": "^[A-Z ]+$"}],
            lambda body: re.fullmatch("[A-Z ]+", body["input"]["text"]) is not None,
        ),
    },
    reviews={"needed": 2, "blind": True, "adjudicate": "lead"},
)
POLICIES = (CAUTIOUS, TRUSTING, FOUR_EYES)
