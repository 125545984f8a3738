"""A calendar's document: what is accepted, what is refused at once, and what is frozen with it."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from reviewqueue.escalation.calendars import (
    FrozenCalendar,
    InvalidCalendar,
    compile_calendar,
    freeze,
    parse_calendar,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WRITTEN = """
calendar: office
title: Office hours in Berlin
zone: Europe/Berlin
weekly:
  mon: ["09:00-12:00", "13:00-17:00"]
  fri: ["13:00-15:00", "09:00-13:00"]
  sat: ["22:00-24:00"]
holidays: {country: DE, region: BE}
exceptions:
  - {date: 2026-12-24, closed: true, title: Christmas Eve}
  - {date: 2026-12-31, open: ["09:00-12:00"]}
"""


def frozen(source: str | dict[str, Any]) -> FrozenCalendar:
    return freeze(parse_calendar(source, None if isinstance(source, str) else "office").hours(), NOW)


def refused(document: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(InvalidCalendar) as caught:
        frozen({"zone": "UTC", "weekly": {"mon": ["09:00-17:00"]}, **document})
    return caught.value.errors


def test_the_document_comes_back_as_it_was_written() -> None:
    document = parse_calendar(WRITTEN)
    assert parse_calendar(document.as_dict()) == document
    assert list(document.as_dict()) == ["calendar", "title", "zone", "weekly", "holidays", "exceptions"]
    assert document.as_dict()["weekly"]["mon"] == ["09:00-12:00", "13:00-17:00"]


def test_intervals_may_come_in_any_order_and_touch() -> None:
    weekly = parse_calendar(WRITTEN).weekly
    assert weekly.walls[4] == ((9 * 3600, 15 * 3600),)
    assert weekly.walls[5] == ((22 * 3600, 86_400),)


def test_the_name_of_the_address_may_be_left_out_and_not_contradicted() -> None:
    body = {"zone": "UTC", "weekly": {"mon": ["09:00-17:00"]}}
    assert parse_calendar(body, "office").calendar == "office"
    with pytest.raises(InvalidCalendar, match="must be office"):
        parse_calendar({**body, "calendar": "other"}, "office")


@pytest.mark.parametrize(
    ("keys", "pointer", "words"),
    [
        ({"weekly": {}}, "/weekly", "never open"),
        ({"weekly": {"mon": []}}, "/weekly", "never open"),
        ({"weekly": {"mon": ["09:00-09:00"]}}, "/weekly/mon/0", "is empty"),
        ({"weekly": {"mon": ["22:00-06:00"]}}, "/weekly/mon/0", "22:00-24:00 and, on the day after it, 00:00-06:00"),
        ({"weekly": {"mon": ["9-17"]}}, "/weekly/mon/0", "09:00-17:30"),
        ({"weekly": {"mon": ["09:00-24:01"]}}, "/weekly/mon/0", "the last one is 24:00"),
        ({"weekly": {"mon": ["24:00-24:00"]}}, "/weekly/mon/0", "not a time of the day"),
        ({"weekly": {"mon": ["09:60-10:00"]}}, "/weekly/mon/0", "not a time of the day"),
        ({"weekly": {"mon": ["09:00-12:00", "11:59-13:00"]}}, "/weekly/mon", "overlap"),
        ({"weekly": {"mon": [540]}}, "/weekly/mon/0", "must be text"),
        ({"weekly": {"moon": ["09:00-12:00"]}}, "/weekly/moon", "did you mean mon?"),
        ({"zone": "Europe/Berln"}, "/zone", "did you mean Europe/Berlin?"),
        ({"zone": "right/Europe/Berlin"}, "/zone", "not a zone"),
        ({"zone": "../../etc/passwd"}, "/zone", "not a zone"),
        ({"zones": "UTC"}, "/zones", "unknown key"),
        ({"holidays": {"country": "XX"}}, "/holidays/country", "no known holidays"),
        ({"holidays": {"country": "de"}}, "/holidays/country", "pattern"),
        ({"holidays": {"country": "DE", "region": "ZZ"}}, "/holidays/region", "there is BB, BE"),
        ({"holidays": {"country": "DE", "years": 21}}, "/holidays/years", "at most 20"),
        ({"exceptions": [{"date": "2026-02-30", "closed": True}]}, "/exceptions/0/date", "not a date"),
        ({"exceptions": [{"date": "20260301", "closed": True}]}, "/exceptions/0/date", "not a date"),
        ({"exceptions": [{"date": "2300-01-01", "closed": True}]}, "/exceptions/0/date", "between 1970"),
        ({"exceptions": [{"date": "2026-01-01"}]}, "/exceptions/0", "either `open`"),
        ({"exceptions": [{"date": "2026-01-01", "closed": False}]}, "/exceptions/0/closed", "is true or left out"),
        ({"exceptions": [{"date": "2026-01-01", "open": []}]}, "/exceptions/0/open", "must not be empty"),
        ({"exceptions": [{"date": "2026-01-01", "closed": True}] * 2}, "/exceptions/1/date", "twice"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(keys: dict[str, Any], pointer: str, words: str) -> None:
    [(where, what)] = refused(keys)
    assert where == pointer
    assert words in what


def days_closed(count: int, every: int = 1) -> list[dict[str, Any]]:
    first = date(2026, 3, 9)
    return [{"date": (first + timedelta(days=n * every)).isoformat(), "closed": True} for n in range(count)]


def test_holidays_without_end_are_refused_at_once() -> None:
    before = time.thread_time()
    [(where, what)] = refused({"exceptions": days_closed(400)})
    assert (where, what) == ("/exceptions", "leave no open minute in the 366 days from 2026-03-02 on")
    # One that is open on Mondays alone is as shut by closed Mondays alone, 52 of them or more.
    assert refused({"exceptions": days_closed(53, every=7)})[0][0] == "/exceptions"
    assert time.thread_time() - before < 2


def test_a_long_holiday_is_none_without_end() -> None:
    document = {"zone": "UTC", "weekly": {"mon": ["09:00-17:00"]}, "exceptions": days_closed(51, every=7)}
    hours = compile_calendar(frozen(document).as_dict())
    assert hours.next_open(datetime(2026, 3, 3, tzinfo=UTC)) == datetime(2027, 3, 1, 9, tzinfo=UTC)


def test_holidays_are_frozen_for_a_span_that_is_told() -> None:
    holidays = frozen(WRITTEN).holidays
    assert holidays is not None
    assert (holidays.first_year, holidays.last_year) == (2025, 2031)
    assert holidays.source.startswith("holidays 0.")
    days = {holiday.date: holiday.title for holiday in holidays.dates}
    assert days["2026-03-08"] == "Women's Day"  # in Berlin, not in all of Germany
    assert {day[:4] for day in days} == {str(year) for year in range(2025, 2032)}


def test_a_frozen_calendar_needs_no_library_to_be_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = frozen(WRITTEN).as_dict()
    kept["holidays"]["dates"].append({"date": "2026-03-09", "title": "Only here"})
    monkeypatch.setitem(__import__("sys").modules, "holidays", None)
    [day] = compile_calendar(kept).open_hours(datetime(2026, 3, 9, 9, tzinfo=UTC), days=1)
    assert (day.title, day.seconds) == ("Only here", 0)


def test_the_same_hours_are_compiled_once() -> None:
    hours = parse_calendar(WRITTEN).hours()
    one, two = (freeze(hours, NOW, "office", version).as_dict() for version in (1, 2))
    assert compile_calendar(one) is compile_calendar(two)
