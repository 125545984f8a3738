"""A queue's items: filters kept in the address, full-text search and order."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from urllib.parse import urlencode

from flask import request, url_for
from flask.typing import ResponseReturnValue

from ..errors import Invalid
from ..people.access import Action
from ..web.pages import lead_to, show
from ..web.requests import caller, database, request_id, viewer
from . import bulk, saved_views
from .queries import Filters
from .reading import list_items
from .states import State

ORDERS = {"due": "due first", "-created": "newest", "-priority": "priority"}
VIEWS = {
    "waiting": ("pending", "disputed"),
    "decided": ("accepted", "edited", "rejected"),
    "released": ("auto_accepted", "expired"),
    "all": (),
}
FILTERS = ("view", "state", "q", "flag", "tag", "model", "level_min", "order", "external_id")
PAGE = 50


def item_list(queue: str) -> ResponseReturnValue:
    asked = _asked()

    def filters(ids: Collection[int] | None) -> Filters:
        return _filters(asked, ids)

    page = list_items(
        database(), caller(), queue, filters, limit=PAGE, cursor=request.args.get("cursor") or None
    )
    about = bulk.about(database(), caller(), queue)
    return show(
        "items/list.html",
        "content",
        queue=about.queue,
        may_decide=Action.BULK_DECIDE in about.may,
        may_review=Action.REVIEW in about.may,
        page=page,
        asked=asked,
        orders=ORDERS,
        views=VIEWS,
        saved=saved_views.views_of(seen.preferences if (seen := viewer()) else {}, queue),
        kept=urlencode(asked),
        states=[state.value for state in State],
        link=lambda **changed: url_for("items.item_list", queue=queue, **_kept({**asked, **changed})),
    )


def post_view(queue: str) -> ResponseReturnValue:
    """Keeps the filters of the page under a name, or forgets those of a name."""
    if (name := request.form.get("forget")) is not None:
        saved_views.forget_view(database(), caller(), queue, name, request_id())
        return lead_to(url_for("items.item_list", queue=queue))
    filters = {name: text for name in FILTERS if (text := request.form.get(name, "").strip())}
    _filters(filters, None)
    saved_views.save_view(database(), caller(), queue, request.form.get("name", ""), filters, request_id())
    return lead_to(url_for("items.item_list", queue=queue, **_kept({**filters})))


def _asked() -> dict[str, str]:
    """The filters of the address; an empty one is none."""
    if unknown := sorted(request.args.keys() - {*FILTERS, "cursor"}):
        raise Invalid(f"This page has no filter {unknown[0][:40]}; there are: {', '.join(FILTERS)}.")
    return {name: text for name in FILTERS if (text := request.args.get(name, "").strip())}


def _filters(asked: dict[str, str], ids: Collection[int] | None) -> Filters:
    order = asked.get("order", "due")
    level = asked.get("level_min", "0")
    if order not in ORDERS or not level.isdecimal() or len(level) > 2:
        raise Invalid("The address asks for an order or a level that there is not.")
    if asked.get("view", "all") not in VIEWS or asked.get("state", State.PENDING) not in set(State):
        raise Invalid("The address asks for a view or a state that there is not.")
    states = (asked["state"],) if "state" in asked else VIEWS.get(asked.get("view", "waiting"), ())
    name, _, value = asked.get("tag", "").partition("=")
    return Filters(
        queue_ids=ids,
        states=states,
        level_min=int(level),
        flag=asked.get("flag"),
        tags={name: value} if name else {},
        external_id=asked.get("external_id"),
        model=asked.get("model"),
        search=asked.get("q"),
        order=order,
    )


def _kept(asked: dict[str, str | None]) -> dict[str, Any]:
    return {name: text for name, text in asked.items() if text}
