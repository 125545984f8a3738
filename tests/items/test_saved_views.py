"""Views of a queue's items that a person keeps under a name."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from reviewqueue.db import Database
from reviewqueue.errors import Conflict, Invalid, NoSuchQueue
from reviewqueue.items.saved_views import LONGEST_NAME, MOST, forget_view, save_view, views_of
from reviewqueue.people.models import Person
from tests.items.browsing import Visitor
from tests.items.office import Office, open_office
from tests.queues.doors import sign_in

ITEMS, VIEWS = "/queues/receipts/items", "/queues/receipts/views"


@pytest.fixture
def office(db: Database) -> Office:
    return open_office(db)


def kept(office: Office, queue: str = "receipts") -> dict[str, str]:
    with office.db.reading() as session:
        person = session.get(Person, office.people["ann"].id)
        assert person is not None
        return views_of(person.preferences, queue)


def test_a_view_is_kept_replaced_and_forgotten_with_an_event_each(office: Office) -> None:
    ann = office.caller("ann")
    save_view(office.db, ann, "receipts", " Missing totals ", {"flag": "missing:total", "state": "pending"})
    assert kept(office) == {"Missing totals": "flag=missing%3Atotal&state=pending"}
    save_view(office.db, ann, "receipts", "Missing totals", {"flag": "missing:date"})
    assert kept(office) == {"Missing totals": "flag=missing%3Adate"}
    forget_view(office.db, ann, "receipts", "Missing totals")
    assert kept(office) == {}


def test_twenty_are_kept_and_a_name_is_asked_for(office: Office) -> None:
    ann = office.caller("ann")
    for number in range(MOST):
        save_view(office.db, ann, "receipts", f"view {number}", {"q": str(number)})
    with pytest.raises(Conflict):
        save_view(office.db, ann, "receipts", "one more", {"q": "more"})
    save_view(office.db, ann, "receipts", "view 0", {"q": "changed"})
    for name in ("", "  ", "x" * (LONGEST_NAME + 1)):
        with pytest.raises(Invalid):
            save_view(office.db, ann, "receipts", name, {"q": "1"})


def test_of_a_foreign_queue_none_is_kept(office: Office) -> None:
    with pytest.raises(NoSuchQueue):
        save_view(office.db, office.caller("ann"), "nowhere", "mine", {"q": "1"})


@pytest.mark.parametrize("htmx", [False, True])
def test_the_page_keeps_shows_and_forgets_a_view(office: Office, client: FlaskClient, htmx: bool) -> None:
    sign_in(client, office.db, office.people["ann"])
    ann = Visitor(client, htmx=htmx)
    assert "Keep the view" not in ann.get(ITEMS).text
    assert 'name="flag" value="vip"' in ann.get(f"{ITEMS}?flag=vip").text
    answer = ann.post(VIEWS, flag="vip", name="<b>Ours</b>")
    assert answer.status_code == (204 if htmx else 303)
    page = ann.get(f"{ITEMS}?flag=vip").text
    assert f'<a href="{ITEMS}?flag=vip" aria-current="page">&lt;b&gt;Ours&lt;/b&gt;</a>' in page
    ann.post(VIEWS, forget="<b>Ours</b>")
    assert "Ours" not in ann.get(f"{ITEMS}?flag=vip").text


def test_filters_that_there_are_not_make_no_view(office: Office, client: FlaskClient) -> None:
    sign_in(client, office.db, office.people["ann"])
    assert Visitor(client).post(VIEWS, state="lost", name="Lost").status_code == 422


def test_signed_out_nothing_is_kept(office: Office, client: FlaskClient) -> None:
    answer = Visitor(client).post(VIEWS, flag="vip", name="Ours")
    assert answer.status_code == 303
    assert "/sign-in" in answer.headers["Location"]
    assert kept(office) == {}
