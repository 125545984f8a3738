"""What is wrong with a value, in plain words: for documents, forms and the API alike."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pydantic_core import ErrorDetails

_FIXED = {
    "missing": "is required",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "extra_forbidden": "is not a known field",
}
_WITH_LIMITS = {
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be at most {le:g}",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
}
_LENGTHS = {
    "too_short": ("at least", "min_length", "item"),
    "too_long": ("at most", "max_length", "item"),
    "string_too_short": ("at least", "min_length", "character"),
    "string_too_long": ("at most", "max_length", "character"),
}

_TAG = re.compile(r"constrained-[a-z]+|(?:[a-z]+-enum|function-[a-z]+|dict|list|literal|nullable)\[.*\]")
"""What pydantic puts into a location to say which of several types it tried."""


def pointer_of(location: Sequence[str | int]) -> str:
    """The JSON pointer (RFC 6901) of where pydantic found something wrong."""
    parts = [str(part) for part in location if not (isinstance(part, str) and _TAG.fullmatch(part))]
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def in_words(error: ErrorDetails) -> str:
    """As the end of a sentence that begins with the name of what is wrong: "must be text"."""
    kind, limits = error["type"], error.get("ctx", {})
    if kind in _FIXED:
        return _FIXED[kind]
    if kind == "value_error":
        return str(limits["error"])
    if kind in _LENGTHS:
        return _length(limits, *_LENGTHS[kind])
    if kind in _WITH_LIMITS:
        return _WITH_LIMITS[kind].format(**limits)
    return error["msg"].replace("Input should be", "must be").replace("String should", "must")


def _length(limits: dict[str, Any], bound: str, name: str, what: str) -> str:
    count = limits[name]
    if count == 1 and name == "min_length":
        return "must not be empty"
    return f"must have {bound} {count:,} {what}{'' if count == 1 else 's'}"
