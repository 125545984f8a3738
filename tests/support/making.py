"""Makes queues, people and items in a database, each in a transaction of its own, through the product's verbs."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from reviewqueue.audit.events import EventType
from reviewqueue.db import Database
from reviewqueue.escalation.calendar_operations import AppliedCalendar, apply_calendar
from reviewqueue.items.claiming import Reviewer, claim
from reviewqueue.items.deciding import Fence, Judgement, decide
from reviewqueue.items.forms import EnqueueForm
from reviewqueue.items.intake import Intake, write_many
from reviewqueue.items.models import Evidence, Item
from reviewqueue.items.states import Verdict
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.people.models import Membership, Person, Team, TeamMember
from reviewqueue.queues.document import parse
from reviewqueue.queues.models import PolicyVersion, Queue
from reviewqueue.queues.opening_hours import policy_part_with_hours
from reviewqueue.queues.policies import policy_of
from reviewqueue.transaction import SYSTEM, Actor


def make_queue(db: Database, name: str = "receipts", **document: Any) -> Queue:
    """A queue whose document has the given keys, in production; its policy is version 1."""
    parsed = parse({"queue": name, "stage": "production", **document})
    with db.transaction(SYSTEM) as tx:
        policy_id = uuid7()
        queue = Queue(
            name=name,
            document=parsed.queue_part(),
            stage=parsed.stage,
            policy_id=policy_id,
            policy_version=1,
            created_at=tx.now,
        )
        tx.session.add(queue)
        tx.session.flush()
        policy = PolicyVersion(
            id=policy_id,
            queue_id=queue.id,
            version=1,
            document=policy_part_with_hours(tx.session, parsed, tx.now),
            published_at=tx.now,
            published_by="test",
        )
        tx.session.add(policy)
        tx.trail.record(queue, EventType.QUEUE_CREATED, {}, queue=name, queue_id=queue.id)
        tx.trail.record(policy, EventType.POLICY_PUBLISHED, {"version": 1}, queue=name, queue_id=queue.id)
    return queue


def make_calendar(
    db: Database, document: str | dict[str, Any], *, request_id: str | None = None
) -> AppliedCalendar:
    """Publishes the document as the next version of its calendar."""
    return apply_calendar(db, SYSTEM_CALLER, document, request_id=request_id)


def make_person(
    db: Database, email: str, queue: Queue | None = None, role: str = "reviewer", **is_: bool
) -> Person:
    """A person, with a role where a queue is given; `is_admin` and `is_auditor` may be said."""
    with db.transaction(SYSTEM) as tx:
        person = Person(email=email, name=email.partition("@")[0], created_at=tx.now, **is_)
        tx.session.add(person)
        tx.session.flush()
        tx.trail.record(person, EventType.PERSON_ADDED, {"email": email})
        if queue is not None:
            tx.session.add(Membership(queue_id=queue.id, role=role, person_id=person.id))
    return person


def make_team(db: Database, slug: str, *members: Person) -> Team:
    with db.transaction(SYSTEM) as tx:
        team = Team(slug=slug, name=slug, created_at=tx.now)
        tx.session.add(team)
        tx.session.flush()
        tx.session.add_all([TeamMember(team_id=team.id, person_id=person.id) for person in members])
        tx.trail.record(team, EventType.TEAM_CREATED, {"slug": slug})
    return team


def make_items(db: Database, queue: Queue, bodies: Sequence[dict[str, Any]]) -> list[uuid.UUID]:
    """Enqueues the bodies, whose `queue` and `input` may be left out; returns the items' ids in their order."""
    with db.transaction(Actor("app", "test", "test app")) as tx:
        intake = Intake(queue, policy_of(tx.session, queue.policy_id), tx.now, key_id=None)
        arrivals = []
        for given in bodies:
            body = {"queue": queue.name, "input": "in", "output": "out", **given}
            form = EnqueueForm.model_validate(body)
            arrivals.append(intake.arrive(form, body))
        write_many(tx, arrivals)
    return [arrival.id for arrival in arrivals]


def make_item(db: Database, queue: Queue, **body: Any) -> uuid.UUID:
    """One item, which a human must see unless a confidence says otherwise."""
    return make_items(db, queue, [body])[0]


def load(db: Database, item_id: uuid.UUID) -> Item:
    with db.reading() as session:
        return session.get_one(Item, item_id)


def reviewer_of(person: Person, role: str = "reviewer", teams: Sequence[str] = ()) -> Reviewer:
    assignees = (person.email, *(f"team:{team}" for team in teams))
    leads = role != "reviewer"
    return Reviewer(person.id, person.name, role, assignees, adjudicates=leads, assigns=leads)


def make_claim(db: Database, item_id: uuid.UUID, person: Person) -> str:
    """Claims the item for the person; returns the token."""
    with db.transaction(actor_of(person)) as tx:
        item = tx.session.get_one(Item, item_id, with_for_update=True)
        claim(item, tx, reviewer_of(person), policy_of(tx.session, item.policy_id).lease)
        assert item.claim_token is not None
        return item.claim_token


def make_decision(
    db: Database,
    item_id: uuid.UUID,
    person: Person,
    verdict: Verdict = Verdict.ACCEPT,
    token: str | None = None,
) -> None:
    """Decides as the person, by the claim's token or else by the item's version as it is."""
    with db.transaction(actor_of(person)) as tx:
        item = tx.session.scalars(sa.select(Item).where(Item.id == item_id).with_for_update()).one()
        fence = Fence(token=token, version=None if token else item.version)
        policy = policy_of(tx.session, item.policy_id)
        evidence = tx.session.get_one(Evidence, item_id)
        decide(item, tx, reviewer_of(person, "lead"), policy, evidence, Judgement(verdict), fence)


def actor_of(person: Person) -> Actor:
    return Actor("person", str(person.id), person.name)
