"""The items' JSON API: parse, call one operation, present."""

from __future__ import annotations

import re

from flask import request
from flask_openapi import APIBlueprint

from ..errors import Fault, Invalid, PreconditionRequired, Stale
from ..web.openapi import API, MORE_PARAMETERS, limit_body
from ..web.requests import caller, database, request_id, settings
from . import operations
from .api_answers import Answer, optional_body, shown_claim, shown_item, shown_items
from .api_deliveries import deliveries_of
from .batches import answer, bodies, one_batch
from .deciding import Fence, Judgement
from .documents import BatchDocument, ClaimedDocument, ItemDocument, ItemList
from .forms import (
    ClaimNextForm,
    ClaimTokenForm,
    DecisionForm,
    EnqueueForm,
)
from .parameters import IDEMPOTENCY_HEADER, IF_MATCH, BatchQuery, ItemPath, ItemQuery, ListQuery, QueuePath
from .queries import Filters

api = APIBlueprint("items_api", __name__, url_prefix=API, abp_tags=[{"name": "items"}])


@api.post(
    "/items",
    summary="Enqueue an AI output",
    responses={201: ItemDocument, 200: ItemDocument},
    openapi_extensions={MORE_PARAMETERS: [IDEMPOTENCY_HEADER]},
)
def enqueue(body: EnqueueForm) -> Answer:
    taken = operations.enqueue(
        database(),
        caller(),
        request.get_json(),
        idempotency_key=_idempotency_key(),
        request_id=request_id(),
    )
    if taken.replayed:
        return shown_item(taken.item, 200, {"Idempotent-Replayed": "true"})
    return shown_item(taken.item, 201, {"Location": f"{API}/items/{taken.item.item['id']}"})


@api.post(
    "/items/batch",
    summary="Enqueue up to 10,000 AI outputs",
    responses={200: BatchDocument, 207: BatchDocument},
    request_body={
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "array", "maxItems": 10_000, "items": {"type": "object"}}
            },
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
    },
    openapi_extensions={MORE_PARAMETERS: [IDEMPOTENCY_HEADER]},
)
def enqueue_batch(query: BatchQuery) -> Answer:
    limit_body(settings().max_batch_body)
    data, key = request.get_data(cache=False), _idempotency_key()
    once = one_batch(key, data, request.mimetype, query.atomic, request_id()) if key is not None else None
    results = operations.enqueue_batch(
        database(),
        caller(),
        bodies(data, request.mimetype),
        atomic=query.atomic,
        once=once,
        request_id=request_id(),
    )
    told = (once and once.answer) or answer(results, request_id())
    headers = {"Idempotent-Replayed": "true"} if once and once.replayed else {}
    return told, 207 if told["refused"] else 200, headers


@api.get("/items", summary="List items", responses={200: ItemList})
def list_items(query: ListQuery) -> Answer:
    tags = {name[4:]: value for name, value in request.args.items() if name.startswith("tag.")}
    known = set(ListQuery.model_fields)
    unknown = [name for name in request.args if name not in known and not name.startswith("tag.")]
    if unknown:
        raise Invalid(
            f"There is no filter {unknown[0]}; there are {', '.join(sorted(known))} and tag.<name>.",
            faults=[Fault(f"/{name}", "is not a known filter") for name in unknown],
        )
    states = (
        () if query.state is None else ("pending", "disputed") if query.state == "open" else (query.state,)
    )
    page = operations.list_items(
        database(),
        caller(),
        query.queue,
        lambda ids: Filters(
            ids,
            states,
            query.level_min,
            query.flag,
            tags,
            query.external_id,
            query.model,
            query.q,
            query.order,
        ),
        limit=query.limit,
        cursor=query.cursor,
    )
    return {"items": shown_items(page.items), "next": page.next}


@api.get(
    "/items/<uuid:item_id>", summary="Read an item, or wait for its outcome", responses={200: ItemDocument}
)
def getshown_item(path: ItemPath, query: ItemQuery) -> Answer:
    found = operations.wait_for_outcome(
        database(), caller(), path.item_id, query.wait, evidence="evidence" in query.include
    )
    if "deliveries" not in query.include:
        return shown_item(found)
    deliveries = [one.as_json() for one in deliveries_of(path.item_id)]
    return shown_item(found, deliveries=deliveries)


@api.post(
    "/queues/<queue>/claims",
    summary="Claim the next item",
    responses={201: ClaimedDocument, 204: None},
    request_body={
        "required": False,
        "content": {"application/json": {"schema": ClaimNextForm.model_json_schema()}},
    },
)
def claim_next(path: QueuePath) -> Answer:
    form = optional_body(ClaimNextForm)
    claimed = operations.claim_next(database(), caller(), path.queue, skip=form.skip, request_id=request_id())
    return ("", 204) if claimed is None else (shown_claim(claimed), 201)


@api.post("/items/<uuid:item_id>/claim", summary="Claim this item", responses={201: ClaimedDocument})
def claim(path: ItemPath) -> Answer:
    return shown_claim(operations.claim(database(), caller(), path.item_id, request_id=request_id())), 201


@api.patch(
    "/items/<uuid:item_id>/claim",
    summary="Renew a claim, by its token",
    responses={200: ClaimedDocument},
    request_body={
        "required": True,
        "content": {"application/json": {"schema": ClaimTokenForm.model_json_schema()}},
    },
)
def renew_claim(path: ItemPath) -> Answer:
    token = optional_body(ClaimTokenForm).given
    if token is None:
        raise PreconditionRequired("Send the claim's token as `claim_token`; the answer to the claim has it.")
    return shown_claim(
        operations.renew_claim(database(), caller(), path.item_id, token, request_id=request_id())
    )


@api.delete(
    "/items/<uuid:item_id>/claim",
    summary="Release a claim: your own by its token, another's as a lead",
    responses={204: None},
    request_body={
        "required": False,
        "content": {"application/json": {"schema": ClaimTokenForm.model_json_schema()}},
    },
    openapi_extensions={
        MORE_PARAMETERS: [
            {"name": "token", "in": "query", "schema": {"type": "string"}, "description": "The token."}
        ]
    },
)
def release_claim(path: ItemPath) -> Answer:
    token = optional_body(ClaimTokenForm).given or request.args.get("token")
    operations.release_claim(database(), caller(), path.item_id, token, request_id=request_id())
    return "", 204


@api.post(
    "/items/<uuid:item_id>/decision",
    summary="Accept, edit or reject",
    responses={200: ItemDocument},
    openapi_extensions={MORE_PARAMETERS: [IF_MATCH]},
)
def decide(path: ItemPath, body: DecisionForm) -> Answer:
    said = Judgement(body.verdict, body.output, body.reason, body.comment, despite_schema=body.despite_schema)
    fence = Fence(body.claim_token, _if_match())
    return shown_item(
        operations.decide(database(), caller(), path.item_id, said, fence, request_id=request_id())
    )


@api.delete(
    "/items/<uuid:item_id>/decision",
    summary="Undo your last review, within 30 seconds and before an app has the outcome",
    responses={200: ClaimedDocument},
)
def undo(path: ItemPath) -> Answer:
    return shown_claim(operations.undo(database(), caller(), path.item_id, request_id=request_id()))


def _idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 1 <= len(key) <= 255:
        raise Invalid("The Idempotency-Key has 1 to 255 characters.")
    return key


def _if_match() -> int | None:
    """The version of the header If-Match. Raises Stale for a tag that is none of ours."""
    given = request.headers.get("If-Match")
    if given is None:
        return None
    found = _ETAG.fullmatch(given.strip())
    if found is None:
        raise Stale('If-Match is not an ETag of this item; send the one that you read, such as "3".')
    return int(found[1])


_ETAG = re.compile(r'(?:W/)?"?(\d{1,9})"?')
