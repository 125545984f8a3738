"""What the client raises: it survives the way to another process."""

from __future__ import annotations

import pickle

import pytest

from reviewqueue.client import NotReleased, NotYet, Problem, ReviewQueueError
from reviewqueue.client.values import Item, Outcome

AT = "2026-03-02T09:00:00Z"
OUTCOME = {
    "verdict": "reject", "by": "person", "output": None, "reason": "wrong-total", "comment": None,
    "decided_at": AT, "revision": 1, "receipt": None,
}  # fmt: skip
ITEM = {
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
