"""Conditions on an enqueue body: written in a policy, checked when it is parsed, compiled to closures once.

A field that is not there, or is null, makes every comparison false, `ne` too; `exists` tells. Where the types
do not fit, `ne` is true and every other comparison false, never an error. Booleans are not numbers.
`lt le gt ge` read a text that is a plain decimal, such as "12.90", as its number; two other texts are ordered
by code point, as ISO dates want it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationInfo,
    field_validator,
)

from .fields import compile_field, split_field
from .operators import WORDS, Operator, Test, check_value, compile_operator, value_in_words
from .part import Part

DEEPEST = 5
MOST_TOGETHER = 50
LONGEST_DESCRIPTION = 300

KIND_TAGS = frozenset({"(all)", "(any)", "(not)", "(comparison)"})
"""What pydantic adds to an error's location beside the keys that people wrote."""


class Titled(Part):
    """Any condition may say in words what it means, for those who read why an item came to them."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)] | None = (
        None
    )


class Comparison(Titled):
    """One field against one value."""

    field: str
    op: Operator
    value: Any = Field(default=None, validate_default=True)

    @field_validator("field")
    @classmethod
    def _names_a_field(cls, field: str) -> str:
        split_field(field)
        return field

    @field_validator("value")
    @classmethod
    def _suits_the_operator(cls, value: Any, info: ValidationInfo) -> Any:
        op = info.data.get("op")
        return check_value(op, value) if op else value


class All(Titled):
    """Every one of them."""

    all: list[_Nested] = Field(min_length=1, max_length=MOST_TOGETHER)


class AnyOf(Titled):
    """At least one of them."""

    any: list[_Nested] = Field(min_length=1, max_length=MOST_TOGETHER)


class Not(Titled):
    """The opposite."""

    negated: _Nested = Field(alias="not")


def _kind(condition: Any) -> str:
    """Which kind a raw mapping is when it is read, or a model when it is written."""
    if isinstance(condition, Part):
        return {All: "(all)", AnyOf: "(any)", Not: "(not)"}.get(type(condition), "(comparison)")
    keys = condition if isinstance(condition, dict) else ()
    return next((f"({key})" for key in ("all", "any", "not") if key in keys), "(comparison)")


AnyCondition = Comparison | All | AnyOf | Not
_Nested = Annotated[
    Annotated[All, Tag("(all)")]
    | Annotated[AnyOf, Tag("(any)")]
    | Annotated[Not, Tag("(not)")]
    | Annotated[Comparison, Tag("(comparison)")],
    Discriminator(_kind),
]


def _refuse_deep_nesting(condition: AnyCondition) -> AnyCondition:
    if _depth(condition) > DEEPEST:
        raise ValueError(f"nests all, any and not more than {DEEPEST} deep")
    return condition


def _depth(condition: AnyCondition) -> int:
    return 0 if isinstance(condition, Comparison) else 1 + max(map(_depth, _inner(condition)))


def _inner(condition: All | AnyOf | Not) -> list[AnyCondition]:
    if isinstance(condition, Not):
        return [condition.negated]
    return list(condition.all if isinstance(condition, All) else condition.any)


Condition = Annotated[_Nested, AfterValidator(_refuse_deep_nesting)]
"""The type of a condition in a pydantic model."""

for _model in (All, AnyOf, Not):
    _model.model_rebuild()


def compile(condition: AnyCondition) -> Test:  # noqa: A001  what it does, and always called with its module
    """One closure for the whole tree. It never raises on plain JSON values, whatever they are."""
    if isinstance(condition, Comparison):
        return compile_operator(condition.op, compile_field(condition.field), condition.value)
    tests = tuple(compile(inner) for inner in _inner(condition))
    if isinstance(condition, Not):
        return lambda body: not tests[0](body)
    return _every(tests) if isinstance(condition, All) else _some(tests)


def _every(tests: tuple[Test, ...]) -> Test:
    # A loop rather than all(): without the generator it takes less than half as long on every enqueue.
    def test(body: Mapping[str, Any]) -> bool:
        for one in tests:  # noqa: SIM110
            if not one(body):
                return False
        return True

    return test


def _some(tests: tuple[Test, ...]) -> Test:
    def test(body: Mapping[str, Any]) -> bool:
        for one in tests:  # noqa: SIM110
            if one(body):
                return True
        return False

    return test


def describe(condition: AnyCondition) -> str:
    """The condition in words, for the trail and the review page."""
    words = _words(condition)
    return words if len(words) <= LONGEST_DESCRIPTION else f"{words[: LONGEST_DESCRIPTION - 1]}…"


def _words(condition: AnyCondition) -> str:
    if condition.title is not None:
        return condition.title
    if isinstance(condition, Comparison):
        return _comparison_in_words(condition)
    if isinstance(condition, Not):
        return f"not ({_words(condition.negated)})"
    joint = " and " if isinstance(condition, All) else " or "
    return joint.join(
        _words(inner) if isinstance(inner, Comparison | Not) else f"({_words(inner)})"
        for inner in _inner(condition)
    )


def _comparison_in_words(comparison: Comparison) -> str:
    if comparison.op == "exists":
        return f"{comparison.field} is {'there' if comparison.value else 'missing'}"
    value = value_in_words(comparison.op, comparison.value)
    if comparison.field == "flags" and comparison.op == "contains":
        return f"flag {value}"
    return f"{comparison.field} {WORDS[comparison.op]} {value}"
