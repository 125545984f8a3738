"""Conditions say yes only to what is there and fits, and never raise."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from reviewqueue.queues import conditions
from reviewqueue.queues.fields import split_field

ADAPTER: TypeAdapter[conditions.AnyCondition] = TypeAdapter(conditions.Condition)
BODY: dict[str, Any] = {
    "flags": ["missing:total", "vip"],
    "tags": {"department": "finance-eu", "cost.center": "17", "a\\b": "c"},
    "output": {"total": "12.90", "lines": [{"amount": 5}, {"amount": 7.5}], "paid": True, "note": None},
    "context": [{"title": "Supplier file", "text": "..."}],
    "confidence": 0.93,
    "retries": 0,
    "error": None,
}  # fmt: skip


def holds(condition: dict[str, Any], body: dict[str, Any] = BODY) -> bool:
    return conditions.compile(ADAPTER.validate_python(condition))(body)


@pytest.mark.parametrize(
    ("field", "op", "value", "expected"),
    [
        ("tags.department", "eq", "finance-eu", True),
        ("tags.department", "eq", "finance", False),
        ("tags.department", "ne", "finance", True),
        ("tags.department", "in", ["finance-eu", "finance-us"], True),
        ("tags.department", "in", ["sales"], False),
        ("output.paid", "in", [1, 2], False),
        ("output.paid", "in", [True], True),
        ("tags.department", "contains", "nance", True),
        ("tags.department", "matches", "^finance-(eu|us)$", True),
        ("tags.department", "matches", "sales", False),
        ("flags", "contains", "vip", True),
        ("flags", "contains", "vi", False),
        ("flags", "eq", ["missing:total", "vip"], True),
        ("flags.1", "eq", "vip", True),
        ("flags.2", "exists", False, True),
        ("context.0.title", "contains", "Supplier", True),
        ("output.lines.1.amount", "gt", 7, True),
        ("output.lines", "contains", {"amount": 5}, True),
        ("confidence", "lt", 0.94, True),
        ("confidence", "ge", 0.93, True),
        ("retries", "eq", 0, True),
        ("retries", "eq", 0.0, True),
        ("retries", "eq", False, False),
        ("output.paid", "eq", True, True),
        ("output.paid", "eq", 1, False),
        ("output.paid", "ge", 0, False),
        ("output.paid", "ne", 1, True),
        (r"tags.cost\.center", "eq", "17", True),
        (r"tags.a\\b", "eq", "c", True),
        ("output.note", "exists", True, False),
        ("error", "exists", False, True),
        ("output.total", "exists", True, True),
    ],
)
def test_each_operator(field: str, op: str, value: object, expected: bool) -> None:
    assert holds({"field": field, "op": op, "value": value}) is expected


@pytest.mark.parametrize(
    ("found", "op", "value", "expected"),
    [
        ("12.90", "gt", 12, True),
        ("12.90", "le", 12.9, True),
        ("900", "gt", "1000", False),
        (900, "lt", "1000", True),
        ("-5", "lt", 0, True),
        ("1,000.00", "gt", 10, False),
        ("1e9", "gt", 10, False),
        (" 12", "gt", 10, False),
        ("12 EUR", "gt", 10, False),
        ("٣", "gt", 1, False),
        ("9007199254740993", "gt", 9007199254740992, True),
        ("2026-03-02", "lt", "2026-11-21", True),
        ("2026-03-02", "gt", 2025, False),
        (["12"], "gt", 10, False),
    ],
)
def test_order_reads_plain_decimals_as_numbers_and_other_texts_as_texts(
    found: object, op: str, value: object, expected: bool
) -> None:
    assert (
        holds({"field": "output.total", "op": op, "value": value}, {"output": {"total": found}}) is expected
    )


@pytest.mark.parametrize("op", ["eq", "ne", "lt", "le", "gt", "ge", "contains", "matches"])
@pytest.mark.parametrize(
    "field", ["output.missing", "output.note", "output.total.deeper", "prompt.name", "flags.9"]
)
def test_a_field_that_is_not_there_makes_every_comparison_false(field: str, op: str) -> None:
    assert holds({"field": field, "op": op, "value": "x"}) is False
    assert holds({"field": field, "op": "in", "value": ["x"]}) is False
    assert holds({"field": field, "op": "exists"}) is False
    assert holds({"field": field, "op": "exists", "value": False}) is True


def test_all_any_and_not_nest() -> None:
    vip = {"field": "flags", "op": "contains", "value": "vip"}
    late = {"field": "flags", "op": "contains", "value": "late"}
    assert holds({"any": [late, vip]})
    assert not holds({"all": [late, vip]})
    assert holds({"all": [vip, {"not": {"any": [late, {"not": vip}]}}]})


def test_nesting_ends_at_five() -> None:
    condition: dict[str, Any] = {"field": "flags", "op": "exists"}
    for _ in range(5):
        condition = {"not": condition}
    assert holds(condition) is False
    with pytest.raises(ValidationError, match="more than 5 deep"):
        ADAPTER.validate_python({"all": [condition]})


@pytest.mark.parametrize(
    "condition",
    [
        {"field": "flag", "op": "exists"},
        {"field": "", "op": "exists"},
        {"field": "tags.", "op": "exists"},
        {"field": ".tags", "op": "exists"},
        {"field": "tags..a", "op": "exists"},
        {"field": "tags.a\\", "op": "exists"},
        {"field": "tags.\\a", "op": "exists"},
        {"field": "tags" + ".a" * 300, "op": "exists"},
        {"field": "tags.a", "op": "exists", "value": "yes"},
        {"field": "tags.a", "op": "eq"},
        {"field": "tags.a", "op": "eq", "value": None},
        {"field": "tags.a", "op": "in", "value": "a"},
        {"field": "tags.a", "op": "in", "value": []},
        {"field": "tags.a", "op": "in", "value": [None]},
        {"field": "tags.a", "op": "gt", "value": True},
        {"field": "tags.a", "op": "gt", "value": [1]},
        {"field": "tags.a", "op": "matches", "value": "(a"},
        {"field": "tags.a", "op": "matches", "value": "(?=a)"},
        {"field": "tags.a", "op": "matches", "value": r"(a)\1"},
        {"field": "tags.a", "op": "matches", "value": "a{1000}{1000}"},
        {"field": "tags.a", "op": "matches", "value": 5},
        {"field": "tags.a", "op": "like", "value": "x"},
        {"field": "tags.a", "op": "eq", "value": 1, "negated": True},
        {"not": {"field": "flags", "op": "exists"}, "negated": {"field": "flags", "op": "exists"}},
        {"all": [{"field": "flags", "op": "exists"}], "any": [{"field": "flags", "op": "exists"}]},
        {},
        "flags",
        None,
    ],
)
def test_a_condition_that_could_never_work_is_refused_when_it_is_written(condition: object) -> None:
    with pytest.raises(ValidationError):
        ADAPTER.validate_python(condition)


def test_a_pattern_made_to_explode_answers_at_once() -> None:
    body = {"input": {"text": "a" * 200_000 + "!"}}
    assert holds({"field": "input.text", "op": "matches", "value": "^(a+)+$"}, body) is False


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ({"field": "flags", "op": "contains", "value": "missing:date"}, "flag missing:date"),
        ({"field": "output.total", "op": "gt", "value": 1000}, "output.total is above 1000"),
        ({"field": "error", "op": "exists", "value": False}, "error is missing"),
        ({"field": "tags.a", "op": "in", "value": ["x", 1, True]}, "tags.a is one of x, 1, true"),
        (
            {"all": [
                {"field": "tags.a", "op": "matches", "value": "^x"},
                {"any": [{"field": "retries", "op": "ge", "value": 2}, {"not": {"field": "flags", "op": "exists"}}]},
            ]},
            "tags.a matches the pattern ^x and (retries is at least 2 or not (flags is there))",
        ),
    ],
)  # fmt: skip
def test_a_condition_can_be_said_in_words(condition: dict[str, Any], words: str) -> None:
    assert conditions.describe(ADAPTER.validate_python(condition)) == words


def test_a_title_takes_the_place_of_the_words_wherever_it_stands() -> None:
    odd = {"title": "The merchant looks odd", "field": "output.merchant", "op": "matches", "value": "^[^a-z]"}
    assert conditions.describe(ADAPTER.validate_python(odd)) == "The merchant looks odd"
    both = {"all": [odd, {"field": "retries", "op": "gt", "value": 2}]}
    assert (
        conditions.describe(ADAPTER.validate_python(both)) == "The merchant looks odd and retries is above 2"
    )
    assert ADAPTER.dump_python(ADAPTER.validate_python(odd)) == odd


def test_words_stay_short() -> None:
    condition = {"field": "tags.a", "op": "in", "value": [f"value-{number}" for number in range(500)]}
    assert len(conditions.describe(ADAPTER.validate_python(condition))) == conditions.LONGEST_DESCRIPTION


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.just("\ud800")
    | st.just("12.90"),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "0", "total"]), inner, max_size=3)
    ),
    max_leaves=8,
)
fields = st.sampled_from(
    ["output", "output.total", "output.0", "output.a.0.total", "flags", "tags.a", "confidence"]
)
leaves = st.one_of(
    st.builds(
        lambda field, op, value: {"field": field, "op": op, "value": value},
        fields,
        st.sampled_from(["eq", "ne", "contains"]),
        anything.filter(lambda value: value is not None),
    ),
    st.builds(
        lambda field, op, value: {"field": field, "op": op, "value": value},
        fields,
        st.sampled_from(["lt", "le", "gt", "ge"]),
        st.integers() | st.floats() | st.text() | st.just("12.90"),
    ),
    st.builds(
        lambda field, value: {"field": field, "op": "in", "value": value},
        fields,
        st.lists(anything.filter(lambda value: value is not None), min_size=1, max_size=3),
    ),
    st.builds(
        lambda field, value: {"field": field, "op": "matches", "value": value},
        fields,
        st.sampled_from(["^a", "[0-9]+", "(a|b)*c"]),
    ),
    st.builds(lambda field, value: {"field": field, "op": "exists", "value": value}, fields, st.booleans()),
)
some_conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda several: {"all": several}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda several: {"any": several}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda one: {"not": one}, inner),
    ),
    max_leaves=4,
)
bodies = st.dictionaries(st.sampled_from(["output", "flags", "tags", "confidence"]), anything)


@given(some_conditions, bodies)
def test_no_body_makes_a_condition_raise(condition: dict[str, Any], body: dict[str, Any]) -> None:
    try:
        parsed = ADAPTER.validate_python(condition)
    except ValidationError as refusal:
        assert "5 deep" in str(refusal)
        return
    assert conditions.compile(parsed)(body) in (True, False)
    assert conditions.describe(parsed)


@given(leaves, anything)
def test_nothing_but_exists_is_true_of_what_is_not_there(leaf: dict[str, Any], other: Any) -> None:
    assert holds(leaf, {"input": other}) is (leaf["op"] == "exists" and leaf["value"] is False)


@given(st.lists(st.text(min_size=1), min_size=1, max_size=4))
def test_every_key_can_be_written_in_a_field(keys: list[str]) -> None:
    field = ".".join(["input", *(key.replace("\\", "\\\\").replace(".", "\\.") for key in keys)])
    if len(field) <= 500:
        assert split_field(field) == ["input", *keys]
