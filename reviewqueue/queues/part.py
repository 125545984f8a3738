"""What every part of a queue's document has in common."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, ValidationError, model_serializer
from pydantic_core import InitErrorDetails, PydanticCustomError


class Part(BaseModel):
    """Refuses unknown keys and wrong types, never changes, and writes itself without what is absent."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, serialize_by_alias=True)

    keeps_null: ClassVar[bool] = False
    """Whether null means something here other than absent."""

    @model_serializer(mode="wrap")
    def _without_what_is_absent(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = write(self)
        if self.keeps_null:
            return written
        return {key: value for key, value in written.items() if value is not None}


def refuse_at(path: tuple[str | int, ...], detail: str) -> NoReturn:
    """Raise, from within a validator, an error about a place further inside than the validated value."""
    error = PydanticCustomError("refused", "{detail}", {"detail": detail})
    raise ValidationError.from_exception_data(
        "document", [InitErrorDetails(type=error, loc=path, input=None)]
    )
