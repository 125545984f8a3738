"""What a batch under an Idempotency-Key answered, so that its repeat answers the same."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("idempotency_key", sa.Column("answer", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("idempotency_key", "answer")
