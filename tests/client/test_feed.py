"""Following the feed: from a cursor on nothing is missed and nothing comes twice."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from reviewqueue.client import AsyncReviewQueue, Invalid, Retries, ReviewQueue

from ..items.office import Office
from ..support.live_server import LiveServer
from ..support.lossy import lossy
from .conftest import key_of_app


def test_whoever_goes_on_from_the_cursor_misses_nothing(desk: ReviewQueue) -> None:
    ids = [desk.submit("receipts", number).id for number in range(5)]
    events = desk.events(queue="receipts", types=["item.enqueued"])
    assert [next(events).item_id for _ in range(2)] == ids[:2]
    assert [event.item_id for event in desk.events(events.cursor, types=["item.enqueued"])] == ids[2:]

    rest = list(events)
    assert [event.item_id for event in rest] == ids[2:]
    assert list(desk.events(events.cursor)) == []
    later = desk.submit("receipts", 6).id
    (event,) = desk.events(events.cursor)
    assert (event.item_id, event.type, event.actor.kind, event.queue) == (
        later, "item.enqueued", "app", "receipts",
    )  # fmt: skip
    assert event.item_seq == 1 and event.at.tzinfo is not None and event.position > events.cursor


def test_what_is_filtered_out_is_not_searched_again(desk: ReviewQueue) -> None:
    desk.submit("receipts", 1)
    events = desk.events(types=["item.withdrawn"])
    assert list(events) == []
    assert events.cursor > 0


def test_one_type_may_be_named_as_plain_text(desk: ReviewQueue) -> None:
    desk.submit("receipts", 1)
    assert [event.type for event in desk.events(types="item.enqueued")] == ["item.enqueued"]
    assert {event.type for event in desk.events(types="item.*")} == {"item.enqueued"}
    with pytest.raises(Invalid, match=r"There is no event type 'item\.\?'"):
        next(desk.events(types="item.?"))


def test_events_come_as_they_happen(server: LiveServer, sqlite_office: Office) -> None:
    with ReviewQueue(server.url, key_of_app(sqlite_office.db)) as desk:
        events = desk.events(types=["item.enqueued"], wait=None)
        thread = threading.Timer(0.05, desk.submit, ("receipts", 1))
        thread.start()
        assert next(events).queue == "receipts"
        thread.join()


def test_a_lost_page_is_asked_for_again(server: LiveServer, sqlite_office: Office) -> None:
    key = key_of_app(sqlite_office.db)
    with ReviewQueue(server.url, key) as desk:
        many: list[dict[str, Any]] = [{"input": number} for number in range(450)]
        ids = [result.id for result in desk.submit_many(many, queue="receipts")]

    async def follow(url: str) -> tuple[list[str | None], int]:
        async with AsyncReviewQueue(url, key, retries=Retries(first=0.01)) as desk:
            events = desk.events(types=["item.enqueued"])
            seen = [(await anext(events)).item_id for _ in range(250)]
            return seen + [event.item_id async for event in desk.events(events.cursor)], events.cursor

    with lossy(server.url, drop_every=2) as between:
        seen, cursor = asyncio.run(follow(between.url))
        assert between.lost >= 2
    assert [item for item in seen if item] == ids
    assert cursor > 0
