"""The admin's pages of webhooks: subscriptions, and one with its deliveries, attempts and replay."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from flask import Blueprint, Flask, Response, flash, request, session, url_for
from flask.typing import ResponseReturnValue

from ..audit.events import EventType
from ..errors import Conflict, Invalid, NotFound, Refusal, Unavailable
from ..items.api_deliveries import EXTENSION
from ..people.forms import names_in_one_field, read
from ..people.pages import faults_of
from ..people.queries import queue_names
from ..sealing import CannotOpen
from ..web.filters import span
from ..web.pages import lead_to, show
from ..web.requests import caller, database, request_id, settings
from . import operations, queries, replay_pages
from .delivery import sender_of
from .forms import DEFAULT_TYPES, Between, ChangedSubscription, NewSubscription, Rotation
from .outbox import expanded
from .queries import STATES, Wanted
from .replay_pages import in_utc
from .schedule import MOST_ATTEMPTS
from .signing import Seal

FILTERS = ("state", "type", "q", "since", "until")
SECRET = "subscription-secret"
"""What the browser's session holds until the secret was shown."""

blueprint = Blueprint("webhooks", __name__, url_prefix="/admin/subscriptions")


blueprint.add_url_rule("/<uuid:subscription_id>/replay", view_func=replay_pages.show_range)
blueprint.add_url_rule("/<uuid:subscription_id>/replay", view_func=replay_pages.post_replay, methods=["POST"])


def register(app: Flask) -> None:
    app.register_blueprint(blueprint)
    app.extensions[EXTENSION] = queries.of_item


@blueprint.get("")
def show_all() -> Response:
    return _list_page()


@blueprint.post("")
def post_subscription() -> ResponseReturnValue:
    try:
        form = read(NewSubscription, _given())
        seal = Seal(settings().secret_key)
        made = operations.subscribe(database(), caller(), form, settings().guard, seal, request_id())
    except Invalid as refusal:
        return _list_page(refusal)
    return _lead_to_secret(made, seal)


@blueprint.get("/<uuid:subscription_id>")
def show_one(subscription_id: uuid.UUID) -> Response:
    return _one_page(subscription_id, secret=_secret_once(subscription_id))


@blueprint.post("/<uuid:subscription_id>")
def post_change(subscription_id: uuid.UUID) -> ResponseReturnValue:
    try:
        form = read(ChangedSubscription, _given())
        operations.change(database(), caller(), subscription_id, form, settings().guard, request_id())
    except (Invalid, Conflict) as refusal:
        return _one_page(subscription_id, refusal=refusal)
    flash("Saved.", "done")
    return lead_to(url_for(".show_one", subscription_id=subscription_id))


@blueprint.post("/<uuid:subscription_id>/pause")
def post_pause(subscription_id: uuid.UUID) -> ResponseReturnValue:
    return _done(subscription_id, "Paused: what happens from now on waits.", operations.pause)


@blueprint.post("/<uuid:subscription_id>/resumption")
def post_resume(subscription_id: uuid.UUID) -> ResponseReturnValue:
    return _done(subscription_id, "Active again: what waits is being sent.", operations.resume)


@blueprint.post("/<uuid:subscription_id>/revocation")
def post_revoke(subscription_id: uuid.UUID) -> ResponseReturnValue:
    if "sure" not in request.form:
        flash("Not revoked: tick the box beside the button, since it is for good.", "error")
        return lead_to(url_for(".show_one", subscription_id=subscription_id))
    return _done(subscription_id, "Revoked: nothing more is sent.", operations.revoke)


@blueprint.post("/<uuid:subscription_id>/rotation")
def post_rotate(subscription_id: uuid.UUID) -> ResponseReturnValue:
    hours, ends = request.form.get("overlap_hours", ""), "end_overlap" in request.form
    try:
        form = read(Rotation, {"overlap_hours": hours, "end_overlap": ends})
        seal = Seal(settings().secret_key)
        made = operations.rotate(database(), caller(), subscription_id, form, seal, request_id())
    except (Invalid, Conflict) as refusal:
        return _one_page(subscription_id, refusal=refusal)
    return _lead_to_secret(made, seal)


@blueprint.post("/<uuid:subscription_id>/test")
def post_test(subscription_id: uuid.UUID) -> ResponseReturnValue:
    """Sends a test event now and says what became of it."""
    try:
        sender = sender_of(settings())
        made = operations.send_test(database(), caller(), subscription_id, sender, request_id())
    except (Conflict, Unavailable) as refusal:
        flash(refusal.detail, "error")
    else:
        arrived = made.status is not None and 200 <= made.status < 300
        became = f"was answered {made.status}" if made.status else f"did not arrive: {made.error}"
        flash(f"The test event {became} ({span(made.seconds)}).", "done" if arrived else "error")
    return lead_to(url_for(".show_one", subscription_id=subscription_id))


@blueprint.get("/<uuid:subscription_id>/deliveries/<uuid:delivery_id>")
def show_delivery(subscription_id: uuid.UUID, delivery_id: uuid.UUID) -> Response:
    row = queries.delivery(database(), caller(), subscription_id, delivery_id)
    body = orjson.dumps(orjson.loads(row.announcement.body), option=orjson.OPT_INDENT_2).decode()
    return show(
        "webhooks/delivery.html",
        "content",
        row=row,
        body=body,
        of=queries.subscription(database(), caller(), subscription_id).subscription,
        most_attempts=MOST_ATTEMPTS,
    )


def _lead_to_secret(made: operations.Made, seal: Seal) -> ResponseReturnValue:
    """To the page that shows the secret once, so that loading it again makes no other. The cookie has it sealed."""
    session[SECRET] = [str(made.id), seal.close(made.secret)]
    return lead_to(url_for(".show_one", subscription_id=made.id))


def _secret_once(subscription_id: uuid.UUID) -> str | None:
    of, sealed = session.get(SECRET) or (None, "")
    if of != str(subscription_id) or request.method != "GET":
        return None
    del session[SECRET]
    try:
        return Seal(settings().secret_key).open(sealed)
    except CannotOpen:
        return None


def _done(subscription_id: uuid.UUID, words: str, operation: Callable[..., object]) -> ResponseReturnValue:
    try:
        operation(database(), caller(), subscription_id, request_id())
    except (NotFound, Conflict) as refusal:
        flash(refusal.detail, "error")
    else:
        flash(words, "done")
    return lead_to(url_for(".show_one", subscription_id=subscription_id))


def _list_page(refusal: Refusal | None = None) -> Response:
    return show(
        "webhooks/subscriptions.html",
        "content",
        status=refusal.status if refusal else 200,
        rows=queries.subscriptions(database(), caller()),
        queues=_queue_names(),
        given=request.form if refusal else {"types": " ".join(DEFAULT_TYPES)},
        **_refused(refusal),
    )


def _one_page(
    subscription_id: uuid.UUID, *, refusal: Refusal | None = None, secret: str | None = None
) -> Response:
    row = queries.subscription(database(), caller(), subscription_id)
    asked = {name: value for name in FILTERS if (value := request.args.get(name, "").strip())}
    wanted, stray = _wanted(asked)
    refused = refusal or stray
    response = show(
        "webhooks/subscription.html",
        "content",
        status=refused.status if refused else 200,
        row=row,
        of=row.subscription,
        page=queries.Page((), None)
        if stray
        else queries.deliveries(
            database(), caller(), subscription_id, wanted, cursor=request.args.get("cursor")
        ),
        asked=asked,
        states=STATES,
        # Not those that were sent: to find them, every announcement of 30 days would be read.
        types=sorted(expanded([*row.subscription.types, EventType.SUBSCRIPTION_TESTED, wanted.type or ""])),
        queues=_queue_names(),
        secret=secret,
        given=request.form if refusal and "name" in request.form else _as_given(row),
        here=url_for(".show_one", subscription_id=subscription_id),
        **_refused(refused),
    )
    if secret is not None:
        response.headers["Cache-Control"] = "no-store"
    return response


def _wanted(asked: Mapping[str, str]) -> tuple[Wanted, Invalid | None]:
    """Which deliveries to show, or why what was typed says none."""
    try:
        made = read(Between, {name: in_utc(asked[name]) for name in ("since", "until") if name in asked})
    except Invalid as refusal:
        return Wanted(), refusal
    return Wanted(asked.get("state"), asked.get("type"), asked.get("q"), made.since, made.until), None


def _given() -> dict[str, Any]:
    """The form as the page sends it: a box that is not ticked is not sent."""
    return {
        **{name: request.form.get(name, "").strip() for name in ("name", "url")},
        "types": names_in_one_field(request.form.get("types", "")) or [],
        "queues": names_in_one_field(request.form.get("queues", "")),
        "waits_for_undo": "waits_for_undo" in request.form,
    }


def _as_given(row: queries.SubscriptionRow) -> dict[str, Any]:
    one = row.subscription
    return {
        "name": one.name,
        "url": one.url,
        "types": " ".join(one.types),
        "queues": " ".join(one.queues or ()),
        "waits_for_undo": one.waits_for_undo,
    }


def _refused(refusal: Refusal | None) -> dict[str, Any]:
    return {"refusal": refusal, "faults": faults_of(refusal)}


def _queue_names() -> list[str]:
    with database().reading() as reading:
        return list(queue_names(reading))
