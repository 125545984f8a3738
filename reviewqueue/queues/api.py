"""The queues' JSON API: a queue's document, read and applied, and the versions of its policy."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from flask import request
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.utils import parse_body
from pydantic import BaseModel, Field

from ..errors import Invalid, UnsupportedMedia
from ..web.cursors import decode, encode
from ..web.openapi import API, Query
from ..web.requests import base_url, caller, database, request_id
from . import answers, operations, queries
from .document import QueueDocument

api = APIBlueprint("queues_api", __name__, url_prefix=API, abp_tags=[{"name": "queues"}])

T = TypeVar("T", str, int)
Answer = dict[str, Any]
AnswerWithHeaders = tuple[Answer, int, dict[str, str]]

YAML_TYPES = ("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml")
DOCUMENT_SCHEMA = {"$ref": "#/components/schemas/QueueDocument"}
DOCUMENT_TYPES = {kind: {"schema": DOCUMENT_SCHEMA} for kind in ("application/json", "application/yaml")}
DOCUMENT_ANSWER: dict[str, Any] = {
    "content": {"application/json": {"schema": DOCUMENT_SCHEMA}},
    "headers": {
        "Policy-Version": {"schema": {"type": "integer"}, "description": "The version in force."},
    },
}
WARNING = {
    "schema": {"type": "string"},
    "description": "What is allowed and hardly meant; one header for each, and `warnings` beside the document.",
}
APPLIED_ANSWER: dict[str, Any] = {
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/AppliedQueueDocument"}}},
    "headers": {**DOCUMENT_ANSWER["headers"], "Policy-Warning": WARNING},
}


class AppliedQueueDocument(QueueDocument):
    """The document as it now stands."""

    warnings: list[str] = Field([], description="What is allowed and hardly meant; no part of the document.")


api.components_schemas.update(parse_body(QueueDocument)[1])
api.components_schemas.update(parse_body(AppliedQueueDocument)[1])


class QueuePath(BaseModel):
    queue: str


class VersionPath(QueuePath):
    version: Annotated[int, Field(ge=1, le=2**31 - 1)]


class ListQuery(Query):
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: str | None = None


@api.get("/queues", summary="List queues", responses={200: answers.QueueList})
def list_queues(query: ListQuery) -> Answer:
    after = _cursor(query.cursor, str) or ""
    rows, more = queries.list_queues(database(), caller(), limit=query.limit, after=after)
    base = base_url()
    return {
        "items": [answers.queue_summary(row, base) for row in rows],
        "next": encode([rows[-1].name]) if more else None,
    }


@api.get("/queues/<queue>", summary="Read a queue's document", responses={200: DOCUMENT_ANSWER})
def get_queue(path: QueuePath) -> AnswerWithHeaders:
    document, version = queries.get_document(database(), caller(), path.queue)
    return document, 200, {"Policy-Version": str(version)}


@api.put(
    "/queues/<queue>",
    summary="Create a queue, or change it; a changed policy becomes the next version",
    responses={200: APPLIED_ANSWER, 201: APPLIED_ANSWER},
    request_body={"required": True, "content": DOCUMENT_TYPES},
)
def put_queue(path: QueuePath) -> tuple[Answer, int, dict[str, str | list[str]]]:
    applied = operations.apply(database(), caller(), _document(), queue=path.queue, request_id=request_id())
    told = {"warnings": applied.warnings} if applied.warnings else {}
    headers: dict[str, str | list[str]] = {"Policy-Version": str(applied.policy_version)}
    if applied.warnings:
        headers["Policy-Warning"] = applied.warnings
    if applied.created:
        headers["Location"] = f"{API}/queues/{applied.queue}"
    return applied.document | told, 201 if applied.created else 200, headers


@api.get("/queues/<queue>/policies", summary="List a policy's versions", responses={200: answers.PolicyList})
def list_policies(path: QueuePath, query: ListQuery) -> Answer:
    before = _cursor(query.cursor, int)
    versions, more = queries.list_versions(database(), caller(), path.queue, limit=query.limit, before=before)
    return {
        "items": [answers.policy_summary(version) for version in versions],
        "next": encode([versions[-1].version]) if more else None,
    }


@api.get(
    "/queues/<queue>/policies/<int:version>",
    summary="Read one version of a policy",
    responses={200: answers.PolicyDocument},
)
def get_policy(path: VersionPath) -> Answer:
    return answers.policy_document(queries.get_version(database(), caller(), path.queue, path.version))


def _document() -> dict[str, Any] | bytes:
    """The body, JSON or YAML; what it says is for the operation to judge."""
    if request.mimetype in YAML_TYPES:
        return request.get_data()
    if not request.is_json:
        raise UnsupportedMedia("Send the document as application/json or application/yaml.")
    body = request.get_json()
    if not isinstance(body, dict):
        raise Invalid("The body must be the queue's document, a JSON object.")
    return body


def _cursor(cursor: str | None, kind: type[T]) -> T | None:
    if cursor is None:
        return None
    match decode(cursor):
        case [value] if type(value) is kind:
            return value
    raise Invalid("The cursor is not one of this list; take it from `next` of the page before.")
