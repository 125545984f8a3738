"""A calendar as people write it, in YAML or JSON, validated to the key."""

from __future__ import annotations

import re
from datetime import date
from difflib import get_close_matches
from functools import cache
from itertools import pairwise
from typing import Annotated, Any, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, StringConstraints, ValidationError, model_validator

from ...queues.invalid import InvalidDocument
from ...queues.loading import Unreadable, read
from ...queues.names import Slug
from ...queues.part import Part, refuse_at
from .hours import Walls

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FIRST_YEAR, LAST_YEAR = 1970, 2100
_INTERVAL = re.compile(r"([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2})")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

Title = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]


class InvalidCalendar(InvalidDocument):
    slug, title = "invalid-calendar", "The calendar's document is not valid"


def parse_calendar(source: str | bytes | dict[str, Any], calendar: str | None = None) -> CalendarDocument:
    """Read a shared calendar from YAML or JSON text or from a dictionary; raises InvalidCalendar.

    `calendar` is the name that the caller knows already, as from a URL: it may then be left out of the document,
    and must not contradict it.
    """
    try:
        raw = read(source, "calendar: office")
    except Unreadable as error:
        raise InvalidCalendar([(error.pointer, error.detail)]) from None
    if calendar is not None:
        raw = {"calendar": calendar, **raw}
        if raw["calendar"] != calendar:
            raise InvalidCalendar([("/calendar", f"must be {calendar}, since the document was sent for it")])
    try:
        return CalendarDocument.model_validate(raw)
    except ValidationError as error:
        raise InvalidCalendar.because(error) from None


def parse_interval(text: str) -> tuple[int, int]:
    """`09:00-17:30` in seconds of the wall clock; raises ValueError with a sentence for whoever wrote it."""
    match = _INTERVAL.fullmatch(text)
    if match is None:
        raise ValueError(f"is not an interval: {text[:40]!r}; write it as 09:00-17:30")
    hours = [int(part) for part in match.groups()]
    opens, closes = hours[0] * 3600 + hours[1] * 60, hours[2] * 3600 + hours[3] * 60
    if hours[1] > 59 or hours[3] > 59 or opens >= 86_400 or closes > 86_400:
        raise ValueError(f"is not a time of the day: {text}; the last one is 24:00")
    if opens == closes:
        raise ValueError(f"is empty: {text}")
    if opens > closes:
        raise ValueError(
            f"ends before it begins: {text}; a night is written as {text[:5]}-24:00 and, on the day after it, "
            f"00:00-{text[6:]}"
        )
    return opens, closes


def walls_of(intervals: list[str]) -> Walls:
    """The intervals in order, those that touch made one."""
    found: list[tuple[int, int]] = []
    for opens, closes in sorted(parse_interval(text) for text in intervals):
        if found and found[-1][1] == opens:
            found[-1] = (found[-1][0], closes)
        else:
            found.append((opens, closes))
    return tuple(found)


def _without_overlap(intervals: list[str]) -> list[str]:
    ordered = sorted(intervals, key=parse_interval)
    for earlier, later in pairwise(ordered):
        if parse_interval(later)[0] < parse_interval(earlier)[1]:
            raise ValueError(f"has intervals that overlap: {earlier} and {later}")
    return intervals


def _interval(text: str) -> str:
    parse_interval(text)
    return text


def _day(text: str) -> str:
    try:
        year = date.fromisoformat(text).year if _DATE.fullmatch(text) else None
    except ValueError:
        year = None
    if year is None:
        raise ValueError(f"is not a date: {text[:40]!r}; write it as 2026-12-24")
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"must be between {FIRST_YEAR} and {LAST_YEAR}, not {text}")
    return text


def _zone(name: str) -> str:
    if name not in _zones():
        alike = get_close_matches(name, _zones(), n=1, cutoff=0.7)
        hint = f"; did you mean {alike[0]}?" if alike else "; write it as Europe/Berlin"
        raise ValueError(f"is not a zone of the IANA time zone database: {name[:80]!r}{hint}")
    return name


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


Interval = Annotated[str, AfterValidator(_interval)]
Intervals = Annotated[list[Interval], Field(max_length=48), AfterValidator(_without_overlap)]
Day = Annotated[str, AfterValidator(_day)]


class Weekly(Part):
    """When it is open in an ordinary week."""

    mon: Intervals = Field(default=[])
    tue: Intervals = Field(default=[])
    wed: Intervals = Field(default=[])
    thu: Intervals = Field(default=[])
    fri: Intervals = Field(default=[])
    sat: Intervals = Field(default=[])
    sun: Intervals = Field(default=[])

    @property
    def walls(self) -> list[Walls]:
        return [walls_of(getattr(self, day)) for day in WEEKDAYS]


class Holidays(Part):
    """Whose public holidays are closed."""

    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    region: Annotated[str, StringConstraints(min_length=1, max_length=40)] | None = None
    years: int = Field(default=5, ge=0, le=20)
    """How many years after the present one are looked up when a version is published."""


class CalendarException(Part):
    """A date that differs from the week, be it a holiday or not."""

    date: Day
    open: Annotated[Intervals, Field(min_length=1)] | None = None
    closed: bool | None = None
    title: Title | None = None

    @model_validator(mode="after")
    def _is_either_open_or_closed(self) -> Self:
        if self.closed is False:
            refuse_at(("closed",), "is true or left out; `open` says when the date is open")
        if (self.open is None) == (self.closed is None):
            raise ValueError("must have either `open` with intervals or `closed: true`")
        return self


class OpeningHours(Part):
    """A week in a zone, holidays, and single dates: what a queue may also write for itself alone."""

    title: Title | None = None
    zone: Annotated[str, AfterValidator(_zone)]
    weekly: Weekly
    holidays: Holidays | None = None
    exceptions: list[CalendarException] = Field(default=[], max_length=1_000)

    @model_validator(mode="after")
    def _is_open_at_all(self) -> Self:
        if not any(self.weekly.walls):
            refuse_at(("weekly",), "is never open; give at least one day an interval such as 09:00-17:00")
        seen: set[str] = set()
        for index, exception in enumerate(self.exceptions):
            if exception.date in seen:
                refuse_at(("exceptions", index, "date"), f"names {exception.date} twice")
            seen.add(exception.date)
        return self


class CalendarDocument(OpeningHours):
    """Opening hours with a name, shared by the queues that name it."""

    calendar: Slug

    def hours(self) -> OpeningHours:
        return OpeningHours(**{name: getattr(self, name) for name in OpeningHours.model_fields})

    def as_dict(self) -> dict[str, Any]:
        """The canonical document: keys in the documented order, every default written out."""
        return document_of(self.calendar, self.hours().model_dump())


def document_of(calendar: str, hours: dict[str, Any]) -> dict[str, Any]:
    """The document from the name and the hours that are kept."""
    return {"calendar": calendar, **hours}
