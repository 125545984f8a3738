"""64 claimers in four processes on 1,000 items, or 20,000: no item is claimed twice, and none is forgotten."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections import Counter
from pathlib import Path

import sqlalchemy as sa

from reviewqueue.audit.events import EventType
from reviewqueue.audit.models import Event
from reviewqueue.db import Database
from reviewqueue.items.models import Item
from reviewqueue.people.models import Membership, Person
from reviewqueue.queues.models import Queue

from ..support.making import make_items, make_person, make_queue, make_team
from ..support.sizes import size

ROOT = Path(__file__).resolve().parents[2]
CLAIMERS, PROCESSES = 64, 4
# All march through the queues in the same order, so that they always meet at the same few items.
QUEUES, ITEMS_EACH = 20, size(50, 1_000)


def test_64_claimers_take_each_item_once(db: Database) -> None:
    queues = [make_queue(db, f"queue-{n}", policy={"lease": "4h"}) for n in range(QUEUES)]
    people = reviewers_of(db, queues)
    waiting = {item for queue in queues for item in make_items(db, queue, [{"confidence": 0.5}] * ITEMS_EACH)}

    claimed = Counter(claim_everything(db, queues, people))

    assert not [item for item, times in claimed.items() if times > 1]
    assert claimed.keys() == waiting
    with db.reading() as session:
        events = session.scalars(sa.select(Event.item_id).where(Event.type == EventType.ITEM_CLAIMED)).all()
        unheld = session.scalar(sa.select(sa.func.count()).where(Item.claim_token.is_(None)))
    assert len(events) == len(set(events)) == len(waiting)
    assert unheld == 0


def reviewers_of(db: Database, queues: list[Queue]) -> list[Person]:
    people = [make_person(db, f"reviewer-{n}@example.org") for n in range(CLAIMERS)]
    team = make_team(db, "claimers", *people)
    with db.engine.execution_options(writes=True).begin() as connection:
        connection.execute(
            sa.insert(Membership),
            [
                {"id": uuid.uuid4(), "queue_id": queue.id, "role": "reviewer", "team_id": team.id}
                for queue in queues
            ],
        )
    return people


def claim_everything(db: Database, queues: list[Queue], people: list[Person]) -> list[uuid.UUID]:
    url, names = db.url.render_as_string(hide_password=False), ",".join(queue.name for queue in queues)
    processes = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.items.claimers",
                url,
                names,
                *(str(p.id) for p in people[n::PROCESSES]),
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(PROCESSES)
    ]
    told = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * PROCESSES
    return [uuid.UUID(line) for text in told for line in text.split()]
