"""The contract's own queue document, and short ways to a policy and an enqueue body."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from reviewqueue.escalation.calendars import freeze, parse_calendar
from reviewqueue.queues.document import parse
from reviewqueue.queues.policy import Policy, compile_policy

CONTRACT_DOCUMENT = """
queue: receipt-extraction            # [a-z0-9-]{1,64}
title: Receipt extraction
purpose: Read merchant, date, currency and total from receipts before they are booked.
owners: {business: team:finance, support: it@example.org, model: ml@example.org, review: team:clerks,
         governance: risk@example.org, escalation: lead@example.org}   # person or team
stage: production
risk: medium
guidance: {trust: md, verify: md, never_assume: md}     # shown to reviewers
output_schema: {type: object, properties: {total: {type: string}}}
reasons: [{code: wrong-total, title: The total is wrong, for: [edit, reject]}]
members: {reviewer: [team:clerks], lead: [lead@example.org], manager: [boss@example.org]}
policy:
  lanes: {autonomous_at: 0.98, assist_at: 0.40}         # confidence at or above; null turns a lane off
  review_when:                                          # any match sends the item to a human
    - {field: flags, op: contains, value: "missing:total"}
    - {all: [{field: tags.department, op: in, value: [finance-eu]}, {field: output.total, op: gt, value: 1000}]}
  priority_when: [{if: {field: flags, op: contains, value: vip}, set: 80}]   # 0..100, default 50
  audit_sample: 0.05                 # share of autonomous items that people audit
  reviews: {needed: 1, blind: true, adjudicate: lead}
  lease: 10m
  due: {after: 4h, calendar: office}                    # calendar absent: round the clock
  escalation:                                           # counted from arrival, on the same calendar
    - {after: 2h, to: team:leads, notify: [in-app, mail]}
    - {after: 4h, to: owner:escalation, priority: 90, notify: [ops-slack], repeat: {every: 1h, times: 3}}
  deadline: {after: 24h, fallback: {verdict: reject, reason: nobody-decided}}
  retention: {evidence: 365d, redact: [/input/customer/name]}
"""


OFFICE = """
calendar: office
zone: Europe/Berlin
weekly: {mon: ["09:00-17:00"], tue: ["09:00-17:00"], wed: ["09:00-17:00"], thu: ["09:00-17:00"], fri: ["09:00-15:00"]}
holidays: {country: DE, region: BE}
"""


def office(version: int = 1) -> dict[str, Any]:
    """The office's hours as a policy version keeps them."""
    return freeze(
        parse_calendar(OFFICE).hours(), datetime(2026, 3, 2, 9, tzinfo=UTC), "office", version
    ).as_dict()


def document(**keys: Any) -> dict[str, Any]:
    """The canonical document of a queue with these keys."""
    return parse({"queue": "receipts", **keys}).as_dict()


def policy(output_schema: dict[str, Any] | None = None, **rules: Any) -> Policy:
    """A compiled policy that trusts from 0.9 and assists from 0.5, unless told otherwise."""
    keys: dict[str, Any] = {"policy": {"lanes": {"autonomous_at": 0.9, "assist_at": 0.5}, **rules}}
    if output_schema is not None:
        keys["output_schema"] = output_schema
    return compile_policy(parse({"queue": "receipts", **keys}).policy_part(), 1)


def body(**fields: Any) -> dict[str, Any]:
    """An enqueue body that is released by `policy()`, unless a field changes that."""
    return {"queue": "receipts", "input": {}, "output": {"total": "12.90"}, "confidence": 0.95, **fields}
