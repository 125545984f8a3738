"""The calendars' JSON API: their documents, read and applied."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from flask import request
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.utils import parse_body
from pydantic import BaseModel, ConfigDict, Field

from ..audit.trail import rfc3339
from ..errors import Invalid, UnsupportedMedia
from ..web.cursors import decode, encode
from ..web.openapi import API
from ..web.requests import base_url, caller, database, request_id
from . import calendar_operations, calendar_queries
from .calendar_queries import CalendarRow
from .calendars import CalendarDocument

api = APIBlueprint("calendars_api", __name__, url_prefix=API, abp_tags=[{"name": "calendars"}])

YAML_TYPES = ("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml")
DOCUMENT_SCHEMA = {"$ref": "#/components/schemas/CalendarDocument"}
DOCUMENT_TYPES = {kind: {"schema": DOCUMENT_SCHEMA} for kind in ("application/json", "application/yaml")}
DOCUMENT_ANSWER: dict[str, Any] = {
    "content": {"application/json": {"schema": DOCUMENT_SCHEMA}},
    "headers": {
        "Calendar-Version": {"schema": {"type": "integer"}, "description": "The newest version."},
    },
}
api.components_schemas.update(parse_body(CalendarDocument)[1])


class CalendarPath(BaseModel):
    calendar: str


class ListQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: str | None = None


class CalendarSummary(BaseModel):
    calendar: str
    title: str | None
    zone: str
    version: int
    published_at: datetime
    published_by: str
    url: str


class CalendarList(BaseModel):
    items: list[CalendarSummary]
    next: str | None


@api.get("/calendars", summary="List calendars", responses={200: CalendarList})
def list_calendars(query: ListQuery) -> dict[str, Any]:
    rows, more = calendar_queries.list_calendars(
        database(), caller(), limit=query.limit, after=_cursor(query.cursor)
    )
    base = base_url()
    return {
        "items": [_summary(row, base) for row in rows],
        "next": encode([rows[-1].name]) if more else None,
    }


@api.get("/calendars/<calendar>", summary="Read a calendar's document", responses={200: DOCUMENT_ANSWER})
def get_calendar(path: CalendarPath) -> tuple[dict[str, Any], int, dict[str, str]]:
    document, version = calendar_queries.get_document(database(), caller(), path.calendar)
    return document, 200, {"Calendar-Version": str(version)}


@api.put(
    "/calendars/<calendar>",
    summary="Publish a calendar, or its next version; queues follow once their documents are applied again",
    responses={200: DOCUMENT_ANSWER, 201: DOCUMENT_ANSWER},
    request_body={"required": True, "content": DOCUMENT_TYPES},
)
def put_calendar(path: CalendarPath) -> tuple[dict[str, Any], int, dict[str, str]]:
    applied = calendar_operations.apply_calendar(
        database(), caller(), _document(), calendar=path.calendar, request_id=request_id()
    )
    headers = {"Calendar-Version": str(applied.version)}
    if applied.created:
        headers["Location"] = f"{API}/calendars/{applied.calendar}"
    return applied.document, 201 if applied.created else 200, headers


def _document() -> dict[str, Any] | bytes:
    """The body, JSON or YAML; what it says is for the operation to judge."""
    if request.mimetype in YAML_TYPES:
        return request.get_data()
    if not request.is_json:
        raise UnsupportedMedia("Send the document as application/json or application/yaml.")
    body = request.get_json()
    if not isinstance(body, dict):
        raise Invalid("The body must be the calendar's document, a JSON object.")
    return body


def _summary(row: CalendarRow, base: str) -> dict[str, Any]:
    return {
        "calendar": row.name,
        "title": row.title,
        "zone": row.zone,
        "version": row.version,
        "published_at": rfc3339(row.published_at),
        "published_by": row.published_by,
        "url": f"{base}/calendars/{row.name}",
    }


def _cursor(cursor: str | None) -> str:
    if cursor is None:
        return ""
    match decode(cursor):
        case [str(name)]:
            return name
    raise Invalid("The cursor is not one of this list; take it from `next` of the page before.")
