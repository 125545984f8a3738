"""Business time against a count of minutes in twelve zones, and what it means where clocks are changed."""

from __future__ import annotations

import importlib
import random
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from reviewqueue.escalation.calendars import Calendar, TooFar, compile_calendar, freeze, parse_calendar
from reviewqueue.escalation.calendars.offsets import BLOCK, LOOK_EVERY, pieces

from .minutes import ZONES, Minutes, Years, any_document

CASES = 200_000
CALENDARS_A_ZONE = 6
OFFICE = {day: ["09:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}
ALWAYS = {day: ["00:00-24:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def calendar(zone: str, weekly: dict[str, Any], **keys: Any) -> Calendar:
    return compiled({"zone": zone, "weekly": weekly, **keys})


def compiled(document: dict[str, Any]) -> Calendar:
    return compile_calendar(freeze(parse_calendar(document, "office").hours(), NOW).as_dict())


def at(zone: str, text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


@pytest.mark.parametrize("zone", ZONES)
def test_it_agrees_with_a_count_of_minutes(zone: str) -> None:
    """A twelfth of 200,000 random cases, each an `elapsed` and an `add` to the second."""
    chance = random.Random(zone)
    years = Years(zone, ZONES[zone])
    last = years.length * 60
    cases = -(-CASES // len(ZONES) // CALENDARS_A_ZONE)
    for _ in range(CALENDARS_A_ZONE):
        document = any_document(chance, years)
        hours, minutes = compiled(document), Minutes.of(years, document)
        for _ in range(cases):
            start, end = (years.begin + timedelta(seconds=chance.randrange(last)) for _ in range(2))
            assert hours.elapsed(start, end) == minutes.elapsed(start, end), (document, start, end)
            if left := minutes.elapsed(start, years.end):
                seconds = min(left, chance.randint(1, chance.choice((60, 3_600, 86_400, left))))
                assert hours.add(start, seconds) == minutes.add(start, seconds), (document, start, seconds)


@given(
    st.sampled_from(sorted(ZONES)),
    st.integers(0, 2**32),
    st.integers(946_684_800, 2_840_140_800).map(lambda second: datetime.fromtimestamp(second, UTC)),
    st.integers(0, 100 * 86_400 * 10**6),
    st.integers(0, 100 * 86_400 * 10**6),
)
@settings(max_examples=400, deadline=None)
def test_what_was_added_has_elapsed(zone: str, seed: int, start: datetime, one: int, two: int) -> None:
    hours = calendar(zone, _any_week(random.Random(seed)))
    n, m = one / 10**6, two / 10**6
    try:
        end = hours.add(start, n)
        later = hours.add(end, m)
        both = hours.elapsed(start, later)
    except TooFar:  # a week of a few minutes
        reject()
    assert end >= start
    assert hours.elapsed(start, end) == n
    assert hours.elapsed(end, start) == -n
    assert both == pytest.approx(n + m, abs=1e-6)
    if n:
        assert hours.elapsed(start, end - timedelta(microseconds=1)) < n


def _any_week(chance: random.Random) -> dict[str, Any]:
    document: dict[str, Any] = any_document(chance, _SHORT)
    weekly: dict[str, Any] = document["weekly"]
    return weekly


class _Short(Years):
    """The length alone, for whom wall times are of no interest."""

    def _wall_times(self) -> list[int]:
        return []


_SHORT = _Short("UTC", 2026)


def test_no_zone_leaves_an_offset_and_returns_within_the_distance_of_two_looks() -> None:
    """Reads the transitions that zoneinfo's C implementation hides, of every zone there is."""
    plain = importlib.import_module("zoneinfo._zoneinfo").ZoneInfo
    quickest = 10**9
    for key in sorted(available_timezones()):
        zone = plain.no_cache(key)
        offsets = [int(entry.utcoff.total_seconds()) for entry in zone._ttinfos]
        changes = list(zip(zone._trans_utc, offsets, strict=True))
        for (_, before), (since, away), (until, after) in zip(
            changes, changes[1:], changes[2:], strict=False
        ):
            if before == after != away:
                quickest = min(quickest, until - since)
    assert LOOK_EVERY < quickest < 10**9


@pytest.mark.parametrize("zone", [*ZONES, "Antarctica/Troll", "Africa/Monrovia"])
def test_pieces_fill_their_block_and_have_the_offset_they_say(zone: str) -> None:
    for block in range(0, 900, 7):
        found = pieces(ZoneInfo(zone), block)
        assert (found[0][0], found[-1][1]) == (block * BLOCK, (block + 1) * BLOCK)
        assert all(one[1] == two[0] and one[2] != two[2] for one, two in pairwise(found))
        for begin, end, offset in found:
            for second in (begin, end - 1):
                local = datetime.fromtimestamp(second, ZoneInfo(zone)).utcoffset()
                assert local == timedelta(seconds=offset)


def test_four_hours_from_friday_afternoon_is_monday() -> None:
    hours = calendar("Europe/Berlin", OFFICE)
    start = at("Europe/Berlin", "2026-03-06 15:40")
    assert hours.add(start, 4 * 3600) == at("Europe/Berlin", "2026-03-09 11:40")


def test_what_ends_with_the_day_ends_then_and_not_next_morning() -> None:
    hours = calendar("UTC", OFFICE)
    start = at("UTC", "2026-03-06 13:00")
    assert hours.add(start, 4 * 3600) == at("UTC", "2026-03-06 17:00")
    assert hours.add(start, 4 * 3600 + 0.000001) == at("UTC", "2026-03-09 09:00:00.000001")


def test_nothing_added_is_the_time_itself_even_where_it_is_closed() -> None:
    night = at("UTC", "2026-03-07 03:00")
    assert calendar("UTC", OFFICE).add(night, 0) == night


def test_intervals_are_half_open() -> None:
    hours = calendar("UTC", OFFICE)
    assert hours.is_open(at("UTC", "2026-03-06 09:00"))
    assert not hours.is_open(at("UTC", "2026-03-06 17:00"))
    assert hours.next_open(at("UTC", "2026-03-06 17:00")) == at("UTC", "2026-03-09 09:00")
    assert hours.next_open(at("UTC", "2026-03-06 10:30")) == at("UTC", "2026-03-06 10:30")


def test_the_hour_that_a_clock_skips_is_not_open() -> None:
    hours = calendar("America/New_York", {"sun": ["01:00-04:00"]})
    begin, end = at("America/New_York", "2026-03-08 00:00"), at("America/New_York", "2026-03-09 00:00")
    assert hours.elapsed(begin, end) == 2 * 3600


def test_an_interval_within_the_skipped_hour_is_not_open_that_day() -> None:
    hours = calendar("America/New_York", {"sun": ["02:10-02:50"]})
    assert hours.next_open(at("America/New_York", "2026-03-08 00:00")) == at(
        "America/New_York", "2026-03-15 02:10"
    )


def test_both_passes_of_a_repeated_hour_are_open() -> None:
    hours = calendar("America/New_York", {"sun": ["01:15-01:45"]})
    first, again = (at("America/New_York", "2026-11-01 01:15", fold) for fold in (0, 1))
    assert hours.next_open(first) == first
    assert hours.next_open(first + timedelta(minutes=30)) == again
    assert hours.elapsed(first, again + timedelta(hours=1)) == 2 * 30 * 60


def test_lord_howe_changes_by_half_an_hour() -> None:
    hours = calendar("Australia/Lord_Howe", {"sun": ["00:00-06:00"]})
    begin = at("Australia/Lord_Howe", "2026-04-05 00:00")
    assert hours.elapsed(begin, begin + timedelta(days=1)) == 6.5 * 3600
    begin = at("Australia/Lord_Howe", "2026-10-04 00:00")
    assert hours.elapsed(begin, begin + timedelta(days=1)) == 5.5 * 3600


def test_apia_had_no_friday_that_week() -> None:
    hours = calendar("Pacific/Apia", OFFICE)
    thursday = at("Pacific/Apia", "2011-12-29 16:00")
    assert hours.add(thursday, 2 * 3600) == at("Pacific/Apia", "2012-01-02 10:00")
    shown = hours.open_hours(at("Pacific/Apia", "2011-12-29 12:00"), days=3)
    assert [(day.date.day, day.exists, day.seconds) for day in shown] == [
        (29, True, 8 * 3600), (30, False, 0), (31, True, 0)
    ]  # fmt: skip


def test_a_day_whose_midnight_is_skipped_is_open_for_what_is_left() -> None:
    hours = calendar("Africa/Cairo", {"fri": ["00:00-24:00"]})
    [day] = hours.open_hours(at("Africa/Cairo", "2026-04-24 12:00"), days=1)
    assert (day.exists, day.seconds) == (True, 23 * 3600)


def test_round_the_clock_is_wall_clock_time_whatever_the_zone_does() -> None:
    hours = calendar("America/Santiago", ALWAYS)
    start = at("UTC", "2026-01-01 00:00")
    assert hours.add(start, 365 * 86_400.5) == start + timedelta(seconds=365 * 86_400.5)
    assert list(hours.intervals(start, start + timedelta(days=99))) == [(start, start + timedelta(days=99))]


def test_an_exception_comes_before_a_holiday_and_a_holiday_before_the_week() -> None:
    hours = calendar(
        "Europe/Berlin",
        ALWAYS,
        holidays={"country": "DE"},
        exceptions=[{"date": "2026-12-25", "open": ["10:00-12:00"], "title": "On duty"}],
    )
    shown = hours.open_hours(at("Europe/Berlin", "2026-12-24 23:00"), days=3)
    assert [(day.title, day.seconds) for day in shown] == [
        (None, 86_400), ("On duty", 7_200), ("Second Day of Christmas", 0)
    ]  # fmt: skip
    assert hours.next_open(at("Europe/Berlin", "2026-12-25 12:00")) == at("Europe/Berlin", "2026-12-27 00:00")


def test_dates_are_those_of_the_calendars_zone() -> None:
    [day] = calendar("Pacific/Kiritimati", OFFICE).open_hours(datetime(2026, 3, 1, 12, tzinfo=UTC), days=1)
    assert day.date == date(2026, 3, 2)


@pytest.mark.parametrize("seconds", [-1, float("nan")])
def test_only_a_number_of_seconds_can_be_added(seconds: float) -> None:
    with pytest.raises(ValueError, match=r"added|NaN"):
        calendar("UTC", OFFICE).add(NOW, seconds)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        calendar("UTC", OFFICE).add(NOW.replace(tzinfo=None), 1)


def test_what_is_too_far_away_is_said_at_once() -> None:
    hours = calendar("UTC", {"mon": ["09:00-09:01"]})
    with pytest.raises(TooFar):
        hours.add(NOW, 1e9)
    with pytest.raises(TooFar):
        hours.elapsed(NOW, datetime(9999, 12, 31, tzinfo=UTC))
