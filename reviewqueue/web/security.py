"""What the browser is told to forbid, and the check that an unsafe request comes from our own pages."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, request
from flask.sessions import SecureCookieSessionInterface
from typing_extensions import override
from werkzeug.wrappers import Response

from reviewqueue.errors import ForeignOrigin
from reviewqueue.web.requests import is_api, settings

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
ONE_YEAR = 365 * 24 * 3600
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class SessionCookie(SecureCookieSessionInterface):
    """The signed cookie; Secure as soon as people reach us by https, also behind a proxy that ends TLS."""

    @override
    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure or settings().base_url.startswith("https://")


def register(app: Flask) -> None:
    app.session_interface = SessionCookie()
    app.before_request(require_own_origin)
    app.after_request(_add_headers)


def require_own_origin() -> None:
    """Lets only our own pages send what changes something: a foreign page has the browser's cookie too.

    Browsers say where a request comes from in Sec-Fetch-Site, older ones in Origin; one that says neither is
    refused. The API takes no cookie, so a foreign page gains nothing there.

    Raises ForeignOrigin.
    """
    if request.method in SAFE_METHODS or is_api():
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        if site in ("same-origin", "none"):
            return
    elif request.headers.get("Origin") in _own_origins():
        return
    raise ForeignOrigin(
        "This request did not come from a page of this site. Open the page here and send it again; "
        "a program uses the API with a key."
    )


def _own_origins() -> set[str]:
    base = urlsplit(settings().base_url)
    own = {request.host_url.rstrip("/")}
    if base.scheme and base.netloc:
        own.add(f"{base.scheme}://{base.netloc}")
    return own


def _add_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", f"max-age={ONE_YEAR}")
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "private, no-cache"
    return response
