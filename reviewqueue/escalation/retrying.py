"""When a timer that failed is tried again: after growing pauses, but at the app's deadline whatever happened before."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count

FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(hours=1)
LATE_AFTER = timedelta(seconds=30)


def retry_at(now: datetime, failures: int, deadline_at: datetime | None) -> datetime:
    """`failures` counts the one that just was. A pause must not delay the fallback that an app waits for."""
    at = now + _pause_after(failures)
    return min(at, deadline_at) if deadline_at is not None and deadline_at > now else at


def tried_for(failures: int) -> timedelta:
    """How long a timer has been tried in vain by its latest failure."""
    return sum((_pause_after(number) for number in range(1, failures)), timedelta(0))


def _pause_after(failures: int) -> timedelta:
    doubled: int = 2 ** min(failures - 1, 16)
    return min(FIRST_PAUSE * doubled, LONGEST_PAUSE)


LATE_FAILURES = next(failures for failures in count(1) if tried_for(failures) >= LATE_AFTER)
"""So often failed, a timer is late, though its next try lies ahead."""
