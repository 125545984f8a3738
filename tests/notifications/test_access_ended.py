"""Whose role or account has ended reads no more titles: neither behind the bell nor in a mail that still waited."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from reviewqueue.audit.events import EventType
from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.escalation.operations import fire_due
from reviewqueue.notifications import outbox, queries
from reviewqueue.notifications.models import Message
from reviewqueue.notifications.outbox import Parcel
from reviewqueue.notifications.telling import tell_admins
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.people.members import QueueNamed, revoke
from reviewqueue.people.models import Membership, Person, Role, TeamMember
from reviewqueue.people.operations import disable_person
from reviewqueue.transaction import SYSTEM
from tests.items.office import Office, open_office
from tests.support.making import make_item, make_queue, make_team


@pytest.fixture
def office(db: Database, clock: MovableClock) -> Office:
    """lea was told of an item by bell and mail, which waits to be sent."""
    office = open_office(db, escalation=[{"after": "1h", "to": "lead", "notify": ["in-app", "mail"]}])
    office.enqueue(external_id="the title")
    clock.move(hours=1)
    fire_due(db)
    return office


def end_role(office: Office) -> None:
    with office.db.transaction(SYSTEM) as tx:
        lea = tx.session.get_one(Person, office.people["lea"].id)
        revoke(tx, QueueNamed(office.queue.id, office.queue.name), Role.LEAD, lea.email, lea)


def disable(office: Office) -> None:
    disable_person(office.db, SYSTEM_CALLER, "lea@example.org")


def unread(office: Office, name: str = "lea") -> int:
    """As the bell counts it, which is as many as the inbox shows."""
    with office.db.reading() as session:
        counted = queries.unread(session, office.people[name].id)
        assert len(queries.inbox(session, office.people[name].id)) == counted
    return counted


def sent(office: Office) -> list[str]:
    got: list[Parcel] = []
    outbox.send_due(office.db, got.append)
    return [notice.title for parcel in got for notice in parcel.notices]


@pytest.mark.parametrize("end", [end_role, disable])
def test_the_bell_and_the_inbox_forget_what_may_not_be_seen_any_more(
    office: Office, end: Callable[[Office], None]
) -> None:
    assert unread(office) == 1
    end(office)
    assert unread(office) == 0


@pytest.mark.parametrize("end", [end_role, disable])
def test_a_mail_that_waited_is_not_sent_any_more(office: Office, end: Callable[[Office], None]) -> None:
    end(office)
    assert sent(office) == []
    with office.db.reading() as session:
        [row] = session.scalars(sa.select(Message))
    assert (row.state, row.error, row.lease) == ("failed", outbox.NO_LONGER, None)


def test_who_left_keeps_nobody_else_from_their_mail(office: Office, clock: MovableClock) -> None:
    disable(office)
    clock.move(hours=23)
    fire_due(office.db)
    assert sent(office) == ["the title"], "the deadline, to max"


def test_of_a_digest_only_what_may_be_seen_is_sent(office: Office, clock: MovableClock) -> None:
    other = make_queue(
        office.db, "other", policy={"escalation": [{"after": "1h", "to": "lead", "notify": ["mail"]}]}
    )
    with office.db.transaction(SYSTEM) as tx:
        tx.session.add(Membership(queue_id=other.id, role="lead", person_id=office.people["lea"].id))
    make_item(office.db, other, external_id="another")
    clock.move(hours=1)
    fire_due(office.db)
    end_role(office)
    assert (sent(office), unread(office)) == (["another"], 1)


def test_a_role_by_a_team_counts_and_so_does_reading_everything(office: Office) -> None:
    end_role(office)
    team = make_team(office.db, "leads")
    with office.db.transaction(SYSTEM) as tx:
        tx.session.add(Membership(queue_id=office.queue.id, role="lead", team_id=team.id))
        tx.session.add(TeamMember(team_id=team.id, person_id=office.people["lea"].id))
    assert unread(office) == 1
    with office.db.transaction(SYSTEM) as tx:
        tx.session.execute(sa.delete(TeamMember))
        lea = tx.session.get_one(Person, office.people["lea"].id)
        lea.is_auditor = True
        tx.trail.record(lea, EventType.PERSON_CHANGED, {})
    assert unread(office) == 1


def test_what_admins_are_told_is_for_admins(office: Office) -> None:
    def set_admin(is_admin: bool) -> None:
        with office.db.transaction(SYSTEM) as tx:
            out = tx.session.get_one(Person, office.people["out"].id)
            out.is_admin = is_admin
            tx.trail.record(out, EventType.PERSON_CHANGED, {})

    set_admin(True)
    with office.db.transaction(SYSTEM) as tx:
        tell_admins(tx, "hook", "It was turned off.", "/admin/subscriptions")
    assert unread(office, "out") == 1
    set_admin(False)
    assert unread(office, "out") == 0
