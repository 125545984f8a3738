"""Each call of the client as steps without I/O, so that both flavours do the same."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from .encoding import encoded
from .errors import NotYet, WrongState, refusal_in
from .exchange import Answer, Give, Pause, Request, Retries, Steps, Stream, ask
from .values import Item, Outcome

API = "/api/v1"
LONGEST_HOLD = 25.0
"""Seconds: what stands between app and server often cuts a silent connection after 30 or 60."""
POLL = 1.0
"""Seconds between two looks, where the server has no place for one more that waits."""


@dataclass(frozen=True)
class Calls:
    """The calls, by how patient they are and by which clock."""

    retries: Retries = field(default_factory=Retries)
    now: Callable[[], float] = monotonic
    """Seconds, from anywhere."""

    @property
    def patient(self) -> Retries:
        """For calls that wait anyway: once the server has answered, its restart is no reason to give up."""
        return replace(self.retries, most=10**9)

    def submit(
        self, queue: str, input: Any, evidence: Mapping[str, Any], idempotency_key: str | None
    ) -> Steps[Item]:
        body = {"queue": queue, "input": input, **evidence}
        headers = {}
        if idempotency_key is not None or body.get("external_id") is None:
            # An external id makes a repeat harmless by itself.
            headers["Idempotency-Key"] = idempotency_key or uuid4().hex
        answer = yield from ask(
            Request("POST", f"{API}/items", body=encoded(body), headers=headers), self.retries
        )
        return Item.read(document_of(answer))

    def item(self, item_id: str, *, evidence: bool = False) -> Steps[Item]:
        query = {"include": "evidence"} if evidence else {}
        answer = yield from ask(Request("GET", item_path(item_id), query), self.retries)
        return Item.read(document_of(answer))

    def items(self, filters: Mapping[str, Any]) -> Stream[Item]:
        query = {name: value for name, value in filters.items() if value is not None}
        while True:
            answer = yield from ask(Request("GET", f"{API}/items", query), self.retries)
            page = document_of(answer)
            for item in page["items"]:
                yield Give(Item.read(item))
            if page["next"] is None:
                return
            query["cursor"] = page["next"]

    def known(self, queue: str, external_id: str) -> Steps[Item | None]:
        """The item that was submitted under this external id."""
        query = {"queue": queue, "external_id": external_id, "limit": 1}
        answer = yield from ask(Request("GET", f"{API}/items", query), self.retries)
        found = document_of(answer)["items"]
        return Item.read(found[0]) if found else None

    def outcome(self, item_id: str) -> Steps[Outcome | None]:
        item = yield from self.item(item_id)
        return item.outcome

    def wait(self, item_id: str, timeout: float | None) -> Steps[Outcome]:
        item = yield from self.decided(item_id, timeout)
        assert item.outcome is not None  # noqa: S101  `decided` answers no other
        return item.outcome

    def decided(self, item_id: str, timeout: float | None) -> Steps[Item]:
        """The item, once it has an outcome. Raises NotYet after `timeout` seconds; None waits for ever."""
        end = math.inf if timeout is None else self.now() + timeout
        retries = self.retries
        while True:
            began = self.now()
            hold = min(max(end - began, 0.0), LONGEST_HOLD)
            request = Request("GET", item_path(item_id), {"wait": f"{hold:.3f}"}, hold=hold)
            answer = yield from ask(request, retries, lambda pause: self.now() + pause < end)
            item = Item.read(document_of(answer))
            if item.outcome is not None:
                return item
            left = end - self.now()
            if left <= 0:
                raise NotYet(item)
            yield from self.rest(began, hold, left)
            retries = self.patient

    def withdraw(self, item_id: str, reason: str | None) -> Steps[Item]:
        body = encoded({"reason": reason})
        request = Request("POST", f"{item_path(item_id)}/withdrawal", body=body)
        try:
            answer = yield from ask(request, self.retries)
        except WrongState:
            # The answer to a first try may have been lost, and withdrawn is withdrawn.
            item = yield from self.item(item_id)
            if item.state != "withdrawn":
                raise
            return item
        return Item.read(document_of(answer))

    def rest(self, began: float, hold: float, left: float) -> Steps[None]:
        """A server with no place for one more that waits answers at once; then it is not asked without a pause."""
        unused = hold - (self.now() - began)
        if unused > POLL / 2:
            yield Pause(min(POLL, unused, left))


def item_path(item_id: str) -> str:
    return f"{API}/items/{quote(item_id, safe='')}"


def document_of(answer: Answer) -> dict[str, Any]:
    """What a success told. Raises Problem where something between us and the server answered in its place."""
    try:
        document = json.loads(answer.body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise refusal_in(answer)
    return document
