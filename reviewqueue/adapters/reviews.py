"""Submitting tool calls for review and waiting for the answers, with the client of either flavour."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reviewqueue.client import AsyncReviewQueue, Item, ReviewQueue

from .tool_calls import Answer, ToolCall, answer_to

Describe = Callable[[ToolCall], Mapping[str, Any]]
"""Further fields of a call's item, such as a confidence; the same each time for the same call."""


class _Reviews:
    def __init__(self, queue: str, timeout: float | None, describe: Describe | None) -> None:
        self._queue = queue
        self._timeout = timeout
        self._describe = describe

    def _item(self, call: ToolCall) -> dict[str, Any]:
        more = self._describe(call) if self._describe else {}
        return {"queue": self._queue, **call.as_item(), **more}


class Reviews(_Reviews):
    """Tool calls whose answers come from one queue, with the synchronous client."""

    def __init__(
        self,
        client: ReviewQueue,
        queue: str,
        *,
        timeout: float | None = None,
        describe: Describe | None = None,
    ) -> None:
        """`timeout` is how many seconds `answers` waits for people; None is as long as it takes."""
        super().__init__(queue, timeout, describe)
        self._client = client

    def submit(self, calls: Sequence[ToolCall]) -> list[Item]:
        """Enqueues the calls, in their order. A call that was submitted before is found, and not enqueued twice."""
        return [self._client.submit(**self._item(call)) for call in calls]

    def answers(self, calls: Sequence[ToolCall]) -> list[Answer]:
        """One answer a call, in their order. Raises the client's NotYet where people take longer, and NotAllowed."""
        left = _Countdown(self._timeout)
        items = self.submit(calls)
        return [
            answer_to(call, item.outcome or self._client.wait(item, timeout=left()))
            for call, item in zip(calls, items, strict=True)
        ]


class AsyncReviews(_Reviews):
    """Tool calls whose answers come from one queue, with the asynchronous client."""

    def __init__(
        self,
        client: AsyncReviewQueue,
        queue: str,
        *,
        timeout: float | None = None,
        describe: Describe | None = None,
    ) -> None:
        """`timeout` is how many seconds `answers` waits for people; None is as long as it takes."""
        super().__init__(queue, timeout, describe)
        self._client = client

    async def submit(self, calls: Sequence[ToolCall]) -> list[Item]:
        """As `Reviews.submit`."""
        return [await self._client.submit(**self._item(call)) for call in calls]

    async def answers(self, calls: Sequence[ToolCall]) -> list[Answer]:
        """As `Reviews.answers`."""
        left = _Countdown(self._timeout)
        items = await self.submit(calls)
        return [
            answer_to(call, item.outcome or await self._client.wait(item, timeout=left()))
            for call, item in zip(calls, items, strict=True)
        ]


class _Countdown:
    """How many of the seconds are left; None for no limit."""

    def __init__(self, seconds: float | None) -> None:
        self._until = None if seconds is None else time.monotonic() + seconds

    def __call__(self) -> float | None:
        return None if self._until is None else max(0.0, self._until - time.monotonic())
