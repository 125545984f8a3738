"""A calendar made final: its holidays looked up once, kept with it, and compiled from there ever after."""

from __future__ import annotations

import importlib.metadata
import json
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from .document import Holidays, InvalidCalendar, OpeningHours, walls_of
from .hours import Calendar, Walls

YEARS_BACK = 1
LONGEST_SHUT = timedelta(days=366)


class Kept(BaseModel):
    """Written by us, not by people, so that no message ever proposes its keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Holiday(Kept):
    date: str
    title: str


class FrozenHolidays(Kept):
    """The holidays of a span of whole years. Outside of it none is known, and the week applies."""

    first_year: int
    last_year: int
    source: str
    """The library and its version."""
    dates: list[Holiday]


class FrozenCalendar(Kept):
    """What a version keeps: enough to compile the same hours at any later time."""

    name: str | None = None
    version: int | None = None
    """Of the shared calendar; none where a queue brings its own hours."""
    hours: OpeningHours
    holidays: FrozenHolidays | None = None

    def as_dict(self) -> dict[str, Any]:
        return self.model_dump()


def freeze(
    hours: OpeningHours, now: datetime, name: str | None = None, version: int | None = None
) -> FrozenCalendar:
    """Look up the holidays from the year before `now` on.

    Raises InvalidCalendar for a country or region whose holidays nobody knows, and for hours that are shut for 366
    days on end.
    """
    wanted = hours.holidays
    year = now.astimezone(ZoneInfo(hours.zone)).year
    holidays = _looked_up(wanted, year - YEARS_BACK, year + wanted.years) if wanted else None
    frozen = FrozenCalendar(name=name, version=version, hours=hours, holidays=holidays)
    _refuse_if_shut(frozen)
    return frozen


def compile_calendar(frozen: dict[str, Any]) -> Calendar:
    """Compile what `FrozenCalendar.as_dict()` wrote; the same hours are compiled once a process."""
    return _compiled(json.dumps({key: frozen.get(key) for key in ("hours", "holidays")}, sort_keys=True))


def _looked_up(wanted: Holidays, first: int, last: int) -> FrozenHolidays:
    import holidays  # knows every country of the world: loaded when a calendar is published, not at each start

    try:
        found = holidays.country_holidays(
            wanted.country, subdiv=wanted.region, years=range(first, last + 1), expand=False, language="en_US"
        )
    except NotImplementedError:
        raise _unknown(wanted) from None
    dates = [Holiday(date=day.isoformat(), title=title) for day, title in sorted(found.items())]
    return FrozenHolidays(
        first_year=first,
        last_year=last,
        source=f"holidays {importlib.metadata.version('holidays')}",
        dates=dates,
    )


def _unknown(wanted: Holidays) -> InvalidCalendar:
    import holidays

    regions = holidays.list_supported_countries().get(wanted.country)
    if regions is None:
        return InvalidCalendar([("/holidays/country", f"has no known holidays: {wanted.country}")])
    known = ", ".join(regions) or "none"
    return InvalidCalendar(
        [("/holidays/region", f"is no region of {wanted.country}: {wanted.region}; there is {known}")]
    )


def _refuse_if_shut(frozen: FrozenCalendar) -> None:
    """The week is open somewhere, so only special dates can keep it shut: the time around them is searched."""
    special = _special(frozen)
    if not special:
        return
    begin = datetime.combine(min(special), datetime.min.time(), UTC) - timedelta(days=8)
    end = datetime.combine(max(special), datetime.min.time(), UTC) + timedelta(days=374)
    shut_since = begin
    for opens, closes in compile_calendar(frozen.as_dict()).intervals(begin, end):
        if opens - shut_since >= LONGEST_SHUT:
            break
        shut_since = closes
    else:
        if end - shut_since < LONGEST_SHUT:
            return
    local = shut_since.astimezone(ZoneInfo(frozen.hours.zone))
    raise InvalidCalendar([("/exceptions", f"leave no open minute in the 366 days from {local:%Y-%m-%d} on")])


def _special(frozen: FrozenCalendar) -> set[date]:
    days = [exception.date for exception in frozen.hours.exceptions]
    days += [holiday.date for holiday in frozen.holidays.dates] if frozen.holidays else []
    return {date.fromisoformat(day) for day in days}


@lru_cache(maxsize=256)
def _compiled(hours: str) -> Calendar:
    frozen = FrozenCalendar.model_validate_json(hours)
    special: dict[date, Walls] = {}
    titles: dict[date, str] = {}
    for holiday in frozen.holidays.dates if frozen.holidays else ():
        day = date.fromisoformat(holiday.date)
        special[day], titles[day] = (), holiday.title
    for exception in frozen.hours.exceptions:  # after the holidays: an exception may open on one
        day = date.fromisoformat(exception.date)
        special[day] = walls_of(exception.open or [])
        titles[day] = exception.title or titles.get(day) or "Exception"
    return Calendar(ZoneInfo(frozen.hours.zone), frozen.hours.weekly.walls, special, titles)
