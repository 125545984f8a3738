"""A queue's output schema: compiled once, without network, in time linear in what it checks."""

from __future__ import annotations

from typing import Any

import jsonschema_rs

from ..errors import Fault
from .loading import pointer_to

MOST_FAULTS = 20
MASK = "the value"


class BadSchema(ValueError):
    """The schema itself is not a JSON Schema; says where in it and why."""

    def __init__(self, detail: str, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(detail)
        self.path = path
        self.detail = detail


def compile_schema(schema: Any) -> jsonschema_rs.Validator:
    """Compile a JSON Schema (its draft by `$schema`, else 2020-12); raises BadSchema.

    Nothing is fetched, formats are checked, and patterns run on an engine that cannot backtrack. Messages
    never repeat the checked value: they end up in events, which outlive erased evidence.
    """
    try:
        return jsonschema_rs.validator_for(
            schema,
            validate_formats=True,
            retriever=_deny,
            pattern_options=jsonschema_rs.RegexOptions(size_limit=4 << 20, dfa_size_limit=4 << 20),
            mask=MASK,
        )
    except jsonschema_rs.ValidationError as error:
        raise BadSchema(_what_is_wrong(error), tuple(error.instance_path)) from None
    except (ValueError, RecursionError, jsonschema_rs.ReferencingError) as error:
        raise BadSchema(str(error)) from None


def _what_is_wrong(error: jsonschema_rs.ValidationError) -> str:
    if error.message.endswith('is not a "regex"'):
        return f"is not a pattern without look-around and back-references: {error.instance}"
    return error.message.replace(MASK, repr(error.instance)[:80], 1)


def faults_of(validator: jsonschema_rs.Validator, output: Any, at: str = "/output") -> tuple[Fault, ...]:
    """What in `output` breaks the schema, the first twenty, with pointers below `at`; empty if nothing."""
    faults: list[Fault] = []
    try:
        for error in validator.iter_errors(output):
            faults.append(_fault(error, at))
            if len(faults) == MOST_FAULTS:
                break
    except ValueError:
        faults.append(Fault(at, "cannot be checked: it is not JSON"))
    return tuple(faults)


def _fault(error: jsonschema_rs.ValidationError, at: str) -> Fault:
    """What is missing is named by its own place, where a form has its field."""
    path = list(error.instance_path)
    if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Required):
        return Fault(at + _pointer([*path, error.kind.property]), "is required")
    return Fault(at + _pointer(path), error.message)


def fits(validator: jsonschema_rs.Validator, output: Any) -> bool:
    """Whether `output` satisfies the schema; what cannot be checked does not."""
    try:
        return validator.is_valid(output)
    except ValueError:
        return False


def _deny(uri: str) -> Any:
    raise ValueError(f"{uri} is not fetched; put the definitions under $defs")


def _pointer(path: list[str | int]) -> str:
    pointer = ""
    for key in path:
        pointer = pointer_to(pointer, key)
    return pointer
