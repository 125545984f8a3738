"""When a zone is how far from UTC: time cut into blocks, and each block into pieces of one offset."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TypeAlias
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 86_400
BLOCK = 28 * DAY
"""Seconds of one block; block 0 begins at the epoch."""
LOOK_EVERY = 6 * 3_600
"""zoneinfo does not tell its transitions, so offsets are compared at this distance. A test reads the zones' own
files to hold that none leaves an offset and comes back to it in less."""

Piece: TypeAlias = tuple[int, int, int]
"""From (inclusive) and until (exclusive) in seconds since the epoch, and local time minus UTC in seconds."""


@lru_cache(maxsize=8_192)
def pieces(zone: ZoneInfo, block: int) -> tuple[Piece, ...]:
    """The pieces of a block, in order and without gaps. Kept, as all calendars of a zone share them."""
    begin, end = block * BLOCK, (block + 1) * BLOCK
    found: list[Piece] = []
    since, offset = begin, offset_at(zone, begin)
    for at in range(begin + LOOK_EVERY, end + 1, LOOK_EVERY):
        last = offset_at(zone, at)
        while offset != last:
            change = _first_change(zone, max(since, at - LOOK_EVERY), at, offset)
            found.append((since, change, offset))
            since, offset = change, offset_at(zone, change)
    if since < end:
        found.append((since, end, offset))
    return tuple(found)


def offset_at(zone: ZoneInfo, at: int) -> int:
    """Local time minus UTC, in seconds, at a time in seconds since the epoch."""
    offset = (EPOCH + timedelta(seconds=at)).astimezone(zone).utcoffset()
    if offset is None:
        raise LookupError(f"{zone.key} tells no offset")
    return offset.days * DAY + offset.seconds


def _first_change(zone: ZoneInfo, before: int, after: int, offset: int) -> int:
    """The first second whose offset is another; `before` still has it, `after` has not."""
    while after - before > 1:
        middle = (before + after) // 2
        if offset_at(zone, middle) == offset:
            before = middle
        else:
            after = middle
    return after
