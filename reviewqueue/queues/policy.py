"""A policy version, compiled: what routing, claiming, deciding and escalation read, in the types they need."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

import jsonschema_rs

from ..escalation.calendars import Calendar, compile_calendar
from . import conditions, policy_document
from .durations import parse_duration
from .operators import Test
from .policy_document import PolicyRules, PublishedPolicy, ReasonOption
from .schemas import compile_schema


class Reason(NamedTuple):
    """Why an item went where it went."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Step:
    """What happens `after` an item's arrival when nobody has decided."""

    after: timedelta
    to: tuple[str, ...]
    notify: tuple[str, ...]
    priority: int | None
    repeat_every: timedelta | None
    repeat_times: int


@dataclass(frozen=True, slots=True)
class Fallback:
    """What is released when the deadline passes."""

    verdict: str
    reason: str | None
    output: Any
    comment: str | None


@dataclass(frozen=True, slots=True)
class Policy:
    version: int
    autonomous_at: float | None
    assist_at: float | None
    review_rules: tuple[tuple[Test, Reason], ...]
    priority_rules: tuple[tuple[Test, int], ...]
    audit_sample: float
    reviews_needed: int
    blind: bool
    adjudicate: str
    """The least role that settles a dispute: lead or manager."""
    lease: timedelta
    due_after: timedelta | None
    due_calendar: str | None
    """The name of the shared calendar, if any."""
    calendar: Calendar | None
    """In whose hours due time, escalation and snoozes count; None: round the clock."""
    steps: tuple[Step, ...]
    deadline_after: timedelta | None
    fallback: Fallback | None
    keep_evidence: timedelta | None
    redact: tuple[str, ...]
    validator: jsonschema_rs.Validator | None
    """Checks an output; None where the queue has no schema."""
    reasons: tuple[ReasonOption, ...]

    def reason_codes_for(self, verdict: str) -> tuple[str, ...]:
        """The reasons to choose from. Where a reject has any, one must be given; an edit tells by itself."""
        return tuple(reason.code for reason in self.reasons if verdict in reason.verdicts)


def compile_policy(policy_part: dict[str, Any], version: int) -> Policy:
    """Compile what a version keeps, or what `QueueDocument.policy_part()` wrote, which has no calendar yet.

    Takes far longer than routing: keep the result.
    """
    part = PublishedPolicy.model_validate(policy_part)
    rules = part.policy
    deadline = rules.deadline
    return Policy(
        version=version,
        autonomous_at=rules.lanes.autonomous_at,
        assist_at=rules.lanes.assist_at,
        review_rules=_review_rules(rules),
        priority_rules=tuple((conditions.compile(rule.condition), rule.set) for rule in rules.priority_when),
        audit_sample=rules.audit_sample,
        reviews_needed=rules.reviews.needed,
        blind=rules.reviews.blind,
        adjudicate=rules.reviews.adjudicate,
        lease=parse_duration(rules.lease),
        due_after=_duration(rules.due.after if rules.due else None),
        due_calendar=rules.due.calendar if rules.due else None,
        calendar=None if part.calendar is None else compile_calendar(part.calendar.as_dict()),
        steps=tuple(_step(step) for step in rules.escalation),
        deadline_after=_duration(deadline.after if deadline else None),
        fallback=Fallback(**dict(deadline.fallback)) if deadline else None,
        keep_evidence=_duration(rules.retention.evidence),
        redact=tuple(rules.retention.redact),
        validator=None if part.output_schema is None else compile_schema(part.output_schema),
        reasons=tuple(part.reasons),
    )


def _review_rules(rules: PolicyRules) -> tuple[tuple[Test, Reason], ...]:
    return tuple(
        (conditions.compile(condition), Reason(f"rule:{number}", conditions.describe(condition)))
        for number, condition in enumerate(rules.review_when, start=1)
    )


def _step(step: policy_document.Step) -> Step:
    return Step(
        after=parse_duration(step.after),
        to=tuple(step.to),
        notify=tuple(step.notify),
        priority=step.priority,
        repeat_every=_duration(step.repeat.every if step.repeat else None),
        repeat_times=step.repeat.times if step.repeat else 0,
    )


def _duration(text: str | None) -> timedelta | None:
    return None if text is None else parse_duration(text)
