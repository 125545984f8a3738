"""A queue's items: filters kept in the address, full-text search, order, and decisions on many at once."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

from flask import flash, request, url_for
from flask.typing import ResponseReturnValue

from ..errors import Invalid, NoSuchItem
from ..people.access import Action
from ..web.pages import lead_to, show
from ..web.requests import caller, database, request_id
from . import bulk
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
        states=[state.value for state in State],
        link=lambda **changed: url_for("items.item_list", queue=queue, **_kept({**asked, **changed})),
    )


def post_decisions(queue: str) -> ResponseReturnValue:
    """First a preview of what will happen, then, confirmed, one decision after the other."""
    db, who = database(), caller()
    verdict, reason = request.form.get("verdict", ""), request.form.get("reason") or None
    chosen = _chosen()
    preview = bulk.preview(db, who, queue, chosen, verdict, reason)
    if request.form.get("confirmed") != "yes":
        return show(
            "items/bulk.html", "content", queue=preview.about.queue, preview=preview, back=_back(queue)
        )
    done = bulk.decide_all(
        db, who, preview, comment=request.form.get("comment") or None, request_id=request_id()
    )
    flash(f"{len(done.decided)} of {len(chosen)} decided: {verdict}.", "done" if not done.refused else "late")
    for title, why in done.refused[:10]:
        flash(f"{title}: {why}", "late")
    return lead_to(_back(queue))


def _asked() -> dict[str, str]:
    """The filters of the address; an empty one is none."""
    names = ("view", "state", "q", "flag", "tag", "model", "level_min", "order", "external_id")
    return {name: text for name in names if (text := request.args.get(name, "").strip())}


def _filters(asked: dict[str, str], ids: Collection[int] | None) -> Filters:
    order = asked.get("order", "due")
    level = asked.get("level_min", "0")
    if order not in ORDERS or not level.isdecimal() or len(level) > 2:
        raise Invalid("The address asks for an order or a level that there is not.")
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


def _chosen() -> list[tuple[uuid.UUID, int]]:
    """Each chosen item with the version that was on the screen."""
    try:
        pairs = [text.rsplit("@", 1) for text in request.form.getlist("chosen")]
        chosen = [(uuid.UUID(item_id), int(version)) for item_id, version in pairs]
    except ValueError:
        raise NoSuchItem("There is no such item.") from None
    if not chosen:
        raise Invalid("Choose at least one item: the boxes stand before each.")
    return chosen[: bulk.MOST]


def _back(queue: str) -> str:
    return url_for("items.item_list", queue=queue) + (
        f"?{request.form['filters']}" if request.form.get("filters") else ""
    )
