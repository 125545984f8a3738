"""Claim next and decide: on queues of the same length beside bare handlers, and on a queue of a million."""

from __future__ import annotations

import statistics
import time
from typing import Any

from .content import QUEUE
from .http import Connection, Journey, Slot, closed_loop
from .pairs import paired, speed_ratio
from .report import Goal, Report
from .servers import API, Site, bearer

GOALS = {"claim": Goal(at_least=0.5), "decide": Goal(at_least=0.4)}
GROWTH = Goal(at_most=1.3)


def claim_and_decide(
    report: Report, ports: tuple[int, int], site: Site, *, connections: int, rounds: int, seconds: float
) -> None:
    """Each connection claims the next item and accepts it, again and again."""
    product, bare = ports
    pairs = paired(
        rounds,
        lambda: ours(product, site, connections, seconds),
        lambda: closed_loop(bare, _journey("/claims", "/items"), connections=connections, seconds=seconds),
    )
    s = "" if connections == 1 else "s"
    for request, goal in GOALS.items():
        report.line(
            f"{request}{' next' if request == 'claim' else ''}, {connections} connection{s}",
            *(f"{_mean_ms(side, request):,.2f} ms" for side in zip(*pairs, strict=True)),
            value=speed_ratio(pairs, request),
            goal=goal,
        )


def growth(
    report: Report,
    ports: tuple[int, int],
    sites: tuple[Site, Site],
    *,
    waiting: int,
    rounds: int,
    seconds: float,
) -> None:
    """Claim next at `waiting` items beside a hundredth of them."""
    (few, many), (at_few, at_many) = ports, sites
    pairs = paired(rounds, lambda: ours(many, at_many, 1, seconds), lambda: ours(few, at_few, 1, seconds))
    report.line(
        f"claim next at {waiting:,}, beside {waiting // 100:,}",
        *(f"{_mean_ms(side, 'claim'):,.2f} ms" for side in zip(*pairs, strict=True)),
        value=1 / speed_ratio(pairs, "claim"),
        goal=GROWTH,
    )


def ours(port: int, site: Site, connections: int, seconds: float) -> Slot:
    """A slot of the product."""
    journey = _journey(f"{API}/queues/{QUEUE}/claims", f"{API}/items")
    return closed_loop(
        port, journey, connections=connections, seconds=seconds, headers=bearer(site.person_key)
    )


def _journey(claims: str, items: str) -> Journey:
    def journey(connection: Connection, tell: Any) -> None:
        began = time.perf_counter()
        claim = connection.json("POST", claims, b"{}", expect=201)
        claimed = time.perf_counter()
        connection.json(
            "POST",
            f"{items}/{claim['item']['id']}/decision",
            {"verdict": "accept", "claim_token": claim["token"]},
            expect=200,
        )
        tell("claim", claimed - began)
        tell("decide", time.perf_counter() - claimed)

    return journey


def _mean_ms(slots: tuple[Slot, ...], request: str) -> float:
    return statistics.fmean(t for slot in slots for t in slot.timings[request]) * 1_000
