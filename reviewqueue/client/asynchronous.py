"""The client for asyncio: the same calls, awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

import httpx

from .exchange import END, Answer, Give, Lost, Pause, Pull, Request, Retries, Steps, Stream
from .feed import Feed
from .http import LOST, Connection, answer, lost
from .many import Many
from .values import Event, Evidence, Item, Outcome, Progress, Receipt, Submission
from .wishes import ANY, Filters, Receiving, expected_of, id_of

T = TypeVar("T")


class AsyncReviewQueue(Connection):
    """A connection to reviewqueue, by an app's key. Tasks of one loop may share it; `async with` closes it."""

    def __init__(
        self,
        base_url: str | None = None,
        key: str | None = None,
        *,
        timeout: float = 30.0,
        retries: Retries | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Address and key come from REVIEWQUEUE_URL and REVIEWQUEUE_KEY where they are not given.

        `timeout` is for one answer, in seconds, beyond what the server was asked to wait. Raises NotConfigured.
        """
        super().__init__(base_url, key, timeout, retries)
        self._http = httpx.AsyncClient(
            base_url=self._access.base_url, headers=self._access.headers, transport=transport
        )

    async def submit(
        self, queue: str, input: Any, *, idempotency_key: str | None = None, **evidence: Unpack[Evidence]
    ) -> Item:
        """Enqueues one AI output, once, however often it has to be sent. Raises Invalid, NoSuchQueue."""
        return await self.perform(self.calls.submit(queue, input, evidence, idempotency_key))

    def submit_many(
        self,
        items: Iterable[Mapping[str, Any]] | AsyncIterable[Mapping[str, Any]],
        *,
        queue: str | None = None,
        run: str | None = None,
        batch_items: int = 500,
        batch_bytes: int = 4 * 1024 * 1024,
        progress: Callable[[Progress], object] | None = None,
    ) -> AsyncIterator[Submission]:
        """Enqueues many as they come, and yields what became of each, in their order: one item for each, never two.

        What is not asked for is not sent: iterate to the end. An item is what `submit` takes, as a mapping. `run` names
        the undertaking: the same name with the same items goes on where a run broke off. `queue` is for those that name
        none.
        """
        many = Many(self.calls, queue, run, batch_items, batch_bytes, progress)
        return self._stream(many.submissions(), _each(items))

    async def item(self, item: str | Item, *, evidence: bool = False) -> Item:
        """Reads one item. Raises NoSuchItem."""
        return await self.perform(self.calls.item(id_of(item), evidence=evidence))

    def items(self, **filters: Unpack[Filters]) -> AsyncIterator[Item]:
        """All items that match, page after page."""
        return self._stream(self.calls.items(filters))

    async def outcome(self, item: str | Item) -> Outcome | None:
        """The outcome, or None while there is none."""
        return await self.perform(self.calls.outcome(id_of(item)))

    async def wait(self, item: str | Item, timeout: float | None = None) -> Outcome:  # noqa: ASYNC109  as in `sync`
        """Waits for the outcome; None waits for ever. Raises NotYet after `timeout` seconds."""
        return await self.perform(self.calls.wait(id_of(item), timeout))

    async def withdraw(self, item: str | Item, reason: str | None = None) -> Item:
        """The app no longer needs it. Raises AlreadyDecided, WrongState."""
        return await self.perform(self.calls.withdraw(id_of(item), reason))

    def events(
        self,
        after: int = 0,
        *,
        queue: str | None = None,
        types: str | Sequence[str] = (),
        wait: float | None = 0.0,
    ) -> AsyncEvents:
        """The feed behind the cursor `after`; ends after `wait` seconds without an event, None never.

        `types` is one type or several; `item.*` is all of a kind. Raises Invalid for one that there is not.
        Keep `events.cursor` when an event is dealt with, and go on from there next time: none is missed.
        """
        feed = Feed(self.calls, after, queue, types, wait)
        return AsyncEvents(feed, self._stream(feed.events()))

    async def verify(
        self, receipt: str | Outcome | Item, output: Any, *, input: Any = ANY, **receiving: Unpack[Receiving]
    ) -> Receipt:
        """Says whether the receipt orders to act on exactly this output. Raises InvalidReceipt, with why not."""
        return await self.perform(self._trust.verify(receipt, expected_of(output, input, receiving)))

    async def perform(self, steps: Steps[T]) -> T:
        """Does what the steps of a call want, and returns what they come to."""
        reply: Answer | Lost | None = None
        while True:
            try:
                step = steps.send(reply)
            except StopIteration as end:
                result: T = end.value
                return result
            reply = await self._do(step)

    async def _stream(self, steps: Stream[T], source: AsyncIterator[Any] | None = None) -> AsyncIterator[T]:
        reply: Any = None
        while True:
            try:
                step = steps.send(reply)
            except StopIteration:
                return
            reply = None
            if isinstance(step, Give):
                yield step.value
            elif isinstance(step, Pull):
                reply = END if source is None else await anext(source, END)
            else:
                reply = await self._do(step)

    async def _do(self, step: Request | Pause) -> Answer | Lost | None:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return None
        try:
            return answer(await self._http.send(self._outgoing(self._http, step)))
        except LOST as error:
            return lost(error)

    async def close(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class AsyncEvents(AsyncIterator[Event]):
    """The feed, event by event."""

    def __init__(self, feed: Feed, stream: AsyncIterator[Event]) -> None:
        self._feed = feed
        self._stream = stream

    @property
    def cursor(self) -> int:
        """Everything up to here was handed out; go on after it."""
        return self._feed.cursor

    async def __anext__(self) -> Event:
        return await anext(self._stream)


async def _each(items: Iterable[T] | AsyncIterable[T]) -> AsyncIterator[T]:
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item
