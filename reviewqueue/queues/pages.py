"""A queue's page: what it is for, who answers for it, how far it has come, who works in it, and its policy in words."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request
from markupsafe import Markup

from ..people.models import Role
from ..web.requests import caller, database
from ..web.untrusted import markdown
from . import queries
from .names import OWNERS
from .queries import Member, QueueInFull
from .wording import policy_in_words

blueprint = Blueprint("queues", __name__)

GUIDANCE = {
    "trust": "What the model does well",
    "verify": "What to verify",
    "never_assume": "What never to assume",
}
STAGES = {
    "prototype": "A prototype: nothing is released without a human, whatever the policy says.",
    "mvp": "In use with few people; the policy decides.",
    "production": "In production; the policy decides.",
}


@blueprint.get("/queues/<queue>")
def show(queue: str) -> str:
    version = request.args.get("version", type=int)
    found = queries.get_queue(database(), caller(), queue, version)
    return render_template(
        "queues/queue.html",
        queue=found.row,
        found=found,
        owners=_owners(found.document),
        guidance=_guidance(found.document),
        stage_in_words=STAGES[found.row.stage],
        roles=_by_role(found),
        policy=policy_in_words(found.shown.document, found.row.stage),
        warnings=found.warnings,
        version=found.shown.version,
        reasons=found.shown.document["reasons"],
        calendar=_shared_calendar(found),
    )


def _shared_calendar(found: QueueInFull) -> dict[str, Any] | None:
    """The calendar of the version shown, if it has a page of its own: name and version."""
    calendar: dict[str, Any] | None = found.shown.document.get("calendar")
    return calendar if calendar and calendar["name"] else None


def _owners(document: dict[str, Any]) -> list[tuple[str, str | None]]:
    owners = document.get("owners", {})
    return [(role, owners.get(role)) for role in OWNERS]


def _guidance(document: dict[str, Any]) -> list[tuple[str, Markup]]:
    guidance = document.get("guidance", {})
    return [(title, markdown(guidance[key])) for key, title in GUIDANCE.items() if guidance.get(key)]


def _by_role(found: QueueInFull) -> list[tuple[Role, list[Member], list[Member]]]:
    """Each role with those who hold it, and those who are named for it and have no account yet."""
    return [
        (
            role,
            [member for member in found.members if member.role is role],
            [member for member in found.not_there_yet if member.role is role],
        )
        for role in (Role.MANAGER, Role.LEAD, Role.REVIEWER, Role.AUDITOR)
    ]
