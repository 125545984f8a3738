"""Durations as people write them in a queue's document: `90s`, `15m`, `4h`, `2d`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator

SECONDS_OF = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
LONGEST = timedelta(days=36_500)
_WRITTEN = re.compile(r"([0-9]{1,10})([smhd])")


def parse_duration(text: object) -> timedelta:
    """Read one whole number with one unit; raises ValueError with a sentence for whoever wrote it."""
    match = _WRITTEN.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(
            f"is not a duration: {_shown(text)}; write a whole number and s, m, h or d, such as 15m"
        )
    seconds = int(match[1]) * SECONDS_OF[match[2]]
    if seconds == 0:
        raise ValueError("must be longer than nothing")
    if seconds > LONGEST.total_seconds():
        raise ValueError(f"is longer than a hundred years: {text}")
    return timedelta(seconds=seconds)


def format_duration(duration: timedelta) -> str:
    """Write it with the largest unit that keeps it whole, so that equal durations look the same."""
    seconds, fraction = divmod(duration, timedelta(seconds=1))
    if fraction or seconds <= 0:
        raise ValueError(f"cannot be written as a duration: {duration!r}")
    unit = next(unit for unit, size in SECONDS_OF.items() if seconds % size == 0)
    return f"{seconds // SECONDS_OF[unit]}{unit}"


def _shown(value: object) -> str:
    written = repr(value)
    return written if len(written) <= 40 else f"{written[:39]}…"


def _checked(written: object) -> object:
    parse_duration(written)
    return written


Duration = Annotated[str, BeforeValidator(_checked)]
"""The type of a duration in a document: kept as it was written, so that 24h does not come back as 1d."""
