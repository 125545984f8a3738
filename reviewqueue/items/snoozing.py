"""How long people snooze from the pages: for one of four spans, or until a time of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ..errors import Invalid
from ..oncall.document import zones
from ..oncall.rotation import first_instant

SNOOZES = {
    "1h": timedelta(hours=1),
    "4h": timedelta(hours=4),
    "1d": timedelta(days=1),
    "3d": timedelta(days=3),
}
SPANS = {"1h": "1 hour", "4h": "4 hours", "1d": "1 day", "3d": "3 days"}
UNTIL = "until"
YEARS = range(1970, 2101)


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str
    fits: bool
    """False: the deadline comes first."""
    before: datetime | None
    """Until when it may be chosen; None: always."""


def choices(end: datetime | None, now: datetime) -> list[Choice]:
    """The spans, of which none may reach the deadline (`handling.ends_before`)."""
    return [
        Choice(value, SPANS[value], end is None or now + length < end, end and end - length)
        for value, length in SNOOZES.items()
    ]


def chosen(form: Mapping[str, str], now: datetime, zone: str) -> datetime:
    """Until when, as the form says; a time of one's own is of the form's zone, else of `zone`. Raises Invalid."""
    asked, typed = form.get("for", ""), form.get(UNTIL, "")
    if asked == UNTIL:
        return _typed(typed, zone_of(form, zone))
    if asked not in SNOOZES:
        raise Invalid("Choose for how long: 1h, 4h, 1d or 3d, or until when.")
    if typed:  # Enter in a browser without scripts presses the first button: not what was meant
        raise Invalid(f"A time was typed and {SPANS[asked]} was pressed: press Until, or empty the time.")
    return now + SNOOZES[asked]


def words(form: Mapping[str, str], zone: str) -> str:
    """As in "for 4 hours", "until 2026-03-02 14:30 (Europe/Berlin)"."""
    if form.get("for") == UNTIL:
        return f"until {form.get(UNTIL, '').replace('T', ' ')} ({zone_of(form, zone)})"
    return f"for {SPANS.get(form.get('for', ''), '')}"


def zone_of(form: Mapping[str, str], otherwise: str) -> str:
    named = form.get("zone", "")
    return named if named in zones() else otherwise


def _typed(text: str, zone: str) -> datetime:
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid("Choose the day and the time until which it sleeps.") from None
    if local.tzinfo is not None or local.year not in YEARS:
        raise Invalid("Choose a day and a time of this century, without a zone.")
    return first_instant(local, ZoneInfo(zone))
