"""Counts all waiting items in one pass, by queue, department and assignee, and keeps the result while many wait.

A page that polls must not make the database read two hundred thousand rows each time, for each viewer. So above
20,000 waiting items a count stands for one second per 10,000 items, for all viewers of the process; `as_of` says of
when it is. Below that nothing is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..items.models import Item, is_open

AT_RISK = timedelta(hours=4)
AGES = {"1h": timedelta(hours=1), "4h": timedelta(hours=4), "1d": timedelta(days=1), "7d": timedelta(days=7)}
"""Up to which age an item counts under that name; whatever is older is `older`."""
OLDER = "older"
HOURS_AHEAD = 8
"""How far the forecast looks."""
DEPARTMENT = "department"
"""The tag that says whose an item is."""
KEPT_ABOVE, ITEMS_A_SECOND = 20_000, 10_000
KEPT_AT_MOST = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of waiting items."""

    waiting: int = 0
    overdue: int = 0
    """Past their due time."""
    escalated: int = 0
    """On level 1 or higher."""
    at_risk: int = 0
    """Not overdue, and due within four hours."""
    untended: int = 0
    """Escalated, and neither claimed by nor assigned to anybody."""
    oldest_created_at: datetime | None = None
    earliest_due_at: datetime | None = None
    """Of the overdue ones."""
    next_due_at: datetime | None = None
    """Of those at risk."""


@dataclass(frozen=True, slots=True)
class Group:
    """The waiting items of one queue and department that are given to the same."""

    queue_id: int
    department: str | None
    assigned_to: str | None
    figures: Figures
    by_age: dict[str, int]
    """By the time since they came; the parts make up the whole."""
    due_within: tuple[int, ...]
    """Not overdue, and due within 1, 2 … 8 hours: each number holds the ones before it."""


@dataclass(frozen=True, slots=True)
class Tally:
    at: datetime
    groups: tuple[Group, ...]


def tally(session: Session, now: datetime) -> Tally:
    """All waiting items as they are now, or were when they were counted last, while that count is kept."""
    with _lock:
        kept = _kept.get(session.get_bind())
        if kept is None or not timedelta(0) <= now - kept.at < _keep(kept):
            kept = Tally(now, _counted(session, now))
            _kept[session.get_bind()] = kept
        return kept


def summed(groups: Collection[Group]) -> Figures:
    """The figures of several groups as one."""

    def earliest(name: str) -> datetime | None:
        return min((at for g in groups if (at := getattr(g.figures, name)) is not None), default=None)

    return Figures(
        *(sum(getattr(g.figures, name) for g in groups) for name in _COUNTS),
        *(earliest(name) for name in _TIMES),
    )


def summed_ages(groups: Iterable[Group]) -> dict[str, int]:
    ages = dict.fromkeys((*AGES, OLDER), 0)
    for group in groups:
        for name, count in group.by_age.items():
            ages[name] += count
    return ages


def _keep(kept: Tally) -> timedelta:
    waiting = sum(group.figures.waiting for group in kept.groups)
    if waiting <= KEPT_ABOVE:
        return timedelta(0)
    return min(timedelta(seconds=waiting / ITEMS_A_SECOND), KEPT_AT_MOST)


def _counted(session: Session, now: datetime) -> tuple[Group, ...]:
    item = _waiting().c
    overdue = item.due_at <= now
    at_risk = sa.and_(item.due_at > now, item.due_at <= now + AT_RISK)
    escalated = item.level > 0
    held = sa.and_(item.claim_until.is_not(None), item.claim_until > now)
    untended = sa.and_(escalated, ~held, item.assigned_to.is_(None))
    due_by = [item.due_at <= now + timedelta(hours=hours) for hours in range(1, HOURS_AHEAD + 1)]
    whose = (item.queue_id, item.department, item.assigned_to)
    rows = session.execute(
        sa.select(
            *whose,
            sa.func.count().label("waiting"),
            _count(overdue, "overdue"),
            _count(escalated, "escalated"),
            _count(at_risk, "at_risk"),
            _count(untended, "untended"),
            sa.func.min(item.created_at).label("oldest_created_at"),
            sa.func.min(item.due_at).filter(overdue).label("earliest_due_at"),
            sa.func.min(item.due_at).filter(at_risk).label("next_due_at"),
            *(_count(came, name) for name, came in _by_age(item.created_at, now).items()),
            *(_count(due, f"due_{hours}") for hours, due in enumerate(due_by, start=1)),
        ).group_by(*whose)
    ).mappings()
    return tuple(_group(row) for row in rows)


def _waiting() -> sa.Subquery:
    """The open items as two sets, each of which has a partial index: that of `claim next`, and the snoozed."""
    columns = (
        Item.queue_id, Item.tags[DEPARTMENT].as_string().label("department"), Item.assigned_to,
        Item.level, Item.due_at, Item.created_at, Item.claim_until,
    )  # fmt: skip
    # The queue is named, though any will do, since both indexes begin with it.
    open_ones = sa.select(*columns).where(is_open(Item), Item.queue_id > 0)
    awake = open_ones.where(Item.snoozed_until.is_(None))
    snoozed = open_ones.where(Item.snoozed_until.is_not(None))
    return sa.union_all(awake, snoozed).subquery("waiting")


def _by_age(created_at: sa.ColumnElement[datetime], now: datetime) -> dict[str, sa.ColumnElement[bool]]:
    bounds = [now - age for age in AGES.values()]
    parts = {
        name: sa.and_(created_at > bound, *([created_at <= newer] if newer else []))
        for name, bound, newer in zip(AGES, bounds, [None, *bounds], strict=False)
    }
    return {**parts, OLDER: created_at <= bounds[-1]}


def _count(condition: sa.ColumnElement[bool], name: str) -> sa.Label[int]:
    return sa.func.count().filter(condition).label(name)


def _group(row: Any) -> Group:
    return Group(
        row["queue_id"],
        row["department"],
        row["assigned_to"],
        Figures(**{field.name: row[field.name] for field in fields(Figures)}),
        {name: row[name] for name in (*AGES, OLDER)},
        tuple(row[f"due_{hours}"] - row["overdue"] for hours in range(1, HOURS_AHEAD + 1)),
    )


_COUNTS = ("waiting", "overdue", "escalated", "at_risk", "untended")
_TIMES = ("oldest_created_at", "earliest_due_at", "next_due_at")
_kept: WeakKeyDictionary[Any, Tally] = WeakKeyDictionary()
_lock = Lock()
