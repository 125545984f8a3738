"""Reads JSON that means one thing only: what two parsers could read differently, or no database can keep, is refused.

The quick way is orjson, held to account by cheap scans of the bytes. What it refuses, or may have read too kindly, is
read by the standard parser with a few hooks; and only a body that is refused is read once more, to say where it is
wrong.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NoReturn

import orjson

from reviewqueue.errors import Fault, NotJson

MAX_DEPTH = 64
SMALLEST_INTEGER, LARGEST_INTEGER = -(2**63), 2**64 - 1
MOST_FAULTS = 20

_LONG = b"0" * 19
"""As many digits as may be too many for 64 bit, each written as 0."""
_ZEROS = bytes.maketrans(b"123456789", b"0" * 9)
# Two searches, and not one with an alternative, which would take ten times as long.
_DOUBTFUL_ESCAPE = re.compile(rb"\\u00(?:00|22|3[aA])")
_ROOM_BEFORE_COLON = re.compile(rb"\"[ \t\r\n]+:")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class _Refused(ValueError):
    """Something in the document is not accepted; the slow way says what and where."""


def loads(body: bytes) -> Any:
    """The value that the body holds.

    Raises NotJson, naming the place where it can, for anything but UTF-8 JSON and for NaN, Infinity and numbers
    beyond a double, integers beyond 64 bit, duplicate keys, lone surrogates, NUL characters and a depth over 64.
    """
    with suppress(_Refused, orjson.JSONDecodeError):
        return _quickly(body)
    return _carefully(body)


def _quickly(body: bytes) -> Any:
    """Raises _Refused or JSONDecodeError for what the careful way is to look at."""
    # A NUL, an integer that would become a float, and what would make a count of `":` say nothing about members.
    if _DOUBTFUL_ESCAPE.search(body) or _ROOM_BEFORE_COLON.search(body) or _has_long_number(body):
        raise _Refused
    value = orjson.loads(body)
    _require_whole(value, body.count(b'":'))
    return value


def _has_long_number(body: bytes) -> bool:
    """Whether a number, or what looks like one within a string, has so many digits; by far the quickest search."""
    digits, start = body.translate(_ZEROS), -len(_LONG)
    while (start := digits.find(_LONG, start + len(_LONG))) >= 0:
        if start == 0 or digits[start - 1] in b"[:,- \t\r\n":
            return True
    return False


def _require_whole(value: Any, marks: int) -> None:
    """Refuses a value that lacks members of its body, as equal keys do that a parser folds into one, or is too deep.

    Written out again, it has as many `":` as its body had: one for each member and those inside of strings, of which
    a dropped member would take its own along.
    """
    parts, found, deep = value if type(value) is list else [value], 0, False
    for part in parts:
        try:
            written = orjson.dumps(part)
        except orjson.JSONEncodeError:
            raise _Refused from None
        found += written.count(b'":')
        deep = deep or written.count(b"{") + written.count(b"[") >= MAX_DEPTH
    if found != marks:
        raise _Refused
    if deep:
        _refuse_deep(value)


def _carefully(body: bytes) -> Any:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotJson(f"The body is not UTF-8: byte {error.start} does not fit.") from None
    try:
        try:
            return _read(text)
        except _Refused:
            # What else is wrong with it, such as a missing bracket further on, shows at the second reading.
            raise _explained(text) from None
    except json.JSONDecodeError as error:
        # One line may be one of a file, which has another number there.
        line = f"line {error.lineno}, " if "\n" in text.strip() else ""
        raise NotJson(f"{error.msg} at {line}column {error.colno}.") from None
    except RecursionError:
        raise NotJson(f"The body is nested deeper than {MAX_DEPTH} levels.") from None


def _read(text: str) -> Any:
    value = _CAREFUL.decode(text)
    _refuse_deep(value)
    _refuse_unstorable(value)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _Refused
    return made


def _no_constant(_word: str) -> NoReturn:
    raise _Refused


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise _Refused
    return number


def _within_64_bit(digits: str) -> int:
    # The length first: turning a very long number into an int is slow, and Python refuses it.
    if len(digits) > 21 or not SMALLEST_INTEGER <= int(digits) <= LARGEST_INTEGER:
        raise _Refused
    return int(digits)


_CAREFUL = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite, parse_int=_within_64_bit
)


def _refuse_deep(value: Any) -> None:
    level: list[Any] = [value] if type(value) in _NESTING else []
    for _ in range(MAX_DEPTH):
        level = [part for outer in level for part in _children(outer) if type(part) in _NESTING]
        if not level:
            return
    raise _Refused


def _refuse_unstorable(value: Any) -> None:
    pending = [value]
    while pending:
        part = pending.pop()
        if isinstance(part, str):
            if _UNSTORABLE.search(part):
                raise _Refused
        elif isinstance(part, dict):
            pending.extend(part)
            pending.extend(part.values())
        elif isinstance(part, list):
            pending.extend(part)


def _children(value: Any) -> Any:
    return value.values() if type(value) is dict else value


_NESTING = frozenset((dict, list))


class _Pairs(list[tuple[str, Any]]):
    """An object with all its members, the repeated ones too."""


class _Number(str):
    """A number as it is written."""

    __slots__ = ()


_PATIENT = json.JSONDecoder(
    object_pairs_hook=_Pairs, parse_constant=_Number, parse_float=_Number, parse_int=_Number
)


def _explained(text: str) -> NotJson:
    faults: list[Fault] = []
    for fault in _faults(_PATIENT.decode(text), "", 1):
        faults.append(fault)
        if len(faults) == MOST_FAULTS:
            break
    first = faults[0]
    return NotJson(f"{first.pointer or 'The body'}: {first.detail}", faults=faults)


def _faults(value: Any, pointer: str, depth: int) -> Iterator[Fault]:
    if isinstance(value, _Number):
        if wrong := _wrong_number(value):
            yield Fault(pointer, wrong)
    elif isinstance(value, str):
        if _UNSTORABLE.search(value):
            yield Fault(pointer, "NUL characters and lone surrogates are not accepted.")
    elif isinstance(value, list) and depth > MAX_DEPTH:
        yield Fault(pointer, f"Nested deeper than {MAX_DEPTH} levels.")
    elif isinstance(value, _Pairs):
        yield from _faults_of_object(value, pointer, depth)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _faults(part, f"{pointer}/{index}", depth + 1)


def _faults_of_object(pairs: _Pairs, pointer: str, depth: int) -> Iterator[Fault]:
    seen: set[str] = set()
    for key, value in pairs:
        if _UNSTORABLE.search(key):
            yield Fault(pointer, "NUL characters and lone surrogates are not accepted in keys.")
            continue
        place = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
        if key in seen:
            yield Fault(place, "The key appears twice.")
        seen.add(key)
        yield from _faults(value, place, depth + 1)


def _wrong_number(digits: str) -> str | None:
    if digits in ("NaN", "Infinity", "-Infinity"):
        return f"{digits} is not JSON."
    if digits.lstrip("-").isdigit():
        within = len(digits) <= 21 and SMALLEST_INTEGER <= int(digits) <= LARGEST_INTEGER
        return None if within else "The integer does not fit in 64 bit; send it as a string."
    return "The number is too large." if math.isinf(float(digits)) else None
