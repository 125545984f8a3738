"""Frameworks are extras: whoever imports an adapter without its framework is told what to install."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class MissingExtra(ImportError):
    """An adapter's framework is not installed."""


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """Around a framework's imports. Raises MissingExtra, which names the extra to install."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtra(f"this needs the extra: pip install 'reviewqueue[{extra}]'") from error
