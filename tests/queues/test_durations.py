"""Durations mean what people wrote, and come back as people would write them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewqueue.queues.durations import LONGEST, format_duration, parse_duration


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("4h", timedelta(hours=4)),
        ("2d", timedelta(days=2)),
        ("36500d", LONGEST),
    ],
)
def test_a_whole_number_with_one_unit_is_a_duration(written: str, meant: timedelta) -> None:
    assert parse_duration(written) == meant


@pytest.mark.parametrize(
    "written",
    ["", "15", "m", "1.5h", "1h30m", "-1h", " 1h", "1h\n", "1H", "1w", "١h", 15, None, True, ["1h"]],
)
def test_anything_else_is_refused_with_an_example_of_what_is_right(written: object) -> None:
    with pytest.raises(ValueError, match="such as 15m"):
        parse_duration(written)


def test_nothing_and_more_than_a_century_are_refused() -> None:
    with pytest.raises(ValueError, match="longer than nothing"):
        parse_duration("0s")
    with pytest.raises(ValueError, match="hundred years"):
        parse_duration("36501d")


def test_a_long_mistake_is_quoted_in_short() -> None:
    with pytest.raises(ValueError, match="…") as refusal:
        parse_duration("x" * 100_000)
    assert len(str(refusal.value)) < 200


@pytest.mark.parametrize(("seconds", "written"), [(90, "90s"), (60, "1m"), (86_400, "1d"), (90_000, "25h")])
def test_the_largest_whole_unit_is_written(seconds: int, written: str) -> None:
    assert format_duration(timedelta(seconds=seconds)) == written


@pytest.mark.parametrize("duration", [timedelta(0), timedelta(seconds=-1), timedelta(milliseconds=1500)])
def test_what_has_no_such_form_is_not_written(duration: timedelta) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        format_duration(duration)


@given(st.integers(1, int(LONGEST.total_seconds())))
def test_every_duration_is_read_back_as_it_was(seconds: int) -> None:
    duration = timedelta(seconds=seconds)
    assert parse_duration(format_duration(duration)) == duration
