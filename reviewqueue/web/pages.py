"""Answers of the pages: one function decides between a fragment and the full page, one leads on after a post."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, redirect, render_template
from flask.typing import ResponseReturnValue
from jinja2_fragments.flask import render_block

from reviewqueue.web.requests import htmx, is_htmx


def wants_fragment() -> bool:
    """Only an htmx request that is neither boosted nor a history restore gets less than the whole page."""
    return is_htmx() and not htmx.boosted and not htmx.history_restore_request


def show(template: str, block: str, *, status: int = 200, **context: Any) -> Response:
    """The block alone where the request wants a fragment, else the page that it belongs to."""
    html = (
        render_block(template, block, **context) if wants_fragment() else render_template(template, **context)
    )
    response = make_response(html, status)
    response.vary.update(("HX-Request", "HX-Boosted", "HX-History-Restore-Request"))
    return response


def lead_to(address: str) -> ResponseReturnValue:
    """After a post: 303 for a browser, and for htmx the order to go there."""
    if is_htmx():
        return Response(status=204, headers={"HX-Redirect": address})
    return redirect(address, 303)
