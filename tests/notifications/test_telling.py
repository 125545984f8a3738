"""Who is told, through what, and that it is written with what it tells of; acknowledging and de-escalating."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.errors import Forbidden, Invalid, WrongState
from reviewqueue.escalation.operations import fire_due
from reviewqueue.items import operations as items
from reviewqueue.items.telling import tell as in_words
from reviewqueue.notifications import operations, queries
from reviewqueue.notifications.models import Message, Notice, Notification
from reviewqueue.notifications.wishes import Wishes
from reviewqueue.oncall import operations as oncall
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.people.models import Scope
from tests.items.office import Office, open_office
from tests.support.api import Api
from tests.support.making import load, make_person, make_team

NIGHTS = {"rotation": "nights", "handover": {"every": "1 day", "at": "00:00", "starts": "2026-03-02"}}
STEPS: list[dict[str, Any]] = [
    {
        "after": "2h",
        "to": ["team:leads"],
        "notify": ["in-app", "mail"],
        "repeat": {"every": "30m", "times": 3},
    },
    {"after": "6h", "to": ["rotation:nights"], "notify": ["in-app"]},
]


@pytest.fixture
def office(db: Database) -> Office:
    """lea leads, max manages and is the escalation owner; the second step goes to whoever is on call."""
    office = open_office(db, escalation=STEPS)
    make_team(db, "leads", office.people["lea"])
    with db.transaction(SYSTEM_CALLER.actor) as tx:
        queue = tx.session.merge(office.queue)
        queue.document = {**queue.document, "owners": {"escalation": "max@example.org"}}
        from reviewqueue.audit.events import EventType

        tx.trail.record(queue, EventType.QUEUE_CHANGED, {}, queue=queue.name, queue_id=queue.id)
    return office


def told(office: Office, item_id: uuid.UUID, type_: str) -> list[Any]:
    return [event["data"]["told"] for event in office.trail(item_id) if event["type"] == f"item.{type_}"]


def messages(db: Database) -> list[tuple[str, str, str]]:
    with db.reading() as session:
        rows = session.execute(
            sa.select(Message.channel, Message.receiver, Message.state).order_by(Message.id)
        )
        return [(row.channel, row.receiver, row.state) for row in rows]


def inbox(office: Office, name: str) -> list[str]:
    with office.db.reading() as session:
        return [one.notice.why for one in queries.inbox(session, office.people[name].id)]


def pass_(clock: MovableClock, db: Database, **time: float) -> None:
    clock.move(**time)
    fire_due(db)


def test_a_step_tells_its_target_through_its_channels(office: Office, clock: MovableClock) -> None:
    item_id = office.enqueue(external_id="r-1")
    pass_(clock, office.db, hours=5)
    assert told(office, item_id, "escalated") == [
        [{"person": "lea@example.org", "through": ["in-app", "mail"]}]
    ]
    assert inbox(office, "lea") == ["Nobody has decided: escalated to level 1."]
    assert messages(office.db) == [("mail", "lea@example.org", "waiting")]
    with office.db.reading() as session:
        notice = session.scalars(sa.select(Notice)).one()
    assert (notice.queue_title, notice.title, notice.late_by) == ("Receipts", "r-1", 3600.0)


def test_no_notice_repeats_what_the_model_or_a_person_wrote(office: Office, clock: MovableClock) -> None:
    item_id = office.enqueue(input={"secret": "evidence-9"}, output={"total": 9.5}, flags=["evidence-9"])
    pass_(clock, office.db, hours=2)
    items.escalate(office.db, office.caller("lea"), item_id, "private-words", "max@example.org")
    items.comment(office.db, office.caller("ann"), item_id, "private-words for @lea@example.org")
    with office.db.reading() as session:
        written = [" ".join(map(str, vars(notice).values())) for notice in session.scalars(sa.select(Notice))]
    assert len(written) == 3
    assert not [text for text in written if "evidence-9" in text or "private-words" in text]


def test_whoever_is_on_call_is_given_the_item_and_told(office: Office, clock: MovableClock) -> None:
    oncall.apply(office.db, SYSTEM_CALLER, {**NIGHTS, "members": ["ann@example.org", "bob@example.org"]})
    item_id = office.enqueue()
    pass_(clock, office.db, hours=6)
    assert load(office.db, item_id).assigned_to == "ann@example.org"
    later = office.enqueue()
    pass_(clock, office.db, hours=24 - 9)
    assert load(office.db, later).assigned_to == "bob@example.org"
    assert told(office, later, "escalated") == [[{"person": "bob@example.org", "through": ["in-app"]}]]


@pytest.mark.parametrize("gap", ["no rotation", "nobody", "no role"])
def test_a_gap_on_call_falls_back_to_the_owner_and_says_so(
    office: Office, clock: MovableClock, gap: str
) -> None:
    if gap != "no rotation":
        members = {"nobody": [], "no role": ["out@example.org"]}[gap]
        oncall.apply(office.db, SYSTEM_CALLER, {**NIGHTS, "members": members})
    item_id = office.enqueue()
    pass_(clock, office.db, hours=6)
    assert load(office.db, item_id).assigned_to == "max@example.org"
    [[person, note]] = told(office, item_id, "escalated")
    assert person == {"person": "max@example.org", "through": ["in-app"]}
    assert note["note"].startswith("rotation:nights: ")
    assert inbox(office, "out") == [], "who has no role in the queue learns nothing of it"


def test_the_deadline_is_told_to_the_owner_once(office: Office, clock: MovableClock) -> None:
    item_id = office.enqueue()
    clock.move(hours=24)
    for _ in range(3):
        fire_due(office.db)
    assert told(office, item_id, "expired") == [
        [{"person": "max@example.org", "through": ["in-app", "mail"]}]
    ]
    assert inbox(office, "max") == [
        "The deadline passed and nobody had decided: the fallback was released (reject)."
    ]


def test_a_queue_without_owners_tells_its_managers_of_the_deadline(db: Database, clock: MovableClock) -> None:
    office = open_office(db)
    item_id = office.enqueue()
    pass_(clock, db, hours=24)
    [[entry]] = told(office, item_id, "expired")
    assert entry["person"] == "max@example.org"


def test_a_step_that_fails_later_on_tells_nobody(
    office: Office, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is told is taken back with what happened."""
    office.enqueue()
    monkeypatch.setattr("reviewqueue.items.escalating.retime", lambda *_: 1 / 0)
    pass_(clock, office.db, hours=2)
    assert (messages(office.db), inbox(office, "lea")) == ([], [])


def test_an_assignment_tells_the_new_holder_but_not_whoever_made_it(office: Office) -> None:
    item_id = office.enqueue()
    items.assign(office.db, office.caller("lea"), item_id, "bob@example.org")
    items.assign(office.db, office.caller("lea"), item_id, "team:leads")
    assert inbox(office, "bob") == ["lea gave it to bob@example.org."]
    assert inbox(office, "lea") == []


def test_a_mention_tells_those_who_may_see_the_item(office: Office) -> None:
    item_id = office.enqueue()
    text = "@BOB@example.org, @out@example.org and @ann@example.org: look at a@lea@example.org. @bob@example.org!"
    items.comment(office.db, office.caller("ann"), item_id, text)
    assert inbox(office, "bob") == ["ann mentioned you in a comment."]
    assert [inbox(office, name) for name in ("out", "ann", "lea")] == [[], [], []]


def test_wishes_move_mails_to_the_daily_hour_or_leave_them_out(office: Office, clock: MovableClock) -> None:
    lea = office.caller("lea")
    operations.set_wishes(office.db, lea, Wishes(mail="daily", digest_hour=8, zone="America/New_York"))
    office.enqueue()
    pass_(clock, office.db, hours=2)
    with office.db.reading() as session:
        due = session.scalars(sa.select(Message.next_at)).one()
    assert due == clock.now() + timedelta(hours=2), "11:00 in UTC is 06:00 in New York"
    operations.set_wishes(office.db, lea, Wishes(mail="never"))
    item_id = office.enqueue(input="another")
    pass_(clock, office.db, hours=2)
    assert told(office, item_id, "escalated")[0] == [{"person": "lea@example.org", "through": ["in-app"]}]
    assert len(messages(office.db)) == 1, "the daily one alone"


def test_acknowledging_stops_the_reminders_but_no_later_step(office: Office, clock: MovableClock) -> None:
    item_id = office.enqueue()
    pass_(clock, office.db, hours=2)
    pass_(clock, office.db, minutes=30)
    assert inbox(office, "lea")[0] == "Still nobody has decided: reminder 1 of 3 on level 1."
    shown = items.acknowledge(office.db, office.caller("lea"), item_id).as_json("", clock.now())
    assert shown["acknowledged"] == {"by": "lea", "at": "2026-03-02T11:30:00.000000Z"}
    pass_(clock, office.db, hours=3)
    assert len(inbox(office, "lea")) == 2, "no reminder came"
    pass_(clock, office.db, minutes=30)
    item = load(office.db, item_id)
    assert (item.level, item.acknowledged_at) == (2, None), "a new step asks anew"
    assert item.deadline_at == item.waiting_since + timedelta(hours=24)
    assert "acknowledged" in office.types(item_id)


def test_only_whoever_was_told_acknowledges_and_only_once(office: Office, clock: MovableClock) -> None:
    item_id = office.enqueue()
    with pytest.raises(WrongState):
        items.acknowledge(office.db, office.caller("lea"), item_id)
    pass_(clock, office.db, hours=2)
    with pytest.raises(Forbidden):
        items.acknowledge(office.db, office.caller("max"), item_id)
    items.acknowledge(office.db, office.caller("lea"), item_id)
    with pytest.raises(WrongState):
        items.acknowledge(office.db, office.caller("lea"), item_id)


def test_a_reopening_ends_the_acknowledgement(office: Office, clock: MovableClock) -> None:
    item_id = office.enqueue()
    pass_(clock, office.db, hours=2)
    items.acknowledge(office.db, office.caller("lea"), item_id)
    office.decide("lea", item_id)
    clock.move(minutes=1)
    items.reopen(office.db, office.caller("lea"), item_id, "look again")
    assert load(office.db, item_id).acknowledged_at is None
    pass_(clock, office.db, hours=2)
    items.acknowledge(office.db, office.caller("lea"), item_id)


def test_de_escalating_takes_back_one_level_and_no_step_fires_twice(
    office: Office, clock: MovableClock
) -> None:
    item_id = office.enqueue()
    pass_(clock, office.db, hours=6)
    assert load(office.db, item_id).level == 2
    with pytest.raises(Forbidden):
        items.deescalate(office.db, office.caller("ann"), item_id, "calm")
    items.deescalate(office.db, office.caller("lea"), item_id, "calm")
    assert (load(office.db, item_id).level, load(office.db, item_id).assigned_to) == (1, "team:leads")
    items.deescalate(office.db, office.caller("lea"), item_id, "calm")
    item = load(office.db, item_id)
    assert (item.level, item.assigned_to, item.timer_kind) == (0, None, "deadline")
    with pytest.raises(WrongState):
        items.deescalate(office.db, office.caller("lea"), item_id, "calm")
    pass_(clock, office.db, hours=3)
    assert load(office.db, item_id).level == 0
    assert office.types(item_id)[-2:] == ["deescalated", "deescalated"]


def test_de_escalating_tells_whom_it_is_taken_from_whom_it_goes_to_and_who_holds_it(
    office: Office, clock: MovableClock
) -> None:
    item_id = office.enqueue()
    pass_(clock, office.db, hours=6)
    assert load(office.db, item_id).assigned_to == "max@example.org"
    office.people["bob"] = make_person(office.db, "len@example.org", office.queue, "lead")
    token = office.claim("bob", item_id).token
    office.people["ann"] = make_person(office.db, "amy@example.org", office.queue, "lead")
    items.deescalate(office.db, office.caller("ann"), item_id, "calm")
    why = "amy took it back to level 1: it is with team:leads now."
    assert [inbox(office, name)[0] for name in ("max", "lea", "bob")] == [why] * 3
    assert told(office, item_id, "deescalated") == [
        [{"person": f"{name}@example.org", "through": ["in-app"]} for name in ("max", "lea", "len")]
    ]
    assert load(office.db, item_id).claim_token == token, "who works on it goes on"
    items.deescalate(office.db, office.caller("lea"), item_id, "calm")
    assert inbox(office, "bob")[0] == "lea took it back to level 0: it is nobody's in particular now."
    assert inbox(office, "lea")[0] == why, "who did it need not be told"


def test_who_loses_a_claim_to_a_leads_escalation_is_told_in_the_app(office: Office) -> None:
    item_id = office.enqueue()
    office.claim("bob", item_id)
    items.escalate(office.db, office.caller("lea"), item_id, "look at it now", "max@example.org")
    assert inbox(office, "bob") == ["lea escalated it to level 1, which ended your claim."]
    assert inbox(office, "max") == ["lea escalated it to level 1."]
    assert {"person": "bob@example.org", "through": ["in-app"]} in told(office, item_id, "escalated")[0]
    with pytest.raises(Forbidden):
        items.acknowledge(office.db, office.caller("bob"), item_id)


def test_who_escalates_what_they_hold_or_held_is_told_nothing(office: Office, clock: MovableClock) -> None:
    item_id = office.enqueue()
    office.claim("bob", item_id)
    items.escalate(office.db, office.caller("bob"), item_id, "not mine")
    other_id = office.enqueue()
    office.claim("ann", other_id)
    clock.move(hours=1)
    items.escalate(office.db, office.caller("lea"), other_id, "look at it now")
    assert (inbox(office, "bob"), inbox(office, "ann")) == ([], []), "ann's lease had run out"


def test_de_escalating_what_is_with_nobody_tells_nobody(db: Database, clock: MovableClock) -> None:
    office = open_office(db, escalation=[{"after": "1h", "to": "lead"}])
    item_id = office.enqueue()
    pass_(clock, db, hours=1)
    items.deescalate(db, office.caller("max"), item_id, "calm")
    assert told(office, item_id, "deescalated") == [[]]


@pytest.mark.parametrize("mail", ["now", "daily", "never"])
def test_a_step_by_mail_alone_rings_the_bell_at_once(db: Database, clock: MovableClock, mail: Any) -> None:
    office = open_office(db, escalation=[{"after": "1h", "to": "lead", "notify": ["mail"]}])
    operations.set_wishes(db, office.caller("lea"), Wishes(mail=mail, digest_hour=8))
    office.enqueue()
    pass_(clock, db, hours=1)
    assert inbox(office, "lea") == ["Nobody has decided: escalated to level 1."]


def test_a_snooze_until_a_reply_ends_with_anothers_comment(office: Office, clock: MovableClock) -> None:
    item_id = office.enqueue()
    due = load(office.db, item_id).due_at
    assert due is not None
    until = clock.now() + timedelta(hours=10)
    items.snooze(office.db, office.caller("ann"), item_id, until, until_reply=True)
    assert load(office.db, item_id).due_at == due + timedelta(hours=10)
    items.comment(office.db, office.caller("ann"), item_id, "is it so?")
    assert load(office.db, item_id).snoozed_until == until
    clock.move(hours=1)
    items.comment(office.db, office.caller("bob"), item_id, "it is")
    item = load(office.db, item_id)
    assert (item.snoozed_until, item.snoozed_by, item.due_at) == (None, None, due + timedelta(hours=1))
    assert item.timer_at == item.waiting_since + timedelta(hours=3), "the first step, an hour later"
    assert inbox(office, "ann") == ["bob replied: the snooze is over."]


def test_a_plain_snooze_does_not_end_with_a_comment(office: Office, clock: MovableClock) -> None:
    item_id = office.enqueue()
    until = clock.now() + timedelta(hours=10)
    items.snooze(office.db, office.caller("ann"), item_id, until)
    items.comment(office.db, office.caller("bob"), item_id, "it is")
    assert load(office.db, item_id).snoozed_until == until


def test_the_api_acknowledges_and_de_escalates(office: Office, clock: MovableClock, app: Flask) -> None:
    item_id = office.enqueue()
    pass_(clock, office.db, hours=2)
    lea = Api.open(app, office.db, [Scope.DECISIONS_WRITE, Scope.ITEMS_READ], "lea@example.org")
    assert lea.post(f"/items/{item_id}/acknowledgement", b"")["acknowledged"]["by"] == "lea"
    assert lea.post(f"/items/{item_id}/deescalation", b'{"reason": "calm"}')["level"] == 0
    until = (clock.now() + timedelta(hours=1)).isoformat().encode()
    body = b'{"until": "' + until + b'", "until_reply": true}'
    assert lea.post(f"/items/{item_id}/snooze", body)["snoozed_until"] is not None
    assert load(office.db, item_id).snoozed_by == "lea@example.org"


def test_a_teams_member_who_left_is_not_told(office: Office, clock: MovableClock) -> None:
    from reviewqueue.people.operations import disable_person

    disable_person(office.db, SYSTEM_CALLER, "lea@example.org")
    item_id = office.enqueue()
    pass_(clock, office.db, hours=2)
    [[person, note]] = told(office, item_id, "escalated")
    assert (person["person"], note["note"]) == (
        "max@example.org",
        "team:leads: nobody there may see the queue",
    )


def test_reading_is_for_ones_own_notifications(office: Office, clock: MovableClock) -> None:
    office.enqueue()
    pass_(clock, office.db, hours=2)
    with office.db.reading() as session:
        one = session.scalars(sa.select(Notification)).one()
        assert queries.unread(session, office.people["lea"].id) == 1
    with pytest.raises(Exception, match="no such notification"):
        operations.read(office.db, office.caller("max"), one.id)
    operations.read(office.db, office.caller("lea"), one.id)
    with office.db.reading() as session:
        assert queries.unread(session, office.people["lea"].id) == 0


def test_where_the_channels_are_not_there_people_are_told_in_the_app(
    db: Database, clock: MovableClock
) -> None:
    office = open_office(db, escalation=[{"after": "1h", "to": "lead", "notify": ["ops-chat"]}])
    item_id = office.enqueue()
    pass_(clock, db, hours=1)
    assert told(office, item_id, "escalated") == [
        [
            {"person": "lea@example.org", "through": ["in-app"]},
            {"channel": "ops-chat", "note": "there is no such channel"},
        ]
    ]
    assert messages(db) == []
    step = next(event for event in office.trail(item_id) if event["type"] == "item.escalated")
    assert in_words(step).text.endswith("told: lea@example.org (in-app); no such channel: ops-chat")


@pytest.mark.parametrize("wish", [{"digest_hour": 24}, {"zone": "Mars/Base"}, {"mail": "sometimes"}])
def test_wishes_that_cannot_be_are_refused(wish: dict[str, Any]) -> None:
    from reviewqueue.people.forms import read

    with pytest.raises(Invalid):
        read(Wishes, wish)


def test_a_person_with_several_roles_is_told_once(office: Office, clock: MovableClock) -> None:
    make_team(office.db, "more", office.people["lea"], make_person(office.db, "new@example.org"))
    item_id = office.enqueue()
    items.escalate(office.db, office.caller("max"), item_id, "why", "lea@example.org")
    pass_(clock, office.db, hours=2)
    with office.db.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Notification)) == len(
            inbox(office, "lea")
        )
