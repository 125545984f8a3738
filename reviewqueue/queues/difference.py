"""What changes between two documents, in lines that people read before and after `queue apply`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any

LONGEST_VALUE = 120


def diff(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """One line per change, such as `policy.lanes.assist_at: 0.4 → 0.5`; none if the documents say the same."""
    return list(_changes(old, new, ""))


def _changes(old: Any, new: Any, path: str) -> Iterator[str]:
    if _text(old) == _text(new):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _changed_keys(old, new, path)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _changed_entries(old, new, path)
    else:
        yield f"{path}: {_shown(old)} → {_shown(new)}"


def _changed_keys(old: dict[str, Any], new: dict[str, Any], path: str) -> Iterator[str]:
    for key in [*old, *(key for key in new if key not in old)]:
        inside = f"{path}.{key}" if path else key
        if key not in new:
            yield f"{inside}: removed {_shown(old[key])}"
        elif key not in old:
            yield f"{inside}: added {_shown(new[key])}"
        else:
            yield from _changes(old[key], new[key], inside)


def _changed_entries(old: list[Any], new: list[Any], path: str) -> Iterator[str]:
    matcher = SequenceMatcher(
        a=[_text(value) for value in old], b=[_text(value) for value in new], autojunk=False
    )
    for kind, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if kind == "equal":
            continue
        pairs = min(old_to - old_from, new_to - new_from)
        for offset in range(pairs):
            yield from _changes(
                old[old_from + offset], new[new_from + offset], f"{path}[{new_from + offset + 1}]"
            )
        for index in range(old_from + pairs, old_to):
            yield f"{path}[{index + 1}]: removed {_shown(old[index])}"
        for index in range(new_from + pairs, new_to):
            yield f"{path}[{index + 1}]: added {_shown(new[index])}"


def _text(value: Any) -> str:
    # Compared as text, because Python holds 1 and true to be equal.
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"
