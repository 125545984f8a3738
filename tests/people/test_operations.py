"""Persons, teams and roles: who may change them, and that each change is on the trail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from reviewqueue.db import Database
from reviewqueue.errors import Conflict, Forbidden, Invalid, NoSuchQueue, NotFound
from reviewqueue.people import forms, operations, queries
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.people.callers import Caller
from reviewqueue.people.forms import Grant, NewPerson, NewTeam
from reviewqueue.people.models import Person, Role
from reviewqueue.people.queries import RoleRow
from reviewqueue.transaction import Actor
from tests.support.making import make_person, make_queue

MANAGER, REVIEWER = (Grant(holder="bo@example.org", role=role) for role in (Role.MANAGER, Role.REVIEWER))


def add(db: Database, email: str = "ada@example.org", **more: Any) -> None:
    operations.add_person(db, SYSTEM_CALLER, NewPerson(email=email, name="Ada", **more))


def caller_of(person: Person) -> Caller:
    return Caller(Actor("person", str(person.id), person.name), person.id, person.email)


def row(db: Database, email: str) -> queries.PersonRow:
    with db.reading() as session:
        return queries.person(session, email)


def types(db: Database) -> list[str]:
    with db.reading() as session:
        return list(session.scalars(sa.text("SELECT type FROM event ORDER BY id")))


def test_an_address_belongs_to_one_person_however_it_is_written(db: Database) -> None:
    add(db, "Ada@Example.org")
    assert row(db, "ada@example.org").name == "Ada"
    with pytest.raises(Conflict):
        add(db, " ADA@example.org")


def test_roles_given_at_once_must_be_of_queues_that_exist_and_leave_nothing_behind_otherwise(
    db: Database,
) -> None:
    make_queue(db, "receipts")
    form = NewPerson(email="ada@example.org", name="Ada")
    with pytest.raises(NoSuchQueue):
        operations.add_person(db, SYSTEM_CALLER, form, roles=[(Role.LEAD, "receipts"), (Role.LEAD, "nope")])
    operations.add_person(db, SYSTEM_CALLER, form, roles=[(Role.LEAD, "receipts")])
    assert row(db, "ada@example.org").roles == (RoleRow("receipts", "lead"),)


def test_a_new_person_takes_the_roles_that_a_document_has_ready(db: Database) -> None:
    make_queue(db, "receipts", members={"lead": ["ada@example.org"], "reviewer": ["bo@example.org"]})
    make_queue(db, "letters", members={"manager": ["not-ada@example.org"]})
    add(db)
    assert row(db, "ada@example.org").roles == (RoleRow("receipts", "lead"),)


def test_the_last_admin_cannot_be_disabled(db: Database) -> None:
    add(db, is_admin=True)
    with pytest.raises(Conflict, match="last admin"):
        operations.disable_person(db, SYSTEM_CALLER, "ada@example.org")
    add(db, "bo@example.org", is_admin=True)
    operations.disable_person(db, SYSTEM_CALLER, "ada@example.org")
    operations.disable_person(db, SYSTEM_CALLER, "ada@example.org")
    assert types(db).count("person.disabled") == 1


def test_roles_are_granted_once_and_revoked(db: Database) -> None:
    make_queue(db, "receipts")
    add(db, "bo@example.org")
    for _ in range(2):
        operations.grant_role(db, SYSTEM_CALLER, "receipts", MANAGER)
    assert row(db, "bo@example.org").roles == (RoleRow("receipts", "manager"),)
    for _ in range(2):
        operations.revoke_role(db, SYSTEM_CALLER, "receipts", MANAGER)
    assert row(db, "bo@example.org").roles == ()
    assert types(db)[-2:] == ["queue.role_granted", "queue.role_revoked"]


def test_teams_hold_roles_for_everyone_in_them(db: Database) -> None:
    make_queue(db, "receipts")
    add(db)
    operations.create_team(db, SYSTEM_CALLER, NewTeam(slug="clerks", name="Clerks"))
    operations.grant_role(db, SYSTEM_CALLER, "receipts", Grant(holder="team:clerks", role=Role.REVIEWER))
    for _ in range(2):
        operations.add_to_team(db, SYSTEM_CALLER, "clerks", "ada@example.org")
    assert row(db, "ada@example.org").roles == (RoleRow("receipts", "reviewer", "clerks"),)
    for _ in range(2):
        operations.remove_from_team(db, SYSTEM_CALLER, "clerks", "ada@example.org")
    assert row(db, "ada@example.org").roles == ()
    assert types(db)[-2:] == ["person.team_changed", "person.team_changed"]
    with pytest.raises(Conflict):
        operations.create_team(db, SYSTEM_CALLER, NewTeam(slug="clerks", name="Others"))


def test_a_manager_manages_the_members_of_their_own_queue_alone(db: Database) -> None:
    receipts = make_queue(db, "receipts")
    make_queue(db, "letters")
    make_person(db, "bo@example.org")
    manager = caller_of(make_person(db, "mia@example.org", receipts, "manager"))
    operations.grant_role(db, manager, "receipts", REVIEWER)
    with pytest.raises(NoSuchQueue):
        operations.grant_role(db, manager, "letters", REVIEWER)
    with pytest.raises(NoSuchQueue):
        operations.grant_role(db, manager, "nowhere", REVIEWER)
    lead = caller_of(make_person(db, "lea@example.org", receipts, "lead"))
    with pytest.raises(Forbidden):
        operations.grant_role(db, lead, "receipts", REVIEWER)
    with pytest.raises(NotFound):
        operations.grant_role(db, manager, "receipts", Grant(holder="team:nobody", role=Role.LEAD))


@pytest.mark.parametrize(
    "operation",
    [
        lambda db, caller: operations.add_person(db, caller, NewPerson(email="x@example.org", name="X")),
        lambda db, caller: operations.disable_person(db, caller, "mia@example.org"),
        lambda db, caller: operations.enable_person(db, caller, "mia@example.org"),
        lambda db, caller: operations.create_team(db, caller, NewTeam(slug="x", name="X")),
        lambda db, caller: operations.add_to_team(db, caller, "x", "mia@example.org"),
        lambda db, caller: operations.remove_from_team(db, caller, "x", "mia@example.org"),
    ],
    ids=["add", "disable", "enable", "create team", "add to team", "remove from team"],
)
def test_a_manager_is_no_admin(db: Database, operation: Callable[[Database, Caller], object]) -> None:
    manager = caller_of(make_person(db, "mia@example.org", make_queue(db, "receipts"), "manager"))
    before = types(db)
    with pytest.raises(Forbidden):
        operation(db, manager)
    assert types(db) == before


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"email": "no address", "name": "X"}, "/email"),
        ({"email": "a@b, c@d", "name": "X"}, "/email"),
        ({"email": "a" * 250 + "@b.org", "name": "X"}, "/email"),
        ({"email": "a@b.org", "name": "  "}, "/name"),
        ({"email": "a@b.org", "name": "X\x00Y"}, "/name"),
        ({"email": "a@b.org", "name": "x" * 121}, "/name"),
        ({"email": "a@b.org", "name": "X", "is_root": True}, "/is_root"),
    ],
)
def test_a_form_says_which_field_is_wrong(given: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        forms.read(NewPerson, given)
    assert [fault.pointer for fault in refused.value.faults] == [field]
