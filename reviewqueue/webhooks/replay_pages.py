"""The pages that send again: one delivery, all that failed, or a range, which is counted before it is sent."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from flask import Response, flash, request, url_for
from flask.typing import ResponseReturnValue

from ..errors import Conflict, Invalid
from ..people.forms import read
from ..people.pages import faults_of
from ..web.filters import plural
from ..web.pages import lead_to, show
from ..web.requests import caller, database, request_id
from . import queries, replaying
from .forms import Replay


def show_range(subscription_id: uuid.UUID) -> Response:
    """How many it would be, before they are sent; what was typed stays."""
    count: int | None = None
    refusal: Invalid | None = None
    one = queries.subscription(database(), caller(), subscription_id).subscription
    try:
        count = replaying.count(database(), caller(), subscription_id, read(Replay, _range(request.args)))
    except Invalid as refused:
        refusal = refused
    return show(
        "webhooks/range.html",
        "content",
        status=refusal.status if refusal else 200,
        of=one,
        count=count,
        given=request.args,
        refusal=refusal,
        faults=faults_of(refusal),
    )


def post_replay(subscription_id: uuid.UUID) -> ResponseReturnValue:
    """One delivery, those of a range, or all that failed."""
    ids = request.form.getlist("delivery")
    given = {"deliveries": ids} if ids else _range(request.form)
    try:
        count = replaying.replay(database(), caller(), subscription_id, read(Replay, given), request_id())
    except (Invalid, Conflict) as refusal:
        flash(refusal.detail, "error")
    else:
        many = f"{plural(count, 'delivery', 'deliveries')} will be sent again."
        flash(many if count else "Nothing to send again.", "done" if count else "message")
    return lead_to(_back(subscription_id))


def in_utc(text: str) -> str:
    """What a field for date and time holds says no zone; the page says that it is UTC."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).isoformat()
    except ValueError:
        return text


def _range(typed: Any) -> dict[str, Any]:
    given = {name: value for name in ("since", "until", "state") if (value := typed.get(name, "").strip())}
    return {name: value if name == "state" else in_utc(value) for name, value in given.items()}


def _back(subscription_id: uuid.UUID) -> str:
    """The page that one came from, if it is this subscription's: the filters stay as they were."""
    here = url_for("webhooks.show_one", subscription_id=subscription_id)
    back = request.form.get("back", "")
    return back if back == here or back.startswith((f"{here}?", f"{here}/")) else here
