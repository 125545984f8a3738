"""Opaque cursors for pages of a list: a few sort values, encoded."""

from __future__ import annotations

import base64
import binascii
import uuid
from typing import Any

import orjson

from ..errors import Invalid


def encode(values: list[Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(values)).rstrip(b"=").decode()


def decode(cursor: str) -> list[Any]:
    """Raises Invalid when the text is not a cursor."""
    try:
        values = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        values = None
    if not isinstance(values, list):
        raise Invalid("The cursor is not one of ours; take it from `next` of the page before.")
    return values


def encode_id(last: uuid.UUID) -> str:
    """For a list by id, which is one by time: ids are made in that order."""
    return encode([last.hex])


def decode_id(cursor: str) -> uuid.UUID:
    """Raises Invalid when the text is not such a cursor."""
    match decode(cursor):
        case [str(text)]:
            try:
                return uuid.UUID(text)
            except ValueError:
                pass
    raise Invalid("The cursor is not one of this list; take it from `next` of the page before.")
