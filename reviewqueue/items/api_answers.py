"""How the items' API shows an item and a claim, and reads a body that may be left out."""

from __future__ import annotations

from typing import Any, TypeVar

from flask import request
from pydantic import BaseModel

from ..audit.trail import rfc3339
from ..web.requests import base_url, database
from .forms import parse
from .operations import Claimed
from .views import Shown

F = TypeVar("F", bound=BaseModel)
Answer = dict[str, Any] | tuple[Any, ...]


def shown_item(shown: Shown, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    told = shown.as_json(base_url(), database().clock.now())
    return told, status, {"ETag": f'"{shown.version}"', **(headers or {})}


def shown_claim(claimed: Claimed) -> dict[str, Any]:
    item = claimed.item.as_json(base_url(), database().clock.now())
    return {"token": claimed.token, "until": rfc3339(claimed.until), "item": item}


def optional_body(form: type[F]) -> F:
    """The body where one was sent; else the form's defaults."""
    return parse(form, request.get_json() if request.get_data(cache=True) else {})
