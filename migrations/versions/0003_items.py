"""Items, their evidence, reviews and outcomes, and the firings of their timers.

The models say what each index is for.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("queue_id", sa.Integer(), nullable=False),
        sa.Column("queue", sa.String(length=64), nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=True),
        sa.Column("state", sa.String(length=13), nullable=False),
        sa.Column("lane", sa.String(length=10), nullable=False),
        sa.Column("purpose", sa.String(length=5), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("policy_id", sa.Uuid(), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("level", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.Column("flags", JSON, nullable=False),
        sa.Column("tags", JSON, nullable=False),
        sa.Column("model_name", sa.String(length=200), nullable=True),
        sa.Column("model_version", sa.String(length=200), nullable=True),
        sa.Column("prompt_name", sa.String(length=200), nullable=True),
        sa.Column("prompt_version", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paused_seconds", sa.Double(), server_default="0", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("assigned_to", sa.String(length=260), nullable=True),
        sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claim_token", sa.String(length=43), nullable=True),
        sa.Column("claim_by", sa.Uuid(), nullable=True),
        sa.Column("claim_name", sa.String(length=120), nullable=True),
        sa.Column("claim_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claim_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claim_lapsed", sa.String(length=120), nullable=True),
        sa.Column("timer_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("timer_kind", sa.String(length=8), nullable=True),
        sa.Column("timer_step", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("timer_repeats", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("timer_fired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("timer_epoch", sa.Integer(), server_default="1", nullable=False),
        sa.Column("timer_failures", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("timer_error", sa.Text(), nullable=True),
        sa.Column("round", sa.SmallInteger(), server_default="1", nullable=False),
        sa.Column("reviews_in", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("revision", sa.Integer(), server_default="0", nullable=False),
        sa.Column("has_outcome", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("event_seq", sa.Integer(), server_default="0", nullable=False),
        sa.Column("evidence_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=True),
        sa.Column("supersedes", sa.Uuid(), nullable=True),
        sa.CheckConstraint("confidence BETWEEN 0 AND 1", name=op.f("ck_item_confidence")),
        sa.CheckConstraint("priority BETWEEN 0 AND 100", name=op.f("ck_item_priority")),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"], name=op.f("fk_item_decided_by_person")),
        sa.ForeignKeyConstraint(["policy_id"], ["policy.id"], name=op.f("fk_item_policy_id_policy")),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_item_queue_id_queue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item")),
        # Rows that change often: room beside them, and vacuum after some thousand changes however long the table is.
        postgresql_with={
            "fillfactor": 80,
            "autovacuum_vacuum_scale_factor": 0.02,
            "autovacuum_analyze_scale_factor": 0.02,
        },
    )
    op.create_index(
        "ix_item_claim_next",
        "item",
        ["queue_id", sa.literal_column("level DESC"), sa.literal_column("priority DESC"), "due_at", "id"],
        unique=False,
        postgresql_where=sa.text("state IN ('pending', 'disputed') AND snoozed_until IS NULL"),
        sqlite_where=sa.text("state IN ('pending', 'disputed') AND snoozed_until IS NULL"),
    )
    op.create_index(
        "ix_item_claim_until",
        "item",
        ["claim_until"],
        unique=False,
        postgresql_where=sa.text("claim_until IS NOT NULL"),
        sqlite_where=sa.text("claim_until IS NOT NULL"),
    )
    op.create_index(
        "ix_item_queue_id_decided_at",
        "item",
        ["queue_id", "decided_at"],
        unique=False,
        postgresql_where=sa.text("decided_at IS NOT NULL"),
        sqlite_where=sa.text("decided_at IS NOT NULL"),
    )
    op.create_index("ix_item_queue_id_due_at_id", "item", ["queue_id", "due_at", "id"], unique=False)
    op.create_index("ix_item_queue_id_id", "item", ["queue_id", "id"], unique=False)
    op.create_index(
        "ix_item_timer_at",
        "item",
        ["timer_at"],
        unique=False,
        postgresql_where=sa.text("timer_at IS NOT NULL"),
        sqlite_where=sa.text("timer_at IS NOT NULL"),
    )
    op.create_index(
        "ix_item_timer_error",
        "item",
        ["id"],
        unique=False,
        postgresql_where=sa.text("timer_error IS NOT NULL"),
        sqlite_where=sa.text("timer_error IS NOT NULL"),
    )
    op.create_index(
        "ix_item_snoozed",
        "item",
        ["queue_id"],
        unique=False,
        postgresql_where=sa.text("snoozed_until IS NOT NULL"),
        sqlite_where=sa.text("snoozed_until IS NOT NULL"),
    )
    op.create_index(
        "ix_item_escalated",
        "item",
        [sa.literal_column("level DESC"), "due_at", "id"],
        unique=False,
        postgresql_where=sa.text("state IN ('pending', 'disputed') AND level > 0"),
        sqlite_where=sa.text("state IN ('pending', 'disputed') AND level > 0"),
    )
    op.create_index(
        "uq_item_queue_id_external_id",
        "item",
        ["queue_id", "external_id"],
        unique=True,
        postgresql_where=sa.text("external_id IS NOT NULL"),
        sqlite_where=sa.text("external_id IS NOT NULL"),
    )

    op.create_table(
        "evidence",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("input_json", sa.Text(), nullable=False),
        sa.Column("output_json", sa.Text(), nullable=False),
        sa.Column("details_json", sa.Text(), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_evidence_item_id_item")),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_evidence")),
        # Small evidence stays as it is: compressing it costs a batch a fifth of its time.
        postgresql_with={"toast_tuple_target": 8160},
    )

    op.create_table(
        "review",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.SmallInteger(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("adjudication", sa.Boolean(), nullable=False),
        sa.Column("verdict", sa.String(length=6), nullable=False),
        sa.Column("output_json", sa.Text(), nullable=True),
        sa.Column("output_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("draft_edits", sa.Integer(), nullable=False),
        sa.Column("suggestion_visible", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_review_item_id_item")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_review_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
    )
    op.create_index("ix_review_item_id_round", "review", ["item_id", "round"], unique=False)
    op.create_index("ix_review_person_id_at", "review", ["person_id", "at"], unique=False)

    op.create_table(
        "outcome",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("verdict", sa.String(length=9), nullable=False),
        sa.Column("by", sa.String(length=8), nullable=False),
        sa.Column("output_json", sa.Text(), nullable=True),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_outcome_item_id_item")),
        sa.PrimaryKeyConstraint("item_id", "revision", name=op.f("pk_outcome")),
    )

    op.create_table(
        "draft",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("edits", sa.Integer(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_draft_item_id_item")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_draft_person_id_person")),
        sa.PrimaryKeyConstraint("item_id", "person_id", name=op.f("pk_draft")),
    )
    op.create_index(op.f("ix_draft_person_id"), "draft", ["person_id"], unique=False)

    op.create_table(
        "idempotency_key",
        sa.Column("scope", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key", name=op.f("pk_idempotency_key")),
    )
    op.create_index(op.f("ix_idempotency_key_created_at"), "idempotency_key", ["created_at"], unique=False)

    op.create_table(
        "firing",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("step", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("occurrence", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fired_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_firing_item_id_item")),
        sa.PrimaryKeyConstraint("item_id", "epoch", "step", "occurrence", name=op.f("pk_firing")),
    )


def downgrade() -> None:
    op.drop_table("firing")
    op.drop_table("idempotency_key")
    op.drop_table("draft")
    op.drop_table("outcome")
    op.drop_table("review")
    op.drop_table("evidence")
    op.drop_table("item")
