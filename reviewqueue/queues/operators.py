"""What each operator of a condition compares with, does, and is called in words."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

from .fields import Look
from .schemas import BadSchema, compile_schema, fits

Operator = Literal["eq", "ne", "lt", "le", "gt", "ge", "in", "contains", "matches", "exists"]
Test = Callable[[Mapping[str, Any]], bool]

WORDS: dict[Operator, str] = {
    "eq": "is", "ne": "is not", "lt": "is below", "le": "is at most", "gt": "is above", "ge": "is at least",
    "in": "is one of", "contains": "contains", "matches": "matches the pattern",
}  # fmt: skip
LONGEST_PATTERN = 1_000
MOST_VALUES = 1_000

_ORDERS: dict[Operator, Callable[[Any, Any], bool]] = {
    "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge,
}  # fmt: skip
_PLAIN_DECIMAL = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")


def check_value(op: Operator, value: Any) -> Any:
    """The value as the operator wants it; raises ValueError where it could never compare."""
    if op == "exists":
        return _checked_flag(value)
    if value is None:
        raise ValueError(f"is needed: what {op} compares with; for null use exists")
    if op in _ORDERS and (isinstance(value, bool) or not isinstance(value, int | float | str)):
        raise ValueError(f"must be a number or text, since {op} orders")
    if op == "in":
        _check_list(value)
    if op == "matches":
        _check_pattern(value)
    return value


def _checked_flag(value: Any) -> bool:
    if value is not None and not isinstance(value, bool):
        raise ValueError("must be true or false, since exists only tells whether the field is there")
    return value is not False


def _check_list(value: Any) -> None:
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_VALUES or None in value:
        raise ValueError(f"must be a list of 1 to {MOST_VALUES} values without null")


def _check_pattern(value: Any) -> None:
    if not isinstance(value, str) or len(value) > LONGEST_PATTERN:
        raise ValueError(f"must be a pattern of at most {LONGEST_PATTERN} characters")
    try:
        compile_schema({"pattern": value})
    except BadSchema as error:
        raise ValueError(error.detail) from None


def compile_operator(op: Operator, look: Look, value: Any) -> Test:
    if op in _ORDERS:
        return _ordered(look, _ORDERS[op], value)
    return _FACTORIES[op](look, value)


def _equal(look: Look, value: Any) -> Test:
    if isinstance(value, str):
        return lambda body: bool(look(body) == value)
    return lambda body: same(look(body), value)


def _unequal(look: Look, value: Any) -> Test:
    return lambda body: (found := look(body)) is not None and not same(found, value)


def _one_of(look: Look, values: list[Any]) -> Test:
    if all(isinstance(value, str) for value in values):
        texts = frozenset(values)
        return lambda body: isinstance(found := look(body), str) and found in texts
    return lambda body: any(map(partial(same, look(body)), values))


def _containing(look: Look, value: Any) -> Test:
    def test(body: Mapping[str, Any]) -> bool:
        found = look(body)
        if isinstance(found, list):
            return value in found if isinstance(value, str) else any(same(one, value) for one in found)
        return isinstance(found, str) and isinstance(value, str) and value in found

    return test


def _matching(look: Look, pattern: str) -> Test:
    # The engine that checks the output schema's patterns: linear in the text, and one dialect for both.
    validator = compile_schema({"type": "string", "pattern": pattern})
    return lambda body: fits(validator, look(body))


def _existing(look: Look, value: bool) -> Test:
    return lambda body: (look(body) is not None) is value


def _ordered(look: Look, order: Callable[[Any, Any], bool], value: Any) -> Test:
    limit = _number(value)

    def test(body: Mapping[str, Any]) -> bool:
        found = look(body)
        if limit is not None and (number := _number(found)) is not None:
            return order(number, limit)
        return isinstance(value, str) and isinstance(found, str) and order(found, value)

    return test


def _number(value: Any) -> int | float | None:
    if isinstance(value, str):
        # A fraction in text becomes the same binary number as in JSON, so that "12.90" is exactly 12.9.
        fraction = _PLAIN_DECIMAL.fullmatch(value)
        return None if fraction is None else float(value) if fraction[1] else int(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def same(left: Any, right: Any) -> bool:
    """Equality of JSON values: 1 is 1.0, but true is not 1, to any depth."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list):
        return isinstance(right, list) and len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return (
            isinstance(right, dict)
            and left.keys() == right.keys()
            and all(same(inner, right[key]) for key, inner in left.items())
        )
    return bool(left == right)


_FACTORIES: dict[Operator, Callable[[Look, Any], Test]] = {
    "eq": _equal, "ne": _unequal, "in": _one_of, "contains": _containing, "matches": _matching, "exists": _existing,
}  # fmt: skip


def value_in_words(op: Operator, value: Any) -> str:
    if op == "in":
        return ", ".join(_word(one) for one in value)
    return _word(value)


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
