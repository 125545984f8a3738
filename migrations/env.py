"""Runs the migrations on the connection that reviewqueue.migrating hands over, inside its transaction."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context

from reviewqueue.migrating import metadata


def in_plain_types(kind: str, thing: Any, _: object) -> str | Literal[False]:
    """A migration stays as it was written, so it names no type of ours that may change later."""
    if kind == "type" and isinstance(thing, sa.types.TypeDecorator):
        return "sa.DateTime(timezone=True)" if isinstance(thing.impl, sa.DateTime) else f"sa.{thing.impl!r}"
    return False


connection = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("Migrate with `reviewqueue migrate`; make a new revision with `make revision`.")

context.configure(
    connection=connection,
    target_metadata=metadata(),
    render_as_batch=True,
    transactional_ddl=True,
    compare_type=True,
    compare_server_default=True,
    render_item=in_plain_types,
)
with context.begin_transaction():
    context.run_migrations()
