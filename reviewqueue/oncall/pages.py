"""The page of the rotations: who is on call now and next, and where nobody is."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request, url_for
from flask.typing import ResponseReturnValue

from ..errors import Forbidden, Invalid, NotFound, Refusal
from ..web.pages import lead_to, show
from ..web.requests import caller, database, request_id
from . import operations

blueprint = Blueprint("oncall", __name__)


@blueprint.get("/oncall")
def show_rotations() -> Response:
    return _page()


@blueprint.post("/oncall/<slug>/overrides")
def post_override(slug: str) -> ResponseReturnValue:
    given = {name: request.form.get(name, "").strip() for name in ("person", "begins", "ends")}
    try:
        operations.stand_in(database(), caller(), slug, **given, request_id=request_id())
    except (Invalid, Forbidden) as refusal:
        return _page(refusal, slug)
    flash(f"{given['person']} stands in.", "done")
    return lead_to(url_for(".show_rotations"))


@blueprint.post("/oncall/<slug>/overrides/ending")
def post_ending(slug: str) -> ResponseReturnValue:
    given = {name: request.form.get(name, "") for name in ("person", "begins", "ends")}
    try:
        operations.end_stand_in(database(), caller(), slug, **given, request_id=request_id())
    except (NotFound, Forbidden) as refusal:
        return _page(refusal)
    flash(f"{given['person']} stands in no longer.", "done")
    return lead_to(url_for(".show_rotations"))


def _page(refusal: Refusal | None = None, refused: str | None = None) -> Response:
    boards = operations.list_boards(database())
    by = caller()
    return show(
        "oncall/rotations.html",
        "content",
        status=refusal.status if refusal else 200,
        boards=boards,
        refusal=refusal,
        refused=refused,
        typed=request.form,
        changeable={board.slug for board in boards if by.is_admin or by.email in board.members},
    )
