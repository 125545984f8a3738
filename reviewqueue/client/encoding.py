"""Values as JSON that means one thing only, which is what the server accepts and what receipts are hashed over."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

from .errors import NotSendable


def encoded(value: Any) -> bytes:
    """The value as JSON, on one line.

    Dataclasses and pydantic models become objects; times, ids, paths and decimals become strings. Raises NotSendable
    for what has no such form: NaN, lone surrogates, naive times, bytes, sets.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)
        return text.encode()
    except RecursionError:
        raise NotSendable("The value is nested too deep, or holds itself.") from None
    except (TypeError, ValueError) as error:
        if isinstance(error, NotSendable):
            raise
        raise NotSendable(f"The value cannot be sent as JSON: {error}") from None


def plain(value: Any) -> Any:
    """The value as the other side reads it."""
    return json.loads(encoded(value))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise NotSendable(f"{value!r} has no zone; give it one, such as datetime.UTC.")
        return value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID | Decimal | PurePath):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return dict(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if callable(dump := getattr(value, "model_dump", None)):
        return dump(mode="json")
    raise NotSendable(
        f"A {type(value).__name__} cannot be sent as JSON; make it an object, a list or a string."
    )
