"""What is done with an item besides deciding it, over HTTP."""

from __future__ import annotations

from flask_openapi import APIBlueprint

from ..web.openapi import API
from ..web.requests import caller, database, request_id
from . import operations
from .api_answers import Answer, optional_body, shown_item
from .documents import ItemDocument
from .forms import AssignmentForm, CommentForm, EscalationForm, ReasonForm, SnoozeForm, WithdrawalForm
from .parameters import ItemPath

api = APIBlueprint("items_act_api", __name__, url_prefix=API, abp_tags=[{"name": "items"}])


@api.post("/items/<uuid:item_id>/reopening", summary="Ask people again", responses={200: ItemDocument})
def reopen(path: ItemPath, body: ReasonForm) -> Answer:
    return shown_item(
        operations.reopen(database(), caller(), path.item_id, body.reason, request_id=request_id())
    )


@api.post(
    "/items/<uuid:item_id>/recall", summary="Ask people about a released item", responses={200: ItemDocument}
)
def recall(path: ItemPath, body: ReasonForm) -> Answer:
    return shown_item(
        operations.recall(database(), caller(), path.item_id, body.reason, request_id=request_id())
    )


@api.post("/items/<uuid:item_id>/escalation", summary="Escalate by one level", responses={200: ItemDocument})
def escalate(path: ItemPath, body: EscalationForm) -> Answer:
    return shown_item(
        operations.escalate(database(), caller(), path.item_id, body.reason, body.to, request_id=request_id())
    )


@api.post(
    "/items/<uuid:item_id>/deescalation", summary="Take back by one level", responses={200: ItemDocument}
)
def deescalate(path: ItemPath, body: ReasonForm) -> Answer:
    return shown_item(
        operations.deescalate(database(), caller(), path.item_id, body.reason, request_id=request_id())
    )


@api.post(
    "/items/<uuid:item_id>/acknowledgement",
    summary="Say that you are on it: the reminders of its escalation stop",
    responses={200: ItemDocument},
)
def acknowledge(path: ItemPath) -> Answer:
    return shown_item(operations.acknowledge(database(), caller(), path.item_id, request_id=request_id()))


@api.post(
    "/items/<uuid:item_id>/snooze",
    summary="Put aside until a time, or until somebody replies",
    responses={200: ItemDocument},
)
def snooze(path: ItemPath, body: SnoozeForm) -> Answer:
    return shown_item(
        operations.snooze(
            database(),
            caller(),
            path.item_id,
            body.until,
            body.reason,
            until_reply=body.until_reply,
            request_id=request_id(),
        )
    )


@api.post(
    "/items/<uuid:item_id>/assignment", summary="Give to a person or team", responses={200: ItemDocument}
)
def assign(path: ItemPath, body: AssignmentForm) -> Answer:
    return shown_item(
        operations.assign(database(), caller(), path.item_id, body.to, body.reason, request_id=request_id())
    )


@api.post("/items/<uuid:item_id>/comments", summary="Comment", responses={201: ItemDocument})
def comment(path: ItemPath, body: CommentForm) -> Answer:
    return shown_item(
        operations.comment(database(), caller(), path.item_id, body.text, request_id=request_id()), 201
    )


@api.post(
    "/items/<uuid:item_id>/withdrawal",
    summary="The app no longer needs it",
    responses={200: ItemDocument},
    request_body={
        "required": False,
        "content": {"application/json": {"schema": WithdrawalForm.model_json_schema()}},
    },
)
def withdraw(path: ItemPath) -> Answer:
    form = optional_body(WithdrawalForm)
    return shown_item(
        operations.withdraw(database(), caller(), path.item_id, form.reason, request_id=request_id())
    )
