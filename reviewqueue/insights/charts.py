"""Where the parts of a chart lie, in the units of its drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .trends import Hour

FLOW_HEIGHT = 60
HOUR_WIDTH, BAR_WIDTH = 10, 4


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a bar that is 100 wide."""

    number: int
    name: str
    count: int
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Column:
    """One hour: two bars that stand side by side."""

    hour: Hour
    x: int
    arrived: float
    """Height."""
    decided: float


@dataclass(frozen=True, slots=True)
class Flow:
    columns: tuple[Column, ...]
    most: int
    """What the full height stands for."""
    arrived: int
    """In all."""
    decided: int


def bar(by_age: dict[str, int]) -> list[Part]:
    """The parts of a stacked bar, left out where there is nothing."""
    whole, start, parts = sum(by_age.values()), 0.0, []
    for number, (name, count) in enumerate(by_age.items(), start=1):
        if count:
            width = 100 * count / whole
            parts.append(Part(number, name, count, start, width))
            start += width
    return parts


def flow(hours: Sequence[Hour]) -> Flow:
    """Arrivals beside decisions, hour by hour."""
    most = max((max(hour.arrived, hour.decided) for hour in hours), default=0)
    scale = FLOW_HEIGHT / most if most else 0.0
    columns = tuple(
        Column(hour, number * HOUR_WIDTH, hour.arrived * scale, hour.decided * scale)
        for number, hour in enumerate(hours)
    )
    return Flow(columns, most, sum(hour.arrived for hour in hours), sum(hour.decided for hour in hours))
