"""The whole of a queue's document: parsed from YAML or JSON, validated to the key, and written back.

Keys that determine how an item is routed or decided (`policy`, `output_schema`, `reasons`) make the policy part,
which is kept in versions that never change; all others belong to the queue and change in place.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, ValidationError, model_validator

from .invalid import InvalidDocument
from .loading import Unreadable, read
from .names import PersonOrTeam, Slug, without_repeats
from .part import Part, refuse_at
from .policy_document import PolicyPart

__all__ = ["POLICY_KEYS", "QUEUE_KEYS", "InvalidDocument", "QueueDocument", "assemble", "parse"]

POLICY_KEYS = ("output_schema", "reasons", "policy")
QUEUE_KEYS = ("queue", "title", "purpose", "owners", "stage", "risk", "guidance", "members")

Line = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Prose = Annotated[str, StringConstraints(max_length=20_000)]
Holders = Annotated[list[PersonOrTeam], AfterValidator(without_repeats)]


def parse(source: str | bytes | dict[str, Any], queue: str | None = None) -> QueueDocument:
    """Read one queue's document from YAML or JSON text or from a dictionary; raises InvalidDocument.

    `queue` is the name that the caller knows already, as from a URL: it may then be left out of the document,
    and must not contradict it.
    """
    try:
        raw = read(source)
    except Unreadable as error:
        raise InvalidDocument([(error.pointer, error.detail)]) from None
    if queue is not None:
        raw = {"queue": queue, **raw}
        if raw["queue"] != queue:
            raise InvalidDocument(
                [("/queue", f"must be {queue}, since the document was sent for that queue")]
            )
    try:
        return QueueDocument.model_validate(raw)
    except ValidationError as error:
        raise InvalidDocument.because(error) from None


def assemble(queue_part: dict[str, Any], policy_part: dict[str, Any]) -> dict[str, Any]:
    """The whole document from the two parts that are kept; a version's frozen calendar is none of its keys."""
    return {**queue_part, **{key: policy_part[key] for key in POLICY_KEYS if key in policy_part}}


class Owners(Part):
    """Who answers for what; each a person or a team."""

    business: PersonOrTeam | None = None
    support: PersonOrTeam | None = None
    model: PersonOrTeam | None = None
    review: PersonOrTeam | None = None
    governance: PersonOrTeam | None = None
    escalation: PersonOrTeam | None = None


class Guidance(Part):
    """What reviewers read beside the item, in Markdown."""

    trust: Prose | None = None
    verify: Prose | None = None
    never_assume: Prose | None = None


class Members(Part):
    """Who holds which role in the queue."""

    reviewer: Holders = Field(default=[])
    lead: Holders = Field(default=[])
    manager: Holders = Field(default=[])
    auditor: Holders = Field(default=[])


class QueueDocument(PolicyPart):
    """One queue, whole."""

    queue: Slug
    title: Line
    purpose: Prose | None = None
    owners: Owners = Owners()
    stage: Literal["prototype", "mvp", "production"] = "mvp"
    risk: Literal["low", "medium", "high"] = "medium"
    guidance: Guidance = Guidance()
    members: Members = Members()

    @model_validator(mode="before")
    @classmethod
    def _is_titled_like_its_name_at_least(cls, raw: Any) -> Any:
        if not isinstance(raw, dict) or "title" in raw:
            return raw
        name = str(raw.get("queue", ""))[:64]
        return {**raw, "title": name.replace("-", " ").strip().capitalize() or "-"}

    @model_validator(mode="after")
    def _escalates_to_owners_it_has(self) -> Self:
        for index, step in enumerate(self.policy.escalation):
            for target in step.to:
                kind, _, role = target.partition(":")
                if kind == "owner" and getattr(self.owners, role) is None:
                    refuse_at(
                        ("policy", "escalation", index, "to"), f"names {target}, but owners has no {role}"
                    )
        return self

    def policy_part(self) -> dict[str, Any]:
        """What a policy version keeps: a change here is a new version."""
        document = self.as_dict()
        return {key: document[key] for key in POLICY_KEYS if key in document}

    def queue_part(self) -> dict[str, Any]:
        """What the queue itself keeps."""
        document = self.as_dict()
        return {key: document[key] for key in QUEUE_KEYS if key in document}

    def as_dict(self) -> dict[str, Any]:
        """The canonical document: keys in the documented order, every default written out, durations as text.

        Parsing it again gives the same dictionary, and a later version with other defaults means no other policy.
        """
        written = self.model_dump()
        return {key: written[key] for key in (*QUEUE_KEYS, *POLICY_KEYS) if key in written}
