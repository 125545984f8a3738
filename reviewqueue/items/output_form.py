"""Turns a queue's JSON Schema and an output into a form that works without JavaScript, and back.

What a person does not touch comes back exactly as it was: types, unknown properties, null and absence.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal
from zlib import crc32

from reviewqueue.errors import Fault, Invalid
from reviewqueue.items import output_values as values
from reviewqueue.items.output_values import MISSING, UnreadableError

Kind = Literal["text", "textarea", "number", "integer", "boolean", "enum", "date", "object", "list", "json"]
Form = Mapping[str, str]

ROOT: Final = "output"
MAX_FIELDS = 60
MAX_DEPTH = 3
MAX_CHOICES = 50
"""An enum with more is typed; whether it fits is checked when it is sent."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer of an enum: what is posted (JSON, or nothing for no value), and what it is called."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """One control. `name` is a JSON pointer without its leading slash, as in `output/merchant`.

    Titles and texts come from schema and model: untrusted, to be escaped.
    """

    name: str
    kind: Kind
    label: str
    help: str = ""
    text: str = ""
    """What the control holds now: what was typed, else the value."""
    original: str = ""
    """What the control held before anybody typed."""
    required: bool = False
    choices: tuple[Choice, ...] = ()
    children: tuple[Field, ...] = ()
    max_length: int | None = None
    error: str = ""

    @property
    def changed(self) -> bool:
        return self.text != self.original

    @property
    def id(self) -> str:
        """Unique in the form and fit for HTML, whatever the property is called."""
        plain = re.sub(r"[^A-Za-z0-9]+", "-", self.name)
        return (
            f"field-{plain}"
            if plain == self.name.replace("/", "-")
            else f"field-{plain}-{crc32(self.name.encode())}"
        )


def kind(schema: Mapping[str, Any] | None, output: Any) -> Literal["form", "text", "json"]:
    """How an output is edited: by a form, as one text, or as JSON."""
    if schema:
        root = _control(values.resolve(schema, schema), output, schema, 0)
        if root == "json" or (root == "object" and _count(schema, schema, 0) > MAX_FIELDS):
            return "json"
        return "text" if root in ("text", "textarea") else "form"
    return "text" if isinstance(output, str) and values.survives_html(output) else "json"


def fields(
    schema: Mapping[str, Any] | None,
    value: Any,
    typed: Form | None = None,
    errors: Mapping[str, str] | None = None,
) -> tuple[Field, ...]:
    """Returns the controls for `value`; what was `typed` before stands in for it, with `errors` by name."""
    root = _root(schema, value)
    if typed is not None or errors:
        root = _overlay(root, typed or {}, errors or {})
    return root.children if root.kind == "object" else (root,)


def parse(schema: Mapping[str, Any] | None, form: Form, original: Any) -> Any:
    """Reads the output back from a posted form.

    Raises Invalid with a fault per control that cannot be read. Whether the output fits the schema is not
    asked here.
    """
    faults: list[Fault] = []
    result = _read(_root(schema, original), schema or {}, schema or {}, form, original, faults)
    if faults:
        raise Invalid("Some of what was typed cannot be read.", faults=faults)
    return None if result is MISSING else result


def is_one_label(controls: Sequence[Field]) -> bool:
    """Whether the whole answer is one choice that must be made: then a digit is the decision."""
    return [(field.kind in ("enum", "boolean"), field.required) for field in controls] == [(True, True)]


def texts(schema: Mapping[str, Any] | None, value: Any, other: Any) -> dict[str, str]:
    """Writes an `other` output into the controls that `value` has: the text of each by its name."""
    return dict(_texts(_root(schema, value), other))


def _texts(field: Field, value: Any) -> Iterator[tuple[str, str]]:
    if field.kind != "object":
        yield field.name, values.write(value, field.kind)
        return
    members = value if isinstance(value, dict) else {}
    for child in field.children:
        yield from _texts(child, members.get(values.unescape(child.name.rpartition("/")[2]), MISSING))


def typed_part(form: Form) -> dict[str, str]:
    """Returns the part of a posted form that belongs to the output: what a draft keeps."""
    return {name: text for name, text in form.items() if name == ROOT or name.startswith(ROOT + "/")}


def by_name(faults: Sequence[Fault]) -> dict[str, str]:
    """Returns each fault's text by the name of the control it belongs to."""
    return {fault.pointer.removeprefix("/"): _of_control(fault.detail) for fault in faults}


def _of_control(detail: str) -> str:
    """The text as it completes "It …"; a pattern is the machine's, and what it asks for stands in the help."""
    told = re.sub(
        r'^does not match ".*"$', "is not written as it has to be", detail.removeprefix("the value ")
    )
    return re.sub(r'^is not (?:a|of type) "(\w+)"$', r"is not a \1", told)


def _root(schema: Mapping[str, Any] | None, value: Any) -> Field:
    if kind(schema, value) == "form" and schema:
        return _field(ROOT, "", schema, schema, value, required=True, depth=0)
    control: Kind = "json" if kind(schema, value) == "json" else "textarea"
    text = values.write(value, control)
    return Field(ROOT, control, "Output", text=text, original=text, required=True)


def _field(name: str, key: str, schema: Any, root: Any, value: Any, *, required: bool, depth: int) -> Field:
    schema = values.resolve(schema, root)
    control = _control(schema, value, root, depth)
    text = "" if control == "object" else values.write(value, control)
    return Field(
        name,
        control,
        label=values.title(schema, key),
        help=values.prose(schema.get("description")),
        text=text,
        original=text,
        required=required,
        choices=_choices(schema, control, value, required) if control in ("enum", "boolean") else (),
        children=_children(name, schema, root, value, depth) if control == "object" else (),
        max_length=schema.get("maxLength") if isinstance(schema.get("maxLength"), int) else None,
    )


def _children(name: str, schema: Any, root: Any, value: Any, depth: int) -> tuple[Field, ...]:
    members = value if isinstance(value, dict) else {}
    required = schema.get("required") or ()
    return tuple(
        _field(
            f"{name}/{values.escape(key)}",
            key,
            property_schema,
            root,
            members.get(key, MISSING),
            required=key in required,
            depth=depth + 1,
        )
        for key, property_schema in schema["properties"].items()
    )


def _control(schema: Any, value: Any, root: Any, depth: int) -> Kind:
    """Chooses the control by the schema, and retreats to JSON where the value would not survive it."""
    wanted = _wanted(schema, root, depth)
    if wanted == "object":
        return "object" if value is MISSING or value is None or isinstance(value, dict) else "json"
    if wanted == "list":
        return "list" if values.fits_lines(value) else "json"
    if isinstance(value, (dict, list)) or (isinstance(value, str) and not values.survives_html(value)):
        return "enum" if wanted == "enum" else "json"
    if wanted in ("text", "date") and isinstance(value, str) and ("\n" in value or len(value) > 200):
        return "textarea"
    return wanted


def _wanted(schema: Any, root: Any, depth: int) -> Kind:
    if (options := values.options(schema)) is not None:
        if len(options) <= MAX_CHOICES:
            return "enum"
        return "text" if all(isinstance(option, str) for option in options) else "json"
    match values.type_of(schema):
        case "string":
            if schema.get("x-format") == "textarea" or (schema.get("maxLength") or 0) > 200:
                return "textarea"
            return "date" if schema.get("format") == "date" else "text"
        case "number" | "integer" | "boolean" as simple:
            return simple
        case "object" if schema.get("properties") and depth < MAX_DEPTH:
            return "object"
        case "array":
            item = values.resolve(schema.get("items") or {}, root)
            plain = values.options(item) is None and values.type_of(item) in ("string", "number", "integer")
            return "list" if plain and not values.is_nullable(item) else "json"
    return "json"


def _choices(schema: Any, control: Kind, value: Any, required: bool) -> tuple[Choice, ...]:
    allowed: Sequence[Any] = values.options(schema) or () if control == "enum" else (True, False)
    if control == "boolean" and values.is_nullable(schema):
        allowed = (*allowed, None)
    choices = [Choice(values.exact(option), values.choice_label(option)) for option in allowed]
    if value is not MISSING and values.exact(value) not in {choice.value for choice in choices}:
        choices.append(Choice(values.exact(value), f"{values.choice_label(value)} (not allowed)"))
    return (*choices, *([] if required else [Choice("", "no value")]))


def _count(schema: Any, root: Any, depth: int) -> int:
    schema = values.resolve(schema, root)
    if _wanted(schema, root, depth) != "object":
        return 1
    return sum(_count(member, root, depth + 1) for member in schema["properties"].values())


def _overlay(field: Field, typed: Form, errors: Mapping[str, str]) -> Field:
    return replace(
        field,
        text=values.unix_lines(typed.get(field.name, field.text)),
        error=errors.get(field.name, ""),
        children=tuple(_overlay(child, typed, errors) for child in field.children),
    )


def _read(field: Field, schema: Any, root: Any, form: Form, original: Any, faults: list[Fault]) -> Any:
    """Returns the field's value, or MISSING where it stays absent."""
    schema = values.resolve(schema, root)
    if field.kind == "object":
        return _read_object(field, schema, root, form, original, faults)
    text = values.unix_lines(form.get(field.name, field.original))
    if text == field.original:
        return original
    try:
        return values.read(text, field.kind, values.resolve(schema.get("items") or {}, root), schema)
    except UnreadableError as unreadable:
        faults.append(Fault("/" + field.name, str(unreadable)))
        return original


def _read_object(field: Field, schema: Any, root: Any, form: Form, original: Any, faults: list[Fault]) -> Any:
    result = copy.deepcopy(original) if isinstance(original, dict) else {}
    for child, (key, property_schema) in zip(field.children, schema["properties"].items(), strict=True):
        value = _read(child, property_schema, root, form, result.get(key, MISSING), faults)
        if value is MISSING:
            result.pop(key, None)
        else:
            result[key] = value
    return original if not result and not isinstance(original, dict) else result
