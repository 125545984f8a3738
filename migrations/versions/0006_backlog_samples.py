"""What the backlog was like, by quarters of an hour: for trends, charts and the forecast."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "backlog_sample",
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("queue_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=True),
        sa.Column("overdue", sa.Integer(), nullable=True),
        sa.Column("escalated", sa.Integer(), nullable=True),
        sa.Column("at_risk", sa.Integer(), nullable=True),
        sa.Column("arrived", sa.Integer(), server_default="0", nullable=False),
        sa.Column("decided", sa.Integer(), server_default="0", nullable=False),
        sa.Column("in_time", sa.Integer(), server_default="0", nullable=False),
        sa.Column("late", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_backlog_sample_queue_id_queue")),
        sa.PrimaryKeyConstraint("at", "queue_id", name=op.f("pk_backlog_sample")),
    )
    op.create_table(
        "backlog_sampled_up_to",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backlog_sampled_up_to")),
    )


def downgrade() -> None:
    op.drop_table("backlog_sampled_up_to")
    op.drop_table("backlog_sample")
