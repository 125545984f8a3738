"""One act on the items that were chosen in a list: the preview, and then, confirmed, the act."""

from __future__ import annotations

import secrets
import uuid
from typing import Any

from flask import flash, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from ..errors import Invalid, NoSuchItem, Unauthenticated
from ..people import sessions
from ..web.pages import lead_to, show
from ..web.requests import caller, database, request_id, safe_next, viewer
from . import bulk
from .bulk import Done, Orders, Preview
from .bulk_checks import Act
from .handling import ends_before
from .snoozing import SNOOZES, SPANS

MOST_TOLD = 10
PLANS_KEPT = 4
"""Previews that one browser may have open side by side."""
NONE_CHOSEN = "Choose at least one item first: the boxes stand before each."
WORDS = {
    Act.ACCEPT: ("Accept", "accepted"),
    Act.REJECT: ("Reject", "rejected"),
    Act.ACKNOWLEDGE: ("Acknowledge", "acknowledged"),
    Act.ASSIGN: ("Assign", "assigned"),
    Act.SNOOZE: ("Snooze", "snoozed"),
}
WILL = {
    Act.ACCEPT: "Each gets a decision of its own in your name, and its outcome goes to the app.",
    Act.REJECT: "Each gets a decision of its own in your name, and its outcome goes to the app.",
    Act.ACKNOWLEDGE: "The reminders of their present step stop; later steps and the deadline go on.",
    Act.ASSIGN: "Each is theirs alone to claim from then on, and they are told.",
    Act.SNOOZE: "They wait, and with them due time and escalation; the app's deadline does not.",
}


def post_many() -> ResponseReturnValue:
    """First leads to a preview of what will happen; then, confirmed, does one operation after the other."""
    db, who = database(), caller()
    confirmed = request.form.get("confirmed") == "yes"
    sure = _named(request.form, "sure")
    chosen = [*_named(request.form, "chosen"), *sure]
    if not 0 < len(chosen) <= bulk.MOST:
        flash(NONE_CHOSEN if not chosen else f"Choose at most {bulk.MOST} items at once.", "late")
        return lead_to(_preview(request.form.get("plan", "")) if confirmed else _back(request.form))
    if not confirmed:
        return lead_to(_preview(_keep()))
    plan = bulk.preview(db, who, chosen, request.form.get("act", ""), sure={item_id for item_id, _ in sure})
    try:
        orders = _orders(plan)
    except Invalid as refusal:
        return _preview_page(plan, request.form, refusal)
    _tell(plan, bulk.carry_out(db, who, plan, orders, request_id=request_id()), len(chosen))
    return lead_to(_back(request.form))


def show_many(plan: str) -> ResponseReturnValue:
    """The preview under an address of its own: a reload and the browser's Back show it anew, as things are then."""
    asked = next((kept for kept in _kept() if kept["plan"] == plan), None)
    if asked is None:
        flash("That preview is gone. Choose the items again.", "late")
        return lead_to(url_for("items.show_desk"))
    form: MultiDict[str, str] = MultiDict(asked)
    return _preview_page(bulk.preview(database(), caller(), _named(form, "chosen"), form["act"]), form)


def _preview(plan: str) -> str:
    return url_for("items.show_many", plan=plan)


def _keep() -> str:
    """Keeps what was chosen with the browser's session; returns the name that it has there."""
    who = viewer()
    if who is None:
        raise Unauthenticated("Sign in first.")
    asked = {
        "plan": secrets.token_urlsafe(9),
        "act": request.form.get("act", ""),
        "chosen": request.form.getlist("chosen"),
        "back": _back(request.form),
    }
    sessions.remember(database(), who, {**who.data, "many": [*_kept(), asked][-PLANS_KEPT:]})
    return str(asked["plan"])


def _kept() -> list[dict[str, Any]]:
    who = viewer()
    kept = who.data.get("many") if who else None
    return kept if isinstance(kept, list) else []


def _preview_page(
    plan: Preview, form: MultiDict[str, str], refusal: Invalid | None = None
) -> ResponseReturnValue:
    return show(
        "items/bulk.html",
        "content",
        status=refusal.status if refusal else 200,
        plan=plan,
        verb=WORDS[plan.act][0],
        will=WILL[plan.act],
        form=form,
        sure=form.getlist("sure"),
        snoozes=_snoozes(plan) if plan.act is Act.SNOOZE else (),
        refusal=refusal,
        back=_back(form),
    )


def _orders(plan: Preview) -> Orders:
    """What was chosen on the preview; raises Invalid where something is missing."""
    given = {reasons.queue: request.form.get(f"reason:{reasons.queue}", "") for reasons in plan.reasons}
    if plan.act is Act.REJECT and not all(given.values()):
        raise Invalid("Choose a reason.")
    to = request.form.get("to") or None
    if plan.act is Act.ASSIGN and to is None:
        raise Invalid("Choose whom to give them to.")
    snooze_for = SNOOZES.get(request.form.get("for", ""))
    if plan.act is Act.SNOOZE and snooze_for is None:
        raise Invalid("Choose for how long: 1h, 4h, 1d or 3d.")
    comment = request.form.get("comment", "").strip() or None
    return Orders({queue: code for queue, code in given.items() if code}, comment, to, snooze_for)


def _tell(plan: Preview, done: Done, chosen: int) -> None:
    said = f"{done.done} of {chosen} {WORDS[plan.act][1]}."
    flash(said, "late" if done.refused else "done")
    for title, why in done.refused[:MOST_TOLD]:
        flash(f"{title}: {why}", "late")
    if len(done.refused) > MOST_TOLD:
        flash(f"{len(done.refused) - MOST_TOLD} more were left alone.", "late")


def _snoozes(plan: Preview) -> list[tuple[str, str, int]]:
    """For how long, and how many of the items may sleep that long: none beyond its deadline."""
    now = database().clock.now()
    latest = [ends_before(item) for item in plan.ready]
    return [
        (value, SPANS[value], sum(1 for end in latest if end is None or now + length < end))
        for value, length in SNOOZES.items()
    ]


def _named(form: MultiDict[str, str], field: str) -> list[tuple[uuid.UUID, int]]:
    """Each item that the field names, with the version that was on the screen."""
    try:
        pairs = [text.rsplit("@", 1) for text in form.getlist(field)]
        return [(uuid.UUID(item_id), int(version)) for item_id, version in pairs]
    except ValueError:
        raise NoSuchItem("There is no such item.") from None


def _back(form: MultiDict[str, str]) -> str:
    return safe_next(form.get("back"), url_for("items.show_desk"))
