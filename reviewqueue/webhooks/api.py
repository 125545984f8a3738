"""The JSON API of subscriptions: for keys that act as an admin, with queues:write."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from flask_openapi import APIBlueprint
from pydantic import BaseModel, Field

from ..items.forms import Moment
from ..web.openapi import API, Query
from ..web.requests import caller, database, request_id, settings
from . import answers, operations, queries, replaying
from .delivery import sender_of
from .forms import ChangedSubscription, NewSubscription, Replay, Rotation
from .signing import Seal

api = APIBlueprint("subscriptions_api", __name__, url_prefix=API, abp_tags=[{"name": "subscriptions"}])

Answer = dict[str, Any]


class SubscriptionPath(BaseModel):
    subscription_id: UUID


class DeliveryPath(SubscriptionPath):
    delivery_id: UUID


class DeliveriesQuery(Query):
    state: Literal["waiting", "arrived", "failed", "undone"] | None = None
    type: str | None = None
    q: Annotated[str | None, Field(max_length=255)] = None
    since: Moment | None = None
    until: Moment | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: str | None = None


@api.get("/subscriptions", summary="List subscriptions", responses={200: answers.SubscriptionList})
def list_subscriptions() -> Answer:
    rows = queries.subscriptions(database(), caller())
    return {"items": [answers.told_subscription(row) for row in rows], "next": None}


@api.post(
    "/subscriptions",
    summary="Subscribe: events of these types and queues are sent to this URL",
    responses={201: answers.NewSubscriptionDocument},
)
def subscribe(body: NewSubscription) -> tuple[Answer, int, dict[str, str]]:
    seal = Seal(settings().secret_key)
    made = operations.subscribe(database(), caller(), body, settings().guard, seal, request_id())
    told = answers.told_subscription(queries.subscription(database(), caller(), made.id), secret=made.secret)
    return told, 201, {"Location": f"{API}/subscriptions/{made.id}", "Cache-Control": "no-store"}


@api.get(
    "/subscriptions/<uuid:subscription_id>",
    summary="Read a subscription",
    responses={200: answers.SubscriptionDocument},
)
def get_subscription(path: SubscriptionPath) -> Answer:
    return _shown(path.subscription_id)


@api.patch(
    "/subscriptions/<uuid:subscription_id>",
    summary="Change what is sent where",
    responses={200: answers.SubscriptionDocument},
)
def change_subscription(path: SubscriptionPath, body: ChangedSubscription) -> Answer:
    operations.change(database(), caller(), path.subscription_id, body, settings().guard, request_id())
    return _shown(path.subscription_id)


@api.delete(
    "/subscriptions/<uuid:subscription_id>", summary="Revoke a subscription, for good", responses={204: None}
)
def revoke_subscription(path: SubscriptionPath) -> tuple[str, int]:
    operations.revoke(database(), caller(), path.subscription_id, request_id())
    return "", 204


@api.post(
    "/subscriptions/<uuid:subscription_id>/pause",
    summary="Keep what happens from now on waiting",
    responses={200: answers.SubscriptionDocument},
)
def pause_subscription(path: SubscriptionPath) -> Answer:
    operations.pause(database(), caller(), path.subscription_id, request_id())
    return _shown(path.subscription_id)


@api.post(
    "/subscriptions/<uuid:subscription_id>/resumption",
    summary="Send again, after a pause or after it was disabled",
    responses={200: answers.SubscriptionDocument},
)
def resume_subscription(path: SubscriptionPath) -> Answer:
    operations.resume(database(), caller(), path.subscription_id, request_id())
    return _shown(path.subscription_id)


@api.post(
    "/subscriptions/<uuid:subscription_id>/rotation",
    summary="Make a new secret; the old one signs beside it for a while",
    responses={201: answers.SecretDocument},
)
def rotate_secret(path: SubscriptionPath, body: Rotation) -> tuple[Answer, int, dict[str, str]]:
    seal = Seal(settings().secret_key)
    made = operations.rotate(database(), caller(), path.subscription_id, body, seal, request_id())
    return {"secret": made.secret}, 201, {"Cache-Control": "no-store"}


@api.post(
    "/subscriptions/<uuid:subscription_id>/test",
    summary="Send a test event now, and tell what became of it",
    responses={200: answers.AttemptDocument},
)
def send_test(path: SubscriptionPath) -> Answer:
    sender = sender_of(settings())
    return answers.told_attempt(
        operations.send_test(database(), caller(), path.subscription_id, sender, request_id())
    )


@api.get(
    "/subscriptions/<uuid:subscription_id>/deliveries",
    summary="List a subscription's deliveries of the last 30 days, with their attempts",
    responses={200: answers.DeliveryList},
)
def list_deliveries(path: SubscriptionPath, query: DeliveriesQuery) -> Answer:
    queries.subscription(database(), caller(), path.subscription_id)
    wanted = queries.Wanted(query.state, query.type, query.q, query.since, query.until)
    page = queries.deliveries(
        database(), caller(), path.subscription_id, wanted, limit=query.limit, cursor=query.cursor
    )
    return {"items": [answers.told_delivery(row) for row in page.rows], "next": page.next}


@api.get(
    "/subscriptions/<uuid:subscription_id>/deliveries/<uuid:delivery_id>",
    summary="Read a delivery with its body",
    responses={200: answers.DeliveryWithBody},
)
def get_delivery(path: DeliveryPath) -> Answer:
    return answers.told_with_body(
        queries.delivery(database(), caller(), path.subscription_id, path.delivery_id)
    )


@api.post(
    "/subscriptions/<uuid:subscription_id>/replay",
    summary="Send deliveries again: some, a range, or all that failed",
    responses={200: answers.ReplayDocument},
)
def replay(path: SubscriptionPath, body: Replay) -> Answer:
    return {"replayed": replaying.replay(database(), caller(), path.subscription_id, body, request_id())}


def _shown(subscription_id: UUID) -> Answer:
    return answers.told_subscription(queries.subscription(database(), caller(), subscription_id))
