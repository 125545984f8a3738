"""Which deliveries the doors show of an item: read by what the app was given when it was made."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from flask import current_app

from ..web.requests import database
from .deliveries import Delivery, ReadDeliveries

EXTENSION = "deliveries_of_items"


def deliveries_of(item_id: uuid.UUID) -> Sequence[Delivery]:
    """Those of the item's outcomes, oldest first. Whether the caller sees the item was asked before."""
    read: ReadDeliveries = current_app.extensions[EXTENSION]
    return read(database(), item_id)
