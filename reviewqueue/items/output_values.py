"""Reads and writes what one control of an output form holds, and asks its JSON Schema about it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from reviewqueue.web.untrusted import visible


class _Missing:
    """The value of a property that is not there, which is not null."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()

_UNTYPEABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_DATE_HELP = "is a date such as 2026-03-31"


class UnreadableError(ValueError):
    """What was typed is no value of that kind; the message completes "It …"."""


def write(value: Any, kind: str) -> str:
    """Returns the text that a control of `kind` holds for `value`."""
    if value is MISSING:
        return ""
    if kind in ("enum", "boolean"):
        return exact(value)
    if kind == "json":
        return _pretty(value)
    if value is None:
        return ""
    if kind == "list" and isinstance(value, list):
        return "\n".join(map(_plain, value))
    return _plain(value)


def read(text: str, kind: str, item_schema: Mapping[str, Any], schema: Mapping[str, Any]) -> Any:
    """Returns the value that a changed `text` means, MISSING for a property that was emptied.

    Raises UnreadableError.
    """
    if kind in ("enum", "boolean", "json"):
        return strict_json(text) if text.strip() else MISSING
    if kind == "list":
        return [_read_scalar(line.strip(), type_of(item_schema)) for line in text.split("\n") if line.strip()]
    if not text and not _may_be_empty(schema):
        return None if is_nullable(schema) else MISSING
    return _read_scalar(text, kind)


def _read_scalar(text: str, kind: str | None) -> Any:
    if kind == "integer":
        if not re.fullmatch(r"[+-]?\d{1,400}", text.strip(), re.ASCII):
            raise UnreadableError("is a whole number")
        return int(text)
    if kind == "number":
        return _number(text.strip())
    return text


def _number(text: str) -> int | float:
    if not re.fullmatch(r"[+-]?(\d{1,400}\.?\d{0,400}|\.\d{1,400})([eE][+-]?\d{1,3})?", text, re.ASCII):
        raise UnreadableError("is a number, with a point before the decimals")
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise UnreadableError("is too large a number")
    return int(text) if re.fullmatch(r"[+-]?\d+", text) else number


def strict_json(text: str) -> Any:
    """Reads JSON without NaN, Infinity or duplicate keys. Raises UnreadableError."""
    try:
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_no_duplicates)
    except UnreadableError:
        raise
    except RecursionError as error:
        raise UnreadableError("nests too deeply") from error
    except json.JSONDecodeError as error:
        raise UnreadableError(f"is not JSON: {error.msg.lower()} in line {error.lineno}") from error
    except ValueError as error:
        raise UnreadableError("holds a number that is too long") from error


def _no_constant(name: str) -> Any:
    raise UnreadableError(f"is not JSON: {name} is no number")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise UnreadableError("has the same key twice")
    return result


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _pretty(value: Any) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return text if survives_html(text) else json.dumps(value, indent=2)


def exact(value: Any) -> str:
    """JSON that tells 1 from 1.0 and "1"."""
    return json.dumps(value)


def survives_html(text: str) -> bool:
    """Whether a browser sends `text` back from a text control as it was."""
    return not _UNTYPEABLE.search(text)


def unix_lines(text: str) -> str:
    """Browsers send each line end of a text area as CR LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def fits_lines(value: Any) -> bool:
    """Whether a list can be written one scalar a line and read back the same."""
    if value is MISSING or value is None:
        return True
    return isinstance(value, list) and all(_fits_line(entry) for entry in value)


def _fits_line(entry: Any) -> bool:
    if isinstance(entry, str):
        return entry != "" and entry == entry.strip() and "\n" not in entry and survives_html(entry)
    return isinstance(entry, (int, float)) and not isinstance(entry, bool)


def resolve(schema: Any, root: Any) -> Mapping[str, Any]:
    """Follows local references, and reads `anyOf: [X, null]` as a nullable X. Anything odd becomes {}."""
    for _ in range(10):
        if not isinstance(schema, Mapping):
            return {}
        reference = schema.get("$ref")
        if isinstance(reference, str):
            schema = _referred(reference, root)
            continue
        return _nullable_any(schema, root)
    return {}


def _referred(reference: str, root: Any) -> Any:
    if not reference.startswith("#/"):
        return {}
    found = root
    for part in reference[2:].split("/"):
        key = unescape(part)
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def _nullable_any(schema: Mapping[str, Any], root: Any) -> Mapping[str, Any]:
    either = schema.get("anyOf") or schema.get("oneOf")
    if not isinstance(either, list):
        return schema
    others = [
        option for option in either if not (isinstance(option, Mapping) and option.get("type") == "null")
    ]
    if len(others) != 1 or len(either) != 2 or not isinstance(others[0], Mapping):
        return {}
    inner = others[0]
    if "$ref" in inner:
        inner = _referred(inner["$ref"], root) if isinstance(inner["$ref"], str) else {}
    if not isinstance(inner, Mapping) or "$ref" in inner or "anyOf" in inner or "oneOf" in inner:
        return {}
    kind = inner.get("type")
    merged = {**inner, **{key: schema[key] for key in ("title", "description") if key in schema}}
    if isinstance(inner.get("enum"), list):
        merged["enum"] = [*inner["enum"], None]
    return {**merged, "type": [kind, "null"]} if isinstance(kind, str) else merged


def options(schema: Mapping[str, Any]) -> list[Any] | None:
    """The closed list of values that the schema allows, if it has one."""
    if "const" in schema:
        return [schema["const"]]
    enum = schema.get("enum")
    return enum if isinstance(enum, list) and enum else None


def type_of(schema: Mapping[str, Any]) -> str | None:
    """The one type besides null, if there is one."""
    kinds = schema.get("type")
    if isinstance(kinds, str):
        return kinds
    others = [kind for kind in kinds if kind != "null"] if isinstance(kinds, list) else []
    return others[0] if len(others) == 1 and isinstance(others[0], str) else None


def is_nullable(schema: Mapping[str, Any]) -> bool:
    kinds = schema.get("type")
    return kinds == "null" or (isinstance(kinds, list) and "null" in kinds)


def _may_be_empty(schema: Mapping[str, Any]) -> bool:
    """Whether an emptied text is a value of its own rather than no value."""
    if type_of(schema) != "string" or is_nullable(schema):
        return False
    return not any(key in schema for key in ("minLength", "pattern", "format"))


def title(schema: Mapping[str, Any], key: str) -> str:
    text = prose(schema.get("title")) or visible(key).replace("_", " ").strip()
    return text[:1].upper() + text[1:120]


def prose(text: Any) -> str:
    return visible(text)[:400] if isinstance(text, str) else ""


def choice_label(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "nothing"
    return visible(_plain(value))[:120] or "(empty)"


def escape(key: str) -> str:
    """Escapes a key for a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def unescape(part: str) -> str:
    """The key that a part of a JSON pointer means."""
    return part.replace("~1", "/").replace("~0", "~")
