"""Who may see the items of a queue, and in which roles: those whom a policy can tell anything."""

from __future__ import annotations

import sqlalchemy as sa

from .models import Membership, Person, TeamMember

QUEUE_ID = sa.bindparam("queue_id", type_=sa.Integer)
_HELD = sa.or_(Membership.person_id == Person.id, Membership.team_id == TeamMember.team_id)

# Made once: every batch of timers asks.
ONLOOKERS = (
    sa.select(Person.id, Person.email, Person.name, Person.preferences, Membership.role)
    .outerjoin(TeamMember, TeamMember.person_id == Person.id)
    .outerjoin(Membership, sa.and_(Membership.queue_id == QUEUE_ID, _HELD))
    .where(
        Person.disabled_at.is_(None),
        sa.or_(Membership.id.is_not(None), Person.is_admin, Person.is_auditor),
    )
    .order_by(Person.email)
)
"""A row for each person and role; the role is null for admins and auditors who hold none in the queue `:queue_id`."""
