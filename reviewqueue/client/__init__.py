"""The client that apps import. It stands alone: nothing of the server is loaded with it.

from reviewqueue.client import ReviewQueue

with ReviewQueue("https://review.example.org", key="rq_…") as desk:
    item = desk.submit("receipts", {"lines": ["TOTAL 12.90"]}, output={"total": "12.90"}, confidence=0.93)
    outcome = desk.wait(item, timeout=60)
"""

from __future__ import annotations

from .asynchronous import AsyncEvents, AsyncReviewQueue
from .errors import (
    AlreadyDecided,
    BadRequest,
    Conflict,
    ExternalIdTaken,
    Fault,
    Forbidden,
    IdempotencyKeyReused,
    Invalid,
    InvalidReceipt,
    NoSuchItem,
    NoSuchQueue,
    NotConfigured,
    NotFound,
    NotReleased,
    NotSendable,
    NotYet,
    Problem,
    ReviewQueueError,
    ServerProblem,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
    UnknownKey,
    Unreachable,
    WrongState,
)
from .exchange import Retries
from .reviewed import reviewed
from .sync import Events, ReviewQueue
from .values import (
    Actor,
    Circumstances,
    Event,
    Evidence,
    Item,
    Outcome,
    Progress,
    Reason,
    Receipt,
    Submission,
)

__all__ = [
    "Actor",
    "AlreadyDecided",
    "AsyncEvents",
    "AsyncReviewQueue",
    "BadRequest",
    "Circumstances",
    "Conflict",
    "Event",
    "Events",
    "Evidence",
    "ExternalIdTaken",
    "Fault",
    "Forbidden",
    "IdempotencyKeyReused",
    "Invalid",
    "InvalidReceipt",
    "Item",
    "NoSuchItem",
    "NoSuchQueue",
    "NotConfigured",
    "NotFound",
    "NotReleased",
    "NotSendable",
    "NotYet",
    "Outcome",
    "Problem",
    "Progress",
    "Reason",
    "Receipt",
    "Retries",
    "ReviewQueue",
    "ReviewQueueError",
    "ServerProblem",
    "Submission",
    "TooLarge",
    "TooManyRequests",
    "Unauthenticated",
    "UnknownKey",
    "Unreachable",
    "WrongState",
    "reviewed",
]
