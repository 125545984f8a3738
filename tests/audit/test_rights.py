"""On PostgreSQL the app's own role has no right to change what was recorded."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from reviewqueue.audit.ordering import order_events
from reviewqueue.audit.verify import Checked, verify
from reviewqueue.db import Database
from reviewqueue.migrating import upgrade

from ..support.databases import Databases
from ..support.making import make_item, make_queue


@pytest.fixture
def db_of_a_plain_role(databases: Databases) -> Iterator[Database]:
    """A migrated database whose owner is nobody special, as an operator would set it up."""
    whole = databases.make_empty("postgresql")
    name = str(whole.url.database)
    role, administrator = f"{name}_app", whole.engine.execution_options(isolation_level="AUTOCOMMIT")
    with administrator.connect() as connection:
        connection.exec_driver_sql(f"""CREATE ROLE "{role}" LOGIN PASSWORD 'of-the-test'""")
        connection.exec_driver_sql(f'ALTER DATABASE "{name}" OWNER TO "{role}"')
    plain = Database(
        whole.url.set(username=role, password="of-the-test").render_as_string(hide_password=False)
    )
    upgrade(plain)
    yield plain
    plain.dispose()
    with administrator.connect() as connection:
        connection.exec_driver_sql(f'REASSIGN OWNED BY "{role}" TO CURRENT_USER')
        connection.exec_driver_sql(f'DROP OWNED BY "{role}"')
        connection.exec_driver_sql(f'DROP ROLE "{role}"')
    databases.drop(whole)


def test_the_role_writes_the_trail_and_cannot_change_it(db_of_a_plain_role: Database) -> None:
    db = db_of_a_plain_role
    make_item(db, make_queue(db))
    order_events(db)
    for statement in (
        "UPDATE event SET type = 'item.accepted'",
        "DELETE FROM event",
        "TRUNCATE event",
        "UPDATE event_position SET position = position + 1",
        "DELETE FROM event_position",
        "UPDATE event_content SET body = '{}'",
    ):
        with (
            pytest.raises(sa.exc.ProgrammingError, match="permission denied"),
            db.engine.begin() as connection,
        ):
            connection.exec_driver_sql(statement)
    checked = Checked()
    assert list(verify(db, checked)) == []
    assert checked.events > 0
