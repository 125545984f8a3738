"""Reading a queue's document from YAML or JSON text into plain values, with everything odd refused.

YAML is read by the core schema of YAML 1.2: `no` stays the language and `2026-11-21` stays text. Anchors,
aliases, tags, duplicate keys and anything that JSON could not say are errors.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

import yaml

LARGEST = 256 * 1024
DEEPEST = 64
SMALLEST_INTEGER, LARGEST_INTEGER = -(2**63), 2**64 - 1

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_INTEGER = re.compile(r"[-+]?[0-9]{1,40}")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_A_NUMBER = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_CORE_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "str"))
_SURROGATE = re.compile("[\ud800-\udfff]")


class Unreadable(ValueError):
    """The text is not a document; says where, as a JSON pointer, and what is wrong."""

    def __init__(self, detail: str, pointer: str = "") -> None:
        super().__init__(detail)
        self.pointer = pointer
        self.detail = detail


def read(source: str | bytes | dict[str, Any], begins: str = "queue: receipts") -> dict[str, Any]:
    """Turn YAML text, JSON text or an already parsed object into plain JSON values; raises Unreadable.

    `begins` is an example of the first line, for a text that is something else.
    """
    loaded = source if isinstance(source, dict) else _load(_decoded(source))
    if not isinstance(loaded, dict):
        empty = "is empty; it " if loaded is None else ""
        raise Unreadable(f"{empty}must be a mapping that begins with a name, such as `{begins}`")
    refuse_what_json_cannot_say(loaded)
    return loaded


def refuse_what_json_cannot_say(value: Any, pointer: str = "", depth: int = 0) -> None:
    """Walk plain values and raise Unreadable at the first that no JSON document can hold."""
    if depth > DEEPEST:
        raise Unreadable(f"is nested more than {DEEPEST} deep", pointer)
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise Unreadable(f"has a key that is not text: {key!r}", pointer)
            _refuse_odd_text(key, pointer)
            refuse_what_json_cannot_say(inner, pointer_to(pointer, key), depth + 1)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            refuse_what_json_cannot_say(inner, pointer_to(pointer, index), depth + 1)
    elif isinstance(value, str):
        _refuse_odd_text(value, pointer)
    elif isinstance(value, int | float):
        _refuse_odd_number(value, pointer)
    elif value is not None:
        raise Unreadable(f"is a {type(value).__name__}, which JSON does not have", pointer)


def pointer_to(parent: str, key: str | int) -> str:
    """The JSON pointer (RFC 6901) of a key inside what `parent` points to."""
    return f"{parent}/{str(key).replace('~', '~0').replace('/', '~1')}"


def _refuse_odd_text(text: str, pointer: str) -> None:
    if "\0" in text:
        raise Unreadable("has a NUL character in its text", pointer)
    if _SURROGATE.search(text):
        raise Unreadable("has half a surrogate pair in its text", pointer)


def _refuse_odd_number(number: float, pointer: str) -> None:
    if isinstance(number, int):
        if not SMALLEST_INTEGER <= number <= LARGEST_INTEGER:
            raise Unreadable("is a whole number beyond 64 bits, which cannot be kept", pointer)
    elif not math.isfinite(number):
        raise Unreadable("is not a finite number", pointer)


def _decoded(source: str | bytes) -> str:
    encoded = source if isinstance(source, bytes) else source.encode("utf-8", "surrogatepass")
    if len(encoded) > LARGEST:
        raise Unreadable(f"is larger than {LARGEST // 1024} KiB")
    try:
        return encoded.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"is not UTF-8 (byte {error.start})") from None


def _load(text: str) -> Any:
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text, object_pairs_hook=_without_duplicates, parse_int=_integer)
        except (json.JSONDecodeError, RecursionError):
            pass  # a YAML flow mapping starts the same way, and YAML's error names line and column
    try:
        root = yaml.compose(text, Loader=_NodeLoader)
        return None if root is None else _plain(root, "")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise Unreadable(f"is not valid YAML: {error.problem or error.context}{where}") from None
    except yaml.YAMLError as error:
        raise Unreadable(f"is not valid YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise Unreadable(f"is nested more than {DEEPEST} deep") from None


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise Unreadable(f"has the key {key} twice")
        found[key] = value
    return found


def _integer(digits: str) -> int:
    if len(digits) > 40:
        raise Unreadable(f"has a whole number of {len(digits)} digits")
    return int(digits)


class _NodeLoader(yaml.BaseLoader):
    """Composes nodes and resolves nothing: what a scalar means is decided in `_resolved`, not by YAML 1.1."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise yaml.composer.ComposerError(
                None, None, "anchors and aliases are not used here; write it out", event.start_mark
            )
        return super().compose_node(parent, index)


def _plain(node: yaml.Node, pointer: str) -> Any:
    if node.tag not in _CORE_TAGS:
        raise Unreadable(f"has a tag ({node.tag}); tags are not used here", pointer)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, pointer)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(inner, pointer_to(pointer, index)) for index, inner in enumerate(node.value)]
    quoted = getattr(node, "style", None) is not None
    return node.value if quoted else _resolved(node.value, pointer)


def _mapping(node: yaml.MappingNode, pointer: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise Unreadable(f"has a key that is not text (line {line})", pointer)
        key = key_node.value
        if key in found:
            raise Unreadable(f"has the key {key} twice (line {line})", pointer)
        found[key] = _plain(value_node, pointer_to(pointer, key))
    return found


def _resolved(text: str, pointer: str) -> Any:
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INTEGER.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text):
        return float(text)
    if _NOT_A_NUMBER.fullmatch(text):
        raise Unreadable("is not a finite number", pointer)
    return text
