"""What a call may end with instead of an answer: one tree, of which `ReviewQueueError` is the root.

ReviewQueueError
├── NotConfigured     no address or no key
├── NotSendable       a value that JSON cannot hold
├── Unreachable       no answer came, however often it was asked
├── NotYet            nobody has decided within the time that was given
├── NotReleased       the decision is that the output may not be used
├── InvalidReceipt    a receipt is no order to act on what it came with
│   └── UnknownKey
└── Problem           the server answered that it refuses; by kind:
    ├── BadRequest  Unauthenticated  Forbidden  TooLarge  TooManyRequests  ServerProblem
    ├── NotFound ── NoSuchQueue  NoSuchItem
    ├── Conflict ── ExternalIdTaken  WrongState  AlreadyDecided
    └── Invalid ─── IdempotencyKeyReused
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

if TYPE_CHECKING:
    from .exchange import Answer
    from .values import Item, Outcome

Pickled: TypeAlias = tuple[type[Exception], tuple[Any, ...]]
"""What makes an exception anew in another process. By itself it would be made of its message alone."""


class ReviewQueueError(Exception):
    """Anything that this client raises on its own behalf."""


class NotConfigured(ReviewQueueError, ValueError):
    """The address of the server or the key is missing or cannot be one."""


class NotSendable(ReviewQueueError, ValueError):
    """A value cannot be written as JSON that every reader understands alike."""


class Unreachable(ReviewQueueError, ConnectionError):
    """No answer came. What was sent may have arrived: the same call again has no second effect."""


class NotYet(ReviewQueueError, TimeoutError):
    """There is no outcome yet; `item` is how it stands."""

    def __init__(self, item: Item) -> None:
        super().__init__(f"Item {item.id} is {item.state}; it has no outcome yet.")
        self.item = item

    def __reduce__(self) -> Pickled:
        return type(self), (self.item,)


class NotReleased(ReviewQueueError):
    """The item was rejected or withdrawn, so its output may not be used; `outcome` says by whom and why."""

    def __init__(self, item: Item, outcome: Outcome) -> None:
        why = ": ".join(part for part in (outcome.reason, outcome.comment) if part)
        super().__init__(
            f"Item {item.id} ended as {outcome.verdict} by {outcome.by}{f' ({why})' if why else ''}."
        )
        self.item = item
        self.outcome = outcome

    def __reduce__(self) -> Pickled:
        return type(self), (self.item, self.outcome)


class InvalidReceipt(ReviewQueueError):
    """The receipt is no order to act on what it came with; the message says why."""


class UnknownKey(InvalidReceipt):
    """The receipt names a signing key that the server does not publish."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with what was sent: where (a JSON pointer) and what."""

    pointer: str
    detail: str


class Problem(ReviewQueueError):
    """The server refused. The page `/problems/<slug>` on it says what happened and what to do."""

    slugs: ClassVar[Sequence[str]] = ()
    statuses: ClassVar[Sequence[int]] = ()

    def __init__(self, status: int, document: Mapping[str, Any], retry_after: float | None = None) -> None:
        self.status = status
        self.slug = str(document.get("type", "")).rpartition("/")[2]
        """`external-id-taken` of the type `/problems/external-id-taken`; empty when the server did not say."""
        self.title = str(document.get("title") or f"Status {status}")
        self.detail = str(document.get("detail") or "")
        self.errors = tuple(
            Fault(str(fault.get("pointer", "")), str(fault.get("detail", "")))
            for fault in _list(document.get("errors"))
            if isinstance(fault, Mapping)
        )
        self.request_id: str | None = document.get("request_id")
        """Finds the call in the server's log."""
        self.retry_after = retry_after
        """Seconds, where the server said how long to leave it alone."""
        self.document = document
        """All that was answered, further members such as `until` included."""
        super().__init__(self._said())

    def __reduce__(self) -> Pickled:
        return type(self), (self.status, self.document, self.retry_after)

    def _said(self) -> str:
        faults = "; ".join(f"{fault.pointer or 'body'} {fault.detail}" for fault in self.errors[:5])
        parts = (f"{self.title}.", self.detail, faults and f"[{faults}]", f"(status {self.status}")
        request = f", request {self.request_id})" if self.request_id else ")"
        return " ".join(part for part in parts if part) + request


class BadRequest(Problem):
    slugs, statuses = ("not-json", "bad-request", "unsupported-media-type"), (400, 415)


class Unauthenticated(Problem):
    slugs, statuses = ("unauthenticated",), (401,)


class Forbidden(Problem):
    slugs, statuses = ("forbidden",), (403,)


class NotFound(Problem):
    slugs, statuses = ("not-found",), (404,)


class NoSuchQueue(NotFound):
    slugs = ("no-such-queue",)


class NoSuchItem(NotFound):
    slugs = ("no-such-item",)

    @classmethod
    def by(cls, name: str) -> NoSuchItem:
        """What the server would answer, had it been asked."""
        detail = f"{name!r} is no item's id; items(external_id=…) finds one by the name that you gave it."
        return cls(
            404, {"type": "/problems/no-such-item", "title": "There is no such item", "detail": detail}
        )


class Conflict(Problem):
    slugs, statuses = ("conflict",), (409,)


class ExternalIdTaken(Conflict):
    slugs = ("external-id-taken",)

    @classmethod
    def by(cls, name: str) -> ExternalIdTaken:
        """What the server would answer, had it been sent."""
        return cls(
            409,
            {
                "type": "/problems/external-id-taken",
                "title": "That external id belongs to another item",
                "detail": f"The external id {name!r} came before with another input; use a new one for this call.",
            },
        )


class WrongState(Conflict):
    slugs = ("wrong-state",)


class AlreadyDecided(Conflict):
    slugs = ("already-decided",)


class TooLarge(Problem):
    slugs, statuses = ("too-large",), (413,)


class Invalid(Problem):
    slugs, statuses = ("invalid",), (422,)


class IdempotencyKeyReused(Invalid):
    slugs = ("idempotency-key-reused",)


class TooManyRequests(Problem):
    slugs, statuses = ("too-many-requests", "rate-limited"), (429,)


class ServerProblem(Problem):
    """The server, or something between it and us, is not well."""

    slugs, statuses = ("unavailable", "internal-error"), (500, 502, 503, 504)


def _kinds(kind: type[Problem]) -> list[type[Problem]]:
    return [kind, *(found for below in kind.__subclasses__() for found in _kinds(below))]


_BY_SLUG = {slug: kind for kind in _kinds(Problem) for slug in kind.slugs}
_BY_STATUS = {status: kind for kind in _kinds(Problem) for status in vars(kind).get("statuses", ())}


def problem_of(document: Mapping[str, Any], status: int, retry_after: float | None = None) -> Problem:
    """The refusal as the most telling type there is for it."""
    slug = str(document.get("type", "")).rpartition("/")[2]
    by_status = _BY_STATUS.get(status, ServerProblem if status >= 500 else Problem)
    return _BY_SLUG.get(slug, by_status)(status, document, retry_after)


def refusal_in(answer: Answer) -> Problem:
    """The refusal that an answer holds; what stands between us and the server may answer no JSON at all."""
    try:
        document = json.loads(answer.body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        return foreign(answer)
    return problem_of(document, answer.status, answer.retry_after)


def foreign(answer: Answer) -> Problem:
    """What to raise where something between us and the server answered in its place."""
    document = {
        "detail": "The answer is not from reviewqueue; look at what stands in front of it.",
        "request_id": answer.headers.get("x-request-id"),
    }
    return problem_of(document, answer.status, answer.retry_after)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
