"""What both flavours of the client are made of besides the calls: where they go, and values to and from httpx."""

from __future__ import annotations

import httpx

from .calls import Calls
from .config import Access
from .exchange import Answer, Lost, Request, Retries
from .trust import Trust

LOST = httpx.RequestError
"""What httpx raises when there is no answer, or none that can be read."""


class Connection:
    """The address, the key and how patient to be."""

    def __init__(
        self, base_url: str | None, key: str | None, timeout: float, retries: Retries | None
    ) -> None:
        self._access = Access.of(base_url, key)
        self._timeout = timeout
        self.calls = Calls(retries or Retries())
        """For what builds on the client: steps to `perform`."""
        self._trust = Trust(self.calls)

    def _outgoing(self, http: httpx.Client | httpx.AsyncClient, request: Request) -> httpx.Request:
        content = {} if request.body is None else {"Content-Type": "application/json"}
        return http.build_request(
            request.method,
            request.path,
            params=request.query or None,
            content=request.body,
            headers={**content, **request.headers},
            timeout=httpx.Timeout(self._timeout, read=self._timeout + request.hold),
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._access.base_url!r})"


def answer(response: httpx.Response) -> Answer:
    return Answer(response.status_code, response.headers, response.content)


def lost(error: httpx.RequestError) -> Lost:
    return Lost(str(error) or type(error).__name__)
