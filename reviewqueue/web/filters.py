"""Writes times, spans and figures the way people read them; the template filters."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime

from flask import Flask
from markupsafe import Markup

from reviewqueue.web.untrusted import visible

NOTHING = "–"
_SPACE = "\N{NO-BREAK SPACE}"


def register(app: Flask, now: Callable[[], datetime]) -> None:
    """Gives the templates these filters, with `now` as the only source of time."""
    app.jinja_env.filters.update(
        ago=lambda at: time_tag(at, now()),
        due=lambda at: time_tag(at, now(), due=True),
        exact=exact,
        span=span,
        late_by=lambda at: span((now() - at).total_seconds()),
        number=number,
        percent=percent,
        confidence=confidence,
        visible=visible,
        initials=initials,
        plural=plural,
    )
    app.jinja_env.globals["now"] = now


def time_tag(at: datetime | None, now: datetime, *, due: bool = False) -> Markup:
    """A `<time>` with the relative time as text and the exact one in UTC on hover; times.js localises it."""
    if at is None:
        return Markup("–")
    words = due_words(at, now) if due else relative(at, now)
    return Markup('<time datetime="{}" title="{}" data-relative="{}">{}</time>').format(
        at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        exact(at),
        "due" if due else "ago",
        words,
    )


def relative(at: datetime, now: datetime) -> str:
    """As in "just now", "12 min ago", "in 3 h 10 min"."""
    seconds = (at - now).total_seconds()
    if abs(seconds) < 45:
        return "just now" if seconds <= 5 else "in a moment"
    return f"in {span(seconds)}" if seconds > 0 else f"{span(-seconds)} ago"


def due_words(at: datetime, now: datetime) -> str:
    """As in "due in 24 min", "3 h 10 min late"."""
    seconds = (at - now).total_seconds()
    if abs(seconds) < 45:
        return "due now"
    return f"due in {span(seconds)}" if seconds > 0 else f"{span(-seconds)} late"


def exact(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if at else NOTHING


def span(seconds: float | None) -> str:
    """A length of time in its two largest units: "812 ms", "21 s", "3 h 10 min", "2 d 4 h"."""
    if seconds is None:
        return NOTHING
    if 0 < seconds < 1:
        return f"{max(1, round(seconds * 1000))}{_SPACE}ms"
    if seconds < 60:
        return f"{round(seconds)}{_SPACE}s" if round(seconds) < 60 else f"1{_SPACE}min"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes}{_SPACE}min"
    if minutes < 24 * 60:
        return _two(minutes, 60, "h", "min")
    hours = round(seconds / 3600)
    return _two(hours, 24, "d", "h") if hours < 14 * 24 else f"{hours // 24}{_SPACE}d"


def _two(amount: int, size: int, unit: str, smaller: str) -> str:
    whole, rest = divmod(amount, size)
    return f"{whole}{_SPACE}{unit}" + (f" {rest}{_SPACE}{smaller}" if rest else "")


def number(value: float | None) -> str:
    if value is None:
        return NOTHING
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def percent(share: float | None) -> str:
    """A share as "55 %", and with one decimal below ten or near a hundred, where it matters."""
    if share is None:
        return NOTHING
    hundred = share * 100
    if hundred in (0, 100) or 10 <= hundred <= 90:
        return f"{hundred:.0f}{_SPACE}%"
    return f"{hundred:.1f}{_SPACE}%"


def confidence(value: float | None) -> str:
    """Cut, never rounded: 0.98996 must not read as the 0.99 that it missed."""
    if value is None:
        return NOTHING
    cut = f"{math.floor(value * 10_000 + 1e-9) / 10_000:.4f}".rstrip("0")
    return cut if len(cut) >= 4 else f"{value:.2f}"


def initials(name: str) -> str:
    """Up to two letters for an avatar."""
    words = visible(name).split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper() or "?"


def plural(count: int, one: str, many: str | None = None) -> str:
    return f"{number(count)} {one if count == 1 else many or one + 's'}"
