"""What calls answer, as values. Members that a newer server adds are kept in `document` and hurt nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Literal, TypeAlias, TypedDict, TypeVar

from .errors import ReviewQueueError

State: TypeAlias = Literal[
    "pending",
    "disputed",
    "accepted",
    "edited",
    "rejected",
    "auto_accepted",
    "expired",
    "withdrawn",
]
Lane: TypeAlias = Literal["autonomous", "assist", "step_aside"]
Purpose: TypeAlias = Literal["gate", "audit", "gold"]
Verdict: TypeAlias = Literal["accept", "edit", "reject", "withdrawn"]
Decider: TypeAlias = Literal["person", "policy", "fallback", "app"]
Document: TypeAlias = Mapping[str, Any]

T = TypeVar("T")


class NamedVersion(TypedDict, total=False):
    name: str
    version: str | None


class Prompt(TypedDict, total=False):
    name: str | None
    version: str | None
    text: str | None


class ContextPart(TypedDict, total=False):
    title: str | None
    text: str | None
    url: str | None


class Circumstances(TypedDict, total=False):
    """How an AI output came about; all of it helps whoever decides, and policies may ask for it."""

    flags: Sequence[str]
    tags: Mapping[str, str]
    model: NamedVersion | None
    prompt: Prompt | None
    config: Mapping[str, Any] | None
    context: Sequence[ContextPart]
    explanation: str | None
    assumptions: Sequence[str]
    latency_ms: float | None
    retries: int | None
    error: str | Mapping[str, Any] | None
    trace_id: str | None
    priority: int | None
    valid_until: datetime | str | None
    supersedes: str | None
    occurred_at: datetime | str | None


class Evidence(Circumstances, total=False):
    """What may be sent of an AI output beside its queue and input."""

    external_id: str | None
    """Your own name for it, unique in the queue: the same again is the same item."""
    output: Any
    confidence: float | None
    """0 to 1. Without one a human always looks."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the app may act on."""

    verdict: Verdict
    by: Decider
    output: Any
    reason: str | None
    comment: str | None
    decided_at: datetime
    revision: int
    """2 and above: a corrected outcome."""
    receipt: str | None
    """The outcome signed; `verify` checks it."""

    @property
    def released(self) -> bool:
        """Whether `output` may be used."""
        return self.verdict in ("accept", "edit")

    @classmethod
    def read(cls, document: Document) -> Outcome:
        return cls(**_members(cls, document, "verdict", decided_at=datetime.fromisoformat))


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an item came to a human, or did not."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Item:
    """An AI output on its way through review."""

    id: str
    queue: str
    external_id: str | None
    state: State
    lane: Lane
    purpose: Purpose
    reasons: tuple[Reason, ...]
    policy_version: int
    priority: int
    level: int
    version: int
    confidence: float | None
    flags: Sequence[str]
    tags: Mapping[str, str]
    created_at: datetime
    due_at: datetime | None
    deadline_at: datetime | None
    outcome: Outcome | None
    evidence: Document | None
    """Where it was asked for: input, output and all else that was sent."""
    url: str
    """The item's page, for people."""
    document: Document = field(repr=False)

    @classmethod
    def read(cls, document: Document) -> Item:
        at = datetime.fromisoformat
        return cls(
            **_members(
                cls,
                document,
                "id",
                "state",
                reasons=lambda reasons: tuple(Reason(r["code"], r["detail"]) for r in reasons),
                created_at=at,
                due_at=at,
                deadline_at=at,
                outcome=Outcome.read,
            ),
        )


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a good receipt says."""

    item_id: str
    queue: str
    revision: int
    verdict: Verdict
    by: Decider
    output_sha256: str
    input_sha256: str
    policy_version: int
    issuer: str
    issued_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it."""

    kind: str
    id: str | None
    name: str


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the audit trail."""

    position: int
    """In the feed: what to go on after."""
    id: str
    type: str
    queue: str | None
    item_id: str | None
    item_seq: int | None
    at: datetime
    actor: Actor
    data: Document
    request_id: str | None
    hash: str
    document: Document = field(repr=False)

    @classmethod
    def read(cls, document: Document) -> Event:
        return cls(
            **_members(
                cls,
                document,
                "id",
                "type",
                "position",
                at=datetime.fromisoformat,
                actor=lambda actor: Actor(actor["kind"], actor["id"], actor["name"]),
            ),
        )


@dataclass(frozen=True, slots=True)
class Submission:
    """What became of one of many: the item's id, state and lane, or the problem with it."""

    index: int
    """Its place in what was given."""
    external_id: str | None
    id: str | None = None
    state: State | None = None
    lane: Lane | None = None
    problem: ReviewQueueError | None = None

    @property
    def taken(self) -> bool:
        return self.problem is None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far `submit_many` has come."""

    done: int = 0
    accepted: int = 0
    replayed: int = 0
    """Were there already: sent before, or once more because an answer was lost."""
    refused: int = 0


def _members(kind: type[Any], document: Document, *needed: str, **readers: Any) -> dict[str, Any]:
    """The class's fields from the document: read where there is something to read, None where it is missing.

    Raises KeyError without one that is needed: whatever answered so, it was not reviewqueue.
    """
    told = {field.name: document.get(field.name) for field in fields(kind)}
    for name in needed:
        if told[name] is None:
            raise KeyError(name)
    read = {name: reader(told[name]) for name, reader in readers.items() if told[name] is not None}
    return {**told, **read, **({"document": document} if "document" in told else {})}
