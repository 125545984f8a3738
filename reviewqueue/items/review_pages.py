"""The review page: one item at a time, and deciding brings the next at once."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
from flask import Response, flash, jsonify, make_response, request, url_for
from flask.typing import ResponseReturnValue

from ..db import Json
from ..errors import AlreadyReviewed, NotFound, Refusal
from ..people import sessions
from ..web import rendering
from ..web.pages import lead_to, show, wants_fragment
from ..web.requests import caller, database, request_id, safe_next, viewer
from ..web.untrusted import markdown
from . import output_form, reviewing
from .deciding import Fence
from .dossiers import Dossier, dossier
from .models import Item
from .operations import claim_next, decide, drop_draft, release_claim, renew_claim, save_draft
from .refusals import told_faults, without_control
from .reopening import UNDO_SECONDS
from .suggestion import Typed, controls
from .verdicts import told_reviews

MOST_SKIPPED = 200
SAID = {"accepted": "Accepted", "edited": "Saved the edit of", "rejected": "Rejected"}


def review(queue: str) -> ResponseReturnValue:
    """What the person holds in this queue, else the next item, claimed."""
    return next_item(queue, _item_id(request.args.get("item")))


def next_item(queue: str, wanted: uuid.UUID | None = None) -> Response:
    db, who = database(), caller()
    found = reviewing.held(db, who, queue, wanted)
    if found is None:
        claimed = claim_next(db, who, queue, skip=skipped(queue), request_id=request_id())
        if claimed is None:
            return _nothing_left(queue)
        found = reviewing.Held(claimed.item.item["id"], claimed.token, claimed.until)
    return review_page(found.item_id, found)


def review_page(
    item_id: uuid.UUID,
    held: reviewing.Held | None,
    *,
    typed: Typed | None = None,
    refusal: Refusal | None = None,
) -> Response:
    """The page on one item; with a refusal, everything typed is still there and the page says what happened."""
    seen = dossier(database(), caller(), item_id)
    suggested = reviewing.blank(seen.evidence.output) if seen.hides_suggestion else seen.evidence.output
    typed = typed or Typed.of_draft(seen.draft, seen.schema, suggested)
    errors = output_form.by_name(refusal.faults) if refusal else {}
    fields = controls(seen.schema, suggested, typed, errors)
    response = show(
        "items/review.html",
        "review",
        status=refusal.status if refusal else 200,
        seen=seen,
        held=held,
        typed=typed,
        refusal=refusal,
        over=_is_over(seen, refusal),
        about=_item_of_the_undo(item_id) if refusal else None,
        sure=isinstance(refusal, reviewing.Doubtful),
        stray=told_faults(
            without_control(refusal.faults, fields), fields, seen.policy, request.form.get("verdict", "")
        )
        if refusal
        else [],
        refused=request.endpoint if refusal else None,
        posted=request.form if refusal else {},
        wrong=reviewing.what_is_wrong(seen.policy, seen.evidence.output, seen.schema),
        fields=fields,
        one_label=output_form.is_one_label(fields),
        kind=output_form.kind(seen.schema, seen.evidence.output),
        evidence=rendering.present(seen.evidence.input, "input"),
        details=seen.evidence.details,
        reviews=told_reviews(seen),
        present=rendering.present,
        markdown=markdown,
        back=_back(),
        **_edge(seen.item.queue),
    )
    # Under the address of the queue: a reload shows what one holds, and Back never a decided item.
    response.headers["HX-Replace-Url"] = url_for("items.review", queue=seen.item.queue, back=_back())
    return response


def _is_over(seen: Dossier, refusal: Refusal | None) -> bool:
    """Whether nothing is left for this person to decide here, and the acts could only be refused."""
    return not seen.item.is_open or isinstance(refusal, AlreadyReviewed)


def _item_of_the_undo(shown: uuid.UUID) -> Item | None:
    """What was to be taken back, where it is another item than the one that is shown."""
    asked = (request.view_args or {}).get("item_id", shown)
    try:
        return None if asked == shown else dossier(database(), caller(), asked).item
    except NotFound:
        return None


def post_decision(item_id: uuid.UUID) -> ResponseReturnValue:
    db, who, typed = database(), caller(), Typed.of_form(request.form)
    basis = reviewing.basis_of(db, who, item_id)
    try:
        verdict, sure = request.form.get("verdict", ""), request.form.get("sure") == "accept"
        said = basis.judgement(verdict, typed, _count(request.form.get("edits")), sure=sure)
        decided = decide(db, who, item_id, said, _fence(), request_id=request_id())
    except Refusal as refusal:
        keep(item_id, typed)
        return review_page(item_id, _claim_of_form(item_id), typed=typed, refusal=refusal)
    if typed.text.strip():
        keep(item_id, Typed(text=typed.text))
    title = decided.item["external_id"] or f"…{item_id.hex[-8:]}"
    verb = SAID.get(decided.item["state"], "Kept your review of")
    flash(f"{verb} {title}.", "done")
    return _onwards(basis.queue)


def post_answer(item_id: uuid.UUID) -> ResponseReturnValue:
    """In step_aside: the person's own answer is in, and the suggestion may be seen beside it."""
    db, who, typed = database(), caller(), Typed.of_form(request.form)
    basis = reviewing.basis_of(db, who, item_id)
    try:
        answered = orjson.dumps(basis.answer(typed)).decode()
        save_draft(db, who, item_id, typed.as_draft(), answered=answered)
    except Refusal as refusal:
        return review_page(item_id, _claim_of_form(item_id), typed=typed, refusal=refusal)
    return _here(basis.queue, item_id)


def post_draft(item_id: uuid.UUID) -> ResponseReturnValue:
    keep(item_id, Typed.of_form(request.form))
    if wants_fragment():
        return "", 204
    flash("Your draft is kept.", "done")
    return _here(reviewing.basis_of(database(), caller(), item_id).queue, item_id)


def post_skip(item_id: uuid.UUID) -> ResponseReturnValue:
    def skip() -> None:
        token = request.form.get("claim_token")
        release_claim(database(), caller(), item_id, token, skipped=True, request_id=request_id())

    return act_and_go_on(item_id, skip, "Skipped {}.", skips=True)


def post_forget_skipped(queue: str) -> ResponseReturnValue:
    """Offers the skipped items again."""
    _remember_skipped(queue, [])
    return lead_to(url_for("items.review", queue=queue))


def post_renewal(item_id: uuid.UUID) -> ResponseReturnValue:
    """Asked by the page while its person is active; answers JSON for its script."""
    try:
        token = request.form.get("claim_token")
        claimed = renew_claim(database(), caller(), item_id, token, request_id=request_id())
    except Refusal as refusal:
        return jsonify(detail=f"{refusal.detail}. What you typed is kept as your draft."), refusal.status
    return jsonify(until=claimed.until.isoformat())


def act_and_go_on(
    item_id: uuid.UUID, act: Callable[[], object], said: str, *, skips: bool = False
) -> ResponseReturnValue:
    """Keeps what was typed, does the act, and brings the next item; a refusal comes back on this one."""
    typed = Typed.of_form(request.form)
    basis = reviewing.basis_of(database(), caller(), item_id)
    if typed.output:
        keep(item_id, typed)
    try:
        act()
    except Refusal as refusal:
        return review_page(item_id, _claim_of_form(item_id), typed=typed, refusal=refusal)
    if skips:
        _remember_skipped(basis.queue, [*skipped(basis.queue), item_id])
    flash(said.format(request.form.get("title") or "the item"), "done")
    return _onwards(basis.queue)


def keep(item_id: uuid.UUID, typed: Typed) -> None:
    """Keeps what was typed as the person's draft, if they still may; what says nothing is no draft."""
    db, who = database(), caller()
    try:
        if reviewing.basis_of(db, who, item_id).says_something(typed):
            save_draft(db, who, item_id, typed.as_draft())
        else:
            drop_draft(db, who, item_id)
    except Refusal:
        return


def skipped(queue: str) -> list[uuid.UUID]:
    """The items that this browser's person skipped in the queue."""
    who = viewer()
    kept = (who.data.get("skipped") or {}) if who else {}
    found = kept.get(queue, []) if isinstance(kept, dict) else []
    return [item_id for text in found if (item_id := _item_id(str(text)))]


def _remember_skipped(queue: str, ids: list[uuid.UUID]) -> None:
    who = viewer()
    if who is None:
        return
    kept: dict[str, Json] = dict(who.data.get("skipped") or {})
    kept[queue] = [str(item_id) for item_id in ids[-MOST_SKIPPED:]]
    who.data["skipped"] = kept
    sessions.remember(database(), who, who.data)


def _onwards(queue: str) -> ResponseReturnValue:
    """The next item: in the same answer for htmx, by a redirect otherwise; or the list that it was opened from."""
    if (back := _back()) is not None:
        return as_kept(make_response(lead_to(back)))
    if not wants_fragment():
        return lead_to(url_for("items.review", queue=queue))
    return as_kept(next_item(queue))


def as_kept(response: Response) -> Response:
    """Tells the page's script that nothing it remembers of the item is needed any more."""
    response.headers["RQ-Kept"] = "1"
    return response


def _here(queue: str, item_id: uuid.UUID) -> ResponseReturnValue:
    return (
        next_item(queue, item_id)
        if wants_fragment()
        else lead_to(url_for("items.review", queue=queue, item=item_id))
    )


def _back() -> str | None:
    """Where somebody came from to decide this one item, and goes back to."""
    return safe_next(request.values.get("back"), "") or None


def _nothing_left(queue: str) -> Response:
    response = show("items/review.html", "review", seen=None, skips=len(skipped(queue)), **_edge(queue))
    response.headers["HX-Replace-Url"] = url_for("items.review", queue=queue)
    return response


def _edge(queue: str) -> dict[str, Any]:
    around = reviewing.around(database(), caller(), queue)
    undo_until = around.undo_at + timedelta(seconds=UNDO_SECONDS) if around.undo_at else None
    return {"around": around, "undo_until": undo_until, "queue": around.queue}


def _fence() -> Fence:
    version = request.form.get("version", "")
    token = request.form.get("claim_token") or None
    return Fence(token, None if token else int(version) if version.isdecimal() else None)


def _claim_of_form(item_id: uuid.UUID) -> reviewing.Held | None:
    """The claim that the form was posted with, if it still is one."""
    queue = reviewing.basis_of(database(), caller(), item_id).queue
    found = reviewing.held(database(), caller(), queue, item_id)
    return found if found and found.item_id == item_id else None


def _item_id(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        raise NotFound("There is no such item.") from None


def _count(text: str | None) -> int:
    return min(int(text), 10_000) if text and text.isdecimal() and len(text) < 6 else 0
