"""schemathesis sends what the served description allows, and what it does not: no 5xx, no answer outside it."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from reviewqueue import create_app
from reviewqueue.audit.events import EventType
from reviewqueue.config import Settings
from reviewqueue.db import Database
from reviewqueue.people.callers import SYSTEM_CALLER
from reviewqueue.people.forms import NewKey
from reviewqueue.people.key_operations import create_key
from reviewqueue.people.models import Person, Scope
from reviewqueue.transaction import SYSTEM

from .items.office import Office, open_office

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
KNOWN_ITEMS = 4
EXAMPLES = 20


class Served:
    """The app with a queue, a few items, and the key of a manager who is an admin too: most of it is allowed."""

    def __init__(self, db: Database, folder: Path) -> None:
        office = open_office(db)
        _make_admin(db, office.people["max"])
        self.items = [_item(office, n) for n in range(KNOWN_ITEMS)]
        self.app = create_app(
            Settings(data_dir=folder, secret_key="only-for-tests-" + "0" * 32, base_url="http://localhost"),
            db,
        )
        form = NewKey(name="schemathesis", scopes=list(Scope), person="max@example.org")
        self.headers = {"Authorization": f"Bearer {create_key(db, SYSTEM_CALLER, form)}"}

    def reachable(self, case: Any) -> Any:
        """Every second path names something that is there, and nobody waits for what does not come."""
        path = case.path_parameters
        if path and "item_id" in path and (number := _number_of(path["item_id"])) % 2:
            path["item_id"] = str(self.items[number // 2 % KNOWN_ITEMS])
        if path and "queue" in path and len(str(path["queue"])) % 2:
            path["queue"] = "receipts"
        if case.query and isinstance(case.query.get("wait"), int | float):
            case.query["wait"] = 0
        return case


@pytest.fixture
def served(sqlite_db: Database, tmp_path: Path) -> Served:
    return Served(sqlite_db, tmp_path)


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_answer_is_described(served: Served, mode: GenerationMode) -> None:
    """Operation by operation, so that each that fails is named."""
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", served.app)
    failed: dict[str, str] = {}
    operations: list[Any] = [found.ok() for found in schema.get_all_operations()]  # type: ignore[union-attr]
    for operation in operations:
        try:
            _try_out(served, operation, mode)
        except Unsatisfiable:
            continue  # an operation without input has none that would be wrong
        except FailureGroup as failure:
            failed[operation.label] = "; ".join(f"{type(e).__name__}: {e}" for e in failure.exceptions)
    assert not failed
    assert len(operations) > 20


def _try_out(served: Served, operation: Any, mode: GenerationMode) -> None:
    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate],
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def answers_as_described(case: Any) -> None:
        served.reachable(case).call_and_validate(headers=served.headers, checks=CHECKS)

    answers_as_described()


def _item(office: Office, number: int) -> uuid.UUID:
    """Waiting, claimed, decided and released ones."""
    item_id = office.enqueue(external_id=f"known-{number}", confidence=0.95 if number == 3 else 0.5)
    if number == 1:
        office.claim("max", item_id)
    if number == 2:
        office.decide("ann", item_id)
    return item_id


def _make_admin(db: Database, person: Person) -> None:
    with db.transaction(SYSTEM) as tx:
        admin = tx.session.get_one(Person, person.id)
        admin.is_admin = True
        tx.trail.record(admin, EventType.PERSON_CHANGED, {"is_admin": True})


def _number_of(generated: Any) -> int:
    return sum(str(generated).encode())
