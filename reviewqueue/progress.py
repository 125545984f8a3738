"""How far long work has come: a bar on a terminal, a plain line now and then elsewhere. All of it on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PLAIN_EVERY = 5.0
"""Seconds between two plain lines."""

Tell = Callable[[int, str], None]
"""Is told how much is done by now, and a word on it."""


@contextmanager
def counting(what: str, total: int | None = None) -> Iterator[Tell]:
    """Shows how much of `total` is done; without a total, how much is done."""
    if sys.stderr.isatty():
        with _bar(what, total) as tell:
            yield tell
    else:
        yield _lines(what, total)


@contextmanager
def _bar(what: str, total: int | None) -> Iterator[Tell]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[word]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=total, word="")
        yield lambda done, word: progress.update(task, completed=done, word=word)


def _lines(what: str, total: int | None) -> Tell:
    told_at = time.monotonic()
    of = f" of {total:,}" if total is not None else ""

    def tell(done: int, word: str) -> None:
        nonlocal told_at
        if time.monotonic() - told_at >= PLAIN_EVERY:
            told_at = time.monotonic()
            print(f"{what}: {done:,}{of} {word}".rstrip(), file=sys.stderr, flush=True)

    return tell
