"""Paired slots: the two that are compared take turns, so that a busy moment of the machine hits both alike."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from .http import Slot


def paired(rounds: int, product: Callable[[], Slot], bare: Callable[[], Slot]) -> list[tuple[Slot, Slot]]:
    """Runs both once a round, the other one first every second round."""
    pairs = []
    for n in range(rounds):
        if n % 2:
            slower_start = bare()
            pairs.append((product(), slower_start))
        else:
            pairs.append((product(), bare()))
    return pairs


def rate_ratio(pairs: Sequence[tuple[Slot, Slot]]) -> float:
    """The product's rate as a part of the bare one's: the median over the pairs."""
    return statistics.median(product.rate / bare.rate for product, bare in pairs)


def speed_ratio(pairs: Sequence[tuple[Slot, Slot]], request: str) -> float:
    """The same for one request out of a journey, by its mean time: a median would flatter who lets a few starve."""
    return statistics.median(
        statistics.fmean(bare.timings[request]) / statistics.fmean(product.timings[request])
        for product, bare in pairs
    )


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
