"""Dotted fields of the enqueue body, such as `output.total`, turned into functions that look them up."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

BODY_FIELDS = frozenset(
    {
        "queue", "external_id", "input", "output", "confidence", "flags", "tags", "model", "prompt", "config",
        "context", "explanation", "assumptions", "latency_ms", "retries", "error", "trace_id", "priority",
        "valid_until", "supersedes", "occurred_at",
    }
)  # fmt: skip
LONGEST = 500

Look = Callable[[Mapping[str, Any]], Any]
"""Looks one field up in an enqueue body; None where it is not there, and where it is null."""

_SEGMENT = re.compile(r"(?:[^.\\]|\\[.\\])+")
_ESCAPED = re.compile(r"\\(.)")
_INDEX = re.compile(r"0|[1-9][0-9]{0,5}")


def compile_field(field: str) -> Look:
    segments = split_field(field)
    first, *rest = segments
    if not rest:
        return lambda body: body.get(first)
    if len(rest) == 1 and not _INDEX.fullmatch(rest[0]):
        return _look_one_deeper(first, rest[0])
    return _look_deeper(first, rest)


def split_field(field: str) -> list[str]:
    r"""Split at the dots; `\.` is a dot inside a key and `\\` a backslash. Raises ValueError."""
    if len(field) > LONGEST:
        raise ValueError(f"is longer than {LONGEST} characters")
    segments = [_ESCAPED.sub(r"\1", segment) for segment in _SEGMENT.findall(field)]
    if not segments or ".".join(escape(segment) for segment in segments) != field:
        raise ValueError(
            f"is not a dotted field: {field}; write keys with dots between, and \\. for a dot in a key"
        )
    if segments[0] not in BODY_FIELDS:
        raise ValueError(f"begins with {segments[0]}, which no enqueued item has")
    return segments


def escape(segment: str) -> str:
    """A key as one segment of a field."""
    return segment.replace("\\", "\\\\").replace(".", "\\.")


def _look_one_deeper(outer: str, inner: str) -> Look:
    def look(body: Mapping[str, Any]) -> Any:
        within = body.get(outer)
        return within.get(inner) if isinstance(within, dict) else None

    return look


def _look_deeper(first: str, rest: list[str]) -> Look:
    steps = [(key, int(key) if _INDEX.fullmatch(key) else None) for key in rest]

    def look(body: Mapping[str, Any]) -> Any:
        found = body.get(first)
        for key, index in steps:
            if isinstance(found, dict):
                found = found.get(key)
            elif index is not None and isinstance(found, list) and index < len(found):
                found = found[index]
            else:
                return None
        return found

    return look
