"""The form of an output gives back exactly what nobody touched, and what was typed where somebody did."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewqueue.errors import Invalid
from reviewqueue.items import output_form
from reviewqueue.items.output_form import Field
from reviewqueue.queues.schemas import compile_schema, faults_of

RECEIPT: dict[str, Any] = {
    "type": "object",
    "required": ["merchant", "currency", "total"],
    "properties": {
        "merchant": {"type": "string", "title": "Merchant"},
        "date": {"type": ["string", "null"], "format": "date"},
        "currency": {"enum": ["EUR", "USD", 1, "1", None]},
        "total": {"type": "string", "pattern": "^[0-9.]+$"},
        "paid": {"type": "boolean"},
        "items": {"type": "integer"},
        "rate": {"type": "number"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "counts": {"type": "array", "items": {"type": "integer"}},
        "address": {"$ref": "#/$defs/address"},
        "note": {"anyOf": [{"type": "string", "maxLength": 2000}, {"type": "null"}]},
        "odd/na~me": {"type": "string"},
        "lines": {"type": "array", "items": {"type": "object"}},
        "free": {},
    },
    "$defs": {
        "address": {"type": "object", "properties": {"city": {"type": "string"}, "zip": {"type": "string"}}}
    },
}
TEXT = st.text(max_size=8)
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
FITTING = st.fixed_dictionaries(
    {"merchant": TEXT, "currency": st.sampled_from(["EUR", "USD", 1, "1", None]), "total": TEXT},
    optional={
        "date": st.none() | st.dates().map(str),
        "paid": st.booleans(),
        "items": st.integers(),
        "rate": st.floats(allow_nan=False, allow_infinity=False) | st.integers(),
        "tags": st.lists(TEXT),
        "counts": st.lists(st.integers()),
        "address": st.fixed_dictionaries({}, optional={"city": TEXT, "zip": TEXT, "more": ANY}),
        "note": st.none() | TEXT,
        "odd/na~me": TEXT,
        "lines": st.lists(st.dictionaries(TEXT, ANY, max_size=2), max_size=2),
        "free": ANY,
        "unknown": ANY,
    },
)


def submitted(fields: tuple[Field, ...]) -> dict[str, str]:
    """What a browser posts for an untouched form: CR LF at line ends, nothing for an unchosen radio."""
    posted: dict[str, str] = {}
    for field in fields:
        if field.kind == "object":
            posted |= submitted(field.children)
        elif field.kind in ("enum", "boolean"):
            if any(choice.value == field.text for choice in field.choices):
                posted[field.name] = field.text
        else:
            posted[field.name] = field.text.replace("\n", "\r\n")
    return posted


def exact(value: Any) -> str:
    return repr(value)


@settings(deadline=None)
@given(FITTING)
def test_what_nobody_touches_comes_back_as_it_was(value: Any) -> None:
    form = submitted(output_form.fields(RECEIPT, value))
    assert exact(output_form.parse(RECEIPT, form, value)) == exact(value)


@settings(deadline=None)
@given(ANY)
def test_even_an_output_that_breaks_the_schema_comes_back_as_it_was(value: Any) -> None:
    for schema in (RECEIPT, {"type": "string"}, {"enum": [1, "a"]}, {"type": "array"}, None):
        form = submitted(output_form.fields(schema, value))
        assert exact(output_form.parse(schema, form, value)) == exact(value)


@settings(deadline=None)
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(RECEIPT["properties"], ANY)))
def test_and_so_does_an_object_of_wrong_members(value: Any) -> None:
    form = submitted(output_form.fields(RECEIPT, value))
    assert exact(output_form.parse(RECEIPT, form, value)) == exact(value)


def edit(value: Any, **typed: str) -> Any:
    form = submitted(output_form.fields(RECEIPT, value))
    return output_form.parse(RECEIPT, form | {f"output/{name}": text for name, text in typed.items()}, value)


SMALL = {"merchant": "GreenFuels", "currency": "EUR", "total": "1", "model_says": 7}


def test_an_edit_changes_what_was_typed_and_nothing_else() -> None:
    assert edit(SMALL, merchant="Green Fuels") == {**SMALL, "merchant": "Green Fuels"}
    assert edit(SMALL, currency='"1"') == {**SMALL, "currency": "1"}
    assert edit(SMALL, currency="1") == {**SMALL, "currency": 1}
    assert edit(SMALL, paid="true", items="12", rate="1.50", tags="a\r\n\r\n b ", counts="1\r\n2") == {
        **SMALL, "paid": True, "items": 12, "rate": 1.5, "tags": ["a", "b"], "counts": [1, 2]
    }  # fmt: skip
    assert edit(SMALL, **{"address/city": "Lyon"}) == {**SMALL, "address": {"city": "Lyon"}}
    assert edit(SMALL, **{"odd~1na~0me": "x"}) == {**SMALL, "odd/na~me": "x"}


def test_emptying_means_absent_null_or_empty_as_the_schema_has_it() -> None:
    full = {**SMALL, "date": "2026-03-02", "items": 3, "tags": ["a"], "note": "x"}
    assert edit(full, date="", items="", tags="", note="") == {
        **SMALL,
        "date": None,
        "tags": [],
        "note": None,
    }
    assert edit(full, merchant="") == {**full, "merchant": ""}
    assert "total" not in edit(full, total="")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("items", "1.5"), ("items", "٣"), ("rate", "12,9"), ("rate", "nan"), ("rate", "1e999"), ("counts", "1\nx"),
        ("lines", "{"), ("lines", "NaN"), ("lines", '{"a":1,"a":2}'), ("lines", "[" * 100_000),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named_by_its_control(name: str, text: str) -> None:
    with pytest.raises(Invalid) as refused:
        edit({**SMALL, "lines": []}, **{name: text, "merchant": "kept"})
    assert [fault.pointer for fault in refused.value.faults] == [f"/output/{name}"]


def test_what_was_typed_stays_with_its_error() -> None:
    typed = {"output/items": "1.5", "output/merchant": "a\r\nb"}
    errors = output_form.by_name(_faults(SMALL, typed))
    shown = {field.name: field for field in output_form.fields(RECEIPT, SMALL, typed, errors)}
    assert (shown["output/items"].text, shown["output/items"].error) == ("1.5", "is a whole number")
    assert shown["output/merchant"].text == "a\nb"
    assert shown["output/merchant"].original == "GreenFuels"
    assert shown["output/merchant"].changed
    assert not shown["output/total"].changed


def _faults(value: Any, typed: dict[str, str]) -> Any:
    with pytest.raises(Invalid) as refused:
        output_form.parse(RECEIPT, typed, value)
    return refused.value.faults


def test_controls_follow_the_schema() -> None:
    kinds = {field.name: field.kind for field in output_form.fields(RECEIPT, SMALL)}
    assert list(kinds.values()) == [
        "text", "date", "enum", "text", "boolean", "integer", "number", "list", "list", "object", "textarea",
        "text", "json", "json",
    ]  # fmt: skip


def test_an_answer_outside_the_enum_is_shown_as_such() -> None:
    field = output_form.fields(RECEIPT, {**SMALL, "currency": "DM"})[2]
    assert field.choices[-1].label == "DM (not allowed)"


def test_an_output_is_edited_as_form_text_or_json() -> None:
    assert output_form.kind(RECEIPT, SMALL) == "form"
    assert output_form.kind(RECEIPT, None) == "form"
    assert output_form.kind({"enum": ["a", "b"]}, "a") == "form"
    assert output_form.kind({"type": "string"}, "a") == "text"
    assert output_form.kind(None, "a") == "text"
    assert output_form.kind(None, {"a": 1}) == "json"
    assert output_form.kind({"type": "object"}, {"a": 1}) == "json"
    many = {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(100)}}
    assert output_form.kind(many, {}) == "json"


def test_controls_have_ids_of_their_own_whatever_properties_are_called() -> None:
    names = ["a b", "a-b", "a/b", "é", "", "<x>"]
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in names}}
    ids = [field.id for field in output_form.fields(schema, {})]
    assert len(set(ids)) == len(names)
    assert all(part.isascii() and " " not in part and "<" not in part for part in ids)


def test_an_enum_of_very_many_is_typed() -> None:
    schema = {"type": "object", "properties": {"city": {"enum": [f"city {n}" for n in range(400)]}}}
    [field] = output_form.fields(schema, {"city": "city 7"})
    assert (field.kind, field.text) == ("text", "city 7")
    assert output_form.parse(schema, {"output/city": "city 9"}, {"city": "city 7"}) == {"city": "city 9"}


def test_a_missing_output_may_be_answered() -> None:
    form = submitted(output_form.fields(RECEIPT, None))
    assert output_form.parse(RECEIPT, form, None) is None
    assert output_form.parse(RECEIPT, form | {"output/merchant": "A"}, None) == {"merchant": "A"}


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/loop", "$defs": {"loop": {"$ref": "#/$defs/loop"}}},
        {"$ref": "https://schemas.example/x"},
        {"type": "object", "properties": {"self": {"$ref": "#"}}},
        {"anyOf": 3},
        {"type": ["string", "integer"]},
    ],
)
def test_odd_schemas_end_in_json_or_a_bounded_form(schema: dict[str, Any]) -> None:
    value: dict[str, Any] = {"self": {"self": {"self": {"self": {}}}}}
    form = submitted(output_form.fields(schema, value))
    assert output_form.parse(schema, form, value) == value


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"total": "abc", "on": "2026-03-02"}, {"output/total": "is not written as it has to be"}),
        ({"total": "1.00", "on": "26.2."}, {"output/on": "is not a date"}),
        ({"on": "2026-03-02"}, {"output/total": "is required"}),
    ],
)
def test_what_is_wrong_with_a_field_is_told_there_and_completes_a_sentence(
    value: dict[str, Any], told: dict[str, str]
) -> None:
    schema = {
        "type": "object",
        "required": ["total"],
        "properties": {
            "total": {"type": "string", "pattern": "^[0-9]+[.][0-9]{2}$"},
            "on": {"type": "string", "format": "date"},
        },
    }
    assert output_form.by_name(faults_of(compile_schema(schema), value)) == told
