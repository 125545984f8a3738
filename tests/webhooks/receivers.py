"""Receivers of webhooks: one that keeps what it gets and answers as it is told, and subscriptions to it."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from typing import Any

import orjson

from reviewqueue.db import Database
from reviewqueue.items.receipts import Receipts
from reviewqueue.outbound.client import Limits
from reviewqueue.outbound.guard import Guard
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.receipts.signing import Signer
from reviewqueue.webhooks import operations
from reviewqueue.webhooks.delivery import Sender
from reviewqueue.webhooks.forms import NewSubscription
from reviewqueue.webhooks.operations import Made
from reviewqueue.webhooks.signing import Seal

LOOPBACK = Guard((ip_network("127.0.0.0/8"), ip_network("::1/128")))
SECRET_KEY = "only-for-tests-" + "0" * 32
"""The same as the fixture `settings` has."""
SEAL = Seal(SECRET_KEY)
SHORT = Limits(connect=0.5, total=1.0)


@dataclass(frozen=True)
class Got:
    """One request, as the receiver saw it."""

    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def told(self) -> dict[str, Any]:
        told: dict[str, Any] = orjson.loads(self.body)
        return told


@dataclass
class Receiver:
    """What it got, and how it answers: the statuses to answer with in turn, then 200."""

    url: str = ""
    got: list[Got] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    on_request: Callable[[Got], None] = lambda _: None

    def will_answer(self, *statuses: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        self.answers += [(status, headers or {}, body) for status in statuses]

    @property
    def types(self) -> list[str]:
        return [got.told["type"] for got in self.got]


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got = Got({name.lower(): value for name, value in self.headers.items()}, body)
            receiver.got.append(got)
            receiver.on_request(got)
            status, headers, answer = receiver.answers.pop(0) if receiver.answers else (200, {}, b"thanks")
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(answer))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Silent."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, *_: object) -> None:
            """A sender that gave up is nothing to tell of."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def subscribe(db: Database, url: str, types: Sequence[str] = ("item.*",), **given: Any) -> Made:
    form = NewSubscription(name=given.pop("name", "books"), url=url, types=list(types), **given)
    return operations.subscribe(db, SYSTEM_CALLER, form, LOOPBACK, SEAL)


def sender(**given: Any) -> Sender:
    return Sender(LOOPBACK, SEAL, **{"receipts": receipts, "limits": SHORT, **given})


def receipts(db: Database) -> Receipts:
    return Receipts(db, Signer(db, SECRET_KEY, None), "http://localhost")


def send(db: Database, **given: Any) -> int:
    """Sends what is due, and no more."""
    return sender(**given).run(db, linger=0)


def subscription_of(db: Database, made: Made) -> Any:
    from reviewqueue.webhooks.models import Subscription

    with db.reading() as session:
        return session.get_one(Subscription, made.id)


def ids_of(got: Sequence[Got]) -> list[uuid.UUID]:
    return [uuid.UUID(one.id) for one in got]
