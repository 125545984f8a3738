"""What operators' machines ask: healthz, readyz and metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from reviewqueue import create_app
from reviewqueue.clock import MovableClock
from reviewqueue.config import Settings
from reviewqueue.db import Database
from reviewqueue.escalation.operations import fire_due
from tests.support.databases import Databases, Kind
from tests.support.making import make_item, make_items, make_queue

TOKEN = {"Authorization": "Bearer the-token"}
POLICY = {
    "lanes": {"autonomous_at": 0.9, "assist_at": 0.4},
    "due": {"after": "4h"},
    "escalation": [{"after": "2h", "to": "team:leads"}],
}


@pytest.fixture
def metered(settings: Settings, db: Database) -> FlaskClient:
    return create_app(settings.model_copy(update={"metrics_token": "the-token"}), db).test_client()


@pytest.fixture
def figures(metered: FlaskClient) -> Callable[[], dict[tuple[str, str], float]]:
    def scrape() -> dict[tuple[str, str], float]:
        answer = metered.get("/metrics", headers=TOKEN)
        assert answer.status_code == 200
        return {
            (sample.name.removeprefix("reviewqueue_"), sample.labels.get("queue", "")): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        }

    return scrape


@pytest.fixture
def without_tables(settings: Settings, databases: Databases, kind: Kind) -> Iterator[FlaskClient]:
    """An app on a database that was never migrated."""
    empty = databases.make_empty(kind)
    yield create_app(settings, empty).test_client()
    databases.drop(empty)


def test_the_process_answers_whatever_the_database_is_like(without_tables: FlaskClient) -> None:
    assert without_tables.get("/healthz").get_json() == {"status": "ok"}


def test_ready_means_reached_current_and_on_time(client: FlaskClient) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json()) == (200, {"status": "ok", "problems": []})


def test_an_old_schema_is_not_ready(without_tables: FlaskClient) -> None:
    answer = without_tables.get("/readyz")
    assert answer.status_code == 503
    assert "reviewqueue migrate" in answer.get_json()["problems"][0]


def test_a_database_that_is_gone_is_not_ready_and_its_address_not_told(settings: Settings) -> None:
    gone = Database("postgresql+psycopg://someone:hunter2@127.0.0.1:1/none", MovableClock())
    answer = create_app(settings, gone).test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["problems"] == ["The database cannot be reached."]


def test_a_timer_that_nobody_fires_is_not_ready_after_30_seconds(
    client: FlaskClient, db: Database, clock: MovableClock
) -> None:
    make_item(db, make_queue(db, policy=POLICY), confidence=0.5)
    clock.move(hours=2, seconds=30)
    assert client.get("/readyz").status_code == 200
    clock.move(seconds=1)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["problems"] == ["1 timers are late, the first by 31 s: is a worker running?"]


def test_a_timer_that_failed_is_told_and_keeps_nobody_out(
    client: FlaskClient, db: Database, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the secret reason")

    make_items(db, make_queue(db, policy=POLICY), [{"confidence": 0.5}] * 3)
    monkeypatch.setattr("reviewqueue.escalation.operations.fire", fail)
    clock.move(hours=2, seconds=1)
    fire_due(db)
    clock.move(seconds=5)
    answer = client.get("/readyz")
    said = "3 timers failed and will be tried again: the backlog page says which."
    assert (answer.status_code, answer.get_json()) == (200, {"status": "ok", "problems": [said]})


def test_a_timer_that_fails_over_and_over_is_told_as_late_and_still_keeps_nobody_out(
    client: FlaskClient, db: Database, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_item(db, make_queue(db, policy=POLICY), confidence=0.5)
    monkeypatch.setattr("reviewqueue.escalation.operations.fire", lambda *_: 1 / 0)
    clock.move(hours=2)
    for pause in (10, 20, 40):
        fire_due(db)
        assert client.get("/readyz").status_code == 200
        clock.move(seconds=pause)
    said = "1 timers failed and will be tried again, 1 of them late by now: the backlog page says which."
    assert client.get("/readyz").get_json()["problems"] == [said]
    monkeypatch.undo()
    fire_due(db)
    assert client.get("/readyz").get_json() == {"status": "ok", "problems": []}


def test_metrics_are_off_without_a_token(client: FlaskClient) -> None:
    assert client.get("/metrics", headers=TOKEN).status_code == 404


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer other", "Bearer the-token2", "the-token", "Bearer ü"]
)
def test_metrics_are_closed_without_the_right_one(metered: FlaskClient, header: str) -> None:
    answer = metered.get("/metrics", headers={"Authorization": header})
    assert answer.status_code == 401
    assert "items_waiting" not in answer.text


def test_metrics_count_what_waits(
    figures: Callable[[], dict[tuple[str, str], float]], db: Database, clock: MovableClock
) -> None:
    receipts, letters = make_queue(db, "receipts", policy=POLICY), make_queue(db, "letters", policy=POLICY)
    for _ in range(3):
        make_item(db, receipts, confidence=0.5)
    make_item(db, letters, confidence=0.5)
    make_item(db, letters, confidence=0.95)
    clock.move(hours=5)
    make_item(db, receipts, confidence=0.5)
    seen = figures()
    assert seen["items_waiting", "receipts"] == 4
    assert seen["items_waiting", "letters"] == 1
    assert seen["items_overdue", "receipts"] == 3
    assert seen["oldest_waiting_seconds", "receipts"] == 5 * 3600
    assert seen["items_escalated", "receipts"] == 0
    assert seen["timers_late", ""] == 4
    assert seen["timer_lag_seconds", ""] == 3 * 3600
    assert seen["transactions_unordered", ""] > 0


def test_metrics_of_nothing_are_zero(figures: Callable[[], dict[tuple[str, str], float]], app: Flask) -> None:
    seen = figures()
    assert seen["timers_late", ""] == 0
    assert seen["events_position", ""] == 0
    assert seen["sessions", ""] == 0
