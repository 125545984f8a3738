"""The dossier: everything about one item, with the questions that its trail answers."""

from __future__ import annotations

import uuid

from flask import Response, request
from flask.typing import ResponseReturnValue

from ..errors import Refusal
from ..web import rendering
from ..web.pages import show
from ..web.requests import caller, database
from .api_deliveries import deliveries_of
from .dossiers import dossier
from .questions import answers
from .refusals import told_faults
from .suggestion import Typed
from .verdicts import told_reviews


def item(item_id: uuid.UUID) -> ResponseReturnValue:
    return item_page(item_id)


def item_page(item_id: uuid.UUID, *, refusal: Refusal | None = None) -> Response:
    """The page; with a refusal, what was asked for was not done and the page says why."""
    seen = dossier(database(), caller(), item_id)
    return show(
        "items/item.html",
        "content",
        status=refusal.status if refusal else 200,
        seen=seen,
        queue=seen.queue,
        refusal=refusal,
        stray=told_faults(refusal.faults) if refusal else [],
        refused=request.endpoint if refusal else None,
        comment=request.form.get("text") or Typed.of_draft(seen.draft, None, "").text,
        held=None,
        typed=request.form,
        evidence=rendering.present(seen.evidence.input, "input"),
        suggested=None if seen.hides_suggestion else rendering.present(seen.evidence.output, "output"),
        outcome=rendering.present(seen.output, "output")
        if seen.outcome and seen.outcome.verdict == "edit"
        else [],
        reviews=told_reviews(seen),
        answers=answers(seen, deliveries_of(item_id)),
        sees_deliveries=caller().is_admin,
        details=seen.evidence.details,
        present=rendering.present,
        can_undo=seen.can_undo(caller().person_id),
    )


def evidence(item_id: uuid.UUID) -> ResponseReturnValue:
    """All of the evidence, uncut and plain."""
    seen = dossier(database(), caller(), item_id)
    parts = {"input": seen.evidence.input, **seen.evidence.details}
    if not seen.hides_suggestion:
        parts["output"] = seen.evidence.output
    blocks = [
        block
        for name, value in parts.items()
        if value is not None
        for block in rendering.present(value, name, whole=True)
    ]
    return show("items/evidence.html", "content", seen=seen, queue=seen.queue, blocks=blocks)
