"""Publishing a calendar: versions that never change, who may, and what a queue's policy takes from it."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import sqlalchemy as sa

from reviewqueue.audit.guard import Unrecorded
from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.errors import Forbidden
from reviewqueue.escalation.calendar_operations import apply_calendar
from reviewqueue.escalation.calendars import InvalidCalendar
from reviewqueue.escalation.models import CalendarVersion
from reviewqueue.people.access import SYSTEM_CALLER, Caller
from reviewqueue.people.models import Person, Scope
from reviewqueue.queues.invalid import InvalidDocument
from reviewqueue.queues.models import Queue
from reviewqueue.queues.operations import apply
from reviewqueue.queues.policies import policy_of
from reviewqueue.queues.policy import Policy
from reviewqueue.transaction import SYSTEM, Actor
from tests.queues.examples import OFFICE
from tests.support.making import make_calendar, make_person, make_queue

WEEK = {"zone": "UTC", "weekly": {"mon": ["09:00-17:00"]}}
LONGER = {"zone": "UTC", "weekly": {"mon": ["09:00-18:00"]}}


def publish(db: Database, hours: dict[str, Any], by: Caller = SYSTEM_CALLER, name: str = "office") -> Any:
    return apply_calendar(db, by, {"calendar": name, **hours})


def queue_document(calendar: str = "office", **due: Any) -> dict[str, Any]:
    return {"queue": "receipts", "policy": {"due": {"after": "4h", "calendar": calendar, **due}}}


def policy_in_force(db: Database) -> Policy:
    with db.reading() as session:
        return policy_of(session, session.scalars(sa.select(Queue.policy_id)).one())


def versions(db: Database) -> list[tuple[str, int]]:
    with db.reading() as session:
        rows = session.execute(
            sa.select(CalendarVersion.name, CalendarVersion.version).order_by(CalendarVersion.id)
        )
        return [(name, version) for name, version in rows]


def caller_of(person: Person, **more: Any) -> Caller:
    actor = Actor("person", str(person.id), person.name)
    return Caller(actor, person.id, person.email, person.is_admin, person.is_auditor, **more)


def test_a_change_becomes_the_next_version_and_the_old_one_stays(db: Database) -> None:
    first, second = publish(db, WEEK), publish(db, LONGER)
    assert (first.created, first.version, first.changes) == (True, 1, [])
    assert (second.created, second.version) == (False, 2)
    assert second.changes == ['hours.weekly.mon[1]: "09:00-17:00" → "09:00-18:00"']
    assert versions(db) == [("office", 1), ("office", 2)]


def test_the_same_document_again_publishes_nothing(db: Database) -> None:
    make_calendar(db, OFFICE)
    again = make_calendar(db, OFFICE)
    assert (again.created, again.version, again.changes) == (False, 1, [])
    assert versions(db) == [("office", 1)]


def test_next_year_the_same_document_brings_the_holidays_of_another_year(
    db: Database, clock: MovableClock
) -> None:
    make_calendar(db, OFFICE)
    clock.move(days=365)
    renewed = make_calendar(db, OFFICE)
    assert renewed.version == 2
    assert "holidays.last_year: 2031 → 2032" in renewed.changes


def test_a_version_can_be_changed_by_nobody_without_an_event(db: Database) -> None:
    publish(db, WEEK)
    with pytest.raises(Unrecorded), db.transaction(SYSTEM) as tx:
        tx.session.scalars(sa.select(CalendarVersion)).one().version = 7


def test_what_is_wrong_publishes_nothing(db: Database) -> None:
    with pytest.raises(InvalidCalendar):
        publish(db, {"zone": "UTC", "weekly": {}})
    with pytest.raises(InvalidCalendar, match="no known holidays"):
        publish(db, {**WEEK, "holidays": {"country": "XX"}})
    assert versions(db) == []


def test_two_who_publish_at_once_make_two_versions_or_one(db: Database) -> None:
    failures: list[BaseException] = []

    def run(hours: dict[str, Any]) -> None:
        try:
            publish(db, hours)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(hours,)) for hours in (WEEK, WEEK, LONGER, LONGER)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    numbers = [version for _, version in versions(db)]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    assert 2 <= len(numbers) <= 4


@pytest.mark.parametrize(("role", "may"), [("manager", True), ("lead", False), ("reviewer", False)])
def test_managers_of_a_queue_publish_calendars(db: Database, role: str, may: bool) -> None:
    person = make_person(db, "p@example.org", make_queue(db), role)
    if may:
        assert publish(db, WEEK, caller_of(person)).created
    else:
        with pytest.raises(Forbidden, match="managers"):
            publish(db, WEEK, caller_of(person))


def test_admins_publish_calendars_and_strangers_do_not(db: Database) -> None:
    person = make_person(db, "p@example.org")
    with pytest.raises(Forbidden):
        publish(db, WEEK, caller_of(person))
    person.is_admin = True
    assert publish(db, WEEK, caller_of(person)).created


@pytest.mark.parametrize(("scope", "may"), [(Scope.QUEUES_WRITE, True), (Scope.ITEMS_WRITE, False)])
def test_a_key_needs_its_scope(db: Database, scope: Scope, may: bool) -> None:
    import uuid

    app = Caller(Actor("app", "1", "loader"), scopes=frozenset({scope}), key_id=uuid.uuid4())
    if may:
        assert publish(db, WEEK, app).created
    else:
        with pytest.raises(Forbidden, match="scope"):
            publish(db, WEEK, app)


def test_a_queue_takes_the_newest_version_into_its_policy(db: Database) -> None:
    publish(db, WEEK)
    publish(db, LONGER)
    apply(db, SYSTEM_CALLER, queue_document())
    policy = policy_in_force(db)
    assert policy.calendar is not None
    assert sum(day.seconds for day in policy.calendar.open_hours(db.clock.now(), days=7)) == 9 * 3600


def test_a_later_version_reaches_a_queue_when_its_document_is_applied_again(db: Database) -> None:
    publish(db, WEEK)
    apply(db, SYSTEM_CALLER, queue_document())
    before = policy_in_force(db)
    assert publish(db, LONGER).behind == ["receipts"]
    assert policy_in_force(db) is before
    applied = apply(db, SYSTEM_CALLER, queue_document())
    assert applied.policy_version == 2
    assert "calendar.version: 1 → 2" in applied.changes
    assert apply(db, SYSTEM_CALLER, queue_document()).changes == []
    assert publish(db, LONGER).behind == []


def test_while_a_calendar_is_not_there_times_count_round_the_clock_and_it_is_said(db: Database) -> None:
    applied = apply(db, SYSTEM_CALLER, queue_document())
    assert any("there is no calendar office yet" in line for line in applied.warnings)
    assert policy_in_force(db).calendar is None
    publish(db, WEEK)
    applied = apply(db, SYSTEM_CALLER, queue_document())
    assert applied.policy_version == 2
    assert policy_in_force(db).calendar is not None
    assert apply(db, SYSTEM_CALLER, queue_document()).changes == []


def test_a_queue_may_bring_its_own_hours(db: Database) -> None:
    apply(db, SYSTEM_CALLER, {"queue": "receipts", "policy": {"due": {"after": "4h", "hours": WEEK}}})
    policy = policy_in_force(db)
    assert policy.calendar is not None and policy.due_calendar is None
    both = {"after": "4h", "hours": WEEK, "calendar": "office"}
    with pytest.raises(InvalidDocument, match="both `calendar` and `hours`"):
        apply(db, SYSTEM_CALLER, {"queue": "receipts", "policy": {"due": both}})
    wrong = {"after": "4h", "hours": {**WEEK, "holidays": {"country": "XX"}}}
    with pytest.raises(InvalidDocument) as caught:
        apply(db, SYSTEM_CALLER, {"queue": "receipts", "policy": {"due": wrong}})
    assert caught.value.errors[0][0] == "/policy/due/hours/holidays/country"


def test_a_time_that_so_few_hours_never_reach_is_refused(db: Database) -> None:
    publish(db, {"zone": "UTC", "weekly": {"mon": ["09:00-09:01"]}})
    with pytest.raises(InvalidDocument, match="more than ten years") as caught:
        apply(db, SYSTEM_CALLER, queue_document(after="10h"))
    assert caught.value.errors[0][0] == "/policy/due/after"


def test_a_frozen_calendar_is_no_key_of_the_queues_document(db: Database) -> None:
    publish(db, WEEK)
    applied = apply(db, SYSTEM_CALLER, queue_document())
    assert "calendar" not in applied.document
    with pytest.raises(InvalidDocument, match="unknown key"):
        apply(db, SYSTEM_CALLER, {**queue_document(), "calendar": {}})
