"""Which bodies of webhooks are still to be completed, just before they first leave."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What was announced before may have been sent: its bytes stay as they are.
    op.add_column(
        "announcement", sa.Column("is_complete", sa.Boolean(), server_default=sa.true(), nullable=False)
    )


def downgrade() -> None:
    op.drop_column("announcement", "is_complete")
