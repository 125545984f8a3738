"""One act on the items that were chosen in a list: the preview, and then, confirmed, the act."""

from __future__ import annotations

import uuid

from flask import flash, request, url_for
from flask.typing import ResponseReturnValue

from ..errors import Invalid, NoSuchItem
from ..web.pages import lead_to, show
from ..web.requests import caller, database, request_id, safe_next
from . import bulk
from .act_pages import SNOOZES
from .bulk import Done, Orders, Preview
from .bulk_checks import Act

MOST_TOLD = 10
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
    """First a preview of what will happen, then, confirmed, one operation after the other."""
    db, who = database(), caller()
    sure = _named("sure")
    chosen = [*_chosen(), *sure]
    plan = bulk.preview(db, who, chosen, request.form.get("act", ""), sure={item_id for item_id, _ in sure})
    if request.form.get("confirmed") != "yes":
        return _preview_page(plan)
    try:
        orders = _orders(plan)
    except Invalid as refusal:
        return _preview_page(plan, refusal)
    _tell(plan, bulk.carry_out(db, who, plan, orders, request_id=request_id()), len(chosen))
    return lead_to(_back())


def _preview_page(plan: Preview, refusal: Invalid | None = None) -> ResponseReturnValue:
    return show(
        "items/bulk.html",
        "content",
        status=refusal.status if refusal else 200,
        plan=plan,
        verb=WORDS[plan.act][0],
        will=WILL[plan.act],
        sure=request.form.getlist("sure"),
        refusal=refusal,
        back=_back(),
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


def _chosen() -> list[tuple[uuid.UUID, int]]:
    chosen = _named("chosen")
    if not chosen and "sure" not in request.form:
        raise Invalid("Choose at least one item: the boxes stand before each.")
    if len(chosen) > bulk.MOST:
        raise Invalid(f"Choose at most {bulk.MOST} items at once.")
    return chosen


def _named(field: str) -> list[tuple[uuid.UUID, int]]:
    """Each item that the field names, with the version that was on the screen."""
    try:
        pairs = [text.rsplit("@", 1) for text in request.form.getlist(field)]
        return [(uuid.UUID(item_id), int(version)) for item_id, version in pairs]
    except ValueError:
        raise NoSuchItem("There is no such item.") from None


def _back() -> str:
    return safe_next(request.form.get("back"), url_for("items.show_desk"))
