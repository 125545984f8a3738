"""Which notices a person may see by now: a role or an account that ended takes with it what was told before."""

from __future__ import annotations

import sqlalchemy as sa

from ..people.access import QUEUES
from ..people.models import Membership, Person, TeamMember
from .models import Notice

_TEAMS = sa.select(TeamMember.team_id).where(TeamMember.person_id == Person.id).correlate(Person)
_HOLDS_A_ROLE = (
    sa.exists()
    .where(
        QUEUES.c.name == Notice.queue,
        Membership.queue_id == QUEUES.c.id,
        sa.or_(Membership.person_id == Person.id, Membership.team_id.in_(_TEAMS)),
    )
    .correlate(Person, Notice)
)
MAY_SEE = sa.and_(
    Person.disabled_at.is_(None),
    # What is about no item is for admins.
    sa.or_(Person.is_admin, sa.and_(Notice.item_id.is_not(None), sa.or_(Person.is_auditor, _HOLDS_A_ROLE))),
)
"""For a statement with a row of the person and of the notice."""
