"""What the client wants of the world, as values: a core without I/O yields these, and a driver, sync or async, acts.

A call is a generator that yields `Request` and `Pause` and returns its result. A stream also yields `Pull`, for the
next of what the caller gave, and `Give`, for the next of what the caller gets.
"""

from __future__ import annotations

import itertools
import logging
import random
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from time import time
from typing import Any, Final, Generic, TypeAlias, TypeVar

from .errors import Problem, ReviewQueueError, ServerProblem, TooManyRequests, Unreachable, refusal_in

log = logging.getLogger("reviewqueue.client")

T = TypeVar("T")
V_co = TypeVar("V_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request to the server, to be answered with an `Answer` or `Lost`."""

    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    hold: float = 0.0
    """Seconds for which the server may keep the answer back."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    """By names in lower case."""
    body: bytes

    @property
    def retry_after(self) -> float | None:
        """In seconds from now."""
        said = self.headers.get("retry-after", "").strip()
        if said.isdigit():
            return float(said)
        try:
            at = parsedate_to_datetime(said)
        except ValueError:
            return None
        return max(0.0, (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - time())


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer came; whether the request arrived is unknown."""

    why: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Seconds to do nothing."""

    seconds: float


class Pull:
    """Asks for the next value of what the caller gave; answered with it or with `END`."""


@dataclass(frozen=True, slots=True)
class Give(Generic[V_co]):
    """Hands the caller the next value of what was asked for."""

    value: V_co


END: Final = object()

Steps: TypeAlias = Generator[Request | Pause, Any, T]
Stream: TypeAlias = Generator[Request | Pause | Pull | Give[T], Any, None]


@dataclass(frozen=True)
class Retries:
    """How often, and after what pauses, a call is repeated that found no answer or a passing refusal.

    Pauses double from `first` seconds up to `longest`, each drawn between half and all of that, so that many apps
    that failed at once do not come back at once. A `Retry-After` is waited for in full, and a little longer; one
    beyond `patience` seconds ends the call instead.
    """

    most: int = 6
    """Times in all that a request is sent."""
    first: float = 0.25
    longest: float = 8.0
    patience: float = 120.0

    def pause_after(self, tries: int, error: ReviewQueueError) -> float | None:
        """None: it is over."""
        if tries >= self.most or not passing(error):
            return None
        draw = random.uniform(0.5, 1.0)  # noqa: S311  spreads load, guards nothing
        pause = draw * min(self.longest, self.first * 2.0 ** min(tries - 1, 30))
        asked = error.retry_after if isinstance(error, Problem) else None
        if asked is None:
            return pause
        return None if asked > self.patience else asked + min(pause, 1.0)


def passing(error: ReviewQueueError) -> bool:
    """Whether the same request may well succeed later."""
    return isinstance(error, Unreachable | TooManyRequests | ServerProblem) or (
        isinstance(error, Problem) and error.status == 408
    )


def send(request: Request) -> Generator[Request | Pause, Any, Answer | Lost]:
    """Sends once."""
    reply: Answer | Lost = yield request
    return reply


def ask(
    request: Request, retries: Retries, worth_it: Callable[[float], bool] = lambda _pause: True
) -> Steps[Answer]:
    """Sends until the server answers with a success; the request must have one effect however often it arrives.

    `worth_it` tells whether there is time for one more pause. Raises Problem for a refusal, and Unreachable.
    """
    for tries in itertools.count(1):
        reply = yield from send(request)
        if isinstance(reply, Answer) and 200 <= reply.status < 300:
            return reply
        error = refusal_in(reply) if isinstance(reply, Answer) else _unreachable(request, reply, tries)
        pause = retries.pause_after(tries, error)
        if pause is None or not worth_it(pause):
            raise error
        log.warning("%s Trying again in %.1f s.", error, pause)
        yield Pause(pause)
    raise AssertionError


def _unreachable(request: Request, lost: Lost, tries: int) -> Unreachable:
    times = "once" if tries == 1 else f"{tries} times"
    return Unreachable(f"{request.method} {request.path} found no answer, tried {times}: {lost.why}.")
