"""Applying a queue's document: what it creates, what a change publishes, who gets a role, and who may."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import sqlalchemy as sa

from reviewqueue.audit.models import Event, EventContent
from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.errors import Forbidden, NoSuchQueue
from reviewqueue.people import persons
from reviewqueue.people.access import SYSTEM_CALLER, Caller, access_of
from reviewqueue.people.models import Person, Role, Scope, Team, TeamMember
from reviewqueue.queues import queries
from reviewqueue.queues.document import parse
from reviewqueue.queues.invalid import InvalidDocument
from reviewqueue.queues.models import PolicyVersion, Queue
from reviewqueue.queues.operations import Applied, apply
from reviewqueue.queues.policies import policy_of
from reviewqueue.transaction import SYSTEM, Actor
from tests.queues.examples import CONTRACT_DOCUMENT, OFFICE
from tests.support.making import make_calendar, make_person


def change(db: Database, by: Caller = SYSTEM_CALLER, **keys: Any) -> Applied:
    return apply(db, by, {"queue": "receipts", **keys})


def caller_of(person: Person, **more: Any) -> Caller:
    actor = Actor("person", str(person.id), person.name)
    return Caller(actor, person.id, person.email, person.is_admin, person.is_auditor, **more)


def app_caller(*scopes: Scope, queues: frozenset[str] | None = None) -> Caller:
    from uuid_utils.compat import uuid7

    return Caller(Actor("app", "1", "loader"), scopes=frozenset(scopes), queues=queues, key_id=uuid7())


def events(db: Database) -> list[tuple[str, Any]]:
    """Type and body of all events in their order of recording."""
    import orjson

    with db.reading() as session:
        rows = session.execute(
            sa.select(Event.type, EventContent.body)
            .join(EventContent, EventContent.event_id == Event.id)
            .order_by(Event.id)
        ).all()
        return [(type_, orjson.loads(body)) for type_, body in rows]


def types(db: Database) -> list[str]:
    return [type_ for type_, _ in events(db)]


def roles_of(db: Database, person: Person, queue: str = "receipts") -> frozenset[Role]:
    with db.reading() as session:
        queue_id = session.scalars(sa.select(Queue.id).where(Queue.name == queue)).one()
        return access_of(session, caller_of(person)).roles.get(queue_id, frozenset())


def test_a_new_document_makes_the_queue_its_first_policy_and_the_teams_it_names(db: Database) -> None:
    make_calendar(db, OFFICE, request_id="req-1")
    applied = apply(db, SYSTEM_CALLER, CONTRACT_DOCUMENT, request_id="req-1")
    assert (applied.queue, applied.created, applied.policy_version) == ("receipt-extraction", True, 1)
    document, version = queries.get_document(db, SYSTEM_CALLER, "receipt-extraction")
    assert version == 1
    assert document == parse(CONTRACT_DOCUMENT).as_dict()
    with db.reading() as session:
        assert session.scalars(sa.select(Team.slug)).all() == ["clerks"]
        queue = session.scalars(sa.select(Queue)).one()
        assert policy_of(session, queue.policy_id).version == 1
    assert sorted(types(db)) == [
        "calendar.published", "person.team_created", "policy.published", "queue.created", "queue.role_granted",
    ]  # fmt: skip
    assert {body["request_id"] for _, body in events(db)} == {"req-1"}


def test_the_same_document_again_changes_nothing_and_records_nothing(db: Database) -> None:
    make_calendar(db, OFFICE)
    apply(db, SYSTEM_CALLER, CONTRACT_DOCUMENT)
    recorded = types(db)
    again = apply(db, SYSTEM_CALLER, parse(CONTRACT_DOCUMENT).as_dict())
    assert (again.created, again.policy_version) == (False, 1)
    assert again.changes == []
    assert types(db) == recorded


def test_a_changed_policy_becomes_the_next_version_and_the_old_one_stays(
    db: Database, clock: MovableClock
) -> None:
    change(db, policy={"lanes": {"autonomous_at": 0.9}})
    clock.move(days=1)
    applied = change(db, policy={"lanes": {"autonomous_at": 0.95}})
    assert applied.policy_version == 2
    assert applied.changes == ["policy.lanes.autonomous_at: 0.9 → 0.95"]
    first = queries.get_version(db, SYSTEM_CALLER, "receipts", 1)
    second = queries.get_version(db, SYSTEM_CALLER, "receipts", 2)
    assert first.document["policy"]["lanes"]["autonomous_at"] == 0.9
    assert (first.version.in_force, second.version.in_force) == (False, True)
    assert second.version.published_at == clock.now()
    type_, body = events(db)[-1]
    assert type_ == "policy.published"
    assert (body["data"]["version"], body["data"]["changes"]) == (2, applied.changes)


def test_a_change_of_the_queue_alone_publishes_no_policy(db: Database) -> None:
    change(db, title="Receipts")
    applied = change(db, title="Receipts and invoices", stage="production")
    assert applied.policy_version == 1
    assert applied.changes == ['title: "Receipts" → "Receipts and invoices"', 'stage: "mvp" → "production"']
    with db.reading() as session:
        queue = session.scalars(sa.select(Queue)).one()
        assert (queue.title, queue.stage) == ("Receipts and invoices", "production")
    assert types(db) == ["queue.created", "policy.published", "queue.changed"]


def test_members_get_their_roles_and_lose_them_when_no_longer_named(db: Database) -> None:
    ana, ben = make_person(db, "ana@example.org"), make_person(db, "ben@example.org")
    change(db, members={"reviewer": ["ana@example.org", "ben@example.org"], "lead": ["ana@example.org"]})
    assert roles_of(db, ana) == {Role.REVIEWER, Role.LEAD}
    assert roles_of(db, ben) == {Role.REVIEWER}
    applied = change(db, members={"reviewer": ["ben@example.org"]})
    assert roles_of(db, ana) == frozenset()
    assert roles_of(db, ben) == {Role.REVIEWER}
    assert "members.lead: ana@example.org no longer holds the role" in applied.changes
    assert types(db).count("queue.role_revoked") == 2


def test_a_team_that_is_named_gives_its_members_the_role(db: Database) -> None:
    change(db, members={"lead": ["team:clerks"]})
    ana = make_person(db, "ana@example.org")
    assert roles_of(db, ana) == frozenset()
    with db.transaction(SYSTEM) as tx:
        team = tx.session.scalars(sa.select(Team)).one()
        tx.session.add(TeamMember(team_id=team.id, person_id=ana.id))
    assert roles_of(db, ana) == {Role.LEAD}


def test_a_role_given_in_another_way_survives_a_document_that_never_named_it(db: Database) -> None:
    change(db)
    with db.reading() as session:
        queue = session.scalars(sa.select(Queue)).one()
    ana = make_person(db, "ana@example.org", queue, "lead")
    change(db, title="Something else")
    assert roles_of(db, ana) == {Role.LEAD}


def test_a_person_named_before_they_exist_gets_the_role_when_they_are_added(db: Database) -> None:
    applied = change(db, members={"manager": ["late@example.org"]})
    assert applied.warnings[0] == (
        "members.manager: nobody has the address late@example.org yet; add the person to give the role"
    )
    with db.transaction(SYSTEM) as tx:
        late = persons.add(tx, email="late@example.org", name="Late")
    assert roles_of(db, late) == {Role.MANAGER}
    assert types(db)[-2:] == ["person.added", "queue.role_granted"]


def test_applying_again_gives_the_role_to_whoever_was_added_since(db: Database) -> None:
    change(db, members={"manager": ["late@example.org"]})
    late = make_person(db, "late@example.org")
    assert change(db, members={"manager": ["late@example.org"]}).changes == [
        "members.manager: late@example.org now holds the role"
    ]
    assert roles_of(db, late) == {Role.MANAGER}


def test_a_manager_changes_the_queue_and_a_lead_does_not(db: Database) -> None:
    boss, lead = make_person(db, "boss@example.org"), make_person(db, "lead@example.org")
    members = {"manager": ["boss@example.org"], "lead": ["lead@example.org"]}
    change(db, members=members)
    assert change(db, caller_of(boss), members=members, title="By the boss").changes
    with pytest.raises(Forbidden):
        change(db, caller_of(lead), members=members, title="By the lead")


def test_an_admin_creates_and_changes_queues_without_a_role_in_them(db: Database) -> None:
    admin = make_person(db, "admin@example.org")
    admin.is_admin = True
    assert change(db, caller_of(admin)).created
    assert change(db, caller_of(admin), title="By the admin").changes
    scopes = frozenset({Scope.ITEMS_WRITE})
    with pytest.raises(Forbidden):
        change(db, caller_of(admin, scopes=scopes), title="By a key without the scope")


def test_who_has_no_role_is_told_that_there_is_no_such_queue(db: Database) -> None:
    change(db)
    stranger = make_person(db, "stranger@example.org")
    with pytest.raises(NoSuchQueue):
        change(db, caller_of(stranger), title="Mine now")
    with pytest.raises(NoSuchQueue):
        apply(db, caller_of(stranger), {"queue": "unheard-of"})
    with pytest.raises(NoSuchQueue):
        queries.get_document(db, caller_of(stranger), "receipts")
    assert queries.list_queues(db, caller_of(stranger)) == ([], False)


def test_a_key_creates_queues_with_the_right_scope_and_within_its_reach(db: Database) -> None:
    assert change(db, app_caller(Scope.QUEUES_WRITE)).created
    with pytest.raises(Forbidden):
        apply(db, app_caller(Scope.ITEMS_WRITE), {"queue": "other"})
    narrow = app_caller(Scope.QUEUES_WRITE, queues=frozenset({"other"}))
    assert apply(db, narrow, {"queue": "other"}).created
    with pytest.raises(NoSuchQueue):
        apply(db, narrow, {"queue": "third"})
    with pytest.raises(NoSuchQueue):
        change(db, narrow, title="Out of reach")


def test_a_document_that_is_refused_leaves_nothing_behind(db: Database) -> None:
    with pytest.raises(InvalidDocument) as refused:
        change(db, policy={"lanes": {"autonomus_at": 0.9}})
    assert refused.value.faults[0].pointer == "/policy/lanes/autonomus_at"
    with db.reading() as session:
        assert session.scalars(sa.select(Queue)).all() == []
    assert types(db) == []


def test_two_who_create_the_same_queue_at_once_make_one(db: Database) -> None:
    results: list[Applied] = []
    barrier = threading.Barrier(6)

    def create() -> None:
        barrier.wait()
        results.append(change(db, members={"lead": ["team:clerks"]}, policy={"audit_sample": 0.5}))

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(result.created for result in results) == [False] * 5 + [True]
    with db.reading() as session:
        assert len(session.scalars(sa.select(Queue)).all()) == 1
        assert len(session.scalars(sa.select(PolicyVersion)).all()) == 1
        assert len(session.scalars(sa.select(Team)).all()) == 1


def test_versions_are_numbered_without_gaps_when_many_change_at_once(db: Database) -> None:
    change(db)
    barrier = threading.Barrier(6)

    def raise_bar(number: int) -> None:
        barrier.wait()
        change(db, policy={"audit_sample": number / 10})

    threads = [threading.Thread(target=raise_bar, args=(number,)) for number in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    versions, more = queries.list_versions(db, SYSTEM_CALLER, "receipts")
    assert [version.version for version in versions] == [7, 6, 5, 4, 3, 2, 1]
    assert [version.in_force for version in versions] == [True] + [False] * 6
    assert not more
