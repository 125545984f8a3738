"""A decorator for functions whose results must not be used before policy or people have released them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Final, TypeVar, Unpack

from .asynchronous import AsyncReviewQueue
from .calls import Calls
from .errors import ExternalIdTaken, NotReleased, NotYet
from .exchange import Steps
from .sync import ReviewQueue
from .values import Circumstances, Item, Outcome

F = TypeVar("F", bound=Callable[..., Any])

UNKNOWN: Final = object()
"""The result of a call whose item was submitted before, so that the function was not run again."""


def reviewed(
    *,
    queue: str,
    confidence: float | Callable[[Any], float | None] | None = None,
    client: ReviewQueue | AsyncReviewQueue | None = None,
    external_id: Callable[..., str] | None = None,
    input: Callable[..., Any] | None = None,
    parse: Callable[[Any], Any] | None = None,
    timeout: float | None = None,
    fallback: Callable[[Outcome | None], Any] | None = None,
    **circumstances: Unpack[Circumstances],
) -> Callable[[F], F]:
    """Enqueues what the function returns, waits for the outcome, and returns what was released.

    That is the function's own result where it was accepted, and the edited output, through `parse`, where people
    changed it. `confidence` is a number, or is asked with the result; without one a human always looks. `input` and
    `external_id` are called with the function's arguments; the input is its arguments by name otherwise. With an
    `external_id` a call that broke off goes on waiting for its item, and does not run the function again; the same id
    with another input raises ExternalIdTaken.

    What is rejected, by people or by the policy's fallback at its deadline, raises NotReleased, and no outcome
    within `timeout` seconds raises NotYet, unless there is a `fallback`: it gets the outcome, or None, and its result
    is the call's. A coroutine function needs an AsyncReviewQueue, any other a ReviewQueue; without a `client` one is
    made for each call, from REVIEWQUEUE_URL and REVIEWQUEUE_KEY.
    """

    def decorate(function: F) -> F:
        signature = inspect.signature(function)
        review = Review(
            queue, confidence, external_id, input, parse, timeout, fallback, circumstances, signature
        )
        wrapper = _asynchronous if inspect.iscoroutinefunction(function) else _blocking
        made: F = wrapper(function, review, client)
        return made

    return decorate


@dataclass(frozen=True)
class Review:
    """How a function's results are reviewed."""

    queue: str
    confidence: float | Callable[[Any], float | None] | None
    external_id: Callable[..., str] | None
    input: Callable[..., Any] | None
    parse: Callable[[Any], Any] | None
    timeout: float | None
    fallback: Callable[[Outcome | None], Any] | None
    circumstances: Mapping[str, Any]
    signature: inspect.Signature

    def before(self, calls: Calls, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Steps[Item | None]:
        """The item of an earlier call with the same external id. Raises ExternalIdTaken if it had another input."""
        if self.external_id is None:
            return None
        name = self.external_id(*args, **kwargs)
        known = yield from calls.known(self.queue, name)
        if known is not None:
            # Signatures take a tenth of a second to import, which calls whose item is new are spared.
            from .receipts import sha256_of

            evidence = (yield from calls.item(known.id, evidence=True)).evidence or {}
            if sha256_of(evidence.get("input")) != sha256_of(self._input(args, kwargs)):
                raise ExternalIdTaken.by(name)
        return known

    def after(
        self, calls: Calls, args: tuple[Any, ...], kwargs: Mapping[str, Any], result: Any
    ) -> Steps[Any]:
        """Has the function's result reviewed, and answers what was released."""
        sure = self.confidence(result) if callable(self.confidence) else self.confidence
        evidence = {**self.circumstances, "output": result, "confidence": sure}
        if self.external_id is not None:
            evidence["external_id"] = self.external_id(*args, **kwargs)
        item = yield from calls.submit(self.queue, self._input(args, kwargs), evidence, None)
        return (yield from self.released(calls, item, result))

    def released(self, calls: Calls, item: Item, result: Any) -> Steps[Any]:
        try:
            decided = yield from calls.decided(item.id, self.timeout)
        except NotYet:
            if self.fallback is None:
                raise
            return self.fallback(None)
        outcome = decided.outcome
        assert outcome is not None  # noqa: S101  `decided` answers no other
        if outcome.verdict == "accept" and result is not UNKNOWN:
            return result
        if outcome.released:
            return outcome.output if self.parse is None else self.parse(outcome.output)
        if self.fallback is None:
            raise NotReleased(decided, outcome)
        return self.fallback(outcome)

    def _input(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        if self.input is not None:
            return self.input(*args, **kwargs)
        bound = self.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return {name: value for name, value in bound.arguments.items() if name not in {"self", "cls"}}


def _blocking(function: Any, review: Review, client: Any) -> Any:
    if isinstance(client, AsyncReviewQueue):
        raise TypeError(f"{function.__qualname__} is no coroutine function; give it a ReviewQueue.")

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with nullcontext(client) if client is not None else ReviewQueue() as desk:
            item = desk.perform(review.before(desk.calls, args, kwargs))
            if item is not None:
                return desk.perform(review.released(desk.calls, item, UNKNOWN))
            result = function(*args, **kwargs)
            return desk.perform(review.after(desk.calls, args, kwargs, result))

    return call


def _asynchronous(function: Any, review: Review, client: Any) -> Any:
    if isinstance(client, ReviewQueue):
        raise TypeError(f"{function.__qualname__} is a coroutine function; give it an AsyncReviewQueue.")

    @functools.wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        # A client belongs to the loop that runs it, so none is kept between calls.
        async with nullcontext(client) if client is not None else AsyncReviewQueue() as desk:
            item = await desk.perform(review.before(desk.calls, args, kwargs))
            if item is not None:
                return await desk.perform(review.released(desk.calls, item, UNKNOWN))
            result = await function(*args, **kwargs)
            return await desk.perform(review.after(desk.calls, args, kwargs, result))

    return call
