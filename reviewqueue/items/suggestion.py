"""The suggestion as something to act on: its controls with what was typed, and what a posted form says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from ..db import Json
from . import output_form
from .models import Draft
from .output_form import Field

REASON, COMMENT, TEXT = "reason", "comment", "text"


@dataclass(frozen=True, slots=True)
class Typed:
    """What a person has typed on an item: raw texts by control, so that even what cannot be read is kept."""

    output: dict[str, str] | None = None
    reason: str = ""
    comment: str = ""
    text: str = ""
    """A comment for others that is not sent yet."""

    @classmethod
    def of_form(cls, form: Mapping[str, str]) -> Typed:
        return cls(
            output_form.typed_part(form), form.get(REASON, ""), form.get(COMMENT, ""), form.get(TEXT, "")
        )

    @classmethod
    def of_draft(cls, draft: Draft | None, schema: Mapping[str, Any] | None, suggested: Json) -> Typed:
        if draft is None or not isinstance(draft.content, dict):
            return cls()
        kept = draft.content
        output = kept.get("output")
        if kept.get("output_json"):
            # A review that was taken back: its output, written into the controls of the suggestion.
            output = output_form.texts(schema, suggested, orjson.loads(str(kept["output_json"])))
        typed = {str(name): str(text) for name, text in output.items()} if isinstance(output, dict) else None
        return cls(typed, *(str(kept.get(name) or "") for name in (REASON, COMMENT, TEXT)))

    def as_draft(self) -> dict[str, Any]:
        return {"output": self.output or {}, REASON: self.reason, COMMENT: self.comment, TEXT: self.text}


def controls(
    schema: Mapping[str, Any] | None, suggested: Json, typed: Typed, errors: Mapping[str, str] | None = None
) -> tuple[Field, ...]:
    return output_form.fields(schema, suggested, typed.output, errors)


def answer_of(schema: Mapping[str, Any] | None, suggested: Json, typed: Typed) -> Json:
    """The output as typed. Raises Invalid with a fault per control that cannot be read."""
    return output_form.parse(schema, typed.output or {}, suggested)
