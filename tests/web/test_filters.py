"""Times, spans and figures read as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask, render_template_string

from reviewqueue.web import filters

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0004, "1 ms"), (0.812, "812 ms"), (21.4, "21 s"), (59.7, "1 min"), (24 * 60, "24 min"),
        (3 * 3600 + 600, "3 h 10 min"), (7200, "2 h"), (86400 * 2 + 4 * 3600, "2 d 4 h"), (86400 * 40, "40 d"),
        (3599, "1 h"), (86399, "1 d"), (0, "0 s"), (None, "–"),
    ],
)  # fmt: skip
def test_a_span_is_told_in_its_two_largest_units(seconds: float | None, words: str) -> None:
    assert plain(filters.span(seconds)) == words


@pytest.mark.parametrize(
    ("offset", "relative", "due"),
    [
        (timedelta(minutes=24), "in 24 min", "due in 24 min"),
        (-timedelta(hours=3, minutes=10), "3 h 10 min ago", "3 h 10 min late"),
        (timedelta(seconds=-5), "just now", "due now"),
        (timedelta(seconds=30), "in a moment", "due now"),
    ],
)
def test_times_are_relative(offset: timedelta, relative: str, due: str) -> None:
    assert plain(filters.relative(NOW + offset, NOW)) == relative
    assert plain(filters.due_words(NOW + offset, NOW)) == due


def test_a_time_carries_its_exact_moment() -> None:
    tag = filters.time_tag(NOW, NOW)
    assert 'datetime="2026-03-02T09:00:00.000Z"' in tag
    assert 'title="2026-03-02 09:00:00 UTC"' in tag


def test_a_confidence_never_reads_as_the_threshold_it_missed() -> None:
    assert filters.confidence(0.98996) == "0.9899"
    assert filters.confidence(0.99998) == "0.9999"
    assert filters.confidence(0.93) == "0.93"
    assert filters.confidence(0.5) == "0.50"
    assert filters.confidence(1.0) == "1.00"
    assert filters.confidence(None) == "–"


@pytest.mark.parametrize(
    ("share", "words"), [(0.55, "55 %"), (0, "0 %"), (1, "100 %"), (0.065, "6.5 %"), (0.981, "98.1 %")]
)
def test_shares_keep_the_decimal_where_it_matters(share: float, words: str) -> None:
    assert plain(filters.percent(share)) == words


def test_templates_escape_what_filters_pass_through() -> None:
    app = Flask(__name__)
    filters.register(app, lambda: NOW)
    with app.app_context():
        page = render_template_string(
            "{{ name|visible }} {{ name|initials }} {{ at|due }}",
            name="<b>\u202eeve",
            at=NOW + timedelta(hours=1),
        )
    assert "&lt;b&gt;‹U+202E›eve" in page
    assert "<b>" not in page
    assert "due in 1\N{NO-BREAK SPACE}h</time>" in page
