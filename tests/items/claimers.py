"""A process of claimers for tests/items/test_many_claimers.py: each takes what comes next until nothing is left.

    python -m tests.items.claimers DATABASE_URL QUEUES PERSON_ID...

QUEUES are names with commas between; each person claims in a thread of its own. Prints the id of each claimed item.
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from reviewqueue.db import Database
from reviewqueue.items import operations
from reviewqueue.people.access import Caller
from reviewqueue.people.models import Person

from ..support.making import actor_of


def main(url: str, queues: list[str], person_ids: list[uuid.UUID]) -> None:
    db = Database(url, pool_size=len(person_ids))
    with db.reading() as session:
        callers = [caller_of(session.get_one(Person, person_id)) for person_id in person_ids]
    with ThreadPoolExecutor(len(callers)) as pool:
        for claimed in pool.map(lambda caller: list(take_all(db, caller, queues)), callers):
            print(*claimed, sep="\n")
    db.dispose()


def take_all(db: Database, caller: Caller, queues: list[str]) -> Iterator[uuid.UUID]:
    for queue in queues:
        while (claimed := operations.claim_next(db, caller, queue)) is not None:
            yield claimed.item.item["id"]


def caller_of(person: Person) -> Caller:
    return Caller(actor_of(person), person_id=person.id, email=person.email)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2].split(","), [uuid.UUID(text) for text in sys.argv[3:]])
