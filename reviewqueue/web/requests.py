"""What each request carries: its id, its database, and whoever calls. Every door is closed unless it says otherwise."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import structlog
from flask import Flask, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_htmx import HTMX
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from reviewqueue.config import Settings
from reviewqueue.db import Database
from reviewqueue.errors import Unauthenticated
from reviewqueue.people import keys, sessions
from reviewqueue.people.callers import Caller
from reviewqueue.people.sessions import Viewer

API_PREFIX = "/api/"
SESSION_ID = "id"
"""Where the signed cookie keeps the session's id."""

log = structlog.get_logger(__name__)
htmx = HTMX()
"""The headers that htmx sent with the current request."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_View = TypeVar("_View", bound=Callable[..., Any])


def register(app: Flask, settings: Settings, db: Database) -> None:
    app.extensions["reviewqueue"] = settings, db, keys.UseOfKeys(db)
    app.before_request(_identify_request)
    app.after_request(_tell_request_id)
    app.teardown_request(lambda _error: structlog.contextvars.clear_contextvars())


def close_doors(app: Flask) -> None:
    """Asks who calls before any view runs, unless the view is public."""
    app.before_request(_require_caller)


def settings() -> Settings:
    found: Settings = current_app.extensions["reviewqueue"][0]
    return found


def database() -> Database:
    found: Database = current_app.extensions["reviewqueue"][1]
    return found


def request_id() -> str:
    found: str = g.request_id
    return found


def base_url() -> str:
    """The address that people and apps reach, without a slash at its end."""
    return (settings().base_url or request.host_url).rstrip("/")


def public(view: _View) -> _View:
    """Opens a view to anybody. Every other one needs a key below /api/, and elsewhere a sign-in."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def caller() -> Caller:
    """Who calls: by key below /api/, where no cookie counts, and elsewhere by the browser's session.

    Raises Unauthenticated when there is nobody.
    """
    if "caller" not in g:
        g.caller = _caller_by_key() if is_api() else _caller_by_session()
    found: Caller = g.caller
    return found


def viewer() -> Viewer | None:
    """The person whose browser this is; None while nobody is signed in, and on the API."""
    if "viewer" not in g:
        session_id = None if is_api() else session.get(SESSION_ID)
        g.viewer = None
        if session_id:
            with database().asking() as connection:
                g.viewer = sessions.viewer_of(connection, session_id, database().clock.now())
    found: Viewer | None = g.viewer
    return found


def is_api() -> bool:
    return request.path.startswith(API_PREFIX)


def is_htmx() -> bool:
    return bool(htmx)


def polls() -> None:
    """Says that a page asks by itself: an open page alone keeps nobody signed in."""
    g.polls = True


def safe_next(address: str | None, otherwise: str = "/") -> str:
    """The address if it is a path on this site, else the other one: a sign-in never leads to a foreign page."""
    if not address or not address.startswith("/") or address.startswith("//"):
        return otherwise
    if "\\" in address or any(ord(sign) < 33 or ord(sign) == 127 for sign in address):
        return otherwise
    parts = urlsplit(address)
    if parts.scheme or parts.netloc or parts.path.startswith(("/sign-in", "/sign-out")):
        return otherwise
    return address


def session_lifetime() -> timedelta:
    return timedelta(hours=settings().session_hours)


def _identify_request() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else str(uuid.uuid4())
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _require_caller() -> ResponseReturnValue | None:
    view = current_app.view_functions.get(request.endpoint or "")
    # Without a view there is nothing to protect: the answer is 404 or 405.
    if view is None or request.endpoint == "static" or getattr(view, "is_public", False):
        return None
    try:
        caller()
    except Unauthenticated:
        if is_api():
            raise
        return _to_sign_in()
    return None


def _caller_by_key() -> Caller:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret:
        raise Unauthenticated("Send a key: Authorization: Bearer rq_…")
    with database().asking() as connection:
        found = keys.authenticate(connection, secret.strip())
    return found


def _caller_by_session() -> Caller:
    if (found := viewer()) is None:
        raise Unauthenticated("Sign in first.")
    return found.caller


def _to_sign_in() -> ResponseReturnValue:
    if is_htmx():
        # htmx would swap a redirect's page into a table cell, so the whole page is sent to the sign-in.
        return Response(status=204, headers={"HX-Redirect": _sign_in_address(_page_of("HX-Current-URL"))})
    where = request.full_path.rstrip("?") if request.method in ("GET", "HEAD") else _page_of("Referer")
    return redirect(_sign_in_address(where), 303)


def _page_of(header: str) -> str:
    parts = urlsplit(request.headers.get(header, ""))
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _sign_in_address(where: str) -> str:
    back = safe_next(where)
    address = url_for("people.sign_in")
    return address if back == "/" else f"{address}?{urlencode({'next': back})}"


def _tell_request_id(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.get("request_id") or str(uuid.uuid4())
    if not g.get("polls") and (g.get("caller") is not None or g.get("viewer") is not None):
        response.call_on_close(_note_use(g.get("caller"), g.get("viewer")))
    return response


def _note_use(by: Caller | None, seen: Viewer | None) -> Callable[[], None]:
    """Notes the last use once the answer is on its way."""
    db, lifetime = database(), session_lifetime()
    use_of_keys: keys.UseOfKeys = current_app.extensions["reviewqueue"][2]

    def note() -> None:
        try:
            if by is not None and by.key_id is not None:
                use_of_keys.note(by.key_id)
            if seen is not None:
                sessions.keep_alive(db, seen, lifetime)
        except SQLAlchemyError:
            # A hint for a list is not worth the connection that the answer went out on.
            log.warning("the last use could not be noted", exc_info=True)

    return note
