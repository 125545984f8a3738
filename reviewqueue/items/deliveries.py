"""What became of an item's outcome on its way to apps: the shape in which whoever delivers tells it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from ..audit.events import EventType
from ..audit.trail import rfc3339
from ..db import Database

ISSUING = frozenset(
    {
        EventType.ITEM_AUTO_ACCEPTED, EventType.ITEM_ACCEPTED, EventType.ITEM_EDITED, EventType.ITEM_REJECTED,
        EventType.ITEM_CORRECTED, EventType.ITEM_EXPIRED, EventType.ITEM_WITHDRAWN,
    }
)  # fmt: skip
"""The events with which there is an outcome."""


@dataclass(frozen=True, slots=True)
class Attempt:
    at: datetime
    status: int | None
    """Of the answer; None: there was none."""
    error: str | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One outcome on its way to one subscription."""

    event: uuid.UUID
    type: str
    to: str
    """The subscription's name."""
    state: str
    """waiting, arrived, failed, or undone before it left."""
    at: datetime
    """It arrived, or is tried next, or came to be."""
    attempts: tuple[Attempt, ...]
    """Oldest first."""
    page: str
    """Where an admin sees more."""

    def as_json(self) -> dict[str, Any]:
        return {
            "event_id": str(self.event),
            "type": self.type,
            "subscription": self.to,
            "state": self.state,
            "at": rfc3339(self.at),
            "attempts": [
                {"at": rfc3339(one.at), "status": one.status, "error": one.error} for one in self.attempts
            ],
        }


ReadDeliveries: TypeAlias = Callable[[Database, uuid.UUID], Sequence[Delivery]]
"""Those of an item's outcomes, oldest first. Webhooks lie above items, so the app is given theirs when it is made."""
