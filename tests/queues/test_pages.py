"""A queue's page shows the people who may see it what the queue is, and shows nothing to anybody else."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from reviewqueue.db import Database
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.people.models import Person
from reviewqueue.queues.operations import apply
from tests.queues.doors import sign_in
from tests.queues.examples import CONTRACT_DOCUMENT, OFFICE
from tests.support.making import make_calendar, make_person

QUEUE = "/queues/receipt-extraction"
HTML = {"Accept": "text/html"}


@pytest.fixture
def boss(db: Database) -> Person:
    boss = make_person(db, "boss@example.org")
    make_calendar(db, OFFICE)
    apply(db, SYSTEM_CALLER, CONTRACT_DOCUMENT)
    return boss


def page(client: FlaskClient, address: str = QUEUE) -> str:
    answer = client.get(address, headers=HTML)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_it_says_what_the_queue_is_for_and_who_answers_for_it(
    client: FlaskClient, db: Database, boss: Person
) -> None:
    sign_in(client, db, boss)
    text = page(client)
    for words in (
        "Read merchant, date, currency and total",
        "team:finance",
        "risk@example.org",
        "production",
    ):
        assert words in text


def test_it_puts_the_policy_in_words(client: FlaskClient, db: Database, boss: Person) -> None:
    sign_in(client, db, boss)
    text = page(client)
    for words in (
        "With a confidence of 0.98 or more the output is released without a human.",
        "People look at 5 % of these afterwards, as an audit.",
        "Below 0.4 the reviewer answers first",
        "After 2 hours it escalates to team:leads.",
        "After 24 hours the deadline passes and the item is rejected (nobody-decided).",
    ):
        assert words in text


def test_it_tells_members_who_are_there_from_those_who_are_not_yet(
    client: FlaskClient, db: Database, boss: Person
) -> None:
    sign_in(client, db, boss)
    text = page(client)
    assert "boss · boss@example.org" in text
    assert "lead@example.org · no account yet" in text


def test_an_older_version_is_shown_and_said_to_be_replaced(
    client: FlaskClient, db: Database, boss: Person
) -> None:
    apply(db, SYSTEM_CALLER, CONTRACT_DOCUMENT.replace("autonomous_at: 0.98", "autonomous_at: 0.97"))
    sign_in(client, db, boss)
    assert "With a confidence of 0.97" in page(client)
    old = page(client, f"{QUEUE}?version=1")
    assert "With a confidence of 0.98" in old
    assert "not in force" in old
    assert client.get(f"{QUEUE}?version=9", headers=HTML).status_code == 404


def test_hostile_texts_stay_texts(client: FlaskClient, db: Database, boss: Person) -> None:
    evil = "<script>alert(1)</script>"
    document = {
        "queue": "evil",
        "title": evil,
        "purpose": evil,
        "guidance": {"trust": f"{evil} [x](javascript:alert(1)) <img src=x onerror=alert(1)>"},
        "reasons": [{"code": "x", "title": evil}],
        "policy": {"review_when": [{"field": "flags", "op": "contains", "value": evil}]},
        "members": {"manager": ["boss@example.org"]},
    }
    apply(db, SYSTEM_CALLER, document)
    sign_in(client, db, boss)
    text = page(client, "/queues/evil")
    assert "<script>alert" not in text
    assert "javascript:alert" not in text.replace("[x](javascript:alert(1))", "")
    assert "<img" not in text


def test_signed_out_it_leads_to_the_sign_in(client: FlaskClient, boss: Person) -> None:
    answer = client.get(QUEUE, headers=HTML)
    assert answer.status_code in (302, 303)
    assert "/sign-in" in answer.headers["Location"]


def test_for_a_stranger_it_does_not_exist(client: FlaskClient, db: Database, boss: Person) -> None:
    sign_in(client, db, make_person(db, "stranger@example.org"))
    assert client.get(QUEUE, headers=HTML).status_code == 404
    assert client.get("/queues/unheard-of", headers=HTML).status_code == 404


def test_a_queue_of_which_only_the_name_is_known_says_what_is_missing(
    client: FlaskClient, db: Database
) -> None:
    boss = make_person(db, "boss@example.org")
    apply(db, SYSTEM_CALLER, {"queue": "bare", "members": {"manager": ["boss@example.org"]}})
    sign_in(client, db, boss)
    text = page(client, "/queues/bare")
    for words in ("Nobody has written down", "No guidance yet", "nobody named", "None: whoever decides"):
        assert words in text
