"""Who may escalate what, and whom it then concerns: nobody takes an item from whoever works on it."""

from __future__ import annotations

import pytest

from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.errors import ClaimedByAnother, Forbidden
from reviewqueue.escalation.operations import fire_due
from reviewqueue.insights import operations as insights
from reviewqueue.items import operations as items
from reviewqueue.items.dossiers import dossier

from ..support.making import load, make_team
from .office import Office, open_office

STEPS = [{"after": "2h", "to": "team:leads", "notify": ["in-app"], "repeat": {"every": "30m", "times": 3}}]


@pytest.fixture
def office(db: Database) -> Office:
    office = open_office(db, escalation=STEPS)
    make_team(db, "leads", office.people["lea"])
    return office


def test_what_another_holds_is_escalated_by_leads_alone(office: Office) -> None:
    item_id = office.enqueue()
    token = office.claim("ann", item_id).token
    with pytest.raises(ClaimedByAnother, match="ann holds the item"):
        items.escalate(office.db, office.caller("bob"), item_id, "mine now")
    assert (load(office.db, item_id).level, load(office.db, item_id).claim_token) == (0, token)
    items.escalate(office.db, office.caller("lea"), item_id, "it is urgent")
    assert (load(office.db, item_id).level, load(office.db, item_id).claim_by) == (1, None)


def test_who_holds_it_escalates_it(office: Office) -> None:
    item_id = office.enqueue()
    office.claim("ann", item_id)
    items.escalate(office.db, office.caller("ann"), item_id, "beyond me")
    assert (load(office.db, item_id).level, load(office.db, item_id).claim_by) == (1, None)


def test_only_who_may_assign_says_to_whom(office: Office) -> None:
    item_id = office.enqueue()
    with pytest.raises(Forbidden, match="does not allow you to assign"):
        items.escalate(office.db, office.caller("bob"), item_id, "mine", "bob@example.org")
    assert (load(office.db, item_id).level, office.types(item_id)[-1]) == (0, "enqueued")


def test_whoever_is_named_the_targets_of_the_step_are_told(office: Office) -> None:
    """The step counts as fired, so it would tell them nothing later on."""
    item_id = office.enqueue()
    items.escalate(office.db, office.caller("max"), item_id, "ask bob", "bob@example.org")
    [*_, last] = office.trail(item_id)
    assert [entry["person"] for entry in last["data"]["told"]] == ["bob@example.org", "lea@example.org"]
    assert (load(office.db, item_id).assigned_to, load(office.db, item_id).timer_step) == (
        "bob@example.org",
        1,
    )


@pytest.mark.parametrize("how", ["given", "held"])
def test_who_has_the_item_acknowledges_and_its_reminders_stop(
    office: Office, clock: MovableClock, how: str
) -> None:
    """bob was not told; he was given it, or was at it when it escalated."""
    item_id = office.enqueue()
    clock.move(hours=1, minutes=55)
    if how == "held":
        office.claim("bob", item_id)
    clock.move(minutes=5)
    fire_due(office.db)
    if how == "given":
        with pytest.raises(Forbidden):
            items.acknowledge(office.db, office.caller("bob"), item_id)
        assert not dossier(office.db, office.caller("bob"), item_id).can_acknowledge
        items.assign(office.db, office.caller("lea"), item_id, "bob@example.org")
    assert dossier(office.db, office.caller("bob"), item_id).can_acknowledge
    items.acknowledge(office.db, office.caller("bob"), item_id)
    clock.move(minutes=30)
    assert fire_due(office.db) == 0
    assert load(office.db, item_id).acknowledged_name == "bob"


def test_a_claim_that_ran_out_gives_no_right_to_acknowledge(office: Office, clock: MovableClock) -> None:
    item_id = office.enqueue()
    clock.move(hours=1, minutes=55)
    office.claim("bob", item_id)
    clock.move(minutes=10)
    fire_due(office.db)
    with pytest.raises(Forbidden):
        items.acknowledge(office.db, office.caller("bob"), item_id)


def test_the_backlog_offers_it_to_who_has_the_item(office: Office, clock: MovableClock) -> None:
    item_id = office.enqueue()
    clock.move(hours=2)
    fire_due(office.db)
    assert insights.watch_backlog(office.db, office.caller("max")).awaits_me == frozenset()
    items.assign(office.db, office.caller("lea"), item_id, "max@example.org")
    assert insights.watch_backlog(office.db, office.caller("max")).awaits_me == {item_id}
