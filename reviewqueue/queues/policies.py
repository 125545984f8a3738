"""From a stored policy version to the compiled one, kept in memory: versions never change."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..db import table_of
from ..errors import NoSuchQueue
from .models import PolicyVersion, Queue
from .routing import Policy, compile_policy

MOST_KEPT = 2_000

_kept: dict[uuid.UUID, Policy] = {}
_lock = Lock()


def policy_of(session: Session, policy_id: uuid.UUID) -> Policy:
    """The compiled policy version, read once a process."""
    policy = _kept.get(policy_id)
    if policy is None:
        row = session.execute(
            sa.select(PolicyVersion.document, PolicyVersion.version).where(PolicyVersion.id == policy_id)
        ).one()
        policy = compile_policy(row.document, row.version)
        with _lock:
            if len(_kept) >= MOST_KEPT:
                _kept.clear()
            _kept[policy_id] = policy
    return policy


@lru_cache(maxsize=1)
def _queue_by_name() -> sa.Select[Queue]:
    return sa.select(Queue).where(Queue.name == sa.bindparam("name"))


@dataclass(frozen=True, slots=True)
class Desk:
    """What enqueueing and claiming need to know of a queue; read below the ORM, since every such call asks."""

    id: int
    name: str
    stage: str
    policy_id: uuid.UUID


_COLUMNS = table_of(Queue).c
_DESK = sa.select(_COLUMNS.id, _COLUMNS.name, _COLUMNS.stage, _COLUMNS.policy_id).where(
    _COLUMNS.name == sa.bindparam("name")
)


def desk_named(session: Session, name: str) -> Desk:
    """Raises NoSuchQueue. Whether the caller may know of it is for the operation to ask."""
    row = session.connection().execute(_DESK, {"name": name}).first()
    if row is None:
        raise NoSuchQueue(f"There is no queue {name!r} that you can reach.")
    return Desk(*row)


def queue_named(session: Session, name: str) -> Queue:
    """Raises NoSuchQueue. Whether the caller may know of it is for the operation to ask."""
    queue = session.scalar(_queue_by_name(), {"name": name})
    if queue is None:
        raise NoSuchQueue(f"There is no queue {name!r} that you can reach.")
    return queue
