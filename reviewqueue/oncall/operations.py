"""What is done with rotations: publish one, and stand in for somebody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..audit.events import EventType
from ..db import Database
from ..errors import Fault, Forbidden, Invalid, NotFound
from ..people.access import access_of
from ..people.callers import Caller
from ..transaction import Transaction
from . import queries
from .document import RotationDocument, parse
from .models import RotationVersion
from .queries import Board


@dataclass(frozen=True, slots=True)
class Applied:
    rotation: str
    version: int
    changed: bool


def apply(
    db: Database, caller: Caller, source: str | bytes | dict[str, Any], *, request_id: str | None = None
) -> Applied:
    """Publishes a rotation as its next version; the same document again changes nothing.

    Raises Forbidden, and Invalid with a pointer to each fault, such as a member who is not here.
    """
    document = parse(source)
    with db.transaction(caller.actor, request_id) as tx:
        access_of(tx.session, caller).require_admin()
        return _publish(tx, document)


def stand_in(
    db: Database,
    caller: Caller,
    slug: str,
    *,
    person: str,
    begins: str,
    ends: str,
    request_id: str | None = None,
) -> Applied:
    """Lets somebody stand in from one moment to another, as the next version: for admins and the rotation's members.

    Raises NotFound, Forbidden and Invalid.
    """
    with db.transaction(caller.actor, request_id) as tx:
        version = queries.in_force(tx.session, slug)
        if version is None:
            raise NotFound(f"There is no rotation {slug}.")
        document = queries.document_of(version)
        access = access_of(tx.session, caller)
        if not access.is_admin and caller.email not in document.people:
            raise Forbidden("Only an admin, or somebody who is in the rotation, may change it.")
        changed = {**document.as_dict()}
        changed["overrides"] = [*changed.get("overrides", []), {"from": begins, "to": ends, "person": person}]
        return _publish(tx, parse(changed))


def list_boards(db: Database) -> list[Board]:
    """Every rotation with who is on call now and in the next two weeks: for everybody who is signed in."""
    with db.reading() as session:
        return queries.boards(session, db.clock.now())


def _publish(tx: Transaction, document: RotationDocument) -> Applied:
    _require_people(tx, document)
    written, before = document.as_dict(), queries.in_force(tx.session, document.rotation)
    if before is not None and before.document == written:
        return Applied(before.slug, before.version, changed=False)
    version = RotationVersion(
        slug=document.rotation,
        version=before.version + 1 if before else 1,
        document=written,
        published_at=tx.now,
        published_by=tx.actor.name,
    )
    tx.session.add(version)
    told = {"rotation": version.slug, "version": version.version, "document": written}
    tx.trail.record(version, EventType.ROTATION_PUBLISHED, told)
    return Applied(version.slug, version.version, changed=True)


def _require_people(tx: Transaction, document: RotationDocument) -> None:
    """An address that is nobody's would be a gap that only shows at night."""
    here = queries.names_of(tx.session, set(document.people))
    faults = [
        Fault(pointer, f"{email} is nobody here, or disabled")
        for email, pointer in document.people.items()
        if email not in here
    ]
    if faults:
        raise Invalid(f"The rotation is not valid: {faults[0].detail}.", faults=faults)
