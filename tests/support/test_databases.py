"""The databases that tests are given are really empty, also those that another test has used before."""

from __future__ import annotations

import sqlalchemy as sa

from reviewqueue.migrating import is_current, metadata

from .databases import Databases, Kind


def test_a_database_that_was_used_before_is_empty(databases: Databases, kind: Kind) -> None:
    used = databases.make(kind)
    with used.writer(), used.engine.execution_options(writes=True).begin() as connection:
        connection.execute(metadata().tables["unordered_events"].insert(), {"event_ids": b"\0" * 16})
    databases.drop(used)

    again = databases.make(kind)
    assert again.url == used.url or kind == "sqlite"
    assert is_current(again)
    with again.writer(), again.engine.execution_options(writes=True).begin() as connection:
        for table in metadata().tables.values():
            assert connection.scalar(sa.select(sa.func.count()).select_from(table)) == 0
        inserted = connection.execute(
            metadata().tables["unordered_events"].insert(), {"event_ids": b"\0" * 16}
        )
        assert inserted.inserted_primary_key is not None
        assert inserted.inserted_primary_key[0] == 1
    databases.drop(again)
