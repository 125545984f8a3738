"""What callers do with a queue: apply its document, which creates it or changes it, in one transaction."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from uuid_utils.compat import uuid7

from ..audit.events import EventType
from ..db import Database
from ..people.access import Action, Caller, access_of
from ..transaction import Transaction
from .difference import diff
from .document import QueueDocument, parse
from .members import keep_in_step
from .models import PolicyVersion, Queue
from .opening_hours import policy_part_with_hours
from .untold import all_warnings


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of applying a document."""

    queue: str
    created: bool
    policy_version: int
    changes: list[str]
    """In words, one line each: what differs from before, and who got or lost a role. Empty: nothing changed."""
    document: dict[str, Any]
    """The whole document as it now stands."""
    warnings: list[str]
    """What of its policy is allowed and hardly meant, and which members are not there yet; told each time."""


def apply(
    db: Database,
    caller: Caller,
    source: QueueDocument | dict[str, Any] | str | bytes,
    *,
    queue: str | None = None,
    request_id: str | None = None,
) -> Applied:
    """Create or update the queue that the document describes; a changed policy becomes the next version.

    `queue` is the name that the caller knows already, as from a URL. Raises InvalidDocument, NoSuchQueue or
    Forbidden. Applying the same document again changes nothing and records nothing.
    """
    document = source if isinstance(source, QueueDocument) else parse(source, queue)
    try:
        return _apply(db, caller, document, request_id)
    except IntegrityError:
        # Somebody created the same queue, or one of its teams, in the same moment: now both are there.
        return _apply(db, caller, document, request_id)


def _apply(db: Database, caller: Caller, document: QueueDocument, request_id: str | None) -> Applied:
    with db.transaction(caller.actor, request_id) as tx:
        access = access_of(tx.session, caller)
        # Keeps two changes apart, yet lets items arrive meanwhile: their foreign key needs the key alone.
        found = sa.select(Queue).where(Queue.name == document.queue).with_for_update(key_share=True)
        queue = tx.session.scalar(found)
        if queue is None:
            access.require_new_queue(document.queue)
            return _create(tx, document)
        access.require(Action.EDIT_POLICY, queue.id, queue.name)
        return _change(tx, queue, document)


def _create(tx: Transaction, document: QueueDocument) -> Applied:
    policy_part = policy_part_with_hours(tx.session, document, tx.now)
    queue = Queue(
        name=document.queue,
        document=document.queue_part(),
        stage=document.stage,
        policy_id=uuid7(),
        policy_version=1,
        created_at=tx.now,
    )
    tx.session.add(queue)
    tx.session.flush()
    told = {"stage": queue.stage, "document": queue.document}
    tx.trail.record(queue, EventType.QUEUE_CREATED, told, queue=queue.name, queue_id=queue.id)
    _publish(tx, queue, policy_part, [])
    lines, absent = keep_in_step(tx, queue, before={})
    warnings = absent + all_warnings(tx.session, queue, policy_part, tx.now)
    return Applied(queue.name, True, queue.policy_version, lines, document.as_dict(), warnings)


def _change(tx: Transaction, queue: Queue, document: QueueDocument) -> Applied:
    before = queue.document
    changed = diff(before, document.queue_part())
    if changed:
        queue.document, queue.stage = document.queue_part(), document.stage
        queue.version += 1
        told = {"changes": changed, "stage": queue.stage, "document": queue.document}
        tx.trail.record(queue, EventType.QUEUE_CHANGED, told, queue=queue.name, queue_id=queue.id)
    policy_part = policy_part_with_hours(tx.session, document, tx.now)
    published = _publish_if_changed(tx, queue, policy_part)
    roles, absent = keep_in_step(tx, queue, before)
    warnings = absent + all_warnings(tx.session, queue, policy_part, tx.now)
    changes = changed + published + roles
    return Applied(queue.name, False, queue.policy_version, changes, document.as_dict(), warnings)


def _publish_if_changed(tx: Transaction, queue: Queue, policy_part: dict[str, Any]) -> list[str]:
    in_force = tx.session.scalars(
        sa.select(PolicyVersion.document).where(PolicyVersion.id == queue.policy_id)
    ).one()
    changed = diff(in_force, policy_part)
    if changed:
        queue.policy_id, queue.policy_version = uuid7(), queue.policy_version + 1
        queue.version += 1
        _publish(tx, queue, policy_part, changed)
    return changed


def _publish(tx: Transaction, queue: Queue, policy_part: dict[str, Any], changes: list[str]) -> None:
    """Adds the version that the queue names already."""
    version = PolicyVersion(
        id=queue.policy_id,
        queue_id=queue.id,
        version=queue.policy_version,
        document=policy_part,
        published_at=tx.now,
        published_by=(tx.actor.name or tx.actor.kind)[:120],
    )
    tx.session.add(version)
    told = {
        "version": version.version,
        "policy_id": str(version.id),
        "sha256": document_hash(version.document),
        "changes": changes,
    }
    tx.trail.record(version, EventType.POLICY_PUBLISHED, told, queue=queue.name, queue_id=queue.id)
    tx.trail.subjects.add(queue)


def document_hash(document: dict[str, Any]) -> str:
    """SHA-256 of a kept part as JSON with sorted keys: binds the trail to exactly this policy."""
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
