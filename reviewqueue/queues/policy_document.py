"""What determines how an item is routed and decided: the part of the document that is kept in versions."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationInfo,
    field_serializer,
    field_validator,
    model_validator,
)

from ..escalation.calendars import FrozenCalendar, OpeningHours
from .conditions import Condition
from .durations import Duration, parse_duration
from .names import EvidencePointer, Slug, Target, without_repeats
from .part import Part, refuse_at
from .schemas import BadSchema, compile_schema, faults_of

Verdict = Literal["accept", "edit", "reject"]
Share = Annotated[float, Field(ge=0, le=1)]
Priority = Annotated[int, Field(ge=0, le=100)]
MOST_RULES = 100


class Lanes(Part):
    """From which confidence on the AI is trusted how far; null turns a lane off."""

    keeps_null: ClassVar[bool] = True

    autonomous_at: Share | None = None
    assist_at: Share | None = 0.0

    @field_validator("assist_at")
    @classmethod
    def _is_not_above_autonomous(cls, assist_at: float | None, info: ValidationInfo) -> float | None:
        autonomous_at = info.data.get("autonomous_at")
        if assist_at is not None and autonomous_at is not None and assist_at > autonomous_at:
            raise ValueError(f"must not be above autonomous_at ({autonomous_at:g})")
        return assist_at


class PriorityRule(Part):
    """How urgent the items are that match."""

    condition: Condition = Field(alias="if")
    set: Priority


class Reviews(Part):
    """How many people look, whether they see each other's reviews, and who settles a dispute."""

    needed: int = Field(default=1, ge=1, le=9)
    blind: bool = True
    adjudicate: Literal["lead", "manager"] = "lead"


class Due(Part):
    """By when a human should have decided."""

    after: Duration
    calendar: Slug | None = None
    """The name of a shared calendar."""
    hours: OpeningHours | None = None
    """The queue's own, in its place. Without either it counts round the clock."""

    @model_validator(mode="after")
    def _has_one_calendar_at_most(self) -> Self:
        if self.calendar is not None and self.hours is not None:
            raise ValueError(
                "has both `calendar` and `hours`; name a shared calendar or write the queue's own hours"
            )
        return self


class Repeat(Part):
    """How often a step is repeated until somebody decides."""

    every: Duration
    times: int = Field(ge=1, le=100)


def _one_or_many(to: Any) -> Any:
    return [to] if isinstance(to, str) else to


class Step(Part):
    """What happens when nobody has decided by then."""

    after: Duration
    to: Annotated[
        list[Target],
        BeforeValidator(_one_or_many, json_schema_input_type=str | list[str]),
        AfterValidator(without_repeats),
    ] = Field(min_length=1, max_length=20)
    notify: Annotated[list[Slug], AfterValidator(without_repeats)] = Field(default=["in-app"], max_length=20)
    priority: Priority | None = None
    repeat: Repeat | None = None

    @field_serializer("to")
    def _one_as_it_is_written(self, to: list[str]) -> str | list[str]:
        return to[0] if len(to) == 1 else to


class Fallback(Part):
    """What is released when the deadline passes. Its reason is free, as nobody chose it."""

    verdict: Verdict
    reason: Slug | None = None
    output: Any = None
    comment: Annotated[str, StringConstraints(min_length=1, max_length=2_000)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _verdict_alone(cls, given: Any) -> Any:
        """`fallback: accept` is short for `fallback: {verdict: accept}`."""
        return {"verdict": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _has_an_output_exactly_if_it_edits(self) -> Self:
        if self.verdict == "edit" and self.output is None:
            refuse_at(("output",), "is needed: an edit releases an output of its own")
        if self.verdict != "edit" and self.output is not None:
            refuse_at(("output",), f"belongs to edit; {self.verdict} has none")
        return self


class Deadline(Part):
    """By when the app needs an outcome."""

    after: Duration
    fallback: Fallback


class Retention(Part):
    """How long evidence is kept, and what of it is hidden."""

    evidence: Duration | None = None
    redact: Annotated[list[EvidencePointer], AfterValidator(without_repeats)] = Field(
        default=[], max_length=MOST_RULES
    )


class PolicyRules(Part):
    """The key `policy`. Left out, every item goes to one person, who sees the suggestion."""

    lanes: Lanes = Lanes()
    review_when: list[Condition] = Field(default=[], max_length=MOST_RULES)
    priority_when: list[PriorityRule] = Field(default=[], max_length=MOST_RULES)
    audit_sample: Share = 0.0
    reviews: Reviews = Reviews()
    lease: Duration = "10m"
    due: Due | None = None
    escalation: list[Step] = Field(default=[], max_length=20)
    deadline: Deadline | None = None
    retention: Retention = Retention()

    @field_validator("lease")
    @classmethod
    def _is_long_enough_to_work(cls, lease: str) -> str:
        if not timedelta(seconds=30) <= parse_duration(lease) <= timedelta(days=7):
            raise ValueError("must be between 30s and 7d")
        return lease

    @field_validator("escalation")
    @classmethod
    def _ascends(cls, steps: list[Step]) -> list[Step]:
        times = [parse_duration(step.after) for step in steps]
        for index in range(1, len(steps)):
            if times[index] <= times[index - 1]:
                refuse_at((index, "after"), "must be later than the step before it")
        return steps


class ReasonOption(Part):
    """A reason that people choose when they decide."""

    code: Slug
    title: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    verdicts: Annotated[list[Verdict], AfterValidator(without_repeats)] = Field(
        alias="for", default=["edit", "reject"], min_length=1
    )


class PolicyPart(Part):
    """Policy, output schema and reasons: together one version."""

    output_schema: dict[str, Any] | None = None
    reasons: list[ReasonOption] = Field(default=[], max_length=MOST_RULES)
    policy: PolicyRules = PolicyRules()

    @field_validator("output_schema")
    @classmethod
    def _is_a_schema(cls, schema: dict[str, Any] | None) -> dict[str, Any] | None:
        if schema is not None:
            try:
                compile_schema(schema)
            except BadSchema as error:
                refuse_at(error.path, error.detail)
        return schema

    @field_validator("reasons")
    @classmethod
    def _are_named_once(cls, reasons: list[ReasonOption]) -> list[ReasonOption]:
        without_repeats([reason.code for reason in reasons])
        return reasons

    @model_validator(mode="after")
    def _falls_back_to_what_the_schema_allows(self) -> Self:
        fallback = self.policy.deadline.fallback if self.policy.deadline else None
        if fallback is not None and fallback.verdict == "edit" and self.output_schema is not None:
            faults = faults_of(compile_schema(self.output_schema), fallback.output, at="")
            if faults:
                where = ("policy", "deadline", "fallback", "output")
                refuse_at(where, f"breaks output_schema: {faults[0].detail}")
        return self


class PublishedPolicy(PolicyPart):
    """What a version keeps: the policy as written, and its calendar as it was when it was published."""

    calendar: FrozenCalendar | None = None
