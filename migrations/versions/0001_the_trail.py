"""The trail: events that never change, their erasable content, their order, and leases.

The database itself refuses to change what was recorded, whoever asks: the third ring. On PostgreSQL the role that
migrates, which owns the tables, gives the right away; it could take it back, and a superuser never lost it, so that the
triggers stand behind. Altering these tables in batch mode on SQLite copies them and so drops the triggers: make them
again then.

The models say what each index is for.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("queue_id", sa.Integer(), nullable=True),
        sa.Column("item_id", sa.Uuid(), nullable=True),
        sa.Column("item_seq", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.String(length=10), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=True),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    op.create_index(
        "ix_event_actor_id_at",
        "event",
        ["actor_id", "at"],
        unique=False,
        postgresql_where=sa.text("actor_kind = 'person'"),
        sqlite_where=sa.text("actor_kind = 'person'"),
    )
    op.create_index(
        "uq_event_item_id_item_seq",
        "event",
        ["item_id", "item_seq"],
        unique=True,
        postgresql_where=sa.text("item_id IS NOT NULL"),
        sqlite_where=sa.text("item_id IS NOT NULL"),
    )

    op.create_table(
        "event_content",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("salt", sa.LargeBinary(length=16), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_event_content")),
    )

    op.create_table(
        "unordered_events",
        sa.Column("n", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("event_ids", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_unordered_events")),
        sqlite_autoincrement=True,
    )

    op.create_table(
        "event_position",
        sa.Column("position", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_event_position")),
        sa.UniqueConstraint("event_id", name=op.f("uq_event_position_event_id")),
    )

    op.create_table(
        "lease",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )

    _refuse_changes("event", "UPDATE", "DELETE")
    _refuse_changes("event_position", "UPDATE", "DELETE")
    # Erasure may delete content; the event and its hash stay.
    _refuse_changes("event_content", "UPDATE")


def downgrade() -> None:
    op.drop_table("lease")
    op.drop_table("event_position")
    op.drop_table("unordered_events")
    op.drop_table("event_content")
    op.drop_table("event")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")


def _refuse_changes(table: str, *statements: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for statement in statements:
            op.execute(
                f"CREATE TRIGGER {table}_no_{statement.lower()} BEFORE {statement} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} keeps what was recorded'); END"
            )
        return
    op.execute(f"REVOKE {', '.join((*statements, 'TRUNCATE'))} ON {table} FROM CURRENT_USER")
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% keeps what was recorded', TG_TABLE_NAME; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_change BEFORE {' OR '.join((*statements, 'TRUNCATE'))} ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
