"""Each call of the client as steps without I/O, so that both flavours do the same."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import UUID, uuid4

from .encoding import encoded
from .errors import NoSuchItem, NotFound, NotYet, WrongState, foreign
from .exchange import Answer, Give, Pause, Request, Retries, Steps, Stream, ask
from .values import Document, Item, Outcome

T = TypeVar("T")

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
        return told_by(answer, Item.read)

    def item(self, item_id: str, *, evidence: bool = False) -> Steps[Item]:
        query = {"include": "evidence"} if evidence else {}
        asked = ask(Request("GET", item_path(item_id), query), self.retries)
        answer = yield from on_item(item_id, asked)
        return told_by(answer, Item.read)

    def items(self, filters: Mapping[str, Any]) -> Stream[Item]:
        tags = {f"tag.{name}": value for name, value in (filters.get("tags") or {}).items()}
        query = {
            name: value for name, value in filters.items() if value is not None and name != "tags"
        } | tags
        while True:
            answer = yield from ask(Request("GET", f"{API}/items", query), self.retries)
            items, cursor = told_by(answer, lambda page: (_items(page), page["next"]))
            for item in items:
                yield Give(item)
            if cursor is None:
                return
            query["cursor"] = cursor

    def known(self, queue: str, external_id: str) -> Steps[Item | None]:
        """The item that was submitted under this external id."""
        query = {"queue": queue, "external_id": external_id, "limit": 1}
        answer = yield from ask(Request("GET", f"{API}/items", query), self.retries)
        found = told_by(answer, _items)
        return found[0] if found else None

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
            asked = ask(request, retries, lambda pause: self.now() + pause < end)
            answer = yield from on_item(item_id, asked)
            item = told_by(answer, Item.read)
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
            answer = yield from on_item(item_id, ask(request, self.retries))
        except WrongState:
            # The answer to a first try may have been lost, and withdrawn is withdrawn.
            item = yield from self.item(item_id)
            if item.state != "withdrawn":
                raise
            return item
        return told_by(answer, Item.read)

    def rest(self, began: float, hold: float, left: float) -> Steps[None]:
        """A server with no place for one more that waits answers at once; then it is not asked without a pause."""
        unused = hold - (self.now() - began)
        if unused > POLL / 2:
            yield Pause(min(POLL, unused, left))


def item_path(item_id: str) -> str:
    return f"{API}/items/{quote(item_id, safe='')}"


def on_item(item_id: str, steps: Steps[Answer]) -> Steps[Answer]:
    """A call on an item. Raises NoSuchItem for what can be no item's id: the server takes it for another address."""
    try:
        return (yield from steps)
    except NotFound as refusal:
        if isinstance(refusal, NoSuchItem) or _is_id(item_id):
            raise
        raise NoSuchItem.by(item_id) from refusal


def _is_id(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False


def told_by(answer: Answer, read: Callable[[Document], T]) -> T:
    """What a success told. Raises Problem where it cannot be read: something between us and the server answered."""
    try:
        return read(json.loads(answer.body))
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise foreign(answer) from error


def _items(page: Document) -> list[Item]:
    return [Item.read(item) for item in page["items"]]
