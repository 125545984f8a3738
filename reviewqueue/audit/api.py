"""The feed and an item's trail, over HTTP."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

import orjson
from flask import Response
from flask_openapi import APIBlueprint
from pydantic import BaseModel, Field

from ..errors import Invalid
from ..web.cursors import decode, encode
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


class TrailQuery(Query):
    limit: Annotated[int, Field(ge=1, le=200)] = 200
    cursor: str | None = None


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
    next: str | None = Field(
        description="Send it as `cursor` for the events that follow; null: there are none."
    )


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
def list_item_events(path: ItemPath, query: TrailQuery) -> Response:
    after = _seq(query.cursor)
    events = operations.item_trail(database(), caller(), path.item_id, after=after, limit=query.limit + 1)
    page = events[: query.limit]
    return _answer(page, encode([page[-1]["item_seq"]]) if len(events) > query.limit else None)


def _seq(cursor: str | None) -> int:
    match decode(cursor) if cursor is not None else [0]:
        case [int(seq)] if 0 <= seq < 2**31:
            return seq
    raise Invalid("The cursor is not one of this list; take it from `next` of the page before.")


def _answer(events: list[EventDict], next_: int | str | None) -> Response:
    return Response(orjson.dumps({"items": events, "next": next_}), mimetype="application/json")
