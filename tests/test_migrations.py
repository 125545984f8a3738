"""The schema goes up and down on both databases with rows in it, and ends as the models say."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations

from reviewqueue.db import Database
from reviewqueue.migrating import (
    BrokenReferences,
    _migrating,
    config,
    downgrade,
    is_current,
    metadata,
    upgrade,
)
from reviewqueue.resources import folder

from .support.databases import Databases, Kind

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def empty_db(databases: Databases, kind: Kind) -> Iterator[Database]:
    made = databases.make_empty(kind)
    yield made
    databases.drop(made)


def test_the_migrated_schema_is_the_models_schema(db: Database) -> None:
    with db.engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True, "include_object": _is_comparable(db)}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata()) == []


def test_every_index_on_sqlite_is_the_models_index(sqlite_db: Database) -> None:
    """SQLite cannot reflect an index over an expression, so the statements are compared."""
    with sqlite_db.reading() as session:
        made = set(
            session.scalars(sa.text("SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"))
        )
    dialect = sqlite_db.engine.dialect
    indexes = [index for table in metadata().tables.values() for index in table.indexes]
    assert made == {str(sa.schema.CreateIndex(index).compile(dialect=dialect)) for index in indexes}


def test_a_new_database_is_current_only_after_the_upgrade(empty_db: Database) -> None:
    assert not is_current(empty_db)
    upgrade(empty_db)
    assert is_current(empty_db)
    upgrade(empty_db)
    assert is_current(empty_db)


def test_each_revision_goes_down_and_up_again_beside_rows(empty_db: Database) -> None:
    upgrade(empty_db)
    _add_rows(empty_db)
    revisions = [path.name[:4] for path in sorted((folder("migrations") / "versions").glob("[0-9]*.py"))]
    for revision in reversed(["base", *revisions[:-1]]):
        downgrade(empty_db, revision)
        assert not is_current(empty_db)
    assert _tables(empty_db) == {"alembic_version"}
    for revision in revisions:
        upgrade(empty_db, revision)
    assert is_current(empty_db)
    _add_rows(empty_db)


def test_the_rows_of_older_tables_survive_a_step_down_and_up(empty_db: Database) -> None:
    upgrade(empty_db)
    _add_rows(empty_db)
    downgrade(empty_db, "0001")
    upgrade(empty_db)
    with empty_db.reading() as session:
        assert session.scalar(sa.text("SELECT count(*) FROM event_content")) == 1


def test_two_processes_that_migrate_at_once_do_it_once(empty_db: Database) -> None:
    failures: list[BaseException] = []

    def run() -> None:
        try:
            upgrade(empty_db)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert is_current(empty_db)


@pytest.mark.parametrize("statement", ["UPDATE event SET type = 'x'", "DELETE FROM event"])
def test_the_database_refuses_to_change_events(db: Database, statement: str) -> None:
    _add_rows(db)
    with (
        db.engine.execution_options(writes=True).connect() as connection,
        pytest.raises(sa.exc.DBAPIError, match="event keeps what was recorded"),
    ):
        connection.execute(sa.text(statement))


def test_content_can_be_erased_but_not_rewritten(db: Database) -> None:
    _add_rows(db)
    with db.engine.execution_options(writes=True).connect() as connection:
        with pytest.raises(sa.exc.DBAPIError, match="event_content keeps"), connection.begin():
            connection.execute(sa.text("UPDATE event_content SET body = '{}'"))
        with connection.begin():
            assert connection.execute(sa.text("DELETE FROM event_content")).rowcount == 1


def test_altering_a_parent_on_sqlite_keeps_its_cascading_children(databases: Databases) -> None:
    db = databases.make_empty("sqlite")
    with _migrating(db) as connection:
        connection.exec_driver_sql("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
        connection.exec_driver_sql("CREATE TABLE child (p INTEGER REFERENCES parent ON DELETE CASCADE)")
        connection.exec_driver_sql("INSERT INTO parent VALUES (1)")
        connection.exec_driver_sql("INSERT INTO child VALUES (1)")
    with _migrating(db) as connection:
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table("parent", recreate="always") as batch:
            batch.add_column(sa.Column("name", sa.Text))
    with db.reading() as session:
        assert session.scalar(sa.text("SELECT count(*) FROM child")) == 1
        assert session.scalar(sa.text("PRAGMA foreign_keys")) == 1
    databases.drop(db)


def test_a_migration_on_sqlite_that_orphans_rows_is_undone(databases: Databases) -> None:
    db = databases.make_empty("sqlite")
    with _migrating(db) as connection:
        connection.exec_driver_sql("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
        connection.exec_driver_sql("CREATE TABLE child (p INTEGER REFERENCES parent)")
    with pytest.raises(BrokenReferences, match="child"), _migrating(db) as connection:
        connection.exec_driver_sql("INSERT INTO child VALUES (7)")
    with db.reading() as session:
        assert session.scalar(sa.text("SELECT count(*) FROM child")) == 0
    databases.drop(db)


def test_migrations_name_no_type_of_ours() -> None:
    """A type that changes later would change what an old migration did."""
    versions = Path(str(config().get_main_option("script_location"))) / "versions"
    texts = [path.read_text(encoding="utf-8") for path in versions.glob("*.py")]
    assert len(texts) >= 3
    assert not any("reviewqueue" in text for text in texts)


def _is_comparable(db: Database) -> Callable[[Any, str | None, str, bool, Any], bool]:
    of_expressions = {
        index.name
        for table in metadata().tables.values()
        for index in table.indexes
        if not all(isinstance(expression, sa.Column) for expression in index.expressions)
    }
    return lambda _thing, name, kind, *_: not (db.embedded and kind == "index" and name in of_expressions)


def _add_rows(db: Database) -> None:
    tables = metadata().tables
    event = uuid.uuid4()
    with db.writer(), db.engine.execution_options(writes=True).begin() as connection:
        connection.execute(
            tables["event"].insert(),
            {"id": event, "type": "person.added", "at": NOW, "actor_kind": "system", "hash": b"\0" * 32},
        )
        connection.execute(
            tables["event_content"].insert(), {"event_id": event, "salt": b"\0" * 16, "body": "{}"}
        )
        connection.execute(
            tables["signing_key"].insert(),
            {"number": 1, "kid": "k", "public_key": b"\0" * 32, "created_at": NOW, "signs_from": NOW},
        )
        _add_item(connection, tables)
        _add_delivery(connection, tables)


def _add_delivery(connection: sa.Connection, tables: sa.util.FacadeDict[str, sa.Table]) -> None:
    """And a notice about no item, which older schemas have no place for."""
    subscription, delivery, event, notice = (uuid.uuid4() for _ in range(4))
    times = {"planned_at": NOW, "next_at": NOW, "created_at": NOW}
    rows: dict[str, dict[str, Any]] = {
        "subscription": {
            "id": subscription, "name": "a", "url": "u", "queues": None, "types": ["item.*"], "secret": "s",
            "waits_for_undo": False, "state": "active", "version": 1, "created_at": NOW, "created_by": "A",
        },
        "announcement": {"event_id": event, "type": "x", "title": "", "body": "{}", "created_at": NOW},
        "delivery": {
            "id": delivery, "subscription_id": subscription, "event_id": event, "state": "arrived", "attempts": 1,
            **times,
        },
        "delivery_attempt": {
            "delivery_id": delivery, "planned_at": NOW, "started_at": NOW, "seconds": 0.1, "answer": ""
        },
        "notice": {
            "id": notice, "queue": "", "queue_title": "", "title": "", "kind": "disabled", "why": "", "created_at": NOW
        },
        "message": {
            "notice_id": notice, "channel": "mail", "receiver": "a@example.org", "next_at": NOW, "created_at": NOW
        },
    }  # fmt: skip
    for table, row in rows.items():
        connection.execute(tables[table].insert(), row)


def _add_item(connection: sa.Connection, tables: sa.util.FacadeDict[str, sa.Table]) -> None:
    person, policy, item = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    connection.execute(
        tables["person"].insert(),
        {"id": person, "email": f"{person}@example.org", "name": "A", "created_at": NOW},
    )
    queue = connection.execute(
        tables["queue"]
        .insert()
        .values(
            name=f"q-{person}", document={}, stage="mvp", policy_id=policy, policy_version=1, created_at=NOW
        )
    ).inserted_primary_key
    assert queue is not None
    connection.execute(
        tables["policy"].insert(),
        {
            "id": policy,
            "queue_id": queue[0],
            "version": 1,
            "document": {},
            "published_at": NOW,
            "published_by": "A",
        },
    )
    connection.execute(
        tables["item"].insert(),
        {
            "id": item,
            "queue_id": queue[0],
            "queue": "q",
            "state": "pending",
            "lane": "assist",
            "purpose": "gate",
            "reasons": [],
            "policy_id": policy,
            "policy_version": 1,
            "priority": 50,
            "flags": [],
            "tags": {},
            "created_at": NOW,
            "waiting_since": NOW,
            "due_at": None,
            "evidence_hash": b"\0" * 32,
            "content_hash": b"\0" * 32,
        },
    )


def _tables(db: Database) -> set[str]:
    with db.engine.connect() as connection:
        return set(sa.inspect(connection).get_table_names())
