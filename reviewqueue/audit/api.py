"""The feed and an item's trail, over HTTP."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

import orjson
from flask import Response
from flask_openapi import APIBlueprint
from pydantic import BaseModel, Field

from ..web.openapi import API, Query
from ..web.requests import caller, database
from . import operations
from .queries import EventDict

api = APIBlueprint("audit_api", __name__, url_prefix=API, abp_tags=[{"name": "events"}])


class FeedQuery(Query):
    after: Annotated[int, Field(ge=0, le=2**63 - 1, description="Position of the last event you have.")] = 0
    queue: Annotated[str | None, Field(max_length=64)] = None
    type: Annotated[
        list[str],
        Field(max_length=50, description="Event types; `item.*` for all of a kind. May be repeated."),
    ] = []
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    wait: Annotated[float, Field(ge=0, le=60, description="Seconds to wait for the next event.")] = 0


class ItemPath(BaseModel):
    item_id: uuid.UUID


class ActorDocument(BaseModel):
    kind: str = Field(description="person, app, policy, timer or system.")
    id: str | None
    name: str


class EventDocument(BaseModel):
    """One entry of the trail."""

    position: int | None = Field(description="Null until the event is ordered, at most seconds.")
    id: uuid.UUID
    type: str
    queue: str | None
    item_id: uuid.UUID | None
    item_seq: int | None
    at: str
    actor: ActorDocument
    data: dict[str, Any]
    request_id: str | None
    hash: str = Field(description="HMAC-SHA256 over the event's bytes, in hex.")


class FeedDocument(BaseModel):
    items: list[EventDocument]
    next: int = Field(description="Send it as `after` next time: nothing is missed, ever.")


class TrailDocument(BaseModel):
    items: list[EventDocument]
    next: None = Field(description="The trail is whole.")


@api.get("/events", summary="Follow all events, in the order of their commits", responses={200: FeedDocument})
def follow_events(query: FeedQuery) -> Response:
    page = operations.follow(
        database(),
        caller(),
        query.after,
        queue=query.queue,
        types=query.type,
        limit=query.limit,
        wait=query.wait,
    )
    return _answer(page.events, page.next)


@api.get(
    "/items/<uuid:item_id>/events", summary="An item's trail, oldest first", responses={200: TrailDocument}
)
def list_item_events(path: ItemPath) -> Response:
    return _answer(operations.item_trail(database(), caller(), path.item_id), None)


def _answer(events: list[EventDict], next_: int | None) -> Response:
    return Response(orjson.dumps({"items": events, "next": next_}), mimetype="application/json")
