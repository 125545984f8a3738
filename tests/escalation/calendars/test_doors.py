"""The doors to calendars: API, pages and commands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient

from reviewqueue.cli import main
from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.people.models import Person, Scope
from reviewqueue.queues.operations import apply
from tests.queues.doors import key_headers, sign_in
from tests.queues.examples import OFFICE
from tests.support.making import make_calendar, make_person, make_queue

AT = "/api/v1/calendars"
HTML = {"Accept": "text/html"}
WEEK: dict[str, Any] = {"zone": "UTC", "weekly": {"mon": ["09:00-17:00"]}}


@pytest.fixture
def boss(db: Database) -> Person:
    return make_person(db, "boss@example.org", make_queue(db), "manager")


def test_put_publishes_and_get_answers_what_can_be_put_back(client: FlaskClient, db: Database) -> None:
    key = key_headers(db)
    created = client.put(f"{AT}/office", json=WEEK, headers=key)
    assert (created.status_code, created.headers["Calendar-Version"]) == (201, "1")
    assert created.headers["Location"] == f"{AT}/office"
    read = client.get(f"{AT}/office", headers=key)
    assert (read.json, read.headers["Calendar-Version"]) == (created.json, "1")
    again = client.put(f"{AT}/office", json=read.json, headers=key)
    assert (again.status_code, again.headers["Calendar-Version"]) == (200, "1")
    yaml = client.put(f"{AT}/office", data=OFFICE, content_type="application/yaml", headers=key)
    assert (yaml.status_code, yaml.headers["Calendar-Version"]) == (200, "2")


@pytest.mark.parametrize(
    ("sent", "status", "slug"),
    [
        ({"json": {"zone": "UTC", "weekly": {}}}, 422, "invalid-calendar"),
        ({"json": {**WEEK, "calendar": "other"}}, 422, "invalid-calendar"),
        ({"json": ["no", "object"]}, 422, "invalid"),
        ({"data": "{", "content_type": "application/json"}, 400, "not-json"),
        ({"data": "zone: [", "content_type": "application/yaml"}, 422, "invalid-calendar"),
        ({"data": "x", "content_type": "text/plain"}, 415, "unsupported-media-type"),
    ],
)
def test_what_is_wrong_is_a_problem_and_leaves_nothing(
    client: FlaskClient, db: Database, sent: dict[str, Any], status: int, slug: str
) -> None:
    key = key_headers(db)
    answer = client.put(f"{AT}/office", headers=key, **sent)
    assert (answer.status_code, answer.get_json()["type"]) == (status, f"/problems/{slug}")
    assert client.get(f"{AT}/office", headers=key).status_code == 404
    assert client.get(f"/problems/{slug}", headers=HTML).status_code == 200


def test_the_list_goes_from_page_to_page(client: FlaskClient, db: Database) -> None:
    key = key_headers(db)
    for name in ("a", "b", "c", "b"):
        make_calendar(db, {"calendar": name, **WEEK, "title": name * 2})
    first = client.get(f"{AT}?limit=2", headers=key).get_json()
    assert [(one["calendar"], one["version"]) for one in first["items"]] == [("a", 1), ("b", 1)]
    rest = client.get(f"{AT}?limit=2&cursor={first['next']}", headers=key).get_json()
    assert ([one["calendar"] for one in rest["items"]], rest["next"]) == (["c"], None)
    assert client.get(f"{AT}?cursor=nonsense", headers=key).status_code == 422


def test_a_key_without_the_scope_only_reads(client: FlaskClient, db: Database) -> None:
    make_calendar(db, OFFICE)
    reading = key_headers(db, [Scope.ITEMS_READ])
    assert client.get(f"{AT}/office", headers=reading).status_code == 200
    assert client.put(f"{AT}/office", json=WEEK, headers=reading).status_code == 403
    assert client.get(AT).status_code == 401


def test_the_page_says_when_four_hours_from_now_are(
    client: FlaskClient, db: Database, boss: Person, clock: MovableClock
) -> None:
    make_calendar(db, OFFICE)
    clock.move(days=4, hours=3, minutes=40)  # Friday, 13:40 in Berlin, which closes at 15:00
    sign_in(client, db, boss)
    page = client.get("/calendars/office", headers=HTML)
    assert page.status_code == 200
    for words in (
        "It is Friday 13:40 there",
        "4 h from now is Monday 11:40.",
        "09:00–15:00",
        "known until the end of 2031",
        "2026-05-01</span> Labor Day",
    ):
        assert words in page.text
    assert page.text.count("<td>Monday</td>") == 2
    clock.move(hours=2)
    sign_in(client, db, boss)
    page = client.get("/calendars", headers=HTML)
    assert "closed, opens Monday 09:00" in page.text
    assert "Monday 13:00" in page.text


def test_the_page_shows_older_versions_and_the_queues_that_follow_them(
    client: FlaskClient, db: Database, boss: Person
) -> None:
    make_calendar(db, OFFICE)
    apply(db, SYSTEM_CALLER, {"queue": "receipts", "policy": {"due": {"after": "4h", "calendar": "office"}}})
    make_calendar(db, {"calendar": "office", **WEEK})
    sign_in(client, db, boss)
    assert "version 1 still" in client.get("/calendars/office", headers=HTML).text
    assert "not the newest" in client.get("/calendars/office?version=1", headers=HTML).text
    assert client.get("/calendars/office?version=9", headers=HTML).status_code == 404
    assert "/calendars/office?version=1" in client.get("/queues/receipts", headers=HTML).text


def test_hostile_titles_stay_texts(client: FlaskClient, db: Database, boss: Person) -> None:
    evil = "<script>alert(1)</script>"
    days = [{"date": "2026-03-03", "closed": True, "title": evil}]
    make_calendar(db, {"calendar": "office", **WEEK, "title": evil, "exceptions": days})
    sign_in(client, db, boss)
    for address in ("/calendars", "/calendars/office"):
        page = client.get(address, headers=HTML).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


def test_an_empty_page_says_what_would_fill_it(client: FlaskClient, db: Database, boss: Person) -> None:
    sign_in(client, db, boss)
    assert "reviewqueue calendar apply FILE" in client.get("/calendars", headers=HTML).text


def test_signed_out_it_leads_to_the_sign_in_and_strangers_see_nothing(
    client: FlaskClient, db: Database
) -> None:
    assert client.get("/calendars", headers=HTML).status_code == 303
    sign_in(client, db, make_person(db, "stranger@example.org"))
    assert client.get("/calendars", headers=HTML).status_code == 403


@pytest.fixture
def environment(db: Database, tmp_path: Path) -> dict[str, str]:
    return {
        "REVIEWQUEUE_DATABASE_URL": db.url.render_as_string(hide_password=False).replace("+psycopg", ""),
        "REVIEWQUEUE_DATA_DIR": str(tmp_path),
        "REVIEWQUEUE_SECRET_KEY": "only-for-tests-" + "0" * 32,
    }


def run(environment: dict[str, str], *arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, ["calendar", *arguments], env=environment, input=stdin)


def test_the_command_publishes_lists_and_names_who_is_behind(
    environment: dict[str, str], db: Database, tmp_path: Path
) -> None:
    file = tmp_path / "office.yaml"
    file.write_text(OFFICE, encoding="utf-8")
    assert run(environment, "apply", str(file)).stdout == "office: created, version 1\n"
    assert run(environment, "apply", str(file)).stdout == "office: nothing changed\n"
    apply(db, SYSTEM_CALLER, {"queue": "receipts", "policy": {"due": {"after": "4h", "calendar": "office"}}})
    changed = run(environment, "apply", "-", stdin=OFFICE.replace("15:00", "16:00"))
    assert changed.stdout.splitlines() == [
        "office: version 2",
        '  hours.weekly.fri[1]: "09:00-15:00" → "09:00-16:00"',
        "  in an older version still: receipts; apply their documents again",
    ]
    assert run(environment, "list").stdout.startswith("office\tversion 2\tEurope/Berlin\t")


def test_a_mistake_names_file_and_key(environment: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("calendar: bad\nzone: UTC\nweekly: {mon: ['17:00-09:00']}", encoding="utf-8")
    ended = run(environment, "apply", str(file))
    assert ended.exit_code == 1
    assert "bad.yaml" in ended.stderr
    assert "ends before it begins" in ended.stderr
    assert "reviewqueue calendar apply" in run(environment, "apply", "--help").stdout
