"""Cuts any JSON down to a tree that a page can carry: so deep, so many entries, so long a text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from reviewqueue.web.untrusted import visible

DEPTH, ENTRIES, TEXT = 8, 400, 600
WHOLE_DEPTH, WHOLE_ENTRIES, WHOLE_TEXT = 64, 20_000, 1_000_000


@dataclass(frozen=True, slots=True)
class Node:
    """A value under its key; `kind` is object, array, text, number, boolean or null."""

    key: str
    kind: str
    text: str = ""
    children: tuple[Node, ...] = ()
    size: int = 0
    """How many entries the value has, shown or not."""

    @property
    def left_out(self) -> int:
        return self.size - len(self.children)


EMPTY = Node("", "null", "null")


def grow(value: Any, *, whole: bool = False) -> tuple[Node, int]:
    """Returns the tree of `value` and how many entries and characters were left out of it."""
    limits = _Limits(WHOLE_DEPTH, WHOLE_ENTRIES, WHOLE_TEXT) if whole else _Limits(DEPTH, ENTRIES, TEXT)
    return limits.node("", value, 0), limits.left_out


class _Limits:
    """What is left to spend while a tree grows."""

    def __init__(self, depth: int, entries: int, text: int) -> None:
        self.depth, self.entries, self.text = depth, entries, text
        self.left_out = 0

    def node(self, key: str, value: Any, depth: int) -> Node:
        if isinstance(value, dict):
            return self._parent(key, "object", [(str(name), member) for name, member in value.items()], depth)
        if isinstance(value, list):
            return self._parent(
                key, "array", [(str(index), member) for index, member in enumerate(value)], depth
            )
        text = scalar(value)
        self.left_out += max(0, len(text) - self.text)
        shown = text if len(text) <= self.text else text[: self.text] + "…"
        return Node(key, _scalar_kind(value), shown)

    def _parent(self, key: str, kind: str, members: list[tuple[str, Any]], depth: int) -> Node:
        room = self.entries if depth < self.depth else 0
        kept = members[:room]
        self.entries -= len(kept)
        self.left_out += len(members) - len(kept)
        children = tuple(self.node(visible(name)[:200], member, depth + 1) for name, member in kept)
        return Node(key, kind, children=children, size=len(members))


def scalar(value: Any) -> str:
    """How a single value reads: text as it is, nothing as what it means, anything else as JSON writes it."""
    if value is None:
        return "(none)"
    return visible(value) if isinstance(value, str) else json.dumps(value)


def _scalar_kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return "text" if isinstance(value, str) else "number"
