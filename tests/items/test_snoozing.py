"""How long people snooze from the pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reviewqueue.errors import Invalid
from reviewqueue.items.snoozing import choices, chosen, words

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_what_would_reach_the_deadline_is_not_offered() -> None:
    assert [one.fits for one in choices(NOW + timedelta(hours=4), NOW)] == [True, False, False, False]
    assert all(one.fits for one in choices(None, NOW))


def test_a_time_is_of_the_browsers_zone_else_of_the_accounts() -> None:
    typed = {"for": "until", "until": "2026-03-02T14:30"}
    assert chosen(typed, NOW, "UTC") == datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
    berlin = {**typed, "zone": "Europe/Berlin"}
    assert chosen(berlin, NOW, "UTC") == datetime(2026, 3, 2, 13, 30, tzinfo=UTC)
    assert words(berlin, "UTC") == "until 2026-03-02 14:30 (Europe/Berlin)"
    assert chosen({**typed, "zone": "Nowhere/Else"}, NOW, "Asia/Tokyo").hour == 5


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"for": "2h"},
        {"for": "until"},
        {"for": "until", "until": "tomorrow"},
        {"for": "until", "until": "9999-12-31T23:59"},
        {"for": "until", "until": "2026-03-02T14:30+01:00"},
        {"for": "1h", "until": "2026-03-02T14:30"},
    ],
)
def test_what_cannot_be_meant_is_refused(form: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        chosen(form, NOW, "UTC")
