"""Why a queue's document is refused: where, by JSON pointer, and what, in words that name the key."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ..errors import Fault, Invalid
from ..plain_words import in_words
from .conditions import KIND_TAGS
from .loading import pointer_to
from .part import Part

_MAPPINGS = frozenset({"dict_type", "model_type"})


class InvalidDocument(Invalid):
    """The document cannot be accepted; `errors` holds (JSON pointer, detail) of everything that is wrong."""

    slug, title = "invalid-document", "The queue's document is not valid"

    def __init__(self, errors: list[tuple[str, str]]) -> None:
        self.errors = errors
        where, what = errors[0]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        super().__init__(
            f"{where or 'the document'}: {what}{more}", faults=[Fault(*error) for error in errors]
        )

    @classmethod
    def because(cls, error: ValidationError) -> InvalidDocument:
        return cls([_in_words(details) for details in error.errors(include_url=False, include_input=True)])


def _in_words(error: ErrorDetails) -> tuple[str, str]:
    pointer = ""
    for key in error["loc"]:
        if key not in KIND_TAGS:
            pointer = pointer_to(pointer, key)
    kind = error["type"]
    if kind == "extra_forbidden":
        return pointer, _unknown_key(str(error["loc"][-1]))
    return pointer, "must be a mapping" if kind in _MAPPINGS else in_words(error)


def _unknown_key(key: str) -> str:
    alike = get_close_matches(key, known_keys(), n=1, cutoff=0.7)
    return f"is an unknown key: {key[:80]}" + (f"; did you mean {alike[0]}?" if alike else "")


@cache
def known_keys() -> frozenset[str]:
    return frozenset(
        field.alias or name for model in _parts(Part) for name, field in model.model_fields.items()
    )


def _parts(model: type[BaseModel]) -> list[type[BaseModel]]:
    return [model, *(part for child in model.__subclasses__() for part in _parts(child))]
