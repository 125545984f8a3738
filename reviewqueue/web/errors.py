"""Answers for everything that is refused or fails: a problem document for programs, a page for people."""

from __future__ import annotations

from typing import Any, ClassVar

import orjson
import structlog
from flask import Flask, g, render_template, request
from markupsafe import escape
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from reviewqueue.errors import (
    BadRequest,
    NotFound,
    Refusal,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    UnsupportedMedia,
)
from reviewqueue.web.requests import is_api, is_htmx

PROBLEM = "application/problem+json"

log = structlog.get_logger(__name__)


class MethodNotAllowed(Refusal):
    slug, title, status = "method-not-allowed", "The method is not allowed here", 405


class NotAcceptable(Refusal):
    slug, title, status = "not-acceptable", "The answer has no form that is accepted", 406


class InternalError(Refusal):
    slug, title, status = "internal-error", "Something broke on our side", 500


_FOR_STATUS: dict[int, tuple[type[Refusal], str]] = {
    400: (BadRequest, "The request cannot be understood."),
    404: (NotFound, "There is nothing at this address."),
    405: (MethodNotAllowed, "This address does not answer that method."),
    406: (NotAcceptable, "The answer has no form that the Accept header allows."),
    413: (TooLarge, "The body is larger than the limit."),
    415: (UnsupportedMedia, "The body's type is not accepted here. Send application/json."),
    503: (Unavailable, "Not available just now. Try again in a moment."),
}


def register(app: Flask) -> None:
    app.register_error_handler(Refusal, _refused)
    app.register_error_handler(HTTPException, _http_exception)
    app.register_error_handler(OperationalError, _database_gone)
    app.register_error_handler(Exception, _unexpected)


def problem_response(refusal: Refusal) -> Response:
    """The refusal as `application/problem+json`."""
    body = orjson.dumps(refusal.problem(g.get("request_id")), default=str)
    return Response(body, refusal.status, headers_of(refusal), mimetype=PROBLEM)


def headers_of(refusal: Refusal) -> dict[str, Any]:
    """What the answer's headers say of a refusal, on whichever page it is shown."""
    headers: dict[str, Any] = {}
    if isinstance(refusal, Unauthenticated) and is_api():
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(refusal, TooManyRequests | Unavailable) and "retry_after" in refusal.extra:
        headers["Retry-After"] = str(refusal.extra["retry_after"])
    return headers


def _refused(refusal: Refusal) -> Response:
    return _answer(refusal)


def _http_exception(error: HTTPException) -> Response:
    if error.response is not None:
        return error.get_response(request.environ)
    if error.code is not None and 300 <= error.code < 400:
        return error.get_response(request.environ)
    kind, detail = _FOR_STATUS.get(error.code or 500, (_Other, error.description or "Refused."))
    refusal = kind(detail)
    if isinstance(refusal, _Other):
        refusal.status = error.code or 500  # type: ignore[misc]
        refusal.title = error.name  # type: ignore[misc]
    response = _answer(refusal)
    for name, value in error.get_headers(request.environ):
        if name.lower() in ("allow", "retry-after"):
            response.headers[name] = value
    return response


def _database_gone(error: OperationalError) -> Response:
    log.error("the database cannot be reached", exc_info=error)
    return _answer(
        Unavailable("The database cannot be reached just now. Try again in a moment.", retry_after=5)
    )


def _unexpected(error: Exception) -> Response:
    log.error("unexpected error", exc_info=error)
    return _answer(InternalError("Something broke on our side. The request's id finds it in the log."))


class _Other(Refusal):
    """A status of HTTP that has no type of ours."""

    slug: ClassVar[str] = "refused"


def _answer(refusal: Refusal) -> Response:
    if not _wants_page():
        return problem_response(refusal)
    try:
        page = render_template("web/error.html", refusal=refusal, request_id=g.get("request_id"))
    except Exception:
        # The page itself may be what broke, or the database that its frame reads.
        log.exception("the error page could not be made")
        page = _bare_page(refusal)
    return Response(page, refusal.status, headers_of(refusal), mimetype="text/html")


def _wants_page() -> bool:
    if is_api():
        return False
    best = request.accept_mimetypes.best_match(["text/html", "application/json", PROBLEM])
    return is_htmx() or best == "text/html"


def _bare_page(refusal: Refusal) -> str:
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(refusal.title)}</title>"
        f"<h1>{escape(refusal.title)}</h1><p>{escape(refusal.detail)}</p>"
        f"<p>Request {escape(g.get('request_id', ''))}</p>"
    )
