"""Where the server is and by which key: given, or from REVIEWQUEUE_URL and REVIEWQUEUE_KEY."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import httpx

from .errors import NotConfigured


@dataclass(frozen=True, slots=True)
class Access:
    """The server's address without a slash at its end, and the key, which shows nowhere."""

    base_url: str
    key: str = field(repr=False)

    @classmethod
    def of(cls, base_url: str | None, key: str | None) -> Access:
        """Raises NotConfigured, which names what is missing."""
        address = (base_url or os.environ.get("REVIEWQUEUE_URL") or "").rstrip("/")
        secret = (key or os.environ.get("REVIEWQUEUE_KEY") or "").strip()
        if not address:
            raise NotConfigured(
                "Say where reviewqueue is: base_url='https://review.example.org', or REVIEWQUEUE_URL."
            )
        if "@" in address.partition("://")[2].partition("/")[0]:
            # httpx would send these in the key's place, and they would show in messages.
            raise NotConfigured("The address holds a user or a password; it needs none but the key, apart.")
        if not _is_address(address):
            raise NotConfigured(
                f"{address!r} is no address; one begins with http:// or https://, such as "
                "https://review.example.org."
            )
        if not secret:
            raise NotConfigured("Give the app's key: key='rq_…', or REVIEWQUEUE_KEY.")
        if not secret.isascii() or not secret.isprintable() or " " in secret:
            raise NotConfigured("The key holds a character that no key has; was it copied whole?")
        return cls(address, secret)

    @property
    def headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.key}",
            "Accept": "application/json",
            "User-Agent": "reviewqueue-client",
        }


def _is_address(text: str) -> bool:
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, ValueError):
        return False
    return url.scheme in {"http", "https"} and bool(url.host)
