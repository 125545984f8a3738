"""How a queue's document names queues, persons, teams, owners, channels and places in the evidence."""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Annotated, TypeVar

from pydantic import AfterValidator

from .fields import BODY_FIELDS

OWNERS = ("business", "support", "model", "review", "governance", "escalation")

_SLUG = re.compile(r"[a-z0-9-]{1,64}")
_EMAIL = re.compile(r"[^@\s:,;<>()\"]{1,64}@[^@\s:,;<>()\"]{1,189}")
_POINTER = re.compile(r"(/([^~/]|~[01])*)+")

Name = TypeVar("Name", bound=Hashable)


def slug(text: str) -> str:
    if not _SLUG.fullmatch(text):
        raise ValueError(f"must be 1 to 64 of a-z, 0-9 and -, not {text[:80]!r}")
    return text


def person_or_team(text: str) -> str:
    """An e-mail address, in lower case as persons are kept, or `team:<slug>`."""
    kind, _, name = text.partition(":")
    if kind == "team" and _SLUG.fullmatch(name):
        return text
    if _EMAIL.fullmatch(text):
        return text.lower()
    raise ValueError(f"must be a person's e-mail address or team:<slug>, not {text[:80]!r}")


def target(text: str) -> str:
    """Whom an escalation reaches."""
    kind, _, name = text.partition(":")
    if text in {"lead", "manager"} or (kind == "rotation" and _SLUG.fullmatch(name)):
        return text
    if kind == "owner" and name in OWNERS:
        return text
    try:
        return person_or_team(text)
    except ValueError:
        raise ValueError(
            "must be a person's e-mail address, team:<slug>, owner:<one of the owners>, rotation:<slug>, lead"
            f" or manager, not {text[:80]!r}"
        ) from None


def evidence_pointer(text: str) -> str:
    """A JSON pointer (RFC 6901) into the enqueue body."""
    if len(text) > 500 or not _POINTER.fullmatch(text):
        raise ValueError(f"must be a JSON pointer such as /input/customer/name, not {text[:80]!r}")
    first = text.split("/", 2)[1]
    if first not in BODY_FIELDS:
        raise ValueError(f"begins with {first}, which no enqueued item has")
    return text


def without_repeats(names: list[Name]) -> list[Name]:
    for index, name in enumerate(names):
        if name in names[:index]:
            raise ValueError(f"names {name} twice")
    return names


Slug = Annotated[str, AfterValidator(slug)]
PersonOrTeam = Annotated[str, AfterValidator(person_or_team)]
Target = Annotated[str, AfterValidator(target)]
EvidencePointer = Annotated[str, AfterValidator(evidence_pointer)]
