"""Timers that fail are found: by whom they concern, item by item, and without what the error says."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import pytest
from flask.testing import FlaskClient

from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.doctor import Standing, _worker
from reviewqueue.escalation.operations import fire_due
from reviewqueue.people.models import Scope

from ..queues.doors import key_headers, sign_in
from ..support.making import make_item, make_person, make_queue

POLICY = {"escalation": [{"after": "2h", "to": "lead"}]}


@dataclass
class Failed:
    mine: uuid.UUID
    hidden: uuid.UUID


@pytest.fixture
def failed(db: Database, clock: MovableClock, monkeypatch: pytest.MonkeyPatch) -> Failed:
    """A timer in each of two queues; boss manages the first, and clerk reviews there."""

    def fail(*_: object) -> None:
        raise RuntimeError("INSERT INTO secrets")

    receipts, hidden = make_queue(db, "receipts", policy=POLICY), make_queue(db, "hidden", policy=POLICY)
    make_person(db, "boss@example.org", receipts, "manager")
    make_person(db, "clerk@example.org", receipts)
    found = Failed(make_item(db, receipts, external_id="r-1"), make_item(db, hidden, external_id="h-1"))
    monkeypatch.setattr("reviewqueue.escalation.operations.fire", fail)
    clock.move(hours=2)
    fire_due(db)
    return found


def signed_in(client: FlaskClient, db: Database, email: str) -> None:
    from reviewqueue.people.persons import by_email

    with db.reading() as session:
        person = by_email(session, email)
    sign_in(client, db, person)


def test_the_backlog_names_and_links_those_of_ones_own_queues(
    client: FlaskClient, db: Database, failed: Failed
) -> None:
    signed_in(client, db, "boss@example.org")
    text = client.get("/backlog").text
    assert "<b>1 timer failed</b>" in text
    assert f'href="/items/{failed.mine}">r-1</a> (RuntimeError while escalating it)' in text
    assert "h-1" not in text and "secrets" not in text


def test_the_backlog_counts_them_in_its_json(client: FlaskClient, db: Database, failed: Failed) -> None:
    everywhere = key_headers(db, [Scope.ITEMS_READ])
    here = key_headers(db, [Scope.ITEMS_READ], queues=["receipts"])
    assert client.get("/api/v1/backlog", headers=everywhere).get_json()["timers"] == {"late": 0, "failing": 2}
    assert client.get("/api/v1/backlog", headers=here).get_json()["timers"] == {"late": 0, "failing": 1}


@pytest.mark.parametrize(("who", "told"), [("boss@example.org", True), ("clerk@example.org", False)])
def test_the_items_page_tells_who_leads(
    client: FlaskClient, db: Database, failed: Failed, who: str, told: bool
) -> None:
    signed_in(client, db, who)
    text = client.get(f"/items/{failed.mine}").text
    assert ("RuntimeError while escalating it" in text) is told
    assert "secrets" not in text


def test_the_doctor_names_the_items(db: Database, failed: Failed) -> None:
    [found] = [one for one in _worker(db) if one.about == "timers"]
    assert found.standing is Standing.BAD
    assert f"hidden {failed.hidden}: RuntimeError while escalating it" in found.says
