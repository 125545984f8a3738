"""Text becomes plain values exactly as JSON would say them, or a refusal that says where."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reviewqueue.queues.loading import LARGEST, Unreadable, read

plain_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
plain_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | plain_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(plain_text, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(plain_text, plain_values, max_size=5))
def test_whatever_json_says_is_read_as_it_is(values: dict[str, Any]) -> None:
    assert read(json.dumps(values)) == values


@given(st.dictionaries(plain_text, plain_text, max_size=5))
def test_quoted_yaml_text_is_read_as_it_is(values: dict[str, str]) -> None:
    assert read(yaml.safe_dump(values, default_style='"')) == values


@given(st.text())
def test_any_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    with suppress(Unreadable):
        assert isinstance(read(text), dict)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no", "no"),
        ("on", "on"),
        ("2026-11-21", "2026-11-21"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("0o17", "0o17"),
        ("=", "="),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("-12", -12),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("'12'", "12"),
        ('"true"', "true"),
    ],
)
def test_a_plain_word_means_what_yaml_1_2_says(written: str, meant: object) -> None:
    value = read(f"a: {written}")["a"]
    assert value == meant
    assert type(value) is type(meant)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: 1\nb: {c: 1, c: 2}", "has the key c twice"),
        ('{"a": 1, "a": 2}', "has the key a twice"),
        ("a: &x [1]\nb: *x", "anchors and aliases"),
        ("a: &x {b: 1}", "anchors and aliases"),
        ("a: !!python/object/apply:os.system [x]", "tags are not used"),
        ("a: !!binary aGk=", "tags are not used"),
        ("? [1]\n: 2", "not text"),
        ("a: .nan", "not a finite number"),
        ("a: 1e999", "not a finite number"),
        ('{"a": NaN}', "not a finite number"),
        ('{"a": "\\u0000"}', "NUL"),
        ('{"a": "\\ud800"}', "surrogate"),
        ("a: 1\n---\nb: 2", "YAML"),
        ("a: [1", "line 1"),
        ("- a", "must be a mapping"),
        ("", "must be a mapping"),
        ('{"a": ' + "1" * 5_000 + "}", "5000 digits"),
        ("a: " + "[" * 70 + "]" * 70, "64 deep"),
        ("a: " + "[" * 100_000, "64 deep"),
        ("a: " + "x" * LARGEST, "larger than 256 KiB"),
        (b"a: \xff", "not UTF-8"),
    ],
)
def test_the_odd_is_refused_with_its_reason(text: str | bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        read(text)


def test_an_empty_text_is_told_how_a_document_begins() -> None:
    with pytest.raises(Unreadable, match=r"is empty; it must be a mapping .* such as `calendar: office`"):
        read("# nothing\n", "calendar: office")


def test_a_dictionary_that_json_could_not_say_is_refused_where_it_is() -> None:
    with pytest.raises(Unreadable, match="a set") as refusal:
        read({"a/b": [{"c": {1, 2}}]})
    assert refusal.value.pointer == "/a~1b/0/c"
