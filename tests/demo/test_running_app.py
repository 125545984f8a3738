"""The demo's app speaks to the API like any other: its key, one item after the other, and patience."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from reviewqueue.demo.arrivals import Body
from reviewqueue.demo.running_app import RunningApp


class Receiver(ThreadingHTTPServer):
    """Answers with the statuses it was given, then with 201, and keeps what came."""

    def __init__(self, *statuses: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.statuses = list(statuses)
        self.came: list[tuple[str, str | None, Body]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.came.append((self.path, self.headers["Authorization"], body))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def send(address: str, *names: str) -> None:
    app = RunningApp(
        address, "rq_key", [{"queue": "q", "input": 1, "external_id": name} for name in names], every=0.01
    )
    app.start()
    app.join(timeout=10)
    assert not app.is_alive()


def test_it_enqueues_with_its_key(receiver: Receiver) -> None:
    send(receiver.address, "a", "b")
    assert [(path, key) for path, key, _ in receiver.came] == [("/api/v1/items", "Bearer rq_key")] * 2
    assert [body["external_id"] for *_, body in receiver.came] == ["a", "b"]


def test_it_sends_again_what_a_busy_or_starting_server_did_not_take(receiver: Receiver) -> None:
    receiver.statuses = [429, 503]
    send(receiver.address, "a", "b")
    assert [body["external_id"] for *_, body in receiver.came] == ["a", "a", "a", "b"]


def test_a_refused_item_does_not_hold_up_the_next(receiver: Receiver) -> None:
    receiver.statuses = [422]
    send(receiver.address, "a", "b")
    assert [body["external_id"] for *_, body in receiver.came] == ["a", "b"]


def test_it_gives_up_when_nobody_listens(receiver: Receiver) -> None:
    nobody = Receiver()
    nobody.server_close()
    send(nobody.address, "a", "b")
    assert receiver.came == []


def test_it_stops_when_told_to(receiver: Receiver) -> None:
    app = RunningApp(receiver.address, "rq_key", [{"queue": "q", "input": 1, "external_id": "a"}], every=60)
    app.start()
    app.stop()
    app.join(timeout=10)
    assert not app.is_alive()
    assert receiver.came == []
