"""What is done with rotations: publish one, stand in for somebody, and end that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..audit.events import EventType
from ..audit.trail import rfc3339
from ..db import Database
from ..errors import Fault, Forbidden, Invalid, NotFound
from ..people.access import access_of
from ..people.callers import Caller
from ..queues.difference import diff
from ..transaction import Transaction
from . import queries
from .document import RotationDocument, parse
from .models import RotationVersion
from .queries import SHOWN_AHEAD, Board
from .rotation import shifts


@dataclass(frozen=True, slots=True)
class Applied:
    rotation: str
    version: int
    changed: bool
    changes: tuple[str, ...] = ()
    """What differs from the version before, line by line."""


def apply(
    db: Database, caller: Caller, source: str | bytes | dict[str, Any], *, request_id: str | None = None
) -> Applied:
    """Publishes a rotation as its next version; the same document again changes nothing.

    Stand-ins that were made on the page and are not over stay, since whoever keeps the file may not know of them.
    Raises Forbidden, and Invalid with a pointer to each fault, such as a member who is not here.
    """
    document = parse(source)
    with db.transaction(caller.actor, request_id) as tx:
        access_of(tx.session, caller).require_admin()
        _require_people(tx, document.people)
        return _publish(tx, _with_stand_ins_of_the_page(tx, document))


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
        before = _changeable(tx, caller, slug)
        override = {"from": begins, "to": ends, "person": person, "by": caller.email or caller.actor.name}
        overrides = [*before.as_dict().get("overrides", []), override]
        document = parse({**before.as_dict(), "overrides": overrides})
        # The others are as they were: one of them who has left must not keep anybody from standing in.
        _require_people(tx, {document.overrides[-1].person: f"/overrides/{len(overrides) - 1}/person"})
        return _publish(tx, document)


def end_stand_in(
    db: Database,
    caller: Caller,
    slug: str,
    *,
    person: str,
    begins: str,
    ends: str,
    request_id: str | None = None,
) -> Applied:
    """Takes back a stand-in that is to come, or ends one now, as the next version.

    It is named by its person and its times in UTC, as `queries.stand_ins` has them. Raises NotFound and Forbidden.
    """
    with db.transaction(caller.actor, request_id) as tx:
        before = _changeable(tx, caller, slug)
        found = [
            (number, one)
            for number, one in enumerate(queries.stand_ins(before))
            if (one.person, one.begins.isoformat(), one.ends.isoformat()) == (person, begins, ends)
            and one.ends > tx.now
        ]
        if not found:
            raise NotFound(f"{person} does not stand in then, or no longer.")
        number, one = found[-1]
        overrides = list(before.as_dict()["overrides"])
        if one.begins < tx.now:
            overrides[number] = {**overrides[number], "to": rfc3339(tx.now)}
        else:
            del overrides[number]
        return _publish(tx, parse({**before.as_dict(), "overrides": overrides}))


def list_boards(db: Database) -> list[Board]:
    """Every rotation with who is on call now and in the next two weeks: for everybody who is signed in."""
    with db.reading() as session:
        return queries.boards(session, db.clock.now())


def document_in_force(db: Database, slug: str) -> dict[str, Any]:
    """As it can be applied again. Raises NotFound."""
    with db.reading() as session:
        version = queries.in_force(session, slug)
        if version is None:
            raise NotFound(f"There is no rotation {slug}.")
        return queries.document_of(version).as_dict()


def _changeable(tx: Transaction, caller: Caller, slug: str) -> RotationDocument:
    """The document in force. Raises NotFound, and Forbidden for who is neither an admin nor in it."""
    version = queries.in_force(tx.session, slug)
    if version is None:
        raise NotFound(f"There is no rotation {slug}.")
    document = queries.document_of(version)
    if not access_of(tx.session, caller).is_admin and caller.email not in document.people:
        raise Forbidden("Only an admin, or somebody who is in the rotation, may change it.")
    return document


def _with_stand_ins_of_the_page(tx: Transaction, document: RotationDocument) -> RotationDocument:
    version = queries.in_force(tx.session, document.rotation)
    if version is None:
        return document
    before = queries.document_of(version)
    kept = [
        written
        for one, written in zip(queries.stand_ins(before), before.overrides, strict=True)
        if one.by is not None and one.ends > tx.now and written not in document.overrides
    ]
    if not kept:
        return document
    overrides = [one.model_dump(mode="json") for one in (*document.overrides, *kept)]
    return parse({**document.as_dict(), "overrides": overrides})


def _publish(tx: Transaction, document: RotationDocument) -> Applied:
    _require_shifts(tx, document)
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
    changes = diff(queries.document_of(before).as_dict(), written) if before else ()
    return Applied(version.slug, version.version, changed=True, changes=tuple(changes))


def _require_shifts(tx: Transaction, document: RotationDocument) -> None:
    """A rotation that cannot be told would fail for whoever opens the page, and for each step that names it."""
    try:
        shifts(document.compiled(), tx.now, tx.now + SHOWN_AHEAD)
    except (ArithmeticError, ValueError) as error:
        raise Invalid(f"The rotation is not valid: who is on call cannot be told ({error}).") from error


def _require_people(tx: Transaction, named: Mapping[str, str]) -> None:
    """An address that is nobody's would be a gap that only shows at night. `named`: addresses with pointers."""
    here = queries.names_of(tx.session, set(named))
    faults = [
        Fault(pointer, f"{email} is nobody here, or disabled")
        for email, pointer in named.items()
        if email not in here
    ]
    if faults:
        raise Invalid(f"The rotation is not valid: {faults[0].detail}.", faults=faults)
