"""Following the feed of events: page by page, or as they come, from a cursor on which nothing is missed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .calls import API, LONGEST_HOLD, Calls, told_by
from .exchange import Give, Request, Stream, ask
from .values import Document, Event

PAGE = 200


@dataclass
class Feed:
    """A reader of the feed."""

    calls: Calls
    cursor: int
    """Everything up to here was handed out. Whoever goes on from it misses nothing and sees nothing twice."""
    queue: str | None
    types: str | Sequence[str]
    wait: float | None
    """Seconds without an event after which the feed ends; None: never."""

    def events(self) -> Stream[Event]:
        patience = math.inf if self.wait is None else self.wait
        now, retries = self.calls.now, self.calls.retries
        heard = now()
        while True:
            began = now()
            end = heard + patience
            left = max(end - began, 0.0)
            hold = min(left, LONGEST_HOLD)
            answer = yield from ask(self._request(hold), retries, self._worth_it(end))
            events, following = told_by(answer, _page)
            for event in events:
                self.cursor = event.position
                yield Give(event)
            self.cursor = following
            if events:
                heard = now()
            elif now() >= end:
                return
            else:
                yield from self.calls.rest(began, hold, left)
            if self.wait != 0:
                retries = self.calls.patient

    def _worth_it(self, end: float) -> Callable[[float], bool]:
        return lambda pause: self.wait == 0 or self.calls.now() + pause < end

    def _request(self, hold: float) -> Request:
        # One type may come as plain text, which is a sequence too: of letters.
        types = [self.types] if isinstance(self.types, str) and self.types else list(self.types)
        query: Mapping[str, Any] = {
            "after": self.cursor,
            "limit": PAGE,
            "wait": f"{hold:.3f}",
            **({"queue": self.queue} if self.queue is not None else {}),
            **({"type": types} if types else {}),
        }
        return Request("GET", f"{API}/events", query, hold=hold)


def _page(document: Document) -> tuple[list[Event], int]:
    return [Event.read(event) for event in document["items"]], int(document["next"])
