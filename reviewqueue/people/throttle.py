"""Counts attempts in windows of time, in the database that all processes share, and refuses those over a limit."""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from reviewqueue.errors import TooManyRequests
from reviewqueue.people.models import Attempt
from reviewqueue.transaction import Transaction

WINDOW = timedelta(minutes=15)
KEPT = timedelta(days=1)


def count(tx: Transaction, limits: Mapping[str, int]) -> None:
    """Counts one attempt of each subject, in the order of their names, so that two never wait for each other.

    Raises TooManyRequests when one of them is over its limit; `retry_after` tells when its window ends.
    """
    start = window_start(tx.now)
    for subject, limit in sorted(limits.items()):
        if _counted(tx, subject, start) > limit:
            wait = math.ceil((start + WINDOW - tx.now).total_seconds())
            raise TooManyRequests(
                f"Too many attempts. Try again in {-(-wait // 60)} minutes.", retry_after=wait
            )
    tx.session.execute(sa.delete(Attempt).where(Attempt.window_start < start - KEPT))


def forget(tx: Transaction, subject: str) -> None:
    """Starts anew for a subject that has shown who it is."""
    tx.session.execute(sa.delete(Attempt).where(Attempt.subject == subject))


def give_back(tx: Transaction, subject: str) -> None:
    """Takes back one counted attempt that was none: a whole office may sign in from one address."""
    counted = (Attempt.subject == subject, Attempt.window_start == window_start(tx.now), Attempt.count > 0)
    tx.session.execute(sa.update(Attempt).where(*counted).values(count=Attempt.count - 1))


def window_start(now: datetime) -> datetime:
    seconds = WINDOW.total_seconds()
    return datetime.fromtimestamp(now.timestamp() // seconds * seconds, UTC)


def network_of(address: str | None) -> str:
    """The address, or for IPv6 its /64: one subscriber has all of that."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def _counted(tx: Transaction, subject: str, start: datetime) -> int:
    insert = sqlite.insert if tx.db.embedded else postgresql.insert
    statement = (
        insert(Attempt)
        .values(subject=subject[:320], window_start=start, count=1)
        .on_conflict_do_update(
            index_elements=[Attempt.subject, Attempt.window_start], set_={"count": Attempt.count + 1}
        )
        .returning(Attempt.count)
    )
    counted: int = tx.session.execute(statement).scalar_one()
    return counted
