"""The pages of notifications: a person's own behind the bell, what they wish, and the admin's channels."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, Flask, Response, flash, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as BaseResponse

from ..errors import Conflict, Invalid, NotFound, Refusal
from ..people.access import access_of
from ..people.forms import read
from ..people.pages import faults_of
from ..web.filters import span
from ..web.pages import lead_to, show
from ..web.requests import caller, database, is_api, polls, request_id, settings, viewer
from . import operations, queries
from .forms import NewChannel
from .sending import sender_of
from .telling import MAIL
from .wishes import PREFERENCE, Wishes
from .wording import path_of

blueprint = Blueprint("notifications", __name__)


def register(app: Flask) -> None:
    app.register_blueprint(blueprint)
    app.context_processor(_bell)


@blueprint.get("/notifications")
def show_inbox() -> Response:
    with database().reading() as session:
        found = queries.inbox(session, _person_id())
    return show("notifications/inbox.html", "content", notifications=found)


@blueprint.get("/notifications/unread")
def show_unread() -> BaseResponse:
    """What the bell polls: a 304 while nothing has changed."""
    polls()
    response: BaseResponse = jsonify({"unread": _unread(_person_id())})
    response.add_etag()
    response.cache_control.no_cache = True
    response.cache_control.private = True
    return response.make_conditional(request)


@blueprint.post("/notifications/<uuid:notification_id>/reading")
def post_read(notification_id: uuid.UUID) -> ResponseReturnValue:
    """The action link: marks it read and opens what it is about."""
    return lead_to(operations.read(database(), caller(), notification_id))


@blueprint.post("/notifications/reading")
def post_read_all() -> ResponseReturnValue:
    operations.read_all(database(), caller())
    return lead_to(url_for(".show_inbox"))


@blueprint.post("/account/notifications")
def post_wishes() -> ResponseReturnValue:
    given: dict[str, Any] = {name: request.form.get(name, "") for name in ("mail", "digest_hour", "zone")}
    try:
        operations.set_wishes(database(), caller(), read(Wishes, given), request_id())
    except Invalid as refusal:
        flash(f"Not saved: {refusal.detail}", "error")
    else:
        flash("Saved.", "done")
    return lead_to(url_for("people.account"))


@blueprint.get("/admin/channels")
def show_channels() -> Response:
    return _channels_page()


@blueprint.post("/admin/channels")
def post_channel() -> ResponseReturnValue:
    given = {name: request.form.get(name, "").strip() for name in ("name", "address")}
    try:
        form = read(NewChannel, given)
        schemes = settings().allowed_channel_schemes
        operations.add_channel(database(), caller(), form, schemes, settings().guard, request_id())
    except (Invalid, Conflict) as refusal:
        return _channels_page(refusal)
    flash(f"The channel {form.name} is there. Its address is kept and not shown again.", "done")
    return _back_to_channels()


@blueprint.get("/admin/channels/<name>/removal")
def show_removal(name: str) -> Response:
    """Asks whether it is meant: its address is kept nowhere else, and cannot be brought back."""
    with database().reading() as session:
        access_of(session, caller()).require_admin()
        if name not in {row.name for row in queries.channels(session)}:
            raise NotFound(f"There is no channel {name}.")
        needed_by = queries.needed_by(session, name)
    return show(
        "notifications/removal.html", "content", name=name, needed_by=needed_by, failed_only=_failed_only()
    )


@blueprint.post("/admin/channels/<name>/removal")
def post_removal(name: str) -> ResponseReturnValue:
    operations.remove_channel(database(), caller(), name, request_id())
    flash(f"The channel {name} is gone.", "done")
    return _back_to_channels()


@blueprint.post("/admin/channels/<name>/test")
def post_test(name: str) -> ResponseReturnValue:
    """Sends a test now and says what became of it, how long it took and when."""
    tested = operations.try_channel(database(), caller(), name, sender_of(settings()), request_id())
    said = f"{name}: the test to {tested.receiver}" if name == MAIL else f"{name}: the test"
    became = "arrived" if tested.error is None else f"did not arrive: {tested.error}"
    took = f"{tested.at:%H:%M:%S} UTC, after {span(tested.seconds)}"
    flash(f"{said} {became} ({took}).", "done" if tested.error is None else "error")
    return _back_to_channels()


def _back_to_channels() -> ResponseReturnValue:
    return lead_to(url_for(".show_channels", state=_failed_only()))


def _failed_only() -> str | None:
    """The filter of the log, as the address keeps it: `failed`, or nothing for all."""
    return "failed" if request.args.get("state") == "failed" else None


def _channels_page(refusal: Refusal | None = None) -> Response:
    with database().reading() as session:
        access_of(session, caller()).require_admin()
        rows = queries.channels(session)
        log = queries.log(session, failed=bool(_failed_only()), cursor=request.args.get("cursor"))
    return show(
        "notifications/channels.html",
        "content",
        status=refusal.status if refusal else 200,
        channels=rows,
        log=log,
        failed_only=_failed_only(),
        path_of=path_of,
        refusal=refusal,
        faults=faults_of(refusal),
        typed_name=request.form.get("name", ""),
        schemes=sorted(settings().allowed_channel_schemes),
        mail_is_set_up=bool(settings().smtp_url),
        my_address=caller().email,
    )


def _bell() -> dict[str, Any]:
    """What every page needs: how many are unread, and the person's wishes for their account page."""
    person = None if is_api() else viewer()
    if person is None:
        return {}
    return {"unread": _unread(person.person_id), "wishes": _wishes(), "zone": viewer_zone()}


def viewer_zone() -> str:
    """The name of the zone in which the person who looks reads and writes times."""
    return _wishes().zone


def _wishes() -> Wishes:
    person = viewer()
    return Wishes.of({PREFERENCE: person.preferences.get(PREFERENCE)} if person else None)


def _unread(person_id: uuid.UUID) -> int:
    with database().reading() as session:
        return queries.unread(session, person_id)


def _person_id() -> uuid.UUID:
    person_id = caller().person_id
    if person_id is None:
        raise NotFound("This page is for people who are signed in.")
    return person_id
