"""The client for programs that wait: each call blocks until it has its answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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


class ReviewQueue(Connection):
    """A connection to reviewqueue, by an app's key. Threads may share one; `with` closes it."""

    def __init__(
        self,
        base_url: str | None = None,
        key: str | None = None,
        *,
        timeout: float = 30.0,
        retries: Retries | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Address and key come from REVIEWQUEUE_URL and REVIEWQUEUE_KEY where they are not given.

        `timeout` is for one answer, in seconds, beyond what the server was asked to wait. Raises NotConfigured.
        """
        super().__init__(base_url, key, timeout, retries)
        self._http = httpx.Client(
            base_url=self._access.base_url, headers=self._access.headers, transport=transport
        )

    def submit(
        self, queue: str, input: Any, *, idempotency_key: str | None = None, **evidence: Unpack[Evidence]
    ) -> Item:
        """Enqueues one AI output, once, however often it has to be sent. Raises Invalid, NoSuchQueue."""
        return self.perform(self.calls.submit(queue, input, evidence, idempotency_key))

    def submit_many(
        self,
        items: Iterable[Mapping[str, Any]],
        *,
        queue: str | None = None,
        run: str | None = None,
        batch_items: int = 500,
        batch_bytes: int = 4 * 1024 * 1024,
        progress: Callable[[Progress], object] | None = None,
    ) -> Iterator[Submission]:
        """Enqueues many as they come, and yields what became of each, in their order: one item for each, never two.

        What is not asked for is not sent: iterate to the end. An item is what `submit` takes, as a mapping. `run` names
        the undertaking: the same name with the same items goes on where a run broke off. `queue` is for those that name
        none.
        """
        many = Many(self.calls, queue, run, batch_items, batch_bytes, progress)
        return self._stream(many.submissions(), iter(items))

    def item(self, item: str | Item, *, evidence: bool = False) -> Item:
        """Reads one item. Raises NoSuchItem."""
        return self.perform(self.calls.item(id_of(item), evidence=evidence))

    def items(self, **filters: Unpack[Filters]) -> Iterator[Item]:
        """All items that match, page after page."""
        return self._stream(self.calls.items(filters))

    def outcome(self, item: str | Item) -> Outcome | None:
        """The outcome, or None while there is none."""
        return self.perform(self.calls.outcome(id_of(item)))

    def wait(self, item: str | Item, timeout: float | None = None) -> Outcome:
        """Waits for the outcome; None waits for ever. Raises NotYet after `timeout` seconds."""
        return self.perform(self.calls.wait(id_of(item), timeout))

    def withdraw(self, item: str | Item, reason: str | None = None) -> Item:
        """The app no longer needs it. Raises AlreadyDecided, WrongState."""
        return self.perform(self.calls.withdraw(id_of(item), reason))

    def events(
        self,
        after: int = 0,
        *,
        queue: str | None = None,
        types: str | Sequence[str] = (),
        wait: float | None = 0.0,
    ) -> Events:
        """The feed behind the cursor `after`; ends after `wait` seconds without an event, None never.

        `types` is one type or several; `item.*` is all of a kind. Raises Invalid for one that there is not.
        Keep `events.cursor` when an event is dealt with, and go on from there next time: none is missed.
        """
        feed = Feed(self.calls, after, queue, types, wait)
        return Events(feed, self._stream(feed.events()))

    def verify(
        self, receipt: str | Outcome | Item, output: Any, *, input: Any = ANY, **receiving: Unpack[Receiving]
    ) -> Receipt:
        """Says whether the receipt orders to act on exactly this output. Raises InvalidReceipt, with why not."""
        return self.perform(self._trust.verify(receipt, expected_of(output, input, receiving)))

    def perform(self, steps: Steps[T]) -> T:
        """Does what the steps of a call want, and returns what they come to."""
        reply: Answer | Lost | None = None
        while True:
            try:
                step = steps.send(reply)
            except StopIteration as end:
                result: T = end.value
                return result
            reply = self._do(step)

    def _stream(self, steps: Stream[T], source: Iterator[Any] | None = None) -> Iterator[T]:
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
                reply = END if source is None else next(source, END)
            else:
                reply = self._do(step)

    def _do(self, step: Request | Pause) -> Answer | Lost | None:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        try:
            return answer(self._http.send(self._outgoing(self._http, step)))
        except LOST as error:
            return lost(error)

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Events(Iterator[Event]):
    """The feed, event by event."""

    def __init__(self, feed: Feed, stream: Iterator[Event]) -> None:
        self._feed = feed
        self._stream = stream

    @property
    def cursor(self) -> int:
        """Everything up to here was handed out; go on after it."""
        return self._feed.cursor

    def __next__(self) -> Event:
        return next(self._stream)
