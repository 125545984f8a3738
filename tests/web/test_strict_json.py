"""What is read as JSON, and what is refused because two readers could read it differently."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewqueue.errors import NotJson
from reviewqueue.web.strict_json import LARGEST_INTEGER, SMALLEST_INTEGER, _carefully, loads

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(SMALLEST_INTEGER, LARGEST_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES, st.booleans())
def test_every_value_that_can_be_kept_is_read_as_it_was_written(value: Any, escaped: bool) -> None:
    assert loads(json.dumps(value, ensure_ascii=escaped).encode()) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_and_nothing_else(body: bytes) -> None:
    try:
        value = loads(body)
    except NotJson:
        return
    assert json.loads(body.decode()) == value


JSON_LIKE = st.lists(
    st.sampled_from(
        ["{", "}", "[", "]", ",", ":", '"a"', '"b"', '"\\ud800"', '"\\u0000"', "1", "-0", "1e999", "NaN", "null",
         "123456789012345678901", "9" * 5000, " "]
    ),
    max_size=30,
)  # fmt: skip


@given(JSON_LIKE)
def test_what_is_read_can_be_kept(parts: list[str]) -> None:
    try:
        value = loads("".join(parts).encode())
    except NotJson:
        return
    pending = [value]
    while pending:
        part = pending.pop()
        if isinstance(part, str):
            assert "\0" not in part
            part.encode("utf-8")
        elif isinstance(part, float):
            assert math.isfinite(part)
        elif isinstance(part, int) and not isinstance(part, bool):
            assert SMALLEST_INTEGER <= part <= LARGEST_INTEGER
        elif isinstance(part, dict):
            pending += [*part, *part.values()]
        elif isinstance(part, list):
            pending += part


@given(st.lists(st.sampled_from("ab/~"), min_size=2, max_size=6))
def test_a_repeated_key_is_refused_wherever_it_is(keys: list[str]) -> None:
    body = "[0, {" + ", ".join(f'"{key}": 1' for key in keys) + "}]"
    if len(set(keys)) == len(keys):
        assert list(loads(body.encode())[1]) == keys
    else:
        with pytest.raises(NotJson) as refused:
            loads(body.encode())
        repeated = next(key for i, key in enumerate(keys) if key in keys[:i])
        pointer = "/1/" + repeated.replace("~", "~0").replace("/", "~1")
        assert refused.value.faults[0].pointer == pointer


# Texts between their quotes as they are sent, among them what looks like the end of a key.
SENT = st.sampled_from(
    ["a", "b", ":", '\\"', '\\":', '\\"\\":a', "\\u0022:", '\\"\\u003A', "\\\\", "\\n", "\\ud83d\\ude00"]
)
ROOM = st.sampled_from(["", "", "", " ", "\n"])


def _objects(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    members = st.lists(st.builds('"{}"{}:{}{}'.format, SENT, ROOM, ROOM, inner), max_size=4)
    return members.map(lambda parts: "{" + ",".join(parts) + "}")


SENT_VALUES = st.recursive(
    st.one_of(
        SENT.map('"{}"'.format), st.sampled_from(["1", "18446744073709551616", "0.1234567890123456789"])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: f"[{','.join(parts)}]"), _objects(inner)
    ),
    max_leaves=8,
)


@given(SENT_VALUES)
def test_the_quick_way_reads_and_refuses_what_the_careful_way_does(text: str) -> None:
    try:
        value = _carefully(text.encode())
    except NotJson as refusal:
        with pytest.raises(NotJson) as refused:
            loads(text.encode())
        assert refused.value.faults == refusal.faults
    else:
        assert loads(text.encode()) == value


@pytest.mark.parametrize("deep", [65, 200, 300, 1_100])
def test_depth_is_counted_wherever_it_lies(deep: int) -> None:
    inner = b'{"a":' * (deep - 1) + b"[]" + b"}" * (deep - 1)
    for body in (inner, b"[0," + inner + b"]", b'{"b":[' + inner + b"]}"):
        with pytest.raises(NotJson):
            loads(body)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b'{"a": {"b": NaN}}', "/a/b"),
        (b"[1, -Infinity]", "/1"),
        (b'{"a": 1e999}', "/a"),
        (b"[1" + b"0" * 400 + b".5]", "/0"),
        (b'{"n": 18446744073709551616}', "/n"),
        (b'{"n": -9223372036854775809}', "/n"),
        (b"[" + b"9" * 10_000 + b"]", "/0"),
        (b'{"a": ["x", "\\ud800"]}', "/a/1"),
        (b'{"a": "\\u0000"}', "/a"),
        (b'{"a": {"b\\u0000": 1}}', "/a"),
        (b'{"a": 1, "a": 1}', "/a"),
        (b"[" * 65 + b"]" * 65, "/0" * 64),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "/a" * 64),
    ],
)
def test_the_place_is_named(body: bytes, pointer: str) -> None:
    with pytest.raises(NotJson) as refused:
        loads(body)
    assert refused.value.faults[0].pointer == pointer


@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"{", b'{"a": 1,}', b"[1 2]", b"'a'", b"\xff", b"\xef\xbb\xbf{}", b'"\x00"', b'["\x01"]', b"\x00",
     '{"a": 1}'.encode("utf-16"), b"[" * 200_000, b'{"a":' * 100_000, b"01", b"+1", b".5", b"tru"],
)  # fmt: skip
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(NotJson):
        loads(body)


def test_what_only_looks_forbidden_is_read() -> None:
    assert loads(b'"\\\\u0000"') == "\\u0000"
    assert loads(b'"\\ud83d\\ude00"') == "\N{GRINNING FACE}"
    assert loads(b'{"a": "[[[' + b"[" * 100 + b'"}') == {"a": "[[[" + "[" * 100}
    assert loads(b"[" * 64 + b"]" * 64)
    assert loads(b"[" + b"[]," * 100 + b"[]]") == [[]] * 101
    assert loads(b"18446744073709551615") == 2**64 - 1
    assert loads(b'{"A": 1, "a": 2}') == {"A": 1, "a": 2}


def test_a_body_wrong_in_a_thousand_places_tells_the_first_twenty() -> None:
    with pytest.raises(NotJson) as refused:
        loads(b"[" + b"NaN," * 1000 + b"1]")
    assert [fault.pointer for fault in refused.value.faults] == [f"/{n}" for n in range(20)]
