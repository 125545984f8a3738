"""Rotations are published as versions, refused with a pointer to each fault, and shown with their gaps."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from reviewqueue import cli
from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.errors import Forbidden, Invalid, NotFound
from reviewqueue.oncall import operations, queries
from reviewqueue.people.access import SYSTEM_CALLER, Caller
from reviewqueue.people.operations import disable_person
from reviewqueue.people.persons import by_email
from tests.people.test_access import caller_of
from tests.queues.doors import sign_in
from tests.support.making import make_person

NIGHTS = """
rotation: nights
title: Nights
zone: Europe/Berlin
handover: {day: mon, at: "09:00", every: 1 week, starts: 2026-02-02}
members: [ann@example.org, bob@example.org]
layers:
  - members: [eve@example.org]
    hours: [{days: [sat, sun], from: "00:00", to: "24:00"}]
"""

FOR_EVER = "overrides: [{from: 2026-03-03, to: 9999-12-31, person: ann@example.org}]"
BACKWARDS = "overrides: [{from: 2026-03-03, to: 2026-03-02, person: ann@example.org}]"


@pytest.fixture
def db(db: Database) -> Database:
    for name in ("ann", "bob", "eve"):
        make_person(db, f"{name}@example.org")
    return db


def test_a_changed_document_is_the_next_version_and_the_same_changes_nothing(db: Database) -> None:
    assert operations.apply(db, SYSTEM_CALLER, NIGHTS) == operations.Applied("nights", 1, changed=True)
    assert operations.apply(db, SYSTEM_CALLER, NIGHTS) == operations.Applied("nights", 1, changed=False)
    assert operations.apply(db, SYSTEM_CALLER, NIGHTS.replace("Nights", "By night")).version == 2
    [board] = operations.list_boards(db)
    assert (board.title, board.version) == ("By night", 2)


def test_the_board_tells_who_is_on_call_now_and_next(db: Database, clock: MovableClock) -> None:
    """The clock stands at Monday, 2026-03-02 09:00 UTC, which is 10:00 in Berlin."""
    operations.apply(db, SYSTEM_CALLER, NIGHTS)
    [board] = operations.list_boards(db)
    assert board.next is not None
    assert (board.now.person, board.next.person) == ("ann@example.org", "eve@example.org")
    assert board.now.ends == clock.now() + timedelta(days=4, hours=14)
    assert board.gaps == []


def test_whoever_is_disabled_leaves_a_gap(db: Database) -> None:
    operations.apply(db, SYSTEM_CALLER, NIGHTS)
    disable_person(db, SYSTEM_CALLER, "eve@example.org")
    [board] = operations.list_boards(db)
    assert {shift.person for shift in board.gaps} == {"eve@example.org"}


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        (("Europe/Berlin", "Europe/Atlantis"), "/zone"),
        (("1 week", "1 month"), "/handover/every"),
        (("bob@example.org", "nobody@example.org"), "/members/1"),
        (("bob@example.org", "team:clerks"), "/members/1"),
        (('"24:00"', '"25:00"'), "/layers/0/hours/0/to"),
        (("rotation: nights", "rotation: nights\nshifts: []"), "/shifts"),
        (("rotation: nights", f"{BACKWARDS}\nrotation: nights"), "/overrides/0/to"),
        (("2026-02-02", "9999-12-31"), "/handover/starts"),
        (("2026-02-02", "1969-12-31"), "/handover/starts"),
        (("rotation: nights", f"{FOR_EVER}\nrotation: nights"), "/overrides/0/to"),
    ],
)  # fmt: skip
def test_a_document_that_cannot_be_is_refused_where_it_is_wrong(
    db: Database, change: tuple[str, str], pointer: str
) -> None:
    with pytest.raises(Invalid) as refused:
        operations.apply(db, SYSTEM_CALLER, NIGHTS.replace(*change))
    assert pointer in [fault.pointer for fault in refused.value.faults]
    assert operations.list_boards(db) == []


def test_a_rotation_of_which_nobody_could_be_told_is_not_published(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it may be that the checks above do not know."""

    def fail(*_: object) -> None:
        raise OverflowError("date value out of range")

    monkeypatch.setattr(operations, "shifts", fail)
    with pytest.raises(Invalid, match="date value out of range"):
        operations.apply(db, SYSTEM_CALLER, NIGHTS)
    assert operations.list_boards(db) == []


def test_a_member_stands_in_and_a_stranger_does_not(db: Database, clock: MovableClock) -> None:
    operations.apply(db, SYSTEM_CALLER, NIGHTS)
    when = {"begins": "2026-03-02T09:00", "ends": "2026-03-02T18:00"}
    stranger = caller_of(make_person(db, "out@example.org"))
    with pytest.raises(Forbidden):
        operations.stand_in(db, stranger, "nights", person="out@example.org", **when)
    with db.reading() as session:
        bob = caller_of(by_email(session, "bob@example.org"))
    assert operations.stand_in(db, bob, "nights", person="bob@example.org", **when).version == 2
    [board] = operations.list_boards(db)
    assert (board.now.person, board.now.ends) == ("bob@example.org", clock.now() + timedelta(hours=8))
    with db.reading() as session:
        version = queries.in_force(session, "nights")
        assert version is not None and version.published_by == "bob"


EVENING = {"begins": "2026-03-02T18:00", "ends": "2026-03-02T23:00"}


def member(db: Database, name: str) -> Caller:
    with db.reading() as session:
        return caller_of(by_email(session, f"{name}@example.org"))


def test_who_has_left_keeps_nobody_from_standing_in(db: Database) -> None:
    operations.apply(db, SYSTEM_CALLER, NIGHTS)
    disable_person(db, SYSTEM_CALLER, "eve@example.org")
    assert operations.stand_in(db, member(db, "ann"), "nights", person="bob@example.org", **EVENING).changed
    with pytest.raises(Invalid, match=r"eve@example\.org is nobody here") as refused:
        operations.stand_in(db, member(db, "ann"), "nights", person="eve@example.org", **EVENING)
    assert [fault.pointer for fault in refused.value.faults] == ["/overrides/1/person"]


def test_a_stand_in_of_the_page_outlasts_the_file_until_it_is_over(db: Database, clock: MovableClock) -> None:
    operations.apply(db, SYSTEM_CALLER, NIGHTS)
    operations.stand_in(db, member(db, "ann"), "nights", person="bob@example.org", **EVENING)
    assert not operations.apply(db, SYSTEM_CALLER, NIGHTS).changed
    changed = operations.apply(db, SYSTEM_CALLER, NIGHTS.replace("Nights", "By night"))
    assert changed.changes == ('title: "Nights" → "By night"',)
    [board] = operations.list_boards(db)
    [one] = board.coming
    assert (one.person, one.by) == ("bob@example.org", "ann@example.org")
    clock.move(days=1)
    [gone] = operations.apply(db, SYSTEM_CALLER, NIGHTS.replace("Nights", "By night")).changes
    assert gone.startswith("overrides[1]: removed")


def test_the_document_in_force_can_be_applied_again(db: Database) -> None:
    operations.apply(db, SYSTEM_CALLER, NIGHTS)
    operations.stand_in(db, member(db, "ann"), "nights", person="bob@example.org", **EVENING)
    assert not operations.apply(db, SYSTEM_CALLER, operations.document_in_force(db, "nights")).changed
    with pytest.raises(NotFound):
        operations.document_in_force(db, "days")


def test_a_stand_in_is_taken_back_or_ended_on_the_page(
    db: Database, client: FlaskClient, clock: MovableClock
) -> None:
    client.environ_base["HTTP_ACCEPT"] = "text/html"
    operations.apply(db, SYSTEM_CALLER, NIGHTS)
    with db.reading() as session:
        sign_in(client, db, by_email(session, "bob@example.org"))
    now = {"begins": "2026-03-02T10:00", "ends": "2026-03-02T18:00"}
    for when in (now, EVENING):
        operations.stand_in(db, member(db, "ann"), "nights", person="eve@example.org", **when)
    clock.move(minutes=5)
    [board] = operations.list_boards(db)
    assert (len(board.coming), board.now.person) == (2, "eve@example.org")
    page = client.get("/oncall").text
    for one in board.coming:
        given = {"person": one.person, "begins": one.begins.isoformat(), "ends": one.ends.isoformat()}
        assert f'name="begins" value="{given["begins"]}"' in page
        assert client.post("/oncall/nights/overrides/ending", data=given).status_code == 303
        again = client.post("/oncall/nights/overrides/ending", data=given)
        assert (again.status_code, "does not stand in then" in again.text) == (404, True)
    [board] = operations.list_boards(db)
    assert (board.coming, board.now.person) == ((), "ann@example.org")
    [ended] = operations.document_in_force(db, "nights")["overrides"]
    assert ended["to"] == "2026-03-02T09:05:00.000000Z", "that it was so stays to be seen"
    sign_in(client, db, make_person(db, "out@example.org"))
    assert client.post("/oncall/nights/overrides/ending", data=given).status_code == 403


def test_the_page_shows_now_next_and_the_form_to_those_who_may(db: Database, client: FlaskClient) -> None:
    client.environ_base["HTTP_ACCEPT"] = "text/html"
    assert client.get("/oncall").status_code == 303, "signed out"
    operations.apply(db, SYSTEM_CALLER, NIGHTS)
    sign_in(client, db, make_person(db, "out@example.org"))
    page = client.get("/oncall")
    assert (page.status_code, "ann@example.org" in page.text, "/oncall/nights/overrides" in page.text) == (
        200,
        True,
        False,
    )
    given = {"person": "out@example.org", "begins": "2026-03-02T09:00", "ends": "2026-03-02T18:00"}
    assert client.post("/oncall/nights/overrides", data=given).status_code == 403


def test_an_admin_stands_somebody_in_on_the_page(db: Database, client: FlaskClient) -> None:
    client.environ_base["HTTP_ACCEPT"] = "text/html"
    operations.apply(db, SYSTEM_CALLER, NIGHTS)
    with db.reading() as session:
        sign_in(client, db, by_email(session, "bob@example.org"))
    given = {"person": "bob@example.org", "begins": "2026-03-02T09:00", "ends": "yesterday"}
    refused = client.post("/oncall/nights/overrides", data=given)
    assert (refused.status_code, 'value="yesterday"' in refused.text) == (422, True)
    done = client.post("/oncall/nights/overrides", data={**given, "ends": "2026-03-02T18:00"})
    assert done.status_code == 303
    assert operations.list_boards(db)[0].now.person == "bob@example.org"


def test_the_command_publishes_and_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_db: Database
) -> None:
    for name in ("ann", "bob", "eve"):
        make_person(sqlite_db, f"{name}@example.org")
    file = tmp_path / "nights.yaml"
    file.write_text(NIGHTS, encoding="utf-8")
    monkeypatch.setenv("REVIEWQUEUE_DATABASE_URL", sqlite_db.url.render_as_string())
    monkeypatch.setenv("REVIEWQUEUE_DATA_DIR", str(tmp_path))
    run = CliRunner().invoke
    assert run(cli.main, ["rotation", "apply", str(file)]).output == "nights: version 1\n"
    assert run(cli.main, ["rotation", "apply", str(file)]).output == "nights: nothing changed\n"
    listed = run(cli.main, ["rotation", "list"]).output
    assert listed.startswith("nights: ") and "@example.org until 2" in listed
    shown = tmp_path / "shown.yaml"
    shown.write_text(run(cli.main, ["rotation", "show", "nights"]).output, encoding="utf-8")
    assert run(cli.main, ["rotation", "apply", str(shown)]).output == "nights: nothing changed\n"
    file.write_text(NIGHTS.replace("Nights", "By night"), encoding="utf-8")
    applied = run(cli.main, ["rotation", "apply", str(file)]).output
    assert applied == 'nights: version 2\n  title: "Nights" → "By night"\n'
    for name in ("ann", "bob", "eve"):
        disable_person(sqlite_db, SYSTEM_CALLER, f"{name}@example.org")
    assert "nobody (" in run(cli.main, ["rotation", "list"]).output
    file.write_text(NIGHTS.replace("1 week", "never"), encoding="utf-8")
    refused = run(cli.main, ["rotation", "apply", str(file)])
    assert (refused.exit_code, "/handover/every" in refused.output) == (1, True)
