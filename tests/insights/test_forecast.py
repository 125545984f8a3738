"""The forecast as arithmetic: pace, open hours, and what is left over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from reviewqueue.escalation.calendars import OpeningHours, compile_calendar, freeze
from reviewqueue.insights.forecast import Pace, added, forecast

FRIDAY_15 = datetime(2026, 3, 6, 15, 0, tzinfo=UTC)
OFFICE = {"zone": "UTC", "weekly": {day: ["09:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}}


def test_round_the_clock_a_days_decisions_spread_over_its_hours() -> None:
    ahead = forecast(FRIDAY_15, 10, (3, 3, 6, 40), Pace(decided_last_day=96, hours=None))
    assert [one.falls_due for one in ahead] == [3, 3, 6, 40]
    assert [one.overdue for one in ahead] == [10 + 3 - 4, 10 + 3 - 8, 10 + 6 - 12, 10 + 40 - 16]
    assert ahead[0].at == FRIDAY_15 + timedelta(hours=1)


def test_more_hands_than_work_leave_nothing_overdue() -> None:
    assert [one.overdue for one in forecast(FRIDAY_15, 1, (2, 2), Pace(240, None))] == [0, 0]


def test_nobody_who_decided_yesterday_decides_tomorrow() -> None:
    assert [one.overdue for one in forecast(FRIDAY_15, 1, (2, 5), Pace(0, None))] == [3, 6]


def test_closed_hours_have_no_capacity() -> None:
    """Friday from 15:00: eight open hours lie in the last day, two in the next four hours."""
    calendar = compile_calendar(freeze(OpeningHours.model_validate(OFFICE), FRIDAY_15).as_dict())
    ahead = forecast(FRIDAY_15, 20, (0, 0, 0, 0), Pace(decided_last_day=40, hours=calendar))
    assert [one.overdue for one in ahead] == [15, 10, 10, 10]
    on_sunday = FRIDAY_15 + timedelta(days=2)
    assert [one.overdue for one in forecast(on_sunday, 3, (0,), Pace(0, calendar))] == [3]


def test_queues_do_not_help_each_other_out() -> None:
    busy, idle = forecast(FRIDAY_15, 5, (0,), Pace(0, None)), forecast(FRIDAY_15, 0, (1,), Pace(240, None))
    [ahead] = added([busy, idle])
    assert (ahead.falls_due, ahead.overdue) == (1, 5)
