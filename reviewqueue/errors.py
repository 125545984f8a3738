"""Every refusal as a named type, and one table from type to HTTP status and exit code.

A refusal says what to do. Its `slug` names the page `/problems/<slug>` that explains it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with the input: where (a JSON pointer) and what."""

    pointer: str
    detail: str

    def as_dict(self) -> dict[str, str]:
        return {"pointer": self.pointer, "detail": self.detail}


class Refusal(Exception):
    """Something that was asked for is refused, and why."""

    slug: ClassVar[str] = "refused"
    title: ClassVar[str] = "Refused"
    status: ClassVar[int] = 400

    def __init__(self, detail: str, *, faults: Iterable[Fault] = (), **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.faults = tuple(faults)
        self.extra = extra
        """Further members of the problem document, such as `until`."""

    def problem(self, request_id: str | None = None) -> dict[str, Any]:
        """The refusal as an RFC 9457 problem document."""
        return {
            "type": f"/problems/{self.slug}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "errors": [fault.as_dict() for fault in self.faults],
            "request_id": request_id,
            **self.extra,
        }


class NotJson(Refusal):
    slug, title, status = "not-json", "The body is not the JSON that is accepted here", 400


class BadRequest(Refusal):
    slug, title, status = "bad-request", "The request cannot be understood", 400


class Unauthenticated(Refusal):
    slug, title, status = "unauthenticated", "Sign in or send a key", 401


class Forbidden(Refusal):
    slug, title, status = "forbidden", "Not allowed", 403


class ForeignOrigin(Refusal):
    slug, title, status = "foreign-origin", "The request came from another site", 403


class NotFound(Refusal):
    slug, title, status = "not-found", "There is no such thing here", 404


class NoSuchQueue(NotFound):
    slug, title = "no-such-queue", "There is no such queue"


class NoSuchItem(NotFound):
    slug, title = "no-such-item", "There is no such item"


class Conflict(Refusal):
    slug, title, status = "conflict", "The state does not allow it", 409


class ExternalIdTaken(Conflict):
    slug, title = "external-id-taken", "That external id belongs to another item"


class ClaimedByAnother(Conflict):
    slug, title = "claimed-by-another", "Somebody else holds the item"


class GivenToAnother(Conflict):
    slug, title = "given-to-another", "The item is given to somebody else"


class AlreadyDecided(Conflict):
    slug, title = "already-decided", "The item is decided already"


class WrongState(Conflict):
    slug, title = "wrong-state", "The item's state does not allow it"


class AlreadyReviewed(Conflict):
    slug, title = "already-reviewed", "You have reviewed this item already"


class TooLateToUndo(Conflict):
    slug, title = "too-late-to-undo", "The decision can no longer be undone"


class Stale(Refusal):
    slug, title, status = "stale", "The item has changed since you saw it", 412


class ClaimLost(Stale):
    slug, title = "claim-lost", "The claim is no longer yours"


class TooLarge(Refusal):
    slug, title, status = "too-large", "The body is too large", 413


class UnsupportedMedia(Refusal):
    slug, title, status = "unsupported-media-type", "The body's type is not accepted here", 415


class Invalid(Refusal):
    slug, title, status = "invalid", "The input is not valid", 422


class IdempotencyKeyReused(Refusal):
    slug, title, status = "idempotency-key-reused", "That Idempotency-Key came with another body", 422


class PreconditionRequired(Refusal):
    slug, title, status = "precondition-required", "Send the claim's token or If-Match", 428


class TooManyRequests(Refusal):
    slug, title, status = "too-many-requests", "Too many requests", 429


class RateLimited(TooManyRequests):
    slug, title = "rate-limited", "The key calls too often"


class Unavailable(Refusal):
    slug, title, status = "unavailable", "Not available just now", 503


EXIT_REFUSED = 1
