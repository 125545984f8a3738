"""Submitting many: one result for each, in order, and never two items for one, whatever the connection does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from flask import Flask

from reviewqueue.client import (
    AsyncReviewQueue,
    ExternalIdTaken,
    Invalid,
    NotSendable,
    Progress,
    Retries,
    ReviewQueue,
    TooLarge,
)
from reviewqueue.db import Database
from reviewqueue.items.models import Item

from ..items.office import Office
from ..support.live_server import LiveServer
from ..support.lossy import lossy
from ..support.sizes import FULL, size
from .conftest import ADDRESS, key_of_app

QUICK = Retries(first=0.01, longest=0.05)
ITEMS = size(in_suite=1_000, full=10_000)
BATCH = size(in_suite=5, full=10)


def bodies(count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        yield {"input": {"number": number}, "output": {"total": str(number)}, "confidence": 0.5}


def count_of(db: Database) -> tuple[int, int]:
    """How many items there are, and how many different inputs they have by their external ids."""
    with db.reading() as session:
        counted = sa.select(sa.func.count(), sa.func.count(sa.distinct(Item.external_id))).select_from(Item)
        rows, names = session.execute(counted).one()
        return int(rows), int(names)


def test_no_item_is_lost_and_none_comes_twice_over_a_bad_connection(app: Flask, office: Office) -> None:
    """Every 50th answer is lost after the server has done what was asked."""
    began = time.perf_counter()
    told: list[Progress] = []
    with (
        LiveServer(app) as server,
        lossy(server.url, drop_every=50) as between,
        ReviewQueue(between.url, key_of_app(office.db), retries=QUICK) as desk,
    ):
        options: dict[str, Any] = {"queue": "receipts", "run": "night", "progress": told.append}
        results = list(desk.submit_many(bodies(ITEMS), **options, batch_items=BATCH))
        lost, seconds = between.lost, time.perf_counter() - began
        again = list(desk.submit_many(bodies(ITEMS), **options))
    assert lost >= ITEMS // BATCH // 50
    assert [result.index for result in results] == list(range(ITEMS))
    assert len({result.id for result in results}) == ITEMS
    assert count_of(office.db) == (ITEMS, ITEMS)
    assert told[ITEMS // BATCH - 1] == Progress(ITEMS, ITEMS - lost * BATCH, lost * BATCH, 0)
    assert [result.id for result in again] == [result.id for result in results]
    assert told[-1] == Progress(ITEMS, 0, ITEMS, 0)
    if FULL:
        print(f"{ITEMS} items in {seconds:.1f} s, {ITEMS // BATCH + lost} answers of which {lost} were lost")


def test_one_by_one_none_comes_twice_either(server: LiveServer, sqlite_office: Office) -> None:
    with (
        lossy(server.url, drop_every=4) as between,
        ReviewQueue(between.url, key_of_app(sqlite_office.db), retries=QUICK) as desk,
    ):
        ids = [desk.submit("receipts", number).id for number in range(40)]
        desk.withdraw(ids[0])
        assert between.lost >= 10
        assert sorted(ids) == sorted(item.id for item in desk.items(limit=7))
        types = ["item.enqueued", "item.withdrawn"]
        assert len(list(desk.events(types=types))) == 41


def test_asyncio_streams_what_comes_in_time(server: LiveServer, sqlite_office: Office) -> None:
    async def arriving() -> AsyncIterator[Mapping[str, Any]]:
        for body in bodies(23):
            await asyncio.sleep(0)
            yield body

    async def submit(desk: AsyncReviewQueue) -> list[str | None]:
        async with desk:
            first = [
                result.id async for result in desk.submit_many(arriving(), queue="receipts", batch_items=5)
            ]
            rest = [result.id async for result in desk.submit_many(bodies(2), queue="receipts")]
            return first + rest

    with lossy(server.url, drop_every=3) as between:
        ids = asyncio.run(submit(AsyncReviewQueue(between.url, key_of_app(sqlite_office.db), retries=QUICK)))
        assert between.lost >= 2
    assert len(set(ids)) == 25
    assert count_of(sqlite_office.db)[0] == 25


def test_what_is_wrong_with_one_spoils_no_other(desk: ReviewQueue) -> None:
    many: list[Any] = [
        {"queue": "receipts", "input": 1, "external_id": "a"},
        {"queue": "receipts", "input": float("nan")},
        "no mapping",
        {"queue": "receipts", "input": 2, "external_id": "a"},
        {"queue": "receipts", "input": 3, "confidence": 7},
        {"queue": "receipts", "input": 4},
    ]
    told: list[Progress] = []
    results = list(desk.submit_many(many, progress=told.append))
    assert [result.taken for result in results] == [True, False, False, False, False, True]
    kinds = [type(result.problem) for result in results]
    assert kinds[1:5] == [NotSendable, NotSendable, ExternalIdTaken, Invalid]
    assert told[-1] == Progress(6, accepted=2, replayed=0, refused=4)


def test_batches_keep_to_a_count_and_a_size(desk: ReviewQueue, app: Flask) -> None:
    sent: list[int] = []

    def watch(environ: Any, start: Any) -> Any:
        sent.append(int(environ.get("CONTENT_LENGTH") or 0))
        return app(environ, start)

    with ReviewQueue(ADDRESS, desk._access.key, transport=httpx.WSGITransport(watch)) as watched:
        large = [{"input": "x" * 1000} for _ in range(10)]
        list(watched.submit_many(large, queue="receipts", batch_bytes=3500))
        assert len(sent) == 4 and max(sent) <= 3500
        sent.clear()
        assert len(list(watched.submit_many(large, queue="receipts", batch_items=4))) == 10
        assert len(sent) == 3
        sent.clear()
        assert list(watched.submit_many([], queue="receipts")) == [] == sent
    with pytest.raises(ValueError, match="1 to 10000"):
        desk.submit_many([], batch_items=10_001)


def test_a_batch_that_is_too_large_for_this_server_is_halved(desk: ReviewQueue, app: Flask) -> None:
    def small(environ: Any, start: Any) -> Any:
        if int(environ["CONTENT_LENGTH"]) > 2500:
            start("413 Too Large", [("Content-Type", "application/problem+json")])
            return [b'{"type": "/problems/too-large", "status": 413}']
        return app(environ, start)

    with ReviewQueue(ADDRESS, desk._access.key, transport=httpx.WSGITransport(small)) as narrow:
        sizes = [1000, 1000, 1000, 3000, 1000]
        results = list(narrow.submit_many([{"input": "x" * size} for size in sizes], queue="receipts"))
    assert [result.taken for result in results] == [True, True, True, False, True]
    assert isinstance(results[3].problem, TooLarge)
