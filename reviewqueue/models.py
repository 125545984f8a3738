"""Imports every table, so that metadata is whole: for migrations and for whoever needs all of them."""

from __future__ import annotations

from .audit import models as audit
from .escalation import models as escalation
from .insights import models as insights
from .items import models as items
from .notifications import models as notifications
from .oncall import models as oncall
from .people import models as people
from .queues import models as queues
from .receipts import models as receipts
from .webhooks import models as webhooks

__all__ = [
    "audit",
    "escalation",
    "insights",
    "items",
    "notifications",
    "oncall",
    "people",
    "queues",
    "receipts",
    "webhooks",
]
