"""Canonical JSON by RFC 8785, and beyond it where its numbers end."""

from __future__ import annotations

from typing import Any

import pytest

from reviewqueue.canonical import canonical


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1.0, "a": [True, None, "é\n"]}, '{"a":[true,null,"é\\n"],"b":1}'),
        ({"\ufb01": 1, "😀": 2}, '{"😀":2,"\ufb01":1}'),
        ({"\ufb01": 2**53, "😀": 2}, '{"😀":2,"\ufb01":9007199254740992}'),
        ([1e21, 1e-7, 333333333.33333329], "[1e+21,1e-7,333333333.3333333]"),
        ({"n": 2**53, "a": {"z": -(2**63), "y": [True, 2**60]}}, None),
    ],
)
def test_one_value_has_one_text(value: Any, text: str | None) -> None:
    expected = text or '{"a":{"y":[true,1152921504606846976],"z":-9223372036854775808},"n":9007199254740992}'
    assert canonical(value).decode() == expected


def test_large_numbers_that_differ_in_their_last_digit_differ() -> None:
    assert canonical([2**60]) != canonical([2**60 + 1])
