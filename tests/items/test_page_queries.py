"""What the pages ask of the database, on both: meaning, precedents, counts, and how many queries a page costs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.items import desk_queries, dossiers, operations, page_queries, reviewing
from reviewqueue.items.models import Item
from tests.items.browsing import HTML
from tests.items.office import Office, open_office
from tests.queues.doors import sign_in


@pytest.fixture
def office(db: Database) -> Office:
    return open_office(db)


def test_confidence_means_what_people_did_in_its_band(office: Office) -> None:
    for confidence, verdict in (
        (0.55, "accept"),
        (0.6, "reject"),
        (0.7, "edit"),
        (0.85, "reject"),
        (0.5, "accept"),
    ):
        item_id = office.enqueue(confidence=confidence)
        output = {"total": "9"} if verdict == "edit" else None
        office.decide(
            "bob", item_id, verdict, output=output, reason=None if verdict == "accept" else "wrong-total"
        )
    asked = office.enqueue(confidence=0.65)
    with office.db.reading() as session:
        item = session.get_one(Item, asked)
        found = page_queries.meaning_of_confidence(session, item, office.db.clock.now())
    assert found == page_queries.Meaning(0.5, 0.8, changed=2, decided=4)


@pytest.mark.parametrize(
    ("confidence", "band"),
    [(0.0, (0.0, 0.5)), (0.5, (0.5, 0.8)), (0.9499, (0.9, 0.95)), (0.99, (0.99, 1.0)), (1.0, (0.99, 1.0))],
)
def test_bands_are_half_open_but_for_the_last(confidence: float, band: tuple[float, float]) -> None:
    assert page_queries.band_of(confidence) == band


def test_a_dossier_tells_who_judged_how_and_what_it_meant(office: Office) -> None:
    item_id = office.enqueue(flags=["blurred"], tags={"department": "finance"})
    office.decide("bob", item_id, "edit", output={"total": "13.00"}, reason="wrong-total", comment="misread")
    asked = office.enqueue(flags=["blurred"])
    seen = dossiers.dossier(office.db, office.caller("ann"), asked)
    [precedent] = seen.precedents
    assert [str(change) for change in precedent.changes] == ["total: 12.90 → 13.00"]
    assert (precedent.by, precedent.state, precedent.reason) == ("bob", "edited", "wrong-total")
    decided = dossiers.dossier(office.db, office.caller("ann"), item_id)
    assert list(decided.names.values()) == ["bob"]
    assert decided.output == {"total": "13.00"}
    assert [told.text for told in decided.trail] == [
        "Enqueued by the app", "bob claimed it", "bob reviewed it: edit", "Edited by bob",
    ]  # fmt: skip


def test_the_desk_counts_what_waits_what_is_due_and_what_is_late(office: Office, clock: MovableClock) -> None:
    office.enqueue()
    clock.move(hours=3, minutes=30)
    office.enqueue()
    office.claim("ann", office.enqueue())
    [row] = desk_queries.desk(office.db, office.caller("ann")).rows
    assert (row.waiting, row.due_soon, row.overdue) == (3, 1, 0)
    clock.move(hours=1)
    [row] = desk_queries.desk(office.db, office.caller("ann")).rows
    assert (row.waiting, row.due_soon, row.overdue) == (3, 0, 1)


def test_what_one_holds_comes_with_the_wanted_one_first(office: Office) -> None:
    first, second = office.enqueue(), office.enqueue()
    for item_id in (first, second):
        office.claim("ann", item_id)
    caller = office.caller("ann")
    found = [reviewing.held(office.db, caller, "receipts", wanted) for wanted in (None, first, second)]
    assert [held.item_id if held else None for held in found] == [first, first, second]
    assert reviewing.held(office.db, office.caller("bob"), "receipts", first) is None


@contextmanager
def counted(db: Database) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA", "SAVEPOINT", "RELEASE")):
            statements.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)


@pytest.mark.parametrize(
    ("address", "most"),
    [("/", 9), ("/queues/receipts/items?view=all", 9), ("/queues/receipts/review", 26), ("/items/{}", 16)],
)
def test_a_page_costs_as_many_queries_with_many_items_as_with_few(
    office: Office, client: FlaskClient, address: str, most: int
) -> None:
    sign_in(client, office.db, office.people["ann"])
    item_id = office.enqueue(external_id="the one")
    costs = []
    for _ in range(2):
        for n in range(6):
            done = office.enqueue(priority=1)
            office.decide("bob", done, "edit", output={"total": f"{n}"}, reason="wrong-total")
            office.enqueue(priority=1)
        with counted(office.db) as statements:
            assert client.get(address.format(item_id), headers=HTML).status_code == 200
        costs.append(len(statements))
    assert costs[1] <= costs[0]
    assert costs[1] <= most, "\n".join(statements)


def test_the_last_decision_is_taken_back_only_while_it_was_the_last_act(office: Office) -> None:
    older, newer, aside = (office.enqueue(external_id=name) for name in ("older", "newer", "aside"))
    ann, db = office.caller("ann"), office.db

    def offered() -> str | None:
        return reviewing.around(db, ann, "receipts").undo_title

    office.decide("ann", older)
    office.decide("ann", newer)
    office.claim("ann", aside)
    assert offered() == "newer"
    operations.undo(db, ann, newer)
    assert offered() is None
    office.decide("ann", newer)
    office.decide("bob", office.enqueue())
    assert offered() == "newer"
    operations.snooze(db, ann, aside, db.clock.now() + timedelta(hours=1))
    assert offered() is None
