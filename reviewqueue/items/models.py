"""An item, its evidence, the reviews it got and the outcomes that it led to, as rows.

`item` is narrow, because it is updated often; evidence lives apart and never changes.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column
from uuid_utils.compat import uuid7

from ..audit.guard import Audited
from ..db import Base, Json, JsonColumn, JsonText, UtcDateTime, UtcOrNever
from .states import State

IS_OPEN = sa.text("state IN ('pending', 'disputed')")
IS_CLAIMABLE = sa.text("state IN ('pending', 'disputed') AND snoozed_until IS NULL")
IS_ESCALATED = sa.text("state IN ('pending', 'disputed') AND level > 0")


def is_open(item: type[Item]) -> sa.ColumnElement[bool]:
    """Waiting for people. The states are spelt into the statement: a bound value would hide the partial indexes."""
    return item.state.in_([sa.literal_column("'pending'"), sa.literal_column("'disputed'")])


STORED = {
    "fillfactor": 80,
    "autovacuum_vacuum_scale_factor": 0.02,
    "autovacuum_analyze_scale_factor": 0.02,
}
"""How PostgreSQL keeps items, which change often: room beside each row, and an early vacuum of a long table."""


def _partial(name: str, *columns: Any, where: sa.TextClause) -> sa.Index:
    return sa.Index(name, *columns, postgresql_where=where, sqlite_where=where)


class Item(Audited, Base):
    __tablename__ = "item"

    id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, primary_key=True, default=uuid7)
    queue_id: Mapped[int] = mapped_column(sa.Integer, sa.ForeignKey("queue.id"))
    queue: Mapped[str] = mapped_column(sa.String(64))
    """The queue's name, which never changes: spares a join wherever an item is shown."""
    external_id: Mapped[str | None] = mapped_column(sa.String(255))
    state: Mapped[str] = mapped_column(sa.String(13))
    lane: Mapped[str] = mapped_column(sa.String(10))
    purpose: Mapped[str] = mapped_column(sa.String(5))
    reasons: Mapped[Json] = mapped_column(JsonText)
    """[{code, detail}]: why policy sent it where it went."""
    policy_id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, sa.ForeignKey("policy.id"))
    policy_version: Mapped[int] = mapped_column(sa.Integer)
    priority: Mapped[int] = mapped_column(sa.SmallInteger)
    level: Mapped[int] = mapped_column(sa.SmallInteger, default=0, server_default="0")
    version: Mapped[int] = mapped_column(sa.Integer, default=1, server_default="1")
    """Counts the changes that whoever decides must know of; a claim or a comment is none."""

    confidence: Mapped[float | None] = mapped_column(sa.Double)
    flags: Mapped[Json] = mapped_column(JsonColumn)
    tags: Mapped[Json] = mapped_column(JsonColumn)
    model_name: Mapped[str | None] = mapped_column(sa.String(200))
    model_version: Mapped[str | None] = mapped_column(sa.String(200))
    prompt_name: Mapped[str | None] = mapped_column(sa.String(200))
    prompt_version: Mapped[str | None] = mapped_column(sa.String(200))

    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    waiting_since: Mapped[datetime] = mapped_column(UtcDateTime)
    """Arrival, or the reopening: what due time, escalation and deadline are counted from."""
    paused_seconds: Mapped[float] = mapped_column(sa.Double, default=0.0, server_default="0")
    """How long it was snoozed since then; pushes due time and escalation, never the deadline."""
    due_at: Mapped[datetime | None] = mapped_column(UtcOrNever, nullable=False)
    deadline_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    valid_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by: Mapped[uuid.UUID | None] = mapped_column(sa.Uuid, sa.ForeignKey("person.id"))

    assigned_to: Mapped[str | None] = mapped_column(sa.String(260))
    """A person's email or `team:<slug>`: `claim next` offers the item to nobody else."""
    snoozed_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    snoozed_by: Mapped[str | None] = mapped_column(sa.String(254))
    """The email of whoever waits for a reply: a comment by anybody else ends the snooze. Null: only time does."""
    acknowledged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When somebody who was told of the present step said that they are on it: its repeats stop."""
    acknowledged_by: Mapped[uuid.UUID | None] = mapped_column(sa.Uuid)
    acknowledged_name: Mapped[str | None] = mapped_column(sa.String(120))

    claim_token: Mapped[str | None] = mapped_column(sa.String(43))
    """Fences decisions. Outlives the lease: whoever lapsed may still decide while nobody re-claimed."""
    claim_by: Mapped[uuid.UUID | None] = mapped_column(sa.Uuid)
    claim_name: Mapped[str | None] = mapped_column(sa.String(120))
    claim_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    claim_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """The lease. Null: nobody holds the item, or the lapse has been recorded."""
    claim_lapsed: Mapped[str | None] = mapped_column(sa.String(120))
    """Set by a claim that took over a lease that had run out: whose it was, so that the lapse is recorded."""

    timer_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    timer_kind: Mapped[str | None] = mapped_column(sa.String(8))
    timer_step: Mapped[int] = mapped_column(sa.SmallInteger, default=0, server_default="0")
    """Escalation steps that have fired since `waiting_since`."""
    timer_repeats: Mapped[int] = mapped_column(sa.SmallInteger, default=0, server_default="0")
    """Repeats of the current step that have fired."""
    timer_fired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    timer_epoch: Mapped[int] = mapped_column(sa.Integer, default=1, server_default="1")
    """Bumped by every verb that changes what the timer was computed from: a timer that lost the race finds it gone."""
    timer_failures: Mapped[int] = mapped_column(sa.SmallInteger, default=0, server_default="0")
    timer_error: Mapped[str | None] = mapped_column(sa.Text)

    round: Mapped[int] = mapped_column(sa.SmallInteger, default=1, server_default="1")
    """Reviews count within their round; a reopening begins the next."""
    reviews_in: Mapped[int] = mapped_column(sa.SmallInteger, default=0, server_default="0")
    revision: Mapped[int] = mapped_column(sa.Integer, default=0, server_default="0")
    """Of the newest outcome; 0: none yet."""
    has_outcome: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    """Whether that outcome stands: a reopening or a recall voids it until the next decision."""

    event_seq: Mapped[int] = mapped_column(sa.Integer, default=0, server_default="0")
    evidence_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    content_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    """Of the whole body as it was sent: whether a repeated external id is a repeat."""
    key_id: Mapped[uuid.UUID | None] = mapped_column(sa.Uuid)
    supersedes: Mapped[uuid.UUID | None] = mapped_column(sa.Uuid)

    __table_args__ = (
        # claiming.claim_next, and the order of the review page.
        sa.Index(
            "ix_item_claim_next",
            "queue_id",
            sa.desc("level"),
            sa.desc("priority"),
            "due_at",
            "id",
            postgresql_where=IS_CLAIMABLE,
            sqlite_where=IS_CLAIMABLE,
        ),
        # escalation.timers: the rows that are due.
        _partial("ix_item_timer_at", "timer_at", where=sa.text("timer_at IS NOT NULL")),
        # escalation.queries.timer_health: timers that failed, few or none.
        _partial("ix_item_timer_error", "id", where=sa.text("timer_error IS NOT NULL")),
        # insights.backlog: the escalated items, in the order in which its page shows them; few.
        _partial("ix_item_escalated", sa.desc("level"), "due_at", "id", where=IS_ESCALATED),
        # insights.backlog: the waiting items that ix_item_claim_next leaves out, few.
        _partial("ix_item_snoozed", "queue_id", where=sa.text("snoozed_until IS NOT NULL")),
        # claiming.lapse: leases that ran out; queries.held_by: what somebody holds.
        _partial("ix_item_claim_until", "claim_until", where=sa.text("claim_until IS NOT NULL")),
        # intake: an external id is unique in its queue.
        sa.Index(
            "uq_item_queue_id_external_id",
            "queue_id",
            "external_id",
            unique=True,
            postgresql_where=sa.text("external_id IS NOT NULL"),
            sqlite_where=sa.text("external_id IS NOT NULL"),
        ),
        # queries.listing, newest first.
        sa.Index("ix_item_queue_id_id", "queue_id", "id"),
        # queries.listing, by due time.
        sa.Index("ix_item_queue_id_due_at_id", "queue_id", "due_at", "id"),
        # insights.backlog: decided today, by queue.
        sa.Index(
            "ix_item_queue_id_decided_at",
            "queue_id",
            "decided_at",
            postgresql_where=sa.text("decided_at IS NOT NULL"),
            sqlite_where=sa.text("decided_at IS NOT NULL"),
        ),
        sa.CheckConstraint("priority BETWEEN 0 AND 100", name="priority"),
        sa.CheckConstraint("confidence BETWEEN 0 AND 1", name="confidence"),
        {"postgresql_with": STORED},
    )

    @property
    def is_open(self) -> bool:
        return self.state in (State.PENDING, State.DISPUTED)

    @property
    def title(self) -> str:
        """What people call it: the app's own id, else the end of ours."""
        return self.external_id or f"…{self.id.hex[-8:]}"


class Evidence(Base):
    """What cannot change about an item. JSON is kept as text, byte for byte as it was hashed at intake."""

    __tablename__ = "evidence"

    item_id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, sa.ForeignKey("item.id"), primary_key=True)
    input_json: Mapped[str] = mapped_column(sa.Text)
    output_json: Mapped[str] = mapped_column(sa.Text)
    """`null` when the model gave none."""
    details_json: Mapped[str] = mapped_column(sa.Text)
    """model, prompt, config, context, explanation, assumptions, latency_ms, retries, error, trace_id, occurred_at."""
    search_text: Mapped[str] = mapped_column(sa.Text)
    """Output and input as text, in lower case and cut short: what the search looks through."""

    # Up to 8 KB PostgreSQL keeps a row as it is: compressing it costs a batch a fifth of its time.
    __table_args__ = ({"postgresql_with": {"toast_tuple_target": 8160}},)

    @property
    def input(self) -> Json:
        return orjson.loads(self.input_json)

    @property
    def output(self) -> Json:
        return orjson.loads(self.output_json)

    @property
    def details(self) -> dict[str, Json]:
        details: dict[str, Json] = orjson.loads(self.details_json)
        return details


class Review(Base):
    """One reviewer's verdict on an item, with what was on the screen. Written once; taken back by `undone_at` alone."""

    __tablename__ = "review"

    id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, primary_key=True, default=uuid7)
    item_id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, sa.ForeignKey("item.id"))
    round: Mapped[int] = mapped_column(sa.SmallInteger)
    person_id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, sa.ForeignKey("person.id"))
    role: Mapped[str] = mapped_column(sa.String(10))
    adjudication: Mapped[bool] = mapped_column(default=False)
    verdict: Mapped[str] = mapped_column(sa.String(6))
    output_json: Mapped[str | None] = mapped_column(sa.Text)
    """Of an edit; null: the suggestion (accept) or nothing (reject)."""
    output_hash: Mapped[bytes | None] = mapped_column(sa.LargeBinary(32))
    """SHA-256 of the canonical output that the verdict stands for; null for a reject."""
    reason: Mapped[str | None] = mapped_column(sa.String(64))
    comment: Mapped[str | None] = mapped_column(sa.Text)
    seconds: Mapped[float | None] = mapped_column(sa.Double)
    """Between seeing (the claim) and deciding."""
    draft_edits: Mapped[int] = mapped_column(sa.Integer, default=0)
    suggestion_visible: Mapped[bool] = mapped_column(default=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        # deciding: the reviews of this round; claiming: items that somebody has reviewed already.
        sa.Index("ix_review_item_id_round", "item_id", "round"),
        # queries.last_decisions: the desk; insights.workload.
        sa.Index("ix_review_person_id_at", "person_id", "at"),
    )


class Outcome(Base):
    """What the app may act on. A corrected outcome is a new revision; the old one stays as it was."""

    __tablename__ = "outcome"

    item_id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, sa.ForeignKey("item.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    verdict: Mapped[str] = mapped_column(sa.String(9))
    by: Mapped[str] = mapped_column(sa.String(8))
    output_json: Mapped[str | None] = mapped_column(sa.Text)
    """Null for an accept, whose output is the evidence's own, and where there is none."""
    reason: Mapped[str | None] = mapped_column(sa.String(64))
    comment: Mapped[str | None] = mapped_column(sa.Text)
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
    delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it was first on its way to an app, kept only while an undo is still possible: it forbids the undo."""


class Draft(Base):
    """What somebody has typed on an item and not yet decided."""

    __tablename__ = "draft"

    item_id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, sa.ForeignKey("item.id"), primary_key=True)
    person_id: Mapped[uuid.UUID] = mapped_column(
        sa.Uuid, sa.ForeignKey("person.id"), primary_key=True, index=True
    )
    content: Mapped[Json] = mapped_column(JsonText)
    """The page's form as it stands: {output, reason, comment}."""
    edits: Mapped[int] = mapped_column(sa.Integer, default=0)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    answered_json: Mapped[str | None] = mapped_column(sa.Text)
    """In `step_aside`: when the person's own answer was given and the suggestion shown, and the first such answer."""
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class IdempotencyKey(Base):
    """A request that an app may repeat: the same body answers the same, another body is refused. Kept 72 hours."""

    __tablename__ = "idempotency_key"

    scope: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    """Whose key it is: keys of two apps never meet."""
    key: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    body_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    item_id: Mapped[uuid.UUID | None] = mapped_column(sa.Uuid)
    """What the first such request made; null only while it is under way, and of a batch."""
    answer: Mapped[str | None] = mapped_column(sa.Text)
    """Of a batch: what it answered, as JSON, since what became of each body is kept nowhere else."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
