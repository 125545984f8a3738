"""Fills a fresh database as if the demo's app had been sending since yesterday and nobody had looked yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ..audit.ordering import order_events
from ..clock import MovableClock
from ..db import Database
from ..escalation.operations import fire_due
from ..insights.sampling import QUARTER, quarter_of, sample_backlog
from ..items.operations import enqueue_batch
from ..migrating import upgrade
from ..people import passwords, persons
from ..people.access import SYSTEM_CALLER, Caller
from ..people.forms import NewKey, NewTeam
from ..people.key_operations import create_key
from ..people.keys import authenticate
from ..people.models import Scope
from ..people.operations import add_to_team, create_team
from ..queues.operations import apply
from ..transaction import SYSTEM
from .arrivals import DATA, before

QUEUES = DATA.parent / "queues"
SET_UP_BEFORE = timedelta(hours=27)
"""When queues and persons were made: before the first output came."""
TEAMS = {"clerks": "reviewer@example.org", "leads": "lead@example.org"}


@dataclass(frozen=True, slots=True)
class DemoPerson:
    email: str
    role: str
    can: str
    """What signing in as this person shows, in a few words."""
    is_admin: bool = False


PERSONS = (
    DemoPerson("reviewer@example.org", "Reviewer", "decides what waits"),
    DemoPerson("lead@example.org", "Lead", "takes what escalated, reopens, assigns"),
    DemoPerson("manager@example.org", "Manager", "watches the backlog, edits the policies"),
    DemoPerson("admin@example.org", "Admin", "keeps persons, teams and keys", is_admin=True),
)


def fill(url: str, now: datetime, password: str) -> str:
    """Makes queues, persons and the history up to `now` in an empty database; returns the app's key."""
    clock = MovableClock(now - SET_UP_BEFORE)
    db = Database(url, clock)
    sa.event.listen(db.engine, "connect", _without_waiting_for_the_disk)
    try:
        upgrade(db)
        _add_people(db, password)
        for document in sorted(QUEUES.glob("*.yaml")):
            apply(db, SYSTEM_CALLER, document.read_bytes())
        key = create_key(db, SYSTEM_CALLER, NewKey(name="Demo app", scopes=[Scope.ITEMS_WRITE]))
        with db.reading() as session:
            app = authenticate(session, key)
        _let_time_pass(db, clock, app, until=now)
        order_events(db)
        sample_backlog(db)
    finally:
        db.dispose()
    return key


def _without_waiting_for_the_disk(connection: Any, _record: object) -> None:
    """A demo that is cut off while it fills begins anew anyway."""
    connection.execute("PRAGMA synchronous = OFF")


def _add_people(db: Database, password: str) -> None:
    # Hashed once: it is slow on purpose, and all four have the same.
    password_hash = passwords.hash_of(password)
    with db.transaction(SYSTEM) as tx:
        for person in PERSONS:
            added = persons.add(tx, email=person.email, name=person.role, is_admin=person.is_admin)
            persons.set_password(tx, added, password_hash)
    for team, email in TEAMS.items():
        create_team(db, SYSTEM_CALLER, NewTeam(slug=team, name=team.capitalize()))
        add_to_team(db, SYSTEM_CALLER, team, email)


def _let_time_pass(db: Database, clock: MovableClock, app: Caller, until: datetime) -> None:
    for tick in before(until):
        _sample_up_to(db, clock, tick.at)
        clock.set(tick.at)
        if tick.bodies:
            enqueue_batch(db, app, tick.bodies)
        fire_due(db)


def _sample_up_to(db: Database, clock: MovableClock, at: datetime) -> None:
    """Writes the backlog's figures down at each quarter of an hour, as a worker does: the trends need yesterday's."""
    while (quarter := quarter_of(clock.now()) + QUARTER) <= at:
        clock.set(quarter)
        sample_backlog(db)
