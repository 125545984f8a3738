"""What is done with persons, teams and roles: load, permit, call the verb, inside one transaction."""

from __future__ import annotations

import uuid

import sqlalchemy as sa

from reviewqueue.audit.events import EventType
from reviewqueue.db import Database
from reviewqueue.errors import Conflict, Fault, Invalid, NotFound
from reviewqueue.people import links, members, passwords, persons
from reviewqueue.people.access import Action, access_of, no_such_queue
from reviewqueue.people.callers import Caller
from reviewqueue.people.forms import Grant, NewPassword, NewPerson, NewTeam, Preferences
from reviewqueue.people.models import Person, Role, Team, TeamMember
from reviewqueue.people.sessions import Viewer
from reviewqueue.people.signing_in import Arrival, count_attempt, forget_attempts
from reviewqueue.transaction import Transaction


def add_person(
    db: Database,
    caller: Caller,
    form: NewPerson,
    *,
    password: str | None = None,
    roles: list[tuple[Role, str]] | None = None,
    request_id: str | None = None,
) -> str | None:
    """Adds a person with roles in queues, (role, queue) each. Returns the token of their link, or None with a password.

    Raises Forbidden, Conflict for an address that is taken, NoSuchQueue, and Invalid for a bad password.
    """
    password_hash = passwords.hash_of(password, email=form.email) if password is not None else None
    with db.transaction(caller.actor, request_id) as tx:
        access_of(tx.session, caller).require_admin()
        person = persons.add(tx, **form.model_dump())
        for role, queue in roles or []:
            members.grant(tx, _queue(tx, queue), role, person.email, person)
        if password_hash is None:
            return links.new_link(tx, person)
        persons.set_password(tx, person, password_hash)
        return None


def disable_person(db: Database, caller: Caller, email: str, request_id: str | None = None) -> None:
    """Raises Forbidden, NotFound, and Conflict for the last admin."""
    with db.transaction(caller.actor, request_id) as tx:
        access_of(tx.session, caller).require_admin()
        persons.disable(tx, persons.by_email(tx.session, email))


def enable_person(db: Database, caller: Caller, email: str, request_id: str | None = None) -> None:
    """Raises Forbidden and NotFound."""
    with db.transaction(caller.actor, request_id) as tx:
        access_of(tx.session, caller).require_admin()
        persons.enable(tx, persons.by_email(tx.session, email))


def change_password(db: Database, viewer: Viewer, form: NewPassword, arrival: Arrival) -> None:
    """Sets one's own password and signs out every other browser.

    Raises Invalid when the current password is wrong or the new one is not accepted, and TooManyRequests: whoever
    finds an open browser must not try passwords here.
    """
    with db.transaction(viewer.caller.actor, arrival.request_id) as tx:
        count_attempt(tx, viewer.email, arrival)
    with db.reading() as session:
        kept = persons.by_id(session, viewer.person_id).password_hash
    if not passwords.matches(form.current, kept):
        raise Invalid("The current password is wrong.", faults=[Fault("/current", "is wrong")])
    password_hash = passwords.hash_of(form.password, email=viewer.email)
    with db.transaction(viewer.caller.actor, arrival.request_id) as tx:
        forget_attempts(tx, viewer.email, arrival)
        person = persons.by_id(tx.session, viewer.person_id)
        persons.set_password(tx, person, password_hash, keep=viewer.session_hash)


def set_preferences(db: Database, viewer: Viewer, form: Preferences, request_id: str | None = None) -> None:
    with db.transaction(viewer.caller.actor, request_id) as tx:
        person = persons.by_id(tx.session, viewer.person_id)
        persons.change(tx, person, preferences={**person.preferences, **form.model_dump()})


def create_team(db: Database, caller: Caller, form: NewTeam, request_id: str | None = None) -> None:
    """Raises Forbidden, and Conflict for a slug that is taken."""
    with db.transaction(caller.actor, request_id) as tx:
        access_of(tx.session, caller).require_admin()
        if tx.session.scalar(sa.select(Team.id).where(Team.slug == form.slug)):
            raise Conflict(f"There is a team {form.slug} already.")
        team = Team(slug=form.slug, name=form.name, created_at=tx.now)
        tx.session.add(team)
        tx.session.flush()
        tx.trail.record(team, EventType.TEAM_CREATED, {"team": form.slug, "name": form.name})


def add_to_team(db: Database, caller: Caller, slug: str, email: str, request_id: str | None = None) -> None:
    """Raises Forbidden and NotFound. Does nothing where the person is in the team already."""
    with db.transaction(caller.actor, request_id) as tx:
        access_of(tx.session, caller).require_admin()
        team, person = _team(tx, slug), persons.by_email(tx.session, email)
        if tx.session.get(TeamMember, (team.id, person.id)) is None:
            tx.session.add(TeamMember(team_id=team.id, person_id=person.id))
            _record_team(tx, team, added=person)


def remove_from_team(
    db: Database, caller: Caller, slug: str, email: str, request_id: str | None = None
) -> None:
    """Raises Forbidden and NotFound. Does nothing where the person is not in the team."""
    with db.transaction(caller.actor, request_id) as tx:
        access_of(tx.session, caller).require_admin()
        team, person = _team(tx, slug), persons.by_email(tx.session, email)
        if (member := tx.session.get(TeamMember, (team.id, person.id))) is not None:
            tx.session.delete(member)
            _record_team(tx, team, removed=person)


def grant_role(db: Database, caller: Caller, queue: str, form: Grant, request_id: str | None = None) -> None:
    """Raises NoSuchQueue, Forbidden, and NotFound for a holder that does not exist."""
    with db.transaction(caller.actor, request_id) as tx:
        place = _permitted_queue(tx, caller, queue)
        members.grant(tx, place, form.role, form.holder, members.find(tx, form.holder))


def revoke_role(db: Database, caller: Caller, queue: str, form: Grant, request_id: str | None = None) -> None:
    """Raises NoSuchQueue, Forbidden, and NotFound for a holder that does not exist."""
    with db.transaction(caller.actor, request_id) as tx:
        place = _permitted_queue(tx, caller, queue)
        members.revoke(tx, place, form.role, form.holder, members.find(tx, form.holder))


def _permitted_queue(tx: Transaction, caller: Caller, queue: str) -> members.QueueNamed:
    place = _queue(tx, queue)
    access_of(tx.session, caller).require(Action.MANAGE_MEMBERS, place.id, place.name)
    return place


def _queue(tx: Transaction, name: str) -> members.QueueNamed:
    if (queue := members.queue_named(tx, name)) is None:
        raise no_such_queue(name)
    return queue


def _team(tx: Transaction, slug: str) -> Team:
    if (team := tx.session.scalar(sa.select(Team).where(Team.slug == slug))) is None:
        raise NotFound(f"There is no team {slug}.")
    return team


def _record_team(tx: Transaction, team: Team, **changed: Person) -> None:
    who: dict[str, str | uuid.UUID] = {how: person.email for how, person in changed.items()}
    tx.trail.record(team, EventType.TEAM_CHANGED, {"team": team.slug, **who})
