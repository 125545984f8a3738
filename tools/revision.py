"""Drafts the next migration from what the models have and the migrations lack: `make revision m="what changes"`.

The draft is a start: read it, give every new index its comment, and run tests/test_migrations.py.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory

from reviewqueue.db import Database
from reviewqueue.migrating import config, upgrade


def main(message: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        db = Database(f"sqlite:///{Path(folder) / 'draft.sqlite3'}")
        upgrade(db)
        with db.engine.connect() as connection:
            alembic = config(connection)
            following = len(list(ScriptDirectory.from_config(alembic).walk_revisions())) + 1
            command.revision(alembic, message, autogenerate=True, rev_id=f"{following:04d}")
        db.dispose()


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1]:
        raise SystemExit('Say what changes: make revision m="add the calendars"')
    main(sys.argv[1])
