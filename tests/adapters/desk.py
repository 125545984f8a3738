"""A running server with one queue of agents' tool calls, an app's client of each flavour, and a reviewer."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reviewqueue import create_app
from reviewqueue.client import AsyncReviewQueue, Item, ReviewQueue
from reviewqueue.config import Settings
from reviewqueue.db import Database
from reviewqueue.items import operations
from reviewqueue.items.deciding import Fence, Judgement
from reviewqueue.items.states import Verdict
from reviewqueue.people.access import SYSTEM_CALLER, Caller
from reviewqueue.people.forms import NewKey
from reviewqueue.people.key_operations import create_key
from reviewqueue.people.models import Person, Scope

from ..support.code_blocks import blocks_of
from ..support.live_server import LiveServer
from ..support.making import actor_of, make_person, make_queue

QUEUE = "agent-actions"
ADAPTERS = Path(__file__).parents[2] / "docs" / "adapters.md"
DOCUMENT: dict[str, Any] = {
    "title": "Actions of agents",
    "purpose": "Nothing leaves the house unseen.",
    "reasons": [{"code": "too-much", "title": "Too much money", "for": ["reject"]}],
    "policy": {
        "lanes": {"autonomous_at": 0.9, "assist_at": 0.1},
        "deadline": {"after": "24h", "fallback": {"verdict": "reject", "reason": "too-much"}},
    },
}


@dataclass(frozen=True)
class Desk:
    db: Database
    url: str
    key: str
    ann: Person
    client: ReviewQueue

    def async_client(self) -> AsyncReviewQueue:
        """The asynchronous client: one for each event loop."""
        return AsyncReviewQueue(self.url, self.key)

    def waiting(self) -> list[Item]:
        """What no one has decided, as it came."""
        return sorted(self.client.items(queue=QUEUE, state="pending"), key=lambda item: item.id)

    def evidence(self, item: Item) -> dict[str, Any]:
        found = self.client.item(item.id, evidence=True).evidence
        assert found is not None
        return dict(found)

    def decide(self, item: Item | str, verdict: str = "accept", **said: Any) -> None:
        """As ann, who claims it first; `output` goes with an edit."""
        item_id = uuid.UUID(item if isinstance(item, str) else item.id)
        token = operations.claim(self.db, self._caller, item_id).token
        operations.decide(self.db, self._caller, item_id, Judgement(Verdict(verdict), **said), Fence(token))

    def undo(self, item: Item | str) -> None:
        """As ann. Raises a Refusal once an app has the outcome."""
        operations.undo(self.db, self._caller, uuid.UUID(item if isinstance(item, str) else item.id))

    @property
    def _caller(self) -> Caller:
        return Caller(actor_of(self.ann), person_id=self.ann.id, email=self.ann.email)

    @contextmanager
    def accepting(self) -> Iterator[None]:
        """Ann accepts whatever comes, as long as the block runs."""
        stop = threading.Event()

        def accept() -> None:
            while not stop.wait(0.02):
                for item in self.waiting():
                    self.decide(item)

        with ThreadPoolExecutor(1) as pool:
            accepts = pool.submit(accept)
            try:
                yield
            finally:
                stop.set()
        accepts.result()


@contextmanager
def open_desk(db: Database, folder: Path) -> Iterator[Desk]:
    queue = make_queue(db, QUEUE, **DOCUMENT)
    ann = make_person(db, "ann@example.org", queue)
    key = create_key(db, SYSTEM_CALLER, NewKey(name="agent", scopes=[Scope.ITEMS_READ, Scope.ITEMS_WRITE]))
    settings = Settings(
        data_dir=folder,
        database_url=db.url.render_as_string(hide_password=False),
        secret_key="only-for-tests-" + "0" * 32,
    )
    with LiveServer(create_app(settings, db)) as server, ReviewQueue(server.url, key) as client:
        yield Desk(db, server.url, key, ann, client)


def run_example(desk: Desk, monkeypatch: pytest.MonkeyPatch, adapter: str, model: Any) -> str:
    """Runs the adapter's example in docs/adapters.md as it stands there, while ann accepts what comes.

    Returns what it should print, as the page says.
    """
    (example,) = [b for b in blocks_of(ADAPTERS) if f"from reviewqueue.adapters import {adapter}\n" in b.code]
    monkeypatch.setenv("REVIEWQUEUE_URL", desk.url)
    monkeypatch.setenv("REVIEWQUEUE_KEY", desk.key)
    code = compile(example.code, f"{ADAPTERS}:{example.line}", "exec")
    with desk.accepting():
        exec(code, {"model": model, "__name__": "example"})
    assert example.prints is not None
    return f"{example.prints}\n"


def documented_queue() -> str:
    return ADAPTERS.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
