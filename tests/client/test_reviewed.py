"""A decorated function returns what was released, whoever released it, and nothing else."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from reviewqueue.client import (
    AsyncReviewQueue,
    ExternalIdTaken,
    NotReleased,
    NotYet,
    Outcome,
    ReviewQueue,
    reviewed,
)
from reviewqueue.clock import MovableClock
from reviewqueue.escalation.operations import fire_due

from ..items.office import Office
from ..support.live_server import LiveServer
from .conftest import key_of_app


@dataclass
class Reading:
    total: str


Ask = Callable[..., Any]


@pytest.fixture
def desk(server: LiveServer, sqlite_office: Office) -> Iterator[ReviewQueue]:
    with ReviewQueue(server.url, key_of_app(sqlite_office.db)) as desk:
        yield desk


@pytest.fixture
def read(desk: ReviewQueue) -> Ask:
    @reviewed(queue="receipts", confidence=0.5, client=desk, parse=lambda edited: Reading(**edited))
    def read(lines: list[str], currency: str = "EUR") -> Reading:
        return Reading(lines[0])

    return read


def decided_meanwhile(office: Office, verdict: str = "accept", **said: Any) -> threading.Thread:
    """Somebody decides the next item as soon as it is there."""
    pause = threading.Event()

    def decide() -> None:
        for _ in range(1000):
            if (claimed := office.claim_next("ann")) is not None:
                office.decide("ann", claimed.item.item["id"], verdict, claimed.token, **said)
                return
            pause.wait(0.01)

    thread = threading.Thread(target=decide)
    thread.start()
    return thread


def test_an_accepted_result_is_returned_as_it_was(
    read: Ask, desk: ReviewQueue, sqlite_office: Office
) -> None:
    somebody = decided_meanwhile(sqlite_office)
    assert read(["12.90"]) == Reading("12.90")
    somebody.join()
    item = next(desk.items())
    evidence = desk.item(item, evidence=True).evidence
    assert evidence is not None
    assert evidence["input"] == {"lines": ["12.90"], "currency": "EUR"}
    assert evidence["output"] == {"total": "12.90"}
    assert item.confidence == 0.5


def test_an_edited_result_is_the_edited_one(read: Ask, sqlite_office: Office) -> None:
    somebody = decided_meanwhile(sqlite_office, "edit", output={"total": "1.29"}, reason="wrong-total")
    assert read(["12.90"]) == Reading("1.29")
    somebody.join()


def test_a_rejected_result_is_not_returned(read: Ask, sqlite_office: Office) -> None:
    somebody = decided_meanwhile(sqlite_office, "reject", reason="wrong-total")
    with pytest.raises(NotReleased, match=r"reject by person \(wrong-total\)") as raised:
        read(["12.90"])
    assert raised.value.outcome.reason == "wrong-total"
    somebody.join()


def test_policy_may_release_without_anybody(desk: ReviewQueue) -> None:
    @reviewed(queue="receipts", confidence=lambda result: result["sure"], client=desk)
    def read() -> dict[str, Any]:
        return {"total": "1", "sure": 0.95}

    assert read() == {"total": "1", "sure": 0.95}


def test_the_deadlines_fallback_decides_where_nobody_does(
    desk: ReviewQueue, sqlite_office: Office, clock: MovableClock
) -> None:
    def told(outcome: Outcome | None) -> Any:
        return outcome and (outcome.by, outcome.reason)

    @reviewed(queue="receipts", client=desk, external_id=lambda number: f"n-{number}", fallback=told)
    def read(number: int) -> Any:
        return {"total": str(number)}

    desk.submit("receipts", {"number": 1}, output={"total": "1"}, external_id="n-1")
    clock.move(hours=24)
    fire_due(sqlite_office.db)
    assert read(1) == ("fallback", "nobody-decided")


def test_no_outcome_in_time(desk: ReviewQueue) -> None:
    options: dict[str, Any] = {"queue": "receipts", "client": desk, "timeout": 0.05}

    @reviewed(**options)
    def patient() -> str:
        return "1"

    @reviewed(**options, fallback=lambda outcome: "unknown" if outcome is None else "never")
    def content() -> str:
        return "1"

    with pytest.raises(NotYet):
        patient()
    assert content() == "unknown"


def test_a_call_that_broke_off_goes_on_waiting_for_its_item(desk: ReviewQueue, sqlite_office: Office) -> None:
    runs = []

    @reviewed(queue="receipts", client=desk, external_id=lambda order: f"order-{order}", timeout=0.05)
    def read(order: int) -> dict[str, str]:
        runs.append(order)
        return {"total": str(len(runs))}

    with pytest.raises(NotYet):
        read(7)
    sqlite_office.decide("ann", uuid.UUID(next(desk.items(external_id="order-7")).id))
    assert read(7) == {"total": "1"}
    assert runs == [7]


def test_a_known_external_id_with_another_input_is_refused(desk: ReviewQueue) -> None:
    runs = []

    @reviewed(queue="receipts", confidence=0.95, client=desk, external_id=lambda _order: "always-the-same")
    def read(order: Any) -> dict[str, Any]:
        runs.append(order)
        return {"total": str(order)}

    assert read(1) == read(1.0) == {"total": "1"}
    for other in (2, True):
        with pytest.raises(ExternalIdTaken, match="'always-the-same' came before with another input"):
            read(other)
    assert runs == [1]


def test_coroutine_functions_are_awaited(
    server: LiveServer, sqlite_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REVIEWQUEUE_URL", server.url)
    monkeypatch.setenv("REVIEWQUEUE_KEY", key_of_app(sqlite_office.db))

    @reviewed(queue="receipts", confidence=0.5)
    async def read(total: str) -> dict[str, str]:
        await asyncio.sleep(0)
        return {"total": total}

    somebody = decided_meanwhile(sqlite_office)
    assert asyncio.run(read("3")) == {"total": "3"}
    somebody.join()


def test_the_flavours_of_function_and_client_must_match(desk: ReviewQueue, server: LiveServer) -> None:
    async def asynchronous() -> None: ...

    def blocking() -> None: ...

    with pytest.raises(TypeError, match="AsyncReviewQueue"):
        reviewed(queue="receipts", client=desk)(asynchronous)
    with pytest.raises(TypeError, match="a ReviewQueue"):
        reviewed(queue="receipts", client=AsyncReviewQueue(server.url, "rq_x"))(blocking)
