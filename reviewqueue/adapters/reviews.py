"""Submitting tool calls for review and waiting for the answers, with the client of either flavour."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reviewqueue.client import AsyncReviewQueue, InvalidReceipt, Item, Outcome, ReviewQueue

from .tool_calls import Answer, ToolCall, answer_to, refusal

Describe = Callable[[ToolCall], Mapping[str, Any]]
"""Further fields of a call's item, such as a confidence; the same each time for the same call."""


class _Reviews:
    def __init__(self, queue: str, timeout: float | None, describe: Describe | None, verify: bool) -> None:
        """`timeout` is how many seconds `answers` waits for people; None is as long as it takes.

        With `verify` a call runs only with a receipt that is valid for exactly it; whatever else was answered is
        a rejection.
        """
        self._queue = queue
        self._timeout = timeout
        self._describe = describe
        self._verify = verify

    def _item(self, call: ToolCall) -> dict[str, Any]:
        more = self._describe(call) if self._describe else {}
        return {"queue": self._queue, **call.as_item(), **more}

    def _acts_on(self, call: ToolCall, item: Item, outcome: Outcome) -> dict[str, Any]:
        """What the receipt must be about: for an approved call its own arguments, and not what the answer says."""
        output = dict(call.args) if outcome.verdict == "accept" else outcome.output
        return {"output": output, "input": call.as_item()["input"], "item": item, "queue": self._queue}


class Reviews(_Reviews):
    """Tool calls whose answers come from one queue, with the synchronous client."""

    def __init__(
        self,
        client: ReviewQueue,
        queue: str,
        *,
        timeout: float | None = None,
        describe: Describe | None = None,
        verify: bool = False,
    ) -> None:
        super().__init__(queue, timeout, describe, verify)
        self._client = client

    def submit(self, calls: Sequence[ToolCall]) -> list[Item]:
        """Enqueues the calls, in their order. A call that was submitted before is found, and not enqueued twice."""
        return [self._client.submit(**self._item(call)) for call in calls]

    def answers(self, calls: Sequence[ToolCall]) -> list[Answer]:
        """One answer a call, in their order. Raises the client's NotYet where people take longer, and NotAllowed."""
        left = _Countdown(self._timeout)
        items = self.submit(calls)
        return [self._answer(call, item, left) for call, item in zip(calls, items, strict=True)]

    def _answer(self, call: ToolCall, item: Item, left: _Countdown) -> Answer:
        # Also where `item` has an outcome: who decided may undo what was not read, and reading ends that.
        outcome = self._client.wait(item, timeout=left())
        if self._verify and outcome.released:
            try:
                self._client.verify(outcome, **self._acts_on(call, item, outcome))
            except InvalidReceipt as error:
                return refusal(call, f"Not run: {error}")
        return answer_to(call, outcome)


class AsyncReviews(_Reviews):
    """Tool calls whose answers come from one queue, with the asynchronous client."""

    def __init__(
        self,
        client: AsyncReviewQueue,
        queue: str,
        *,
        timeout: float | None = None,
        describe: Describe | None = None,
        verify: bool = False,
    ) -> None:
        super().__init__(queue, timeout, describe, verify)
        self._client = client

    async def submit(self, calls: Sequence[ToolCall]) -> list[Item]:
        """As `Reviews.submit`."""
        return [await self._client.submit(**self._item(call)) for call in calls]

    async def answers(self, calls: Sequence[ToolCall]) -> list[Answer]:
        """As `Reviews.answers`."""
        left = _Countdown(self._timeout)
        items = await self.submit(calls)
        return [await self._answer(call, item, left) for call, item in zip(calls, items, strict=True)]

    async def _answer(self, call: ToolCall, item: Item, left: _Countdown) -> Answer:
        outcome = await self._client.wait(item, timeout=left())
        if self._verify and outcome.released:
            try:
                await self._client.verify(outcome, **self._acts_on(call, item, outcome))
            except InvalidReceipt as error:
                return refusal(call, f"Not run: {error}")
        return answer_to(call, outcome)


class _Countdown:
    """How many of the seconds are left; None for no limit."""

    def __init__(self, seconds: float | None) -> None:
        self._until = None if seconds is None else time.monotonic() + seconds

    def __call__(self) -> float | None:
        return None if self._until is None else max(0.0, self._until - time.monotonic())
