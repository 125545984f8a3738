"""Who is calling: what every door builds from a key, a browser's session or the command line."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from reviewqueue.people.models import Scope
from reviewqueue.transaction import SYSTEM, Actor


@dataclass(frozen=True, slots=True)
class Caller:
    """One caller, proven to be who they are. What they may do is told by `people.access`."""

    actor: Actor
    person_id: uuid.UUID | None = None
    email: str | None = None
    is_admin: bool = False
    is_auditor: bool = False
    scopes: frozenset[Scope] | None = None
    """Of the key; None: a browser or a command, which no scope limits."""
    queues: frozenset[str] | None = None
    """Names of the queues that the key serves; None: all."""
    key_id: uuid.UUID | None = None

    @property
    def is_system(self) -> bool:
        """The commands of whoever runs the machine, which may do everything."""
        return self.actor.kind == "system"

    @property
    def is_app(self) -> bool:
        """A key that belongs to no person."""
        return self.key_id is not None and self.person_id is None


SYSTEM_CALLER = Caller(SYSTEM)
