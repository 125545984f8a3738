"""The feed and an item's trail over HTTP: what apps rely on when they follow events."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from reviewqueue.audit.ordering import order_events
from reviewqueue.db import Database
from reviewqueue.errors import TooLateToUndo
from reviewqueue.items import operations
from reviewqueue.people.callers import Caller
from reviewqueue.people.models import Person, Scope
from reviewqueue.queues.models import Queue

from ..queues.doors import key_headers
from ..support.making import (
    actor_of,
    make_claim,
    make_decision,
    make_item,
    make_items,
    make_person,
    make_queue,
)

EVENT = {
    "position", "id", "type", "queue", "item_id", "item_seq", "at", "actor", "data", "request_id", "hash"
}  # fmt: skip

Get = Callable[..., Any]


@pytest.fixture
def queue(db: Database) -> Queue:
    return make_queue(db, policy={"lanes": {"autonomous_at": 0.9}})


@pytest.fixture
def clerk(db: Database, queue: Queue) -> Person:
    return make_person(db, "clerk@example.org", queue)


@pytest.fixture
def get(app: Flask, db: Database) -> Get:
    headers = key_headers(db)
    client = app.test_client()

    def get(address: str, **query: Any) -> Any:
        answer = client.get(f"/api/v1{address}", query_string=query, headers=headers)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_json()

    return get


def test_the_feed_tells_everything_in_order(db: Database, queue: Queue, get: Get) -> None:
    item_id = make_item(db, queue, confidence=0.95)
    told = get("/events", queue="receipts", type="item.*")
    assert [(event["type"], event["item_id"]) for event in told["items"]] == [
        ("item.enqueued", str(item_id)),
        ("item.auto_accepted", str(item_id)),
    ]
    assert all(set(event) == EVENT for event in told["items"])
    assert told["items"][0]["actor"] == {"kind": "app", "id": "test", "name": "test app"}
    assert told["items"][1]["position"] == told["items"][0]["position"] + 1
    assert get("/events", after=told["next"]) == {"items": [], "next": told["next"]}


def test_a_reader_gets_on_page_by_page(db: Database, queue: Queue, get: Get) -> None:
    make_items(db, queue, [{} for _ in range(7)])
    after, seen = 0, []
    while page := get("/events", after=after, type="item.enqueued", limit=3)["items"]:
        seen += [event["id"] for event in page]
        after = get("/events", after=after, type="item.enqueued", limit=3)["next"]
    assert len(seen) == len(set(seen)) == 7


def test_waiting_ends_with_the_next_event(db: Database, queue: Queue, get: Get) -> None:
    after = get("/events")["next"]
    threading.Timer(0.3, lambda: make_item(db, queue)).start()
    begun = time.monotonic()
    told = get("/events", after=after, wait=20)
    assert [event["type"] for event in told["items"]] == ["item.enqueued"]
    assert time.monotonic() - begun < 10


def test_waiting_in_vain_ends_in_time(queue: Queue, get: Get) -> None:
    after = get("/events")["next"]
    assert get("/events", after=after, wait=0.2) == {"items": [], "next": after}


def test_a_key_follows_its_own_queues_alone(app: Flask, db: Database, queue: Queue) -> None:
    other = make_queue(db, "other")
    mine, theirs = make_item(db, queue), make_item(db, other)
    headers = key_headers(db, queues=["receipts"])
    client = app.test_client()
    told = client.get("/api/v1/events", headers=headers).get_json()
    assert {event["queue"] for event in told["items"]} == {"receipts"}
    assert client.get("/api/v1/events?queue=other", headers=headers).status_code == 404
    assert client.get(f"/api/v1/items/{mine}/events", headers=headers).status_code == 200
    assert client.get(f"/api/v1/items/{theirs}/events", headers=headers).status_code == 404


def test_what_belongs_to_no_queue_is_for_admins_and_auditors_alone(
    app: Flask, db: Database, queue: Queue, clerk: Person
) -> None:
    boss = make_person(db, "boss@example.org", is_admin=True)
    auditor = make_person(db, "auditor@example.org", is_auditor=True)
    lead = make_person(db, "lead@example.org", queue, "lead")
    make_item(db, queue)

    def read(**of: Any) -> list[dict[str, Any]]:
        told = app.test_client().get("/api/v1/events?limit=200", headers=key_headers(db, **of)).get_json()
        return list(told["items"])

    def queues_read(**of: Any) -> set[str | None]:
        return {event["queue"] for event in read(**of)}

    assert queues_read(person=lead) == {"receipts"}
    assert queues_read(person=auditor) == {"receipts", None}
    assert queues_read(person=boss) == {None}
    assert queues_read(person=auditor, queues=["receipts"]) == {"receipts"}
    assert any("boss@example.org" in str(event) for event in read(person=auditor))

    everything = read()
    assert [event["position"] for event in everything] == list(range(1, len(everything) + 1))
    of_no_queue = [event for event in everything if event["queue"] is None]
    assert {event["type"] for event in of_no_queue} >= {"person.added", "key.created"}
    for event in of_no_queue:
        assert event["data"] == {"withheld": "from all but admins and auditors"}
        assert (event["actor"]["id"], event["actor"]["name"], event["request_id"]) == (None, "", None)


def test_who_may_follow_nothing_is_told_so_with_and_without_a_queue(
    app: Flask, db: Database, queue: Queue, clerk: Person
) -> None:
    client, headers = app.test_client(), key_headers(db, person=clerk)
    for address in ("/api/v1/events", "/api/v1/events?queue=receipts"):
        assert client.get(address, headers=headers).status_code == 403
    assert "lead or manager" in client.get("/api/v1/events", headers=headers).get_json()["detail"]
    writes = key_headers(db, [Scope.ITEMS_WRITE])
    for address in ("/api/v1/queues", "/api/v1/queues/receipts", "/api/v1/items"):
        answer = client.get(address, headers=writes)
        assert answer.status_code == 403 and "items:read" in answer.get_json()["detail"]


@pytest.mark.parametrize(
    "query", ["after=-1", "after=x", "limit=0", "limit=201", "wait=61", "type=nothing", "what=1"]
)
def test_what_does_not_fit_is_refused(app: Flask, db: Database, queue: Queue, query: str) -> None:
    answer = app.test_client().get(f"/api/v1/events?{query}", headers=key_headers(db))
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")


def test_a_reader_ahead_of_the_feed_is_told(app: Flask, db: Database, queue: Queue) -> None:
    order_events(db)
    answer = app.test_client().get("/api/v1/events?after=999", headers=key_headers(db))
    assert answer.status_code == 422
    assert answer.get_json()["end"] < 999


def test_reading_events_needs_the_scope(app: Flask, db: Database, queue: Queue) -> None:
    item_id = make_item(db, queue)
    client = app.test_client()
    only_items = key_headers(db, [Scope.ITEMS_READ])
    assert client.get("/api/v1/events", headers=only_items).status_code == 403
    assert client.get(f"/api/v1/items/{item_id}/events", headers=only_items).status_code == 200
    only_events = key_headers(db, [Scope.EVENTS_READ])
    assert client.get("/api/v1/events", headers=only_events).status_code == 200
    assert client.get(f"/api/v1/items/{item_id}/events", headers=only_events).status_code == 200
    neither = key_headers(db, [Scope.ITEMS_WRITE])
    assert client.get(f"/api/v1/items/{item_id}/events", headers=neither).status_code == 404
    assert client.get("/api/v1/events").status_code == 401


def test_an_items_trail(db: Database, queue: Queue, clerk: Person, get: Get) -> None:
    item_id = make_item(db, queue)
    make_claim(db, item_id, clerk)
    make_decision(db, item_id, clerk)
    told = get(f"/items/{item_id}/events")
    assert [event["item_seq"] for event in told["items"]] == [1, 2, 3, 4]
    assert [event["type"] for event in told["items"]][-2:] == ["item.reviewed", "item.accepted"]
    assert told["items"][-1]["actor"] == {"kind": "person", "id": str(clerk.id), "name": "clerk"}
    assert told["next"] is None
    order_events(db)
    assert all(event["position"] for event in get(f"/items/{item_id}/events")["items"])


def test_an_items_trail_comes_in_pages(
    db: Database, queue: Queue, clerk: Person, get: Get, app: Flask
) -> None:
    item_id = make_item(db, queue)
    make_decision(db, item_id, clerk)
    path, seen = f"/items/{item_id}/events", []
    query: dict[str, Any] = {"limit": 2}
    while query.get("cursor", "") is not None:
        page = get(path, **query)
        seen.append([event["item_seq"] for event in page["items"]])
        query["cursor"] = page["next"]
    assert seen == [[1, 2], [3]]
    for bad in ("limit=0", "limit=201", "cursor=!!", "cursor=WyJhIl0", "after=1"):
        answer = app.test_client().get(f"/api/v1{path}?{bad}", headers=key_headers(db))
        assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")


def test_an_item_that_is_not_there(app: Flask, db: Database, queue: Queue) -> None:
    answer = app.test_client().get(f"/api/v1/items/{uuid.uuid4()}/events", headers=key_headers(db))
    assert (answer.status_code, answer.get_json()["type"]) == (404, "/problems/no-such-item")


def test_a_blind_reviewer_does_not_learn_what_others_said(app: Flask, db: Database) -> None:
    queue = make_queue(db, "twice", policy={"reviews": {"needed": 2, "blind": True}})
    first, second = make_person(db, "a@example.org", queue), make_person(db, "b@example.org", queue)
    item_id = make_item(db, queue)
    make_decision(db, item_id, first)
    assert reviews_seen(app, db, item_id, first)[0]["verdict"] == "accept"
    assert reviews_seen(app, db, item_id, second) == [{"withheld": "until the item is decided"}]
    assert (
        reviews_seen(app, db, item_id, make_person(db, "lead@example.org", queue, "lead"))[0]["verdict"]
        == "accept"
    )
    make_decision(db, item_id, second)
    assert [data["verdict"] for data in reviews_seen(app, db, item_id, second)] == ["accept", "accept"]


def reviews_seen(app: Flask, db: Database, item_id: uuid.UUID, person: Person) -> list[dict[str, Any]]:
    headers = key_headers(db, person=person)
    events = app.test_client().get(f"/api/v1/items/{item_id}/events", headers=headers).get_json()["items"]
    return [event["data"] for event in events if event["type"] == "item.reviewed"]


def test_a_decision_that_an_app_has_followed_cannot_be_undone(
    db: Database, queue: Queue, clerk: Person, get: Get, client: FlaskClient
) -> None:
    followed, unseen = make_item(db, queue), make_item(db, queue)
    make_decision(db, followed, clerk)
    assert get("/events", type="item.accepted")["items"]
    make_decision(db, unseen, clerk)
    caller = Caller(actor_of(clerk), clerk.id, clerk.email)
    operations.undo(db, caller, unseen)
    with pytest.raises(TooLateToUndo, match="an app has the outcome"):
        operations.undo(db, caller, followed)
