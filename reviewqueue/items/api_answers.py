"""How the items' API shows an item and a claim, and reads a body that may be left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from flask import request
from pydantic import BaseModel

from ..audit.trail import rfc3339
from ..receipts.pages import signer
from ..web.requests import base_url, database
from .forms import parse
from .operations import Claimed
from .receipts import Receipts
from .views import Shown

F = TypeVar("F", bound=BaseModel)
Answer = dict[str, Any] | tuple[Any, ...]


def shown_item(shown: Shown, status: int = 200, headers: dict[str, str] | None = None, **more: Any) -> Answer:
    return {**shown_items([shown])[0], **more}, status, {"ETag": f'"{shown.version}"', **(headers or {})}


def shown_claim(claimed: Claimed) -> dict[str, Any]:
    return {"token": claimed.token, "until": rfc3339(claimed.until), "item": shown_items([claimed.item])[0]}


def shown_items(shown: Sequence[Shown]) -> list[dict[str, Any]]:
    """Items with the receipts of their outcomes."""
    now, base = database().clock.now(), base_url()
    receipts = Receipts(database(), signer(), base).of_all(shown)
    return [one.as_json(base, now, receipts.get(one.item["id"])) for one in shown]


def optional_body(form: type[F]) -> F:
    """The body where one was sent; else the form's defaults."""
    return parse(form, request.get_json() if request.get_data(cache=True) else {})
