"""A key that calls too often is told so in headers, refused for the rest of its minute, and keeps nobody else out."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from reviewqueue import create_app
from reviewqueue.client import ReviewQueue
from reviewqueue.clock import MovableClock
from reviewqueue.config import Settings
from reviewqueue.db import Database
from reviewqueue.people import key_operations
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.people.forms import NewKey
from reviewqueue.people.models import Scope
from reviewqueue.web.rate_limit import Standing, Windows

Call = Callable[[str], TestResponse]


def new_key(db: Database, name: str) -> str:
    return key_operations.create_key(db, SYSTEM_CALLER, NewKey(name=name, scopes=list(Scope)))


@pytest.fixture
def app(settings: Settings, db: Database) -> Flask:
    return create_app(settings.model_copy(update={"rate_limit": 3}), db)


def caller(client: FlaskClient, key: str) -> Call:
    return lambda path: client.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {key}"})


@pytest.fixture
def call(client: FlaskClient, db: Database) -> Call:
    return caller(client, new_key(db, "shop"))


def test_each_answer_tells_what_is_left(call: Call, clock: MovableClock) -> None:
    told = call("/queues").headers
    assert (told["RateLimit-Policy"], told["RateLimit"]) == ('"per-key";q=3;w=60', '"per-key";r=2;t=60')
    clock.move(seconds=18.5)
    assert call("/queues/unknown").headers["RateLimit"] == '"per-key";r=1;t=42', "a refusal counts too"


def test_one_call_too_many_is_refused_and_says_when_to_go_on(call: Call, clock: MovableClock) -> None:
    assert [call("/queues").status_code for _ in range(3)] == [200] * 3
    clock.move(seconds=20)
    refused = call("/queues")
    assert (refused.status_code, refused.mimetype) == (429, "application/problem+json")
    problem = refused.get_json()
    assert problem["type"] == "/problems/rate-limited"
    assert problem["detail"] == "This key may call 3 times a minute. Go on in 40 seconds."
    assert (refused.headers["Retry-After"], problem["retry_after"]) == ("40", 40)
    assert refused.headers["RateLimit"] == '"per-key";r=0;t=40'
    clock.move(seconds=int(refused.headers["Retry-After"]))
    assert call("/queues").status_code == 200


def test_each_key_has_a_minute_of_its_own(client: FlaskClient, call: Call, db: Database) -> None:
    other = caller(client, new_key(db, "bank"))
    assert [call("/queues").status_code for _ in range(4)][-1] == 429
    assert other("/queues").status_code == 200


def test_what_needs_no_key_and_the_pages_are_not_counted(client: FlaskClient, db: Database) -> None:
    nobody = caller(client, "rq_" + "x" * 43)
    for _ in range(5):
        assert client.get("/api/v1/openapi.json").status_code == 200
        assert client.get("/sign-in").status_code == 200
        assert nobody("/queues").status_code == 401


def test_nothing_is_counted_or_told_unless_the_operator_sets_a_limit(
    settings: Settings, db: Database
) -> None:
    unlimited = caller(create_app(settings, db).test_client(), new_key(db, "shop"))
    answers = [unlimited("/queues") for _ in range(10)]
    assert {answer.status_code for answer in answers} == {200}
    assert not any(name.startswith("RateLimit") for name, _ in answers[0].headers)


def test_a_clock_that_is_set_back_makes_nobody_wait_for_longer(clock: MovableClock) -> None:
    windows, key = Windows(1, clock.now), uuid.uuid4()
    windows.count(key)
    clock.move(hours=-1)
    assert windows.count(key) == Standing(left=0, seconds=60)


def test_calls_at_once_are_each_counted(clock: MovableClock) -> None:
    windows, key = Windows(1000, clock.now), uuid.uuid4()
    with ThreadPoolExecutor(8) as pool:
        standings = list(pool.map(lambda _: windows.count(key).left, range(1000)))
    assert sorted(standings) == list(range(1000))


def test_our_client_waits_as_long_as_it_is_told(
    app: Flask, db: Database, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.move(seconds=seconds)

    monkeypatch.setattr(time, "sleep", sleep)
    with ReviewQueue("http://localhost", new_key(db, "shop"), transport=httpx.WSGITransport(app)) as desk:
        for _ in range(5):
            assert list(desk.items()) == []
    (pause,) = slept
    assert 60 <= pause <= 61
