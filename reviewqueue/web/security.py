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
MOST_SHOWN = 120
"""Characters of an address that a request names."""


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
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        if site not in ("same-origin", "none"):
            raise ForeignOrigin(_from_elsewhere(origin))
    elif origin is None:
        raise ForeignOrigin(
            "The request does not say which page it was sent from, as every browser does. "
            "A program uses the API with a key."
        )
    elif origin not in _own_origins():
        raise ForeignOrigin(_from_an_address_that_is_not_ours(origin))


def _own_origins() -> set[str]:
    here, base = request.host_url.rstrip("/"), _origin_of_base_url()
    # Under an https address the cookie is Secure, which a page that was opened by plain http would not get back: the
    # sign-in would lead to the sign-in. Where https is plain http by the time it comes to us, the origin still tells.
    if base.startswith("https:") and here.startswith("http:"):
        return {base}
    return {here, base} if base else {here}


def _origin_of_base_url() -> str:
    """Empty where the operator names none; never with a name and password that are in it."""
    base = urlsplit(settings().base_url)
    return f"{base.scheme}://{base.netloc.rpartition('@')[2]}" if base.scheme and base.netloc else ""


def _from_elsewhere(origin: str | None) -> str:
    where = f", {origin[:MOST_SHOWN]}" if origin else ""
    return (
        f"The browser says that this request came from a page of another site{where}. "
        "Open the page here and send it again; a program uses the API with a key."
    )


def _from_an_address_that_is_not_ours(origin: str) -> str:
    """For whoever runs this the first time: where the page is, and where it should be. All of it text from outside."""
    here, base = request.host_url.rstrip("/")[:MOST_SHOWN], _origin_of_base_url()
    said = f"REVIEWQUEUE_BASE_URL says {base}" if base else "REVIEWQUEUE_BASE_URL is not set"
    return (
        f"The page was opened at {origin[:MOST_SHOWN]}, the server is reached at {here}, and {said}. "
        f"Open {base or here} instead. If people are to use the first address, "
        "the operator sets REVIEWQUEUE_BASE_URL to it and starts the server again."
    )


def _add_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", f"max-age={ONE_YEAR}")
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "private, no-cache"
    return response
