"""What people do with an item besides deciding it, from the review page and from the item's own."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import flash, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from ..errors import Invalid, Refusal
from ..notifications.pages import viewer_zone
from ..web.pages import lead_to, wants_fragment
from ..web.requests import caller, database, is_htmx, request_id, safe_next
from . import operations, reviewing, snoozing
from .forms import AssignmentForm, CommentForm, EscalationForm, ReasonForm, parse
from .item_pages import item_page
from .refusals import told_faults
from .review_pages import act_and_go_on, as_kept, keep, next_item, review_page
from .suggestion import Typed
from .views import Shown


def post_snooze(item_id: uuid.UUID) -> ResponseReturnValue:
    zone = viewer_zone()

    def snooze() -> Shown:
        until = snoozing.chosen(request.form, database().clock.now(), zone)
        until_reply = "until_reply" in request.form
        return operations.snooze(
            database(), caller(), item_id, until, until_reply=until_reply, request_id=request_id()
        )

    replied = ", or until somebody else comments" if "until_reply" in request.form else ""
    said = f"Snoozed {{}} {snoozing.words(request.form, zone)}{replied}."
    return _act(item_id, snooze, said, leaves=True)


def post_escalation(item_id: uuid.UUID) -> ResponseReturnValue:
    def escalate() -> Shown:
        said = parse(
            EscalationForm, {"reason": _words("escalate_reason", "Say why it should go one level up.")}
        )
        return operations.escalate(
            database(), caller(), item_id, said.reason, said.to, request_id=request_id()
        )

    # Who gives an item up is not offered it again.
    return _act(item_id, escalate, "Escalated {}.", leaves=True, skips=True)


def post_deescalation(item_id: uuid.UUID) -> ResponseReturnValue:
    return _act(item_id, lambda: operations.deescalate(*_with_reason(item_id)), "De-escalated {}.")


def post_acknowledgement(item_id: uuid.UUID) -> ResponseReturnValue:
    def acknowledge() -> Shown:
        return operations.acknowledge(database(), caller(), item_id, request_id=request_id())

    return _act(item_id, acknowledge, "You are on it: {} reminds nobody until its next step.")


def post_comment(item_id: uuid.UUID) -> ResponseReturnValue:
    def comment() -> None:
        said = parse(CommentForm, {"text": _words("text", "Write the comment first.")})
        operations.comment(database(), caller(), item_id, said.text, request_id=request_id())

    return _act(item_id, comment, "Your comment is there for everyone who sees the item.", sends_text=True)


def post_assignment(item_id: uuid.UUID) -> ResponseReturnValue:
    def assign() -> Shown:
        said = parse(AssignmentForm, {"to": request.form.get("to", "").strip() or None})
        return operations.assign(database(), caller(), item_id, said.to, said.reason, request_id=request_id())

    to = request.form.get("to", "").strip()
    mine = to == caller().email
    said = (
        "{} is yours."
        if mine
        else f"Gave {{}} to {_braced(to)}."
        if to
        else "{} is with nobody in particular now."
    )
    return _act(item_id, assign, said)


def post_reopening(item_id: uuid.UUID) -> ResponseReturnValue:
    return _act(
        item_id, lambda: operations.reopen(*_with_reason(item_id)), "Reopened {}: people are asked again."
    )


def post_recall(item_id: uuid.UUID) -> ResponseReturnValue:
    return _act(item_id, lambda: operations.recall(*_with_reason(item_id)), "Recalled {}: people are asked.")


def post_release(item_id: uuid.UUID) -> ResponseReturnValue:
    def release() -> None:
        token = request.form.get("claim_token") or None
        operations.release_claim(database(), caller(), item_id, token, request_id=request_id())

    return _act(item_id, release, "Gave {} back to the queue.")


def post_claim(item_id: uuid.UUID) -> ResponseReturnValue:
    """Takes this very item and goes to the review page with it."""
    try:
        claimed = operations.claim(database(), caller(), item_id, request_id=request_id())
    except Refusal as refusal:
        return item_page(item_id, refusal=refusal)
    back = safe_next(request.form.get("back"), "") or None
    return lead_to(url_for("items.review", queue=claimed.item.item["queue"], item=item_id, back=back))


def post_undo(item_id: uuid.UUID) -> ResponseReturnValue:
    """Takes the last decision back; the item is on the review page again, as it was when it was decided."""
    _keep_the_one_at_hand()
    try:
        undone = operations.undo(database(), caller(), item_id, request_id=request_id())
    except Refusal as refusal:
        return _refused_undo(item_id, refusal)
    _give_back_the_untouched()
    flash(f"Taken back: {undone.item.title} is yours again.", "done")
    queue = undone.item.item["queue"]
    if _from_review() and wants_fragment():
        return next_item(queue, item_id)
    return lead_to(url_for("items.review", queue=queue, item=item_id))


def _act(
    item_id: uuid.UUID,
    act: Callable[[], object],
    said: str,
    *,
    leaves: bool = False,
    skips: bool = False,
    sends_text: bool = False,
) -> ResponseReturnValue:
    """Does the act where it was asked for: on the review page, or on the item's. `leaves`: the next item comes."""
    if _from_review():
        if leaves:
            return act_and_go_on(item_id, act, said, skips=skips)
        return _act_and_stay(item_id, act, said, sends_text=sends_text)
    if "back" in request.form:
        return _act_and_go_back(act, said)
    try:
        act()
    except Refusal as refusal:
        return item_page(item_id, refusal=refusal)
    if sends_text:
        _forget_text(item_id)
    flash(_capital(said.format("the item")), "done")
    return lead_to(url_for("items.item", item_id=item_id))


def _act_and_go_back(act: Callable[[], object], said: str) -> ResponseReturnValue:
    """From a row of a list: back to it, or for its script what became of it, since it refreshes by itself."""
    status, kind = 200, "done"
    try:
        shown = act()
        text = said.format(shown.title if isinstance(shown, Shown) else "the item")
    except Refusal as refusal:
        status, kind, text = refusal.status, "error", _whole(refusal)
    if is_htmx():
        return jsonify(kind=kind, text=text), status
    flash(text, kind)
    return lead_to(safe_next(request.form["back"]))


def _whole(refusal: Refusal) -> str:
    return " ".join([refusal.detail, *told_faults(refusal.faults)])


def _act_and_stay(
    item_id: uuid.UUID, act: Callable[[], object], said: str, *, sends_text: bool
) -> ResponseReturnValue:
    typed = Typed.of_form(request.form)
    queue = reviewing.basis_of(database(), caller(), item_id).queue
    keep(item_id, typed)
    held = reviewing.held(database(), caller(), queue, item_id)
    try:
        act()
    except Refusal as refusal:
        return review_page(item_id, held, typed=typed, refusal=refusal)
    flash(_capital(said.format("the item")), "done")
    if sends_text:
        typed = replace(typed, text="")
        keep(item_id, typed)
    return as_kept(review_page(item_id, held, typed=typed))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _forget_text(item_id: uuid.UUID) -> None:
    """The comment is sent from the item's page; what else was typed on the item stays."""
    keep(item_id, replace(reviewing.draft_of(database(), caller(), item_id), text=""))


def _refused_undo(item_id: uuid.UUID, refusal: Refusal) -> ResponseReturnValue:
    at_hand = request.form.get("item", "")
    if not _from_review() or not at_hand:
        return item_page(item_id, refusal=refusal)
    this = uuid.UUID(at_hand)
    queue = reviewing.basis_of(database(), caller(), this).queue
    held = reviewing.held(database(), caller(), queue, this)
    return review_page(this, held, typed=Typed.of_form(request.form), refusal=refusal)


def _keep_the_one_at_hand() -> None:
    """An undo brings another item: what was typed on the present one stays its draft."""
    typed = Typed.of_form(request.form)
    if typed.output and request.form.get("item"):
        keep(uuid.UUID(request.form["item"]), typed)


def _give_back_the_untouched() -> None:
    """The item that came after the decision goes back to the queue, so that nobody holds two."""
    token, at_hand = request.form.get("claim_token"), request.form.get("item")
    if not token or not at_hand:
        return
    item_id = uuid.UUID(at_hand)
    try:
        if not reviewing.basis_of(database(), caller(), item_id).says_something(Typed.of_form(request.form)):
            operations.release_claim(database(), caller(), item_id, token, request_id=request_id())
    except Refusal:
        return


def _with_reason(item_id: uuid.UUID) -> tuple[Any, Any, uuid.UUID, str]:
    said = parse(ReasonForm, {"reason": _words("reason", "Say why people should look at it.")})
    return database(), caller(), item_id, said.reason


def _braced(text: str) -> str:
    """What people typed, in a sentence that is filled in later."""
    return text.replace("{", "{{").replace("}", "}}")


def _words(name: str, asked: str) -> str:
    """What was typed in a field that must not be empty; raises Invalid with what is asked for."""
    typed = request.form.get(name, "")
    if not typed.strip():
        raise Invalid(asked)
    return typed


def _from_review() -> bool:
    return request.form.get("from") == "review"
