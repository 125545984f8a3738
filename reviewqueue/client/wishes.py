"""What both flavours take besides an item's evidence: filters, and what a receipt must be about."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, TypedDict

from .values import Item

if TYPE_CHECKING:
    from .receipts import Expected

ANY: Final = object()
"""Stands for an input that is not compared."""


class Filters(TypedDict, total=False):
    """Of `items`; several all hold."""

    queue: str | None
    state: str | None
    """A state, or `open` for both in which people are asked."""
    level_min: int | None
    flag: str | None
    tags: Mapping[str, str] | None
    """Each by its name, such as {"department": "finance-eu"}."""
    external_id: str | None
    model: str | None
    q: str | None
    """Words to search for."""
    order: Literal["due", "-created", "-priority"]
    limit: int
    """Items a page, 1 to 200."""


class Receiving(TypedDict, total=False):
    """What the receipt must be about, beside the output."""

    item: str | Item | None
    queue: str | None
    issuer: str | None
    """The server's public address, where it is not the one that the keys are read from."""
    least_revision: int
    """The highest revision that you have seen of the item: earlier ones are superseded."""
    verdicts: Collection[str]
    """Those that you act on: accept and edit, unless you say otherwise."""


def id_of(item: str | Item) -> str:
    return item.id if isinstance(item, Item) else item


def expected_of(output: Any, input: Any, receiving: Mapping[str, Any]) -> Expected:
    from .receipts import Expected

    told = {name: value for name, value in receiving.items() if name != "item"}
    item = receiving.get("item")
    given = {} if input is ANY else {"input": input}
    return Expected(output, item_id=None if item is None else id_of(item), **given, **told)
