"""Somebody who owns the database changes what was recorded: `verify` says where."""

from __future__ import annotations

import uuid

import pytest
import sqlalchemy as sa

from reviewqueue.audit.ordering import order_events
from reviewqueue.audit.verify import Checked, verify
from reviewqueue.db import Database

from ..support.making import make_claim, make_item, make_items, make_person, make_queue


@pytest.fixture
def item_id(db: Database) -> uuid.UUID:
    queue = make_queue(db)
    make_items(db, queue, [{}, {}])
    item_id = make_item(db, queue)
    make_claim(db, item_id, make_person(db, "clerk@example.org", queue))
    order_events(db)
    return item_id


def tamper(db: Database, *statements: str) -> None:
    """Does what the triggers forbid, as the owner of the database can."""
    with db.engine.connect() as connection, connection.begin():
        if db.embedded:
            for name in connection.scalars(
                sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            ).all():
                connection.execute(sa.text(f"DROP TRIGGER {name}"))
        else:
            connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            connection.execute(sa.text(statement))


def faults(db: Database) -> list[str]:
    return [f"{fault.subject}: {fault.detail}" for fault in verify(db, Checked())]


def hexed(db: Database, item_id: uuid.UUID) -> str:
    return f"'{item_id.hex}'" if db.embedded else f"'{item_id}'"


def test_an_untouched_trail_has_no_fault(db: Database, item_id: uuid.UUID) -> None:
    assert faults(db) == []


def test_a_changed_word_is_found(db: Database, item_id: uuid.UUID) -> None:
    tamper(db, "UPDATE event_content SET body = replace(body, '\"clerk\"', '\"other\"')")
    assert any(f"item {item_id}: event 2" in f and "its hash does not stand for" in f for f in faults(db))


def test_a_column_that_differs_from_the_bytes_is_found(db: Database, item_id: uuid.UUID) -> None:
    tamper(
        db, f"UPDATE event SET type = 'item.accepted' WHERE item_id = {hexed(db, item_id)} AND item_seq = 2"
    )
    assert [f.partition(") ")[2] for f in faults(db)] == ["has bytes that differ from its columns: type"]


def test_a_removed_event_is_found(db: Database, item_id: uuid.UUID) -> None:
    mine = f"(SELECT id FROM event WHERE item_id = {hexed(db, item_id)} AND item_seq = 2)"
    tamper(
        db,
        f"DELETE FROM event_position WHERE event_id IN {mine}",
        f"DELETE FROM event_content WHERE event_id IN {mine}",
        f"DELETE FROM event WHERE item_id = {hexed(db, item_id)} AND item_seq = 2",
    )
    found = faults(db)
    assert f"item {item_id}: has 1 events where 2 were recorded" in found
    assert any(fault.startswith(f"item {item_id}: its events say claim") for fault in found)


def test_removed_content_is_found(db: Database, item_id: uuid.UUID) -> None:
    tamper(
        db,
        f"DELETE FROM event_content WHERE event_id IN (SELECT id FROM event WHERE item_id = {hexed(db, item_id)})",
    )
    assert any(fault.startswith(f"item {item_id}: event 1") for fault in faults(db))


def test_a_changed_row_is_found(db: Database, item_id: uuid.UUID) -> None:
    tamper(db, f"UPDATE item SET state = 'withdrawn', level = 3 WHERE id = {hexed(db, item_id)}")
    assert faults(db) == [
        f"item {item_id}: its events say state 'pending', its row says 'withdrawn'",
        f"item {item_id}: its events say level 0, its row says 3",
    ]


def test_swapped_positions_are_found(db: Database, item_id: uuid.UUID) -> None:
    mine = (
        "SELECT position FROM event_position JOIN event ON event.id = event_id "
        f"WHERE item_id = {hexed(db, item_id)} AND item_seq ="
    )
    tamper(
        db,
        f"UPDATE event_position SET position = -1 WHERE position = ({mine} 1)",
        f"UPDATE event_position SET position = position - 2 WHERE position = ({mine} 2)",
        "UPDATE event_position SET position = (SELECT max(position) + 1 FROM event_position) WHERE position = -1",
    )
    assert any(f"stands before an earlier event of item {item_id}" in fault for fault in faults(db))


def test_a_gap_is_found(db: Database, item_id: uuid.UUID) -> None:
    tamper(db, "DELETE FROM event_position WHERE position = 3")
    assert "position 3: is missing" in faults(db)


def test_a_position_that_was_taken_away_is_found(db: Database, item_id: uuid.UUID) -> None:
    tamper(db, "DELETE FROM event_position WHERE position = (SELECT max(position) FROM event_position)")
    assert [fault.partition(": ")[2] for fault in faults(db)] == ["has no position and waits for none"]
