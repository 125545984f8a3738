"""Validated input about items, shared by all doors."""

from __future__ import annotations

import re
import uuid
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from ..errors import Fault, Invalid
from ..plain_words import in_words, pointer_of
from ..queues.part import refuse_at
from .states import Verdict

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")


def _moment(value: Any) -> Any:
    if value is None or isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        raise ValueError("must be an RFC 3339 time with a zone, such as 2026-03-02T09:00:00Z")
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value.upper()))


def _verdict(value: Any) -> Any:
    try:
        return Verdict(value)
    except ValueError:
        raise ValueError("must be accept, edit or reject") from None


def _item_id(value: Any) -> Any:
    try:
        return uuid.UUID(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError("must be an item's id") from None


ItemId = Annotated[uuid.UUID, BeforeValidator(_item_id)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
QueueName = Annotated[str, Field(min_length=1, max_length=64)]


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


Said = Annotated[str, Field(min_length=1, max_length=10_000), AfterValidator(_not_blank)]
"""What a person says: a reason in words, a comment."""


class Form(BaseModel):
    """Input that names its fields exactly: an unknown one is an error, and nothing is converted from another type."""

    model_config = ConfigDict(extra="forbid", strict=True)


class ModelUsed(Form):
    name: Name
    version: Annotated[str, Field(max_length=200)] | None = None


class Prompt(Form):
    name: Annotated[str, Field(max_length=200)] | None = None
    version: Annotated[str, Field(max_length=200)] | None = None
    text: str | None = None


class ContextPart(Form):
    """Something that the model, or a human, may want to look at beside the input."""

    title: Annotated[str, Field(max_length=500)] | None = None
    text: str | None = None
    url: str | None = None


class EnqueueForm(Form):
    """An AI output as an app sends it."""

    queue: QueueName
    input: Any
    external_id: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    output: Any = None
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    flags: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=120)]], Field(max_length=64, default_factory=list)
    ]
    tags: Annotated[
        dict[Annotated[str, Field(min_length=1, max_length=64)], Annotated[str, Field(max_length=255)]],
        Field(max_length=64, default_factory=dict),
    ]
    model: ModelUsed | None = None
    prompt: Prompt | None = None
    config: dict[str, Any] | None = None
    context: Annotated[list[ContextPart], Field(max_length=100, default_factory=list)]
    explanation: str | None = None
    assumptions: Annotated[list[str], Field(max_length=100, default_factory=list)]
    latency_ms: Annotated[float, Field(ge=0)] | None = None
    retries: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    error: Annotated[str, Field(min_length=1)] | dict[str, Any] | None = None
    trace_id: Annotated[str, Field(max_length=255)] | None = None
    priority: Annotated[int, Field(ge=0, le=100)] | None = None
    valid_until: Moment | None = None
    supersedes: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    occurred_at: Moment | None = None


class DecisionForm(Form):
    """A reviewer's verdict. `output` goes with an edit alone; send `claim_token` or the header If-Match."""

    verdict: Annotated[Verdict, BeforeValidator(_verdict)]
    output: Any = None
    reason: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    comment: Annotated[str, Field(max_length=10_000)] | None = None
    claim_token: Annotated[str, Field(max_length=100)] | None = None
    despite_schema: bool = False
    """With an accept: release the suggestion although it is missing or breaks the queue's schema."""

    @model_validator(mode="after")
    def _output_with_edit_alone(self) -> DecisionForm:
        given = "output" in self.model_fields_set
        if self.verdict is Verdict.EDIT and not given:
            refuse_at(("output",), "an edit needs `output`, the whole output as it should be")
        if self.verdict is not Verdict.EDIT and given and self.output is not None:
            refuse_at(("output",), f"`output` goes with an edit alone, not with {self.verdict}")
        return self


class ClaimTokenForm(Form):
    claim_token: Annotated[str, Field(max_length=100)] | None = None
    token: Annotated[str, Field(max_length=100)] | None = None
    """The same by the name that the claim's answer has."""

    @property
    def given(self) -> str | None:
        return self.claim_token or self.token


class ClaimNextForm(Form):
    """What `claim next` should pass over: items that the person skipped."""

    skip: Annotated[list[ItemId], Field(max_length=200)] = []


class ReasonForm(Form):
    """Why, in words: for a reopening or a recall."""

    reason: Said


class WithdrawalForm(Form):
    reason: Annotated[str, Field(max_length=10_000)] | None = None


class EscalationForm(Form):
    reason: Said
    to: Annotated[str, Field(max_length=260)] | None = None
    """A person's email or `team:<slug>`, for who may assign items; null: whom the policy's step of that level names."""


class SnoozeForm(Form):
    until: Moment
    until_reply: bool = False
    """Also ends with a comment by anybody else, where that comes first."""
    reason: Annotated[str, Field(max_length=10_000)] | None = None


class AssignmentForm(Form):
    to: Annotated[str, Field(min_length=1, max_length=260)] | None
    """A person's email or `team:<slug>`; null: nobody in particular."""
    reason: Annotated[str, Field(max_length=10_000)] | None = None


class CommentForm(Form):
    text: Said


F = TypeVar("F", bound=BaseModel)

Order = Literal["due", "-created", "-priority"]


def parse(form: type[F], body: Any) -> F:
    """Validates plain values; raises Invalid with a pointer to each fault."""
    try:
        return form.model_validate(body)
    except ValidationError as error:
        raise invalid(error) from None


def invalid(error: ValidationError) -> Invalid:
    """Pydantic's errors as a refusal."""
    faults = [Fault(pointer_of(e["loc"]), in_words(e)) for e in error.errors(include_url=False)]
    named = ", ".join(f.pointer or "the body" for f in faults[:5])
    return Invalid(f"The input does not fit: see {named}.", faults=faults)
