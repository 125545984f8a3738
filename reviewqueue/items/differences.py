"""Says what a person changed: word by word, as an RFC 6902 patch, and in a list that reads aloud."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

import jsonpatch
from diff_match_patch import diff_match_patch

Op = Literal["equal", "insert", "delete"]

TIME_LIMIT = 0.5
"""Seconds; beyond them the difference is still right, only coarser."""

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
_OPS: dict[int, Op] = {0: "equal", 1: "insert", -1: "delete"}


@dataclass(frozen=True, slots=True)
class Change:
    """One value that differs; `before` or `after` is None where there was or is nothing."""

    where: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        if self.before is None:
            return f"{self.where}: {self.after} added"
        if self.after is None:
            return f"{self.where}: {self.before} removed"
        return f"{self.where}: {self.before} → {self.after}"


def words(before: str, after: str) -> list[tuple[Op, str]]:
    """Returns the pieces that lead from `before` to `after`, with a word as the smallest piece."""
    known: dict[str, str] = {}
    differ = diff_match_patch()
    differ.Diff_Timeout = TIME_LIMIT
    pieces = differ.diff_main(_encoded(before, known), _encoded(after, known), False)
    differ.diff_cleanupSemantic(pieces)
    spelled = {sign: word for word, sign in known.items()}
    return [(_OPS[op], "".join(spelled[sign] for sign in signs)) for op, signs in pieces]


def _encoded(text: str, known: dict[str, str]) -> str:
    """Writes each different word as one character, so that the algorithm compares whole words."""
    return "".join(known.setdefault(word, _sign(len(known))) for word in _WORDS.findall(text))


def _sign(number: int) -> str:
    # Surrogates are no characters of their own: step over them.
    return chr(number + 1 if number < 0xD7FF else number + 0x801)


def patch(before: Any, after: Any) -> list[dict[str, Any]]:
    """Returns the RFC 6902 operations that turn `before` into `after`."""
    if type(before) is not type(after) or not isinstance(before, (dict, list)):
        return [] if _same(before, after) else [{"op": "replace", "path": "", "value": after}]
    operations: list[dict[str, Any]] = jsonpatch.make_patch(before, after).patch
    return operations


def changes(before: Any, after: Any) -> list[Change]:
    """Returns what differs, value by value, in the order of `before`."""
    found: list[Change] = []
    _compare("", before, after, found)
    return found


def _compare(where: str, before: Any, after: Any, found: list[Change]) -> None:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys([*before, *after]):
            place = f"{where} › {key}" if where else key
            if key not in after:
                found.append(Change(place, _spoken(before[key]), None))
            elif key not in before:
                found.append(Change(place, None, _spoken(after[key])))
            else:
                _compare(place, before[key], after[key], found)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True), start=1):
            _compare(f"{where} › {index}" if where else str(index), old, new, found)
    elif not _same(before, after):
        found.append(Change(where or "output", _spoken(before), _spoken(after)))


def _same(before: Any, after: Any) -> bool:
    """JSON's equality: unlike Python's, 1 is not true, and 1.0 was not written like 1."""
    return type(before) is type(after) and bool(before == after)


def _spoken(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (dict, list)):
        return f"{len(value)} entries" if value else "empty"
    text = str(value)
    if not text.strip():
        return "(blank)" if text else "(empty)"
    return text if len(text) <= 120 else text[:119] + "…"
