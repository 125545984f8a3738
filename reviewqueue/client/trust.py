"""Checking receipts with the keys that the server publishes, which are read when they are needed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from time import time
from typing import TYPE_CHECKING, Any

from .calls import Calls, told_by
from .errors import InvalidReceipt, UnknownKey
from .exchange import Request, Steps, ask
from .values import Item, Outcome, Receipt

if TYPE_CHECKING:
    from .receipts import Expected, Keys

KEPT = 600.0
"""Seconds for which the keys are believed: so long a key that was revoked still counts."""


@dataclass
class Trust:
    """The server's signing keys, as read last."""

    calls: Calls
    keys: Keys = field(default_factory=dict)
    read_at: float | None = None

    def verify(self, subject: str | Outcome | Item, expected: Expected) -> Steps[Receipt]:
        # Signatures take a tenth of a second to import, which apps that check none are spared.
        from .receipts import check

        receipt, expected = receipt_of(subject, expected)
        if self.read_at is None or self.calls.now() - self.read_at > KEPT:
            yield from self._read_keys()
        try:
            return check(receipt, self.keys, expected, time())
        except UnknownKey:
            yield from self._read_keys()
            return check(receipt, self.keys, expected, time())

    def _read_keys(self) -> Steps[None]:
        from .receipts import keys_of

        answer = yield from ask(Request("GET", "/.well-known/jwks.json"), self.calls.retries)
        self.keys, self.read_at = told_by(answer, keys_of), self.calls.now()


def receipt_of(subject: str | Outcome | Item, expected: Expected) -> tuple[str, Expected]:
    """The receipt in what was given, and what else that says of it. Raises InvalidReceipt where there is none."""
    if isinstance(subject, Item):
        known: dict[str, Any] = {
            "queue": expected.queue if expected.queue is not None else subject.queue,
            "item_id": expected.item_id if expected.item_id is not None else subject.id,
        }
        expected = replace(expected, **known)
    outcome = subject.outcome if isinstance(subject, Item) else subject
    receipt = outcome if isinstance(outcome, str) else outcome.receipt if outcome is not None else None
    if receipt is None:
        raise InvalidReceipt("The outcome has no receipt yet; read the item again.")
    return receipt, expected
