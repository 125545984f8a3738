"""Which lane an item takes and why: a pure function of the policy, the item's facts, its id and the stage.

How the lane is found:

- A missing confidence, a reported error, a missing output, or an output that breaks the queue's schema always
  goes to a human. An `error` counts unless it is null: an exception without a message is still an error.
- Confidence at or above `autonomous_at` is autonomous, unless a review rule matches or the queue's stage is
  prototype.
- Else a human looks. The lane is `assist` where there is a suggestion worth seeing: there is an output, the
  assist lane is on, and the confidence, if known, reaches `assist_at`. An output that breaks the schema or came
  with an error is still seen, with the reason beside it. Otherwise the lane is `step_aside`.
- A lane that is off (null) passes its items on: autonomous to assist, assist to step_aside. With both off
  everything is step_aside.

Every reason that applies is kept. No detail repeats a value of the evidence other than the confidence (names of
an output's properties may appear), since reasons live in the trail, which outlives erased evidence.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

from .lanes import Lane, Purpose, Stage
from .policy import Policy, Reason, compile_policy
from .schemas import faults_of, fits

__all__ = ["Policy", "Reason", "Routing", "compile_policy", "drawn_for_audit", "route"]

DEFAULT_PRIORITY = 50

NO_CONFIDENCE = Reason("no-confidence", "the model gave no confidence")
MODEL_ERROR = Reason("model-error", "the model reported an error")
NO_OUTPUT = Reason("no-output", "the model gave no output")


class Routing(NamedTuple):
    lane: Lane
    purpose: Purpose
    released: bool
    """Policy lets the output pass: the item is auto_accepted, or an audit item with its outcome already set."""
    to_human: bool
    reasons: tuple[Reason, ...]
    priority: int


def route(policy: Policy, body: Mapping[str, Any], item_id: UUID, stage: str) -> Routing:
    """Route one enqueue body, whose keys may be absent where they are null."""
    confidence = _confidence(body)
    reasons = _reasons_for_a_human(policy, body, confidence, stage)
    priority = _priority(policy, body)
    threshold = policy.autonomous_at
    if reasons or confidence is None or threshold is None:
        lane = _human_lane(policy, body, confidence)
        return Routing(lane, Purpose.GATE, released=False, to_human=True, reasons=reasons, priority=priority)
    trusted = Reason("autonomous", f"confidence {_short(confidence)} is at or above {_short(threshold)}")
    if drawn_for_audit(item_id, policy.audit_sample):
        drawn = Reason("audit-sample", f"drawn for audit, as {policy.audit_sample * 100:.6g} % are")
        return Routing(Lane.AUTONOMOUS, Purpose.AUDIT, True, True, (trusted, drawn), priority)
    return Routing(Lane.AUTONOMOUS, Purpose.GATE, True, False, (trusted,), priority)


def drawn_for_audit(item_id: UUID, share: float) -> bool:
    """Whether the item is in the audit sample: anyone who knows its id can check the draw."""
    if share <= 0:
        return False
    drawn = sha256(b"reviewqueue audit sample" + item_id.bytes).digest()
    return int.from_bytes(drawn[:8]) < share * 2**64


def _confidence(body: Mapping[str, Any]) -> float | None:
    value = body.get("confidence")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        return None
    return value


def _reasons_for_a_human(
    policy: Policy, body: Mapping[str, Any], confidence: float | None, stage: str
) -> tuple[Reason, ...]:
    reasons = _unknowns(policy, body)
    if confidence is None:
        reasons.append(NO_CONFIDENCE)
    elif policy.autonomous_at is None or confidence < policy.autonomous_at:
        reasons.append(_too_low(policy, confidence))
    for matches, reason in policy.review_rules:
        if matches(body):
            reasons.append(reason)
    if stage == Stage.PROTOTYPE and not reasons:
        reasons.append(Reason(f"stage:{stage}", "a prototype releases nothing by itself"))
    return tuple(reasons)


def _unknowns(policy: Policy, body: Mapping[str, Any]) -> list[Reason]:
    reasons = []
    if body.get("error") is not None:
        reasons.append(MODEL_ERROR)
    output = body.get("output")
    if output is None:
        reasons.append(NO_OUTPUT)
    elif policy.validator is not None and not fits(policy.validator, output):
        faults = faults_of(policy.validator, output, at="output")
        detail = f"{faults[0].pointer}: {faults[0].detail}" if faults else "output does not fit the schema"
        reasons.append(Reason("schema-broken", detail))
    return reasons


def _too_low(policy: Policy, confidence: float) -> Reason:
    autonomous_at, assist_at = policy.autonomous_at, policy.assist_at
    short = _short(confidence)
    if assist_at is None:
        return Reason(
            "below-assist", f"confidence {short} is not enough to release, and people answer first here"
        )
    if confidence < assist_at:
        return Reason("below-assist", f"confidence {short} is below {_short(assist_at)}")
    if autonomous_at is None:
        return Reason("below-autonomous", "nothing is released here without a human")
    return Reason("below-autonomous", f"confidence {short} is below {_short(autonomous_at)}")


def _human_lane(policy: Policy, body: Mapping[str, Any], confidence: float | None) -> Lane:
    if body.get("output") is None or policy.assist_at is None:
        return Lane.STEP_ASIDE
    if confidence is not None and confidence < policy.assist_at:
        return Lane.STEP_ASIDE
    return Lane.ASSIST


def _priority(policy: Policy, body: Mapping[str, Any]) -> int:
    """The body's, else 50; then each matching rule in order, so that the last one stands."""
    given = body.get("priority")
    priority: int = DEFAULT_PRIORITY if given is None else given
    for matches, value in policy.priority_rules:
        if matches(body):
            priority = value
    return priority


@lru_cache(maxsize=1024)
def _short(value: float) -> str:
    """To four places and never rounded up, so that what is below a threshold also reads so."""
    cut = Decimal(repr(value)).quantize(_PLACES, ROUND_FLOOR)
    return f"{cut.normalize():f}"


_PLACES = Decimal("0.0001")
