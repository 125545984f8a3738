"""A difference leads from the one to the other, whatever they are."""

from __future__ import annotations

import time
from typing import Any

import jsonpatch
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewqueue.items import differences

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-2, 2) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.text(), st.text())
def test_words_spell_both_texts(before: str, after: str) -> None:
    pieces = differences.words(before, after)
    assert "".join(text for op, text in pieces if op != "insert") == before
    assert "".join(text for op, text in pieces if op != "delete") == after


def test_the_smallest_piece_is_a_word() -> None:
    assert differences.words("the total is 12.90 EUR", "the total is 12.99 EUR") == [
        ("equal", "the total is 12."),
        ("delete", "90"),
        ("insert", "99"),
        ("equal", " EUR"),
    ]


def test_long_texts_stay_within_the_time_limit() -> None:
    before = " ".join(f"word{n % 977}" for n in range(20_000))
    after = " ".join(f"word{n * 7 % 983}" for n in range(20_000))
    started = time.thread_time()
    pieces = differences.words(before, after)
    assert time.thread_time() - started < 5
    assert "".join(text for op, text in pieces if op != "insert") == before


@settings(deadline=None)
@given(JSON, JSON)
def test_a_patch_turns_the_one_into_the_other(before: Any, after: Any) -> None:
    assert jsonpatch.apply_patch(before, differences.patch(before, after)) == after


@settings(deadline=None)
@given(JSON)
def test_what_is_the_same_has_no_difference(value: Any) -> None:
    assert differences.patch(value, value) == []
    assert differences.changes(value, value) == []


def test_true_is_not_one() -> None:
    assert differences.patch({"a": 1}, {"a": True}) == [{"op": "replace", "path": "/a", "value": True}]
    assert [str(change) for change in differences.changes({"a": 1}, {"a": True})] == ["a: 1 → yes"]


def test_changes_read_aloud() -> None:
    before = {"total": "12.90", "date": None, "lines": [{"text": "a"}], "old": 1}
    after = {"total": "12.99", "date": "2026-03-02", "lines": [{"text": "b"}], "new": ["x"]}
    assert [str(change) for change in differences.changes(before, after)] == [
        "total: 12.90 → 12.99",
        "date: nothing → 2026-03-02",
        "lines › 1 › text: a → b",
        "old: 1 removed",
        "new: 1 entries added",
    ]
