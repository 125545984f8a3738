"""A queue with its people, and the calls they make: what tests of the items' operations begin with."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from reviewqueue.audit.queries import trail_of
from reviewqueue.db import Database
from reviewqueue.items import operations
from reviewqueue.items.deciding import Fence, Judgement
from reviewqueue.items.operations import Claimed
from reviewqueue.items.states import Verdict
from reviewqueue.items.views import Shown
from reviewqueue.people.access import Caller
from reviewqueue.people.models import Person, Scope
from reviewqueue.queues.models import Queue
from reviewqueue.transaction import Actor

from ..support.making import actor_of, make_person, make_queue

DOCUMENT: dict[str, Any] = {
    "title": "Receipts",
    "purpose": "Read receipts.",
    "output_schema": {"type": "object", "properties": {"total": {"type": "string"}}, "required": ["total"]},
    "reasons": [{"code": "wrong-total", "title": "The total is wrong", "for": ["edit", "reject"]}],
    "policy": {
        "lanes": {"autonomous_at": 0.9, "assist_at": 0.4},
        "lease": "10m",
        "due": {"after": "4h"},
        "deadline": {"after": "24h", "fallback": {"verdict": "reject", "reason": "nobody-decided"}},
    },
}
APP = Caller(
    Actor("app", "app", "the app"),
    key_id=uuid.UUID(int=7),
    scopes=frozenset({Scope.ITEMS_READ, Scope.ITEMS_WRITE, Scope.EVENTS_READ}),
)


@dataclass
class Office:
    db: Database
    queue: Queue
    people: dict[str, Person]

    def caller(self, name: str) -> Caller:
        person = self.people[name]
        return Caller(actor_of(person), person_id=person.id, email=person.email)

    def body(self, **given: Any) -> dict[str, Any]:
        return {
            "queue": self.queue.name,
            "input": {"lines": ["TOTAL 12.90"]},
            "output": {"total": "12.90"},
            "confidence": 0.5,
            **given,
        }

    def enqueue(self, **given: Any) -> uuid.UUID:
        taken = operations.enqueue(self.db, APP, self.body(**given))
        item_id: uuid.UUID = taken.item.item["id"]
        return item_id

    def claim_next(self, name: str, **options: Any) -> Claimed | None:
        return operations.claim_next(self.db, self.caller(name), self.queue.name, **options)

    def claim(self, name: str, item_id: uuid.UUID) -> Claimed:
        return operations.claim(self.db, self.caller(name), item_id)

    def decide(
        self, name: str, item_id: uuid.UUID, verdict: str = "accept", token: str | None = None, **said: Any
    ) -> Shown:
        """Decides by the token, or by a claim made for it."""
        token = token or self.claim(name, item_id).token
        judgement = Judgement(Verdict(verdict), **said)
        return operations.decide(self.db, self.caller(name), item_id, judgement, Fence(token))

    def item(self, item_id: uuid.UUID) -> dict[str, Any]:
        """As the app sees it by the system's eyes, which delivers nothing."""
        with self.db.reading() as session:
            found = operations.queries.shown(session, item_id)
        assert found is not None
        return found.as_json("", self.db.clock.now())

    def trail(self, item_id: uuid.UUID) -> list[dict[str, Any]]:
        with self.db.reading() as session:
            return trail_of(session, item_id)

    def types(self, item_id: uuid.UUID) -> list[str]:
        return [event["type"].removeprefix("item.") for event in self.trail(item_id)]


def open_office(db: Database, **policy: Any) -> Office:
    """The queue `receipts` with reviewers ann and bob, the lead lea and the manager max."""
    queue = make_queue(db, **{**DOCUMENT, "policy": {**DOCUMENT["policy"], **policy}})
    roles = {"ann": "reviewer", "bob": "reviewer", "lea": "lead", "max": "manager"}
    people = {name: make_person(db, f"{name}@example.org", queue, role) for name, role in roles.items()}
    people["out"] = make_person(db, "out@example.org")
    return Office(db, queue, people)
