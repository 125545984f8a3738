"""Persons, teams, the roles they hold, the keys of apps, and sessions of the browser."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship
from uuid_utils.compat import uuid7

from reviewqueue.audit.guard import Audited
from reviewqueue.db import Base, Json, JsonText, UtcDateTime


class Role(StrEnum):
    """What a person may do in a queue; each includes the one before it, but for auditor, who only reads."""

    REVIEWER = "reviewer"
    LEAD = "lead"
    MANAGER = "manager"
    AUDITOR = "auditor"


class Scope(StrEnum):
    """What a key may do."""

    ITEMS_WRITE = "items:write"
    ITEMS_READ = "items:read"
    DECISIONS_WRITE = "decisions:write"
    EVENTS_READ = "events:read"
    QUEUES_WRITE = "queues:write"


class Person(Audited, Base):
    __tablename__ = "person"

    id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, primary_key=True, default=uuid7)
    email: Mapped[str] = mapped_column(sa.String(254), unique=True)
    """Lower case."""
    name: Mapped[str] = mapped_column(sa.String(120))
    password_hash: Mapped[str | None] = mapped_column(sa.String(200))
    is_admin: Mapped[bool] = mapped_column(default=False)
    is_auditor: Mapped[bool] = mapped_column(default=False)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    preferences: Mapped[Json] = mapped_column(JsonText, default=dict)
    """How the person likes the pages: theme, keys on or off, time zone."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Team(Audited, Base):
    __tablename__ = "team"

    id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, primary_key=True, default=uuid7)
    slug: Mapped[str] = mapped_column(sa.String(64), unique=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class TeamMember(Base):
    __tablename__ = "team_member"

    team_id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, sa.ForeignKey("team.id"), primary_key=True)
    person_id: Mapped[uuid.UUID] = mapped_column(
        sa.Uuid, sa.ForeignKey("person.id"), primary_key=True, index=True
    )


class Membership(Base):
    """A role in a queue, held by a person or by everyone in a team."""

    __tablename__ = "membership"

    id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, primary_key=True, default=uuid7)
    queue_id: Mapped[int] = mapped_column(sa.Integer, sa.ForeignKey("queue.id"))
    role: Mapped[str] = mapped_column(sa.String(10))
    person_id: Mapped[uuid.UUID | None] = mapped_column(sa.Uuid, sa.ForeignKey("person.id"), index=True)
    team_id: Mapped[uuid.UUID | None] = mapped_column(sa.Uuid, sa.ForeignKey("team.id"), index=True)

    __table_args__ = (
        sa.CheckConstraint("(person_id IS NULL) <> (team_id IS NULL)", name="one_holder"),
        # Two, because a unique constraint lets nulls repeat: one for persons, one for teams.
        sa.UniqueConstraint("queue_id", "role", "person_id"),
        sa.UniqueConstraint("queue_id", "role", "team_id"),
    )


class Key(Audited, Base):
    """What an app signs in with. The secret is kept as a hash alone."""

    __tablename__ = "key"

    id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, primary_key=True, default=uuid7)
    name: Mapped[str] = mapped_column(sa.String(120))
    hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32), unique=True)
    """SHA-256 of the whole key: it holds 256 random bits, so that a slow hash would add nothing."""
    hint: Mapped[str] = mapped_column(sa.String(12))
    """The first characters, to recognise it in a list."""
    scopes: Mapped[Json] = mapped_column(JsonText)
    queues: Mapped[Json] = mapped_column(JsonText)
    """Names of the queues it serves; null: all."""
    person_id: Mapped[uuid.UUID | None] = mapped_column(sa.Uuid, sa.ForeignKey("person.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(sa.String(120))
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    person: Mapped[Person | None] = relationship(lazy="raise")


class BrowserSession(Base):
    """A sign-in of a person's browser. The cookie holds a random id; its hash is the key here."""

    __tablename__ = "browser_session"

    id_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32), primary_key=True)
    person_id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, sa.ForeignKey("person.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    data: Mapped[Json] = mapped_column(JsonText, default=dict)
    """What the pages remember for this browser, such as the items skipped in each queue."""


class SignInLink(Base):
    """A link that signs in once and asks for a new password: the first run's, or one that an admin made."""

    __tablename__ = "sign_in_link"

    hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32), primary_key=True)
    person_id: Mapped[uuid.UUID | None] = mapped_column(sa.Uuid, sa.ForeignKey("person.id"))
    """Null: the first run's link, which makes the first admin."""
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Attempt(Base):
    """A counter of attempts in a window, such as sign-ins that failed for one address: what is throttled."""

    __tablename__ = "attempt"

    subject: Mapped[str] = mapped_column(sa.String(320), primary_key=True)
    window_start: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    count: Mapped[int] = mapped_column(default=0)
