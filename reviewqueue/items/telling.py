"""Tells an item's events in words, for its trail on the pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..audit.events import EventType

HOT = frozenset(
    {EventType.ITEM_ESCALATED, EventType.ITEM_EXPIRED, EventType.ITEM_DISPUTED, EventType.ITEM_RECALLED}
)
BY_OTHERS_BLIND = frozenset({EventType.ITEM_REVIEWED, EventType.ITEM_DISPUTED, EventType.ITEM_UNDONE})
"""What would tell a blind reviewer how others judged."""


@dataclass(frozen=True, slots=True)
class Told:
    """One event in words; `text` and `said` may repeat what people and apps wrote."""

    id: str
    type: str
    text: str
    by: str
    at: datetime
    said: str = ""
    hot: bool = False
    data: Mapping[str, Any] | None = None
    position: int | None = None


def tell(event: Mapping[str, Any], viewer_id: str | None = None) -> Told:
    """One event of audit.queries.trail_of, in words."""
    actor = event["actor"]
    by = "You" if viewer_id is not None and actor["id"] == viewer_id else actor["name"] or actor["kind"]
    data = event["data"]
    return Told(
        id=event["id"],
        type=event["type"],
        text=_text(event["type"], by, data),
        by=by,
        at=datetime.fromisoformat(event["at"]),
        said=_said(data),
        hot=event["type"] in HOT,
        data=data,
        position=event.get("position"),
    )


def tell_all(
    events: Iterable[Mapping[str, Any]], viewer_id: str | None = None, *, blind_to_others: bool = False
) -> list[Told]:
    """The events in words, without those that a blind reviewer must not see."""
    return [
        tell(event, viewer_id)
        for event in events
        if not (blind_to_others and event["type"] in BY_OTHERS_BLIND and event["actor"]["id"] != viewer_id)
    ]


def _text(type: str, by: str, data: Mapping[str, Any]) -> str:
    return _SENTENCES[EventType(type)](by, data) if type in _SENTENCES else type


def _claimed(by: str, data: Mapping[str, Any]) -> str:
    return f"{by} claimed it" + (" again" if data.get("resumed") else "")


def _reviewed(by: str, data: Mapping[str, Any]) -> str:
    role = " as adjudicator" if data.get("adjudication") else ""
    first = data.get("answered_first")
    same = "the same as" if first and first["equals_suggestion"] else "other than"
    answered = f", after an answer of their own, {same} the suggestion" if first else ""
    return f"{by} reviewed it{role}: {data.get('verdict')}{answered}"


def _escalated(by: str, data: Mapping[str, Any]) -> str:
    if data.get("occurrence"):
        return f"Reminder {data['occurrence']} on level {data.get('level')}{_reached(data)}"
    by_whom = "" if "step" in data else f" by {_inside(by)}"
    return f"Escalated to level {data.get('level')}{_to(data)}{by_whom}{_reached(data)}"


def _reached(data: Mapping[str, Any]) -> str:
    """Whom it was told, and through what; and which channels were not there."""
    told: list[str] = []
    missing: list[str] = []
    for entry in data.get("told") or ():
        if entry.get("through"):
            told.append(f"{entry['person']} ({', '.join(entry['through'])})")
        elif "channel" in entry:
            (missing if "note" in entry else told).append(entry["channel"])
    return (f"; told: {', '.join(told)}" if told else "") + (
        f"; no such channel: {', '.join(missing)}" if missing else ""
    )


_SENTENCES: dict[EventType, Callable[[str, Mapping[str, Any]], str]] = {
    EventType.ITEM_ENQUEUED: lambda by, _: f"Enqueued by {_inside(by)}",
    EventType.ITEM_AUTO_ACCEPTED: lambda _, data: (
        "Released by policy" + (", to be audited" if data.get("purpose") == "audit" else "")
    ),
    EventType.ITEM_CLAIMED: _claimed,
    EventType.ITEM_CLAIM_RELEASED: lambda by, data: (
        f"{by} {'skipped it' if data.get('skipped') else 'gave it back'}"
    ),
    EventType.ITEM_CLAIM_EXPIRED: lambda _, data: f"The claim of {data.get('of') or 'its holder'} ran out",
    EventType.ITEM_REVIEWED: _reviewed,
    EventType.ITEM_DISPUTED: lambda _, data: (
        f"The reviews disagree: {', '.join(map(str, data.get('verdicts') or ()))}"
    ),
    EventType.ITEM_ACCEPTED: lambda by, _: f"Accepted by {_inside(by)}",
    EventType.ITEM_EDITED: lambda by, _: f"Edited by {_inside(by)}",
    EventType.ITEM_REJECTED: lambda by, _: f"Rejected by {_inside(by)}",
    EventType.ITEM_EXPIRED: lambda _, data: (
        f"The deadline passed; released: {(data.get('outcome') or {}).get('verdict', 'the fallback')}"
        f"{', as there was nothing to accept' if data.get('instead_of') else ''}{_reached(data)}"
    ),
    EventType.ITEM_WITHDRAWN: lambda by, data: (
        f"Withdrawn by {_inside(by)}" + (", superseded" if data.get("superseded_by") else "")
    ),
    EventType.ITEM_REOPENED: lambda by, _: f"Reopened by {_inside(by)}",
    EventType.ITEM_RECALLED: lambda by, _: f"Recalled by {_inside(by)}",
    EventType.ITEM_ESCALATED: _escalated,
    EventType.ITEM_DEESCALATED: lambda by, data: (
        f"De-escalated to level {data.get('level')} by {_inside(by)}{_reached(data)}"
    ),
    EventType.ITEM_ACKNOWLEDGED: lambda by, data: (
        f"{by} acknowledged the escalation to level {data.get('level')}"
    ),
    EventType.ITEM_SNOOZED: lambda by, data: (
        f"{by} snoozed it until {_clock(data.get('until'))}"
        + (", or a reply" if data.get("until_reply_to") else "")
    ),
    EventType.ITEM_WOKEN: lambda by, data: (
        f"{by} replied: the snooze is over" if data.get("replied") else "The snooze is over"
    ),
    EventType.ITEM_ASSIGNED: lambda by, data: f"{by} gave it to {data.get('to') or 'nobody in particular'}",
    EventType.ITEM_COMMENTED: lambda by, _: f"{by} commented",
    EventType.ITEM_CORRECTED: lambda _by, _data: "The outcome was corrected",
    EventType.ITEM_UNDONE: lambda by, _: f"{by} took the review back",
    EventType.ITEM_EVIDENCE_ERASED: lambda _by, _data: "The evidence was erased",
}


def _inside(by: str) -> str:
    return "you" if by == "You" else by


def _to(data: Mapping[str, Any]) -> str:
    to = data.get("assigned_to") or ", ".join(data.get("to") or ())
    return f", to {to}" if to else ""


def _clock(until: Any) -> str:
    return f"{datetime.fromisoformat(until):%Y-%m-%d %H:%M} UTC" if isinstance(until, str) else "later"


def _said(data: Mapping[str, Any]) -> str:
    for key in ("text", "comment", "reason", "note"):
        if isinstance(data.get(key), str) and data[key]:
            return str(data[key])
    return ""
