"""What of a policy is told as hardly meant: each rule without a database, and that both doors and the page tell it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from reviewqueue.db import Database
from reviewqueue.escalation.calendar_operations import apply_calendar
from reviewqueue.escalation.calendars import OpeningHours, freeze
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.queues.document import parse
from reviewqueue.queues.operations import apply
from reviewqueue.queues.queries import get_queue
from reviewqueue.queues.warnings import warnings_of

from ..support.making import make_person, make_queue, make_team
from .doors import key_headers, sign_in

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WEEKDAYS = {"zone": "UTC", "weekly": {day: ["09:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}}
REJECT = {"verdict": "reject"}


def told(hours: dict[str, Any] | None = None, **policy: Any) -> list[str]:
    part = parse(
        {"queue": "receipts", "owners": {"escalation": "a@example.org"}, "policy": policy}
    ).policy_part()
    if hours is not None:
        part["calendar"] = freeze(OpeningHours.model_validate(hours), NOW).as_dict()
    return warnings_of(part, NOW)


def test_a_sensible_policy_is_not_warned_about() -> None:
    steps = [{"after": "2h", "to": "lead"}, {"after": "8h", "to": "owner:escalation"}]
    assert told(due={"after": "4h"}, escalation=steps, deadline={"after": "24h", "fallback": REJECT}) == []


def test_no_deadline_at_all() -> None:
    [warning] = told(due={"after": "4h"})
    assert warning.startswith("policy.deadline: there is none, so an app waits without end")


def test_a_fallback_that_accepts_whatever_was_held_back() -> None:
    [warning] = told(deadline={"after": "24h", "fallback": "accept"})
    assert warning.startswith("policy.deadline.fallback: accept releases what the policy held back")


@pytest.mark.parametrize("after", ["4h", "5h"])
def test_a_deadline_that_comes_before_the_due_time(after: str) -> None:
    [warning] = told(due={"after": after}, deadline={"after": "4h", "fallback": REJECT})
    assert warning == f"policy.due.after: the deadline (4h) passes before the item is due ({after})"


def test_a_deadline_that_comes_before_the_last_step() -> None:
    steps = [{"after": "1h", "to": "lead"}, {"after": "6h", "to": "lead"}]
    [warning] = told(escalation=steps, deadline={"after": "4h", "fallback": REJECT})
    assert warning == "policy.escalation[1].after: the deadline (4h) passes before this step comes (6h)"


def test_a_deadline_that_a_weekend_lets_pass_first() -> None:
    """Eight open hours from Friday afternoon end on Monday."""
    rules = {"due": {"after": "8h", "hours": WEEKDAYS}, "deadline": {"after": "2d", "fallback": REJECT}}
    [warning] = told(WEEKDAYS, **rules)
    assert warning.startswith(
        "policy.due.after: after some arrivals the deadline (2d) passes before the item is due"
    )
    assert told(WEEKDAYS, due=rules["due"], deadline={"after": "4d", "fallback": REJECT}) == []


def test_the_api_tells_each_beside_the_document_and_in_a_header(client: FlaskClient, db: Database) -> None:
    document = {
        "members": {"lead": ["late@example.org"]},
        "policy": {"deadline": {"after": "2h", "fallback": "accept"}, "due": {"after": "4h"}},
    }
    headers = key_headers(db)
    answer = client.put("/api/v1/queues/receipts", headers=headers, json=document)
    told = answer.headers.getlist("Policy-Warning")
    assert [warning.partition(":")[0] for warning in told] == [
        "members.lead", "policy.deadline.fallback", "policy.due.after"
    ]  # fmt: skip
    applied = answer.json or {}
    assert applied.pop("warnings") == told
    assert applied == client.get("/api/v1/queues/receipts", headers=headers).json
    again = client.put("/api/v1/queues/receipts", headers=headers, json=document)
    assert again.headers.getlist("Policy-Warning") == told


def test_the_queues_page_tells_them(client: FlaskClient, db: Database) -> None:
    sign_in(client, db, make_person(db, "boss@example.org", make_queue(db), "manager"))
    assert "an app waits without end" in client.get("/queues/receipts").text


def test_steps_that_reach_nobody_and_channels_that_are_not_there(db: Database) -> None:
    make_person(db, "ann@example.org")
    targets = ["lead", "team:leads", "rotation:nights", "owner:review", "ann@example.org"]
    steps = [{"after": "2h", "to": targets, "notify": ["in-app", "ops-chat"]}]
    policy = {"escalation": steps, "deadline": {"after": "24h", "fallback": REJECT}}
    owners = {"review": "nobody@example.org"}
    applied = apply(db, SYSTEM_CALLER, {"queue": "receipts", "owners": owners, "policy": policy})
    assert applied.warnings == [
        "policy.escalation[0].to: lead: the queue has no lead",
        "policy.escalation[0].to: team:leads: nobody in this team may see the queue",
        "policy.escalation[0].to: rotation:nights: there is no such rotation yet",
        "policy.escalation[0].to: owner:review: nobody of that address may see the queue",
        "policy.escalation[0].to: ann@example.org: nobody of that address may see the queue",
        "policy.escalation[0].notify: there is no channel ops-chat yet; an admin sets it up at /admin/channels",
    ]


def test_steps_that_reach_somebody_are_not_warned_about(db: Database) -> None:
    ann, bob = make_person(db, "ann@example.org"), make_person(db, "bob@example.org")
    make_team(db, "leads", bob)
    document = {
        "queue": "receipts",
        "owners": {"escalation": "team:leads"},
        "members": {"lead": ["team:leads"], "manager": [ann.email]},
        "policy": {
            "escalation": [
                {"after": "2h", "to": ["lead", "manager", "team:leads", "owner:escalation", ann.email]}
            ],
            "deadline": {"after": "24h", "fallback": REJECT},
        },
    }
    assert apply(db, SYSTEM_CALLER, document).warnings == []


def test_a_calendar_that_came_later_takes_effect_when_the_document_is_applied_again(db: Database) -> None:
    due = {"after": "4h", "calendar": "office"}
    document = {"queue": "receipts", "policy": {"due": due, "deadline": {"after": "24h", "fallback": REJECT}}}
    [missing] = apply(db, SYSTEM_CALLER, document).warnings
    assert "there is no calendar office yet" in missing
    apply_calendar(db, SYSTEM_CALLER, {"calendar": "office", **WEEKDAYS})
    [late] = get_queue(db, SYSTEM_CALLER, "receipts").warnings
    assert "the calendar office came after this policy" in late
    assert apply(db, SYSTEM_CALLER, document).policy_version == 2
    assert get_queue(db, SYSTEM_CALLER, "receipts").warnings != (late,)
