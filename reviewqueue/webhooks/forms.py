"""Validated input about subscriptions, shared by all doors."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from ..items.forms import Moment
from ..people.forms import Form, Name, Slug
from .outbox import expanded


def _known_type(name: str) -> str:
    if not expanded([name]):
        raise ValueError(
            f"there is no event type {name!r}; such as item.accepted, or item.* for all of a kind"
        )
    return name


EventTypeName = Annotated[str, Field(max_length=60), AfterValidator(_known_type)]
Types = Annotated[list[EventTypeName], Field(min_length=1, max_length=60)]
Queues = Annotated[list[Slug], Field(min_length=1, max_length=1000)] | None
Url = Annotated[str, Field(min_length=8, max_length=2000)]
DEFAULT_TYPES = ["item.*"]


class NewSubscription(Form):
    """Where events are sent, and which."""

    name: Name
    url: Url
    types: Types = DEFAULT_TYPES
    """Event types; `item.*` is all of that kind."""
    queues: Queues = None
    """Names; null: all queues."""
    waits_for_undo: bool = False
    """Send a person's decision only once it can no longer be undone, 31 seconds later."""


class ChangedSubscription(Form):
    """What is to be different; what is not named stays."""

    name: Name | None = None
    url: Url | None = None
    types: Types | None = None
    queues: Queues = None
    waits_for_undo: bool | None = None


class Rotation(Form):
    overlap_hours: Annotated[int, Field(ge=0, le=24 * 30)] = 24
    """How long the old secret signs beside the new one; 0: not at all."""
    end_overlap: bool = False
    """Rotate also while the secret before the last rotation still signs, which ends its overlap at once."""


class Between(Form):
    """When deliveries were made: from `since` on, and before `until`."""

    since: Moment | None = None
    until: Moment | None = None


class Replay(Between):
    """Which deliveries are sent again. Nothing named: all that failed within 30 days."""

    deliveries: Annotated[list[UUID], Field(max_length=1000)] | None = None
    state: Literal["failed", "arrived", "any"] = "failed"
    """Of a range: those that failed, those that arrived, or both."""
