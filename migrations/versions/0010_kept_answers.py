"""What a batch under an Idempotency-Key answered, and what a person answered before they saw the suggestion."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("idempotency_key", sa.Column("answer", sa.Text(), nullable=True))
    op.add_column("draft", sa.Column("answered_json", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("draft", "answered_json")
    op.drop_column("idempotency_key", "answer")
