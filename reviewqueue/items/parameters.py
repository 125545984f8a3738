"""The parameters of the items' API: paths, queries and headers, as they are validated and documented."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from ..web.openapi import Query
from .forms import Order

IDEMPOTENCY_HEADER: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "maxLength": 255},
    "description": "Makes a repeated call answer as the first one did, for 72 hours.",
}
IF_MATCH: dict[str, Any] = {
    "name": "If-Match",
    "in": "header",
    "schema": {"type": "string"},
    "description": "The item's ETag, where no claim's token is sent.",
}


WantedState = Literal[
    "open", "pending", "disputed", "accepted", "edited", "rejected", "auto_accepted", "expired", "withdrawn"
]
"""A state of an item, or `open` for both that wait; one flat list, so that a refusal can name it."""


class ItemPath(BaseModel):
    item_id: UUID


class QueuePath(BaseModel):
    queue: str


class ItemQuery(Query):
    wait: Annotated[float, Field(ge=0, le=60, description="Seconds to wait for an outcome.")] = 0
    include: Annotated[
        list[Literal["evidence", "deliveries"]],
        Field(max_length=10, description="May be repeated. `deliveries`: of its outcomes, within 30 days."),
    ] = []


class ListQuery(Query):
    """Filters and order of a list; `tag.<name>=<value>` filters by a tag."""

    model_config = ConfigDict(extra="ignore")

    queue: str | None = None
    state: WantedState | None = None
    level_min: Annotated[int, Field(ge=0, le=32767)] = 0
    flag: str | None = None
    external_id: str | None = None
    model: str | None = None
    q: (
        Annotated[str, Field(max_length=200, description="Words to find in input, output or external id.")]
        | None
    ) = None
    order: Order = "due"
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: str | None = None


class BatchQuery(Query):
    atomic: bool = False
