"""When a delivery is tried again, and when a subscription that only fails is given up: plain values, no database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

PAUSES = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""After each failed attempt, 5 s to 24 h; the first is made at once. After the tenth the delivery is given up."""
MOST_ATTEMPTS = len(PAUSES) + 1
SPREAD = 0.1
"""Each pause is longer or shorter by up to this share, so that what failed together is not tried together again."""
LONGEST_WISH = timedelta(hours=24)
"""Of a receiver that says Retry-After."""
GIVEN_UP_AFTER = timedelta(days=5)
"""Of failures alone: then the subscription is disabled."""
FORGIVEN_AFTER = timedelta(days=2)
"""Without any attempt: failures before and after have nothing to do with each other."""


def next_attempt(now: datetime, attempts: int, draw: float, wish: timedelta | None = None) -> datetime | None:
    """When to try again after that many attempts; None: not at all. `draw` is random, 0 to 1.

    A receiver's wish puts it off, and never brings it forward.
    """
    if attempts >= MOST_ATTEMPTS:
        return None
    pause = PAUSES[attempts - 1] * (1 - SPREAD + 2 * SPREAD * draw)
    return now + max(pause, min(wish, LONGEST_WISH) if wish else pause)


def wished(retry_after: str | None, now: datetime) -> timedelta | None:
    """What a Retry-After header asks for: seconds, or a date. None where it says neither."""
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), 10**9))
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    until = until.replace(tzinfo=UTC) if until.tzinfo is None else until
    return max(until - now, timedelta(0))


def failing_since(now: datetime, since: datetime | None, tried_at: datetime | None) -> datetime:
    """Since when a subscription fails, which fails now."""
    if since is None or tried_at is None or now - tried_at > FORGIVEN_AFTER:
        return now
    return since


def is_given_up(now: datetime, since: datetime) -> bool:
    return now - since >= GIVEN_UP_AFTER
