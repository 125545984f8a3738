"""Who may do what: the table of roles written out again by hand, and what a key's limits take from it."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from reviewqueue.db import Database
from reviewqueue.errors import Forbidden, NoSuchQueue
from reviewqueue.people.access import SYSTEM_CALLER, Access, Action, access_of
from reviewqueue.people.callers import Caller
from reviewqueue.people.models import Membership, Person, Role, Scope
from reviewqueue.queues.models import Queue
from reviewqueue.transaction import SYSTEM, Actor
from tests.support.making import make_person, make_queue, make_team

ALL_SCOPES = frozenset(Scope)

# From the table of roles: r reviewer, l lead, m manager, u auditor, a admin, k an app's key.
TABLE = {
    Action.SEE: "r l m u a k",
    Action.CLAIM: "r l m",
    Action.REVIEW: "r l m",
    Action.COMMENT: "r l m",
    Action.SNOOZE: "r l m",
    Action.ESCALATE: "r l m",
    Action.ACKNOWLEDGE: "r l m a",
    Action.DEESCALATE: "l m",
    Action.ADJUDICATE: "l m",
    Action.REOPEN: "l m",
    Action.RECALL: "l m",
    Action.ASSIGN: "l m",
    Action.RELEASE_OTHERS_CLAIM: "l m",
    Action.BULK_DECIDE: "l m",
    Action.FOLLOW_EVENTS: "l m u k",
    Action.SEE_BACKLOG: "m u k",
    Action.EDIT_POLICY: "m a k",
    Action.MANAGE_MEMBERS: "m a k",
    Action.ENQUEUE: "k",
    Action.WITHDRAW: "k",
}
LETTERS = {"r": Role.REVIEWER, "l": Role.LEAD, "m": Role.MANAGER, "u": Role.AUDITOR}
QUEUE, OTHER = 1, 2


def caller_of(person: Person, **more: object) -> Caller:
    actor = Actor("person", str(person.id), person.name)
    caller = Caller(actor, person.id, person.email, person.is_admin, person.is_auditor)
    return Caller(**{**{f: getattr(caller, f) for f in Caller.__dataclass_fields__}, **more})


def app_key(scopes: frozenset[Scope] = ALL_SCOPES, queues: frozenset[str] | None = None) -> Caller:
    return Caller(Actor("app", "1", "an app"), scopes=scopes, queues=queues, key_id=uuid.uuid4())


def access_by_letter(letter: str) -> Access:
    if letter == "k":
        return Access(app_key())
    someone = Caller(Actor("person", "1", "Ada"), uuid.uuid4(), "ada@example.org", is_admin=letter == "a")
    return Access(someone, {QUEUE: frozenset({LETTERS[letter]})} if letter in LETTERS else {})


def test_the_table_names_every_action() -> None:
    assert set(TABLE) == set(Action)


@pytest.mark.parametrize("letter", "r l m u a k".split())
@pytest.mark.parametrize("action", list(Action))
def test_each_role_may_what_the_table_says(action: Action, letter: str) -> None:
    access = access_by_letter(letter)
    allowed = letter in TABLE[action].split()
    assert access.may(action, QUEUE) is allowed
    if allowed:
        access.require(action, QUEUE, "receipts")
    else:
        with pytest.raises(Forbidden):
            access.require(action, QUEUE, "receipts")


@pytest.mark.parametrize("letter", "r l m".split())
@pytest.mark.parametrize("action", list(Action))
def test_a_queue_without_a_role_does_not_exist(action: Action, letter: str) -> None:
    access = access_by_letter(letter)
    assert not access.may(action, OTHER)
    with pytest.raises(NoSuchQueue):
        access.require(action, OTHER, "secret")


@pytest.mark.parametrize("action", list(Action))
def test_the_commands_of_the_machine_may_do_everything(action: Action) -> None:
    Access(SYSTEM_CALLER).require(action, QUEUE, "receipts")
    assert Access(SYSTEM_CALLER).queue_ids_for(action) is None


@pytest.mark.parametrize("missing", list(Scope))
@pytest.mark.parametrize("action", list(Action))
def test_a_key_of_a_person_needs_role_and_scope(action: Action, missing: Scope) -> None:
    """A manager's key may whatever a manager or an app may, less what its scopes lack."""
    needed = {
        Action.SEE: Scope.ITEMS_READ,
        Action.SEE_BACKLOG: Scope.ITEMS_READ,
        Action.ENQUEUE: Scope.ITEMS_WRITE,
        Action.WITHDRAW: Scope.ITEMS_WRITE,
        Action.FOLLOW_EVENTS: Scope.EVENTS_READ,
        Action.EDIT_POLICY: Scope.QUEUES_WRITE,
        Action.MANAGE_MEMBERS: Scope.QUEUES_WRITE,
    }.get(action, Scope.DECISIONS_WRITE)
    key = Caller(
        Actor("person", "1", "Ada"), uuid.uuid4(), "a@b", scopes=ALL_SCOPES - {missing}, key_id=uuid.uuid4()
    )
    access = Access(key, {QUEUE: frozenset({Role.MANAGER})})
    assert access.may(action, QUEUE) is (needed != missing)
    if needed == missing:
        with pytest.raises(Forbidden, match=missing.value):
            access.require(action, QUEUE, "receipts")


def test_a_key_that_belongs_to_nobody_is_told_why_it_may_not_decide() -> None:
    with pytest.raises(Forbidden, match="need a key that belongs to a person"):
        Access(app_key()).require(Action.REVIEW, QUEUE, "receipts")


def test_no_key_manages_people_not_even_an_admins() -> None:
    admin = Caller(Actor("person", "1", "Ada"), uuid.uuid4(), "a@b", is_admin=True)
    Access(admin).require_admin()
    key = Caller(admin.actor, admin.person_id, "a@b", is_admin=True, scopes=ALL_SCOPES, key_id=uuid.uuid4())
    for refused in (key, app_key(), Caller(Actor("person", "2", "Bo"), uuid.uuid4(), "b@b")):
        with pytest.raises(Forbidden):
            Access(refused).require_admin()


def test_queues_are_created_by_admins_and_by_keys_that_serve_the_name() -> None:
    admin = Caller(Actor("person", "1", "Ada"), uuid.uuid4(), "a@b", is_admin=True)
    Access(admin).require_new_queue("new")
    Access(app_key(queues=frozenset({"new"}))).require_new_queue("new")
    with pytest.raises(NoSuchQueue):
        Access(app_key(queues=frozenset({"old"}))).require_new_queue("new")
    with pytest.raises(Forbidden):
        Access(app_key(frozenset({Scope.ITEMS_WRITE}))).require_new_queue("new")
    with pytest.raises(NoSuchQueue):
        Access(Caller(Actor("person", "2", "Bo"), uuid.uuid4(), "b@b")).require_new_queue("new")


@pytest.fixture
def receipts(db: Database) -> Queue:
    return make_queue(db, "receipts")


@pytest.fixture
def letters(db: Database) -> Queue:
    return make_queue(db, "letters")


def loaded(db: Database, caller: Caller) -> Access:
    with db.reading() as session:
        return access_of(session, caller)


def test_roles_count_directly_and_through_teams(db: Database, receipts: Queue, letters: Queue) -> None:
    ada = make_person(db, "ada@example.org", receipts, "reviewer")
    clerks = make_team(db, "clerks", ada)
    with db.transaction(SYSTEM) as tx:
        tx.session.add(Membership(queue_id=receipts.id, role="lead", team_id=clerks.id))
        tx.session.add(Membership(queue_id=letters.id, role="manager", team_id=clerks.id))
    access = loaded(db, caller_of(ada))
    assert access.role_in(receipts.id) is Role.LEAD
    assert access.role_in(letters.id) is Role.MANAGER
    assert access.visible_queue_ids == frozenset({receipts.id, letters.id})
    assert access.assignees == ("ada@example.org", "team:clerks")
    assert access.queue_ids_for(Action.SEE_BACKLOG) == frozenset({letters.id})


def test_a_role_does_not_reach_into_another_queue(db: Database, receipts: Queue, letters: Queue) -> None:
    access = loaded(db, caller_of(make_person(db, "ada@example.org", receipts, "manager")))
    assert access.visible_queue_ids == frozenset({receipts.id})
    assert access.role_in(letters.id) is None


def test_being_an_auditor_of_a_queue_decides_nothing(db: Database, receipts: Queue) -> None:
    access = loaded(db, caller_of(make_person(db, "eve@example.org", receipts, "auditor")))
    assert access.role_in(receipts.id) is None
    assert access.may(Action.SEE, receipts.id)
    assert not access.may(Action.CLAIM, receipts.id)


def test_an_auditor_and_an_admin_see_every_queue(db: Database, receipts: Queue) -> None:
    person = make_person(db, "eve@example.org")
    for flag in ("is_admin", "is_auditor"):
        access = loaded(db, caller_of(person, **{flag: True}))
        assert access.visible_queue_ids is None
        assert access.queue_ids_for(Action.SEE) is None
        assert access.queue_ids_for(Action.CLAIM) == frozenset()


@pytest.mark.parametrize("of_a_person", [False, True])
def test_a_key_reaches_its_queues_alone(
    db: Database, receipts: Queue, letters: Queue, of_a_person: bool
) -> None:
    key = app_key(queues=frozenset({"receipts", "not-there-yet"}))
    if of_a_person:
        ada = make_person(db, "ada@example.org", receipts)
        with db.transaction(SYSTEM) as tx:
            tx.session.add(Membership(queue_id=letters.id, role="manager", person_id=ada.id))
        key = caller_of(ada, scopes=ALL_SCOPES, queues=key.queues, key_id=key.key_id)
    access = loaded(db, key)
    assert access.visible_queue_ids == frozenset({receipts.id})
    access.require(Action.ENQUEUE, receipts.id, "receipts")
    with pytest.raises(NoSuchQueue):
        access.require(Action.SEE, letters.id, "letters")


def test_an_admins_key_is_held_to_its_queues_too(db: Database, receipts: Queue, letters: Queue) -> None:
    admin = make_person(db, "ada@example.org")
    key = caller_of(
        admin, is_admin=True, scopes=ALL_SCOPES, queues=frozenset({"letters"}), key_id=uuid.uuid4()
    )
    assert loaded(db, key).visible_queue_ids == frozenset({letters.id})


@pytest.mark.parametrize(
    ("caller", "queries"),
    [
        (lambda person: SYSTEM_CALLER, 0),
        (lambda person: app_key(), 0),
        (lambda person: app_key(queues=frozenset({"receipts"})), 1),
        (caller_of, 1),
    ],
    ids=["system", "key", "limited key", "person"],
)
def test_access_costs_one_query_at_most(
    db: Database, receipts: Queue, caller: Callable[[Person], Caller], queries: int
) -> None:
    person = make_person(db, "ada@example.org", receipts)
    asked: list[str] = []
    with db.reading() as session:
        session.connection()
        sa.event.listen(
            db.engine, "before_cursor_execute", lambda _c, _cur, sql, *_: asked.append(sql), named=False
        )
        access_of(session, caller(person))
    assert len(asked) == queries
