"""What the client raises: it survives the way to another process, and it is the client's own, whoever answered."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from reviewqueue.client import (
    BadRequest,
    NoSuchItem,
    NotConfigured,
    NotFound,
    NotReleased,
    NotYet,
    Problem,
    ReviewQueue,
    ReviewQueueError,
)
from reviewqueue.client.values import Item, Outcome

AT = "2026-03-02T09:00:00Z"
OUTCOME = {
    "verdict": "reject", "by": "person", "output": None, "reason": "wrong-total", "comment": None,
    "decided_at": AT, "revision": 1, "receipt": None,
}  # fmt: skip
ITEM: dict[str, Any] = {
    "id": "019f0000-0000-7000-8000-000000000000", "queue": "receipts", "external_id": None, "state": "rejected",
    "lane": "assist", "purpose": "gate", "reasons": [{"code": "no-output", "detail": "there is none"}],
    "policy_version": 1, "priority": 50, "level": 0, "version": 2, "confidence": None, "flags": [], "tags": {},
    "created_at": AT, "due_at": None, "deadline_at": None, "outcome": OUTCOME, "url": "https://r.example.org/i",
}  # fmt: skip
REFUSAL = {
    "type": "/problems/some", "title": "No", "detail": "Because.", "request_id": "r-1", "until": AT,
    "errors": [{"pointer": "/a", "detail": "is wrong"}],
}  # fmt: skip


def kinds(root: type[ReviewQueueError]) -> list[type[ReviewQueueError]]:
    return [root, *(kind for below in root.__subclasses__() for kind in kinds(below))]


def one_of(kind: type[ReviewQueueError]) -> ReviewQueueError:
    if issubclass(kind, Problem):
        return kind(409, REFUSAL, 3.0)
    if issubclass(kind, NotYet):
        return kind(Item.read(ITEM))
    if issubclass(kind, NotReleased):
        return kind(Item.read(ITEM), Outcome.read(OUTCOME))
    return kind("why")


@pytest.mark.parametrize("kind", kinds(ReviewQueueError), ids=lambda kind: kind.__name__)
def test_it_comes_whole_out_of_another_process(kind: type[ReviewQueueError]) -> None:
    raised = one_of(kind)
    received = pickle.loads(pickle.dumps(raised))
    assert type(received) is kind
    assert (str(received), vars(received)) == (str(raised), vars(raised))


def answering(status: int, document: Any) -> ReviewQueue:
    body = json.dumps(document).encode()
    transport = httpx.MockTransport(lambda _request: httpx.Response(status, content=body))
    return ReviewQueue("http://localhost", "rq_1", transport=transport)


CALLS: dict[str, Callable[[ReviewQueue], Any]] = {
    "submit": lambda desk: desk.submit("receipts", 1),
    "item": lambda desk: desk.item("1"),
    "outcome": lambda desk: desk.outcome("1"),
    "wait": lambda desk: desk.wait("1", timeout=1),
    "withdraw": lambda desk: desk.withdraw("1"),
    "items": lambda desk: list(desk.items()),
    "events": lambda desk: list(desk.events()),
    "submit_many": lambda desk: list(desk.submit_many([{"input": 1}])),
    "verify": lambda desk: desk.verify("receipt", 1),
}
FOREIGN: list[Any] = [{}, [], 5, {"items": [{}], "next": None}, {"items": 5, "next": 1, "keys": 5}]
FOREIGN += [
    {"id": "1", "state": "pending", "reasons": 5},
    {"accepted": 1, "replayed": 0, "refused": 0, "results": []},
]


@pytest.mark.parametrize("document", FOREIGN, ids=str)
@pytest.mark.parametrize("call", CALLS)
def test_a_success_that_says_something_else_is_none(call: str, document: Any) -> None:
    with pytest.raises(Problem, match="not from reviewqueue") as raised:
        CALLS[call](answering(200, document))
    assert raised.value.status == 200


@pytest.mark.parametrize("errors", [5, "x", {"pointer": ""}, [5, None], None])
def test_faults_that_are_none_are_passed_over(errors: Any) -> None:
    with pytest.raises(BadRequest) as raised:
        answering(400, {"title": "No", "errors": errors}).item("1")
    assert raised.value.errors == ()


def test_what_is_no_id_is_no_such_item() -> None:
    nowhere = answering(404, {"type": "/problems/not-found", "title": "No"})
    for call in ("item", "outcome", "wait", "withdraw"):
        with pytest.raises(NoSuchItem, match="'1' is no item's id"):
            CALLS[call](nowhere)
    with pytest.raises(NotFound) as raised:
        nowhere.item(ITEM["id"])
    assert type(raised.value) is NotFound


ADDRESSES = ["http://x:abc", "http://[::1", "http://", "ftp://x", "x", "http://\0"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(NotConfigured, match="is no address"):
        ReviewQueue(address, "rq_1")


@pytest.mark.parametrize(
    "address", ["http://user:secret@host", "https://secret@host/desk", "ftp://a:secret@host"]
)
def test_an_address_with_a_password_is_refused_without_showing_it(address: str) -> None:
    with pytest.raises(NotConfigured, match="a user or a password") as raised:
        ReviewQueue(address, "rq_1")
    assert "secret" not in str(raised.value)
