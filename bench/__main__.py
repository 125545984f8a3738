"""Runs the benchmark: `make bench`, or `make bench BENCH_SECONDS=1 ARGS="--only sqlite"` for a shorter one.

Every ratio comes from slots in which the product and the bare handlers take turns on the same machine, and is the
median over the pairs. docs/benchmarks.md says what is compared and what the goals are.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from . import deciding, enqueueing, lateness, pages
from .databases import Kind, Maker, maker, opened
from .filling import fill
from .report import Goal, Report
from .servers import ROOT, prepare, serving

IMPORT_SECONDS = Goal(at_most=1.0)


def main() -> None:
    arguments = _arguments()
    report, began = Report(), time.monotonic()
    for kind in arguments.only:
        with (
            tempfile.TemporaryDirectory(prefix="rq-bench-") as folder,
            maker(kind, Path(folder)) as databases,
        ):
            beside_bare(report, databases, arguments.rounds, arguments.seconds)
            at_a_million(report, databases, arguments.waiting, arguments.rounds, arguments.seconds)
            timers(report, databases)
    start(report)
    report.close()
    print(f"took {time.monotonic() - began:,.0f} s")


def beside_bare(report: Report, databases: Maker, rounds: int, seconds: float) -> None:
    """The same work by the product and by the bare handlers, each on a database of its own."""
    site, bare_site = (prepare(databases.make(name), databases.folder) for name in ("product", "bare"))
    report.heading(f"{databases.kind}: the product beside bare Flask and SQLAlchemy Core")
    report.columns()
    with serving("product", site) as product, serving("bare", bare_site) as bare:
        ports = (product, bare)
        for connections in (1, 8):
            enqueueing.single(report, ports, site, connections=connections, rounds=rounds, seconds=seconds)
        for size, times in ((1_000, rounds), (10_000, max(2, rounds // 2))):
            enqueueing.batches(report, product, site, bare_site, kind=databases.kind, size=size, rounds=times)
        for connections in (1, 8):
            deciding.claim_and_decide(
                report, ports, site, connections=connections, rounds=rounds, seconds=seconds
            )
        pages.server_time(report, product, seconds=seconds)
    for used in (site, bare_site):
        databases.drop(used.url)


def at_a_million(report: Report, databases: Maker, waiting: int, rounds: int, seconds: float) -> None:
    """Claim next, as the queue grows a hundredfold."""
    sites = (
        prepare(databases.make("few"), databases.folder),
        prepare(databases.make("many"), databases.folder),
    )
    for site, items in zip(sites, (waiting // 100, waiting), strict=True):
        with opened(site.url) as db:
            fill(db, items)
    report.columns(f"{waiting:,} waiting", f"{waiting // 100:,}")
    with serving("product", sites[0]) as few, serving("product", sites[1]) as many:
        deciding.growth(report, (few, many), sites, waiting=waiting, rounds=rounds, seconds=seconds)
    for site in sites:
        databases.drop(site.url)


def timers(report: Report, databases: Maker) -> None:
    """How late they go off."""
    site = prepare(databases.make("timers"), databases.folder)
    report.columns("late", "", "seconds")
    lateness.at_a_thousand_a_minute(report, site)
    databases.drop(site.url)


def start(report: Report) -> None:
    """Seconds to import the core in a fresh process."""
    report.heading("start")
    report.columns("median of 5", "", "seconds")
    for what in ("reviewqueue", "reviewqueue.cli"):
        code = f"import time; began = time.perf_counter(); import {what}; print(time.perf_counter() - began)"
        took = statistics.median(
            float(
                subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True).stdout
            )
            for _ in range(5)
        )
        report.line(f"import {what}", f"{took * 1_000:,.0f} ms", value=took, goal=IMPORT_SECONDS)


def _arguments() -> argparse.Namespace:
    kinds: tuple[Kind, ...] = ("sqlite", "postgresql")
    parser = argparse.ArgumentParser(
        prog="make bench", description="Measures the product beside bare handlers."
    )
    parser.add_argument("--only", type=str, choices=kinds, nargs="+", default=kinds)
    parser.add_argument("--seconds", type=float, default=float(os.environ.get("BENCH_SECONDS", "2")))
    parser.add_argument("--rounds", type=int, default=5, help="pairs of slots")
    parser.add_argument("--waiting", type=int, default=1_000_000, help="items in the long queue")
    return parser.parse_args()


if __name__ == "__main__":
    main()
