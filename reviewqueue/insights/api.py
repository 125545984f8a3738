"""The figures as JSON."""

from __future__ import annotations

from typing import Annotated, Any

from flask_openapi.blueprint import APIBlueprint
from pydantic import BaseModel, Field

from ..audit.trail import rfc3339
from ..web.openapi import API, Query
from ..web.requests import base_url, caller, database
from . import operations
from .answers import BacklogDocument, StatsDocument, backlog_answer, queue_answer
from .escalated import Narrowed

api = APIBlueprint("insights_api", __name__, url_prefix=API, abp_tags=[{"name": "figures"}])


class BacklogQuery(Query):
    queue: Annotated[str | None, Field(max_length=64)] = None
    department: Annotated[
        str | None, Field(max_length=255, description="The value of the tag `department`.")
    ] = None
    level_min: Annotated[int, Field(ge=1, le=32767, description="Of the escalated items.")] = 1
    reviewer: Annotated[
        str | None,
        Field(max_length=260, description="Of the escalated items: an email or `team:<slug>`."),
    ] = None
    cursor: Annotated[str | None, Field(max_length=300, description="`escalated_next` of before.")] = None


class QueuePath(BaseModel):
    queue: str


@api.get("/backlog", summary="What waits, and how late it is", responses={200: BacklogDocument})
def get_backlog(query: BacklogQuery) -> dict[str, Any]:
    narrowed = Narrowed(query.department, query.level_min, query.reviewer)
    watched = operations.watch_backlog(database(), caller(), query.queue, narrowed, cursor=query.cursor)
    return backlog_answer(watched, base_url())


@api.get("/queues/<queue>/stats", summary="A queue's figures", responses={200: StatsDocument})
def get_stats(path: QueuePath) -> dict[str, Any]:
    stats = operations.get_stats(database(), caller(), path.queue)
    return {
        "as_of": rfc3339(stats.as_of),
        **queue_answer(stats.now),
        "by_state": stats.by_state,
        "by_lane": stats.by_lane,
        "by_verdict": stats.by_verdict,
    }
