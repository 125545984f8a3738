"""When a call is repeated, after which pause, and what it ends with: the core by itself, without any I/O."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import datetime
from email.utils import formatdate
from time import time
from typing import Any

import httpx
import pytest

from reviewqueue.client import (
    BadRequest,
    Conflict,
    Forbidden,
    Invalid,
    NotConfigured,
    NotFound,
    NotSendable,
    NotYet,
    Problem,
    Retries,
    ReviewQueue,
    ReviewQueueError,
    ServerProblem,
    TooManyRequests,
    Unauthenticated,
    Unreachable,
)
from reviewqueue.client.calls import Calls
from reviewqueue.client.encoding import encoded
from reviewqueue.client.errors import refusal_in
from reviewqueue.client.exchange import Answer, Lost, Pause, Request, Steps, ask
from reviewqueue.client.feed import Feed

GONE = Lost("connection reset")
DONE = Answer(200, {}, b"{}")
GET = Request("GET", "/somewhere")


def refusal(status: int, slug: str = "", **headers: str) -> Answer:
    document = {"type": f"/problems/{slug}", "status": status, "title": "No", "detail": "Because."}
    return Answer(status, headers, json.dumps(document).encode())


class World:
    """Answers what the steps ask for, and lets time go by only where they pause or the server holds back."""

    def __init__(self, *answers: Answer | Lost) -> None:
        self.answers = list(answers)
        self.sent: list[Request] = []
        self.pauses: list[float] = []
        self.now = 1000.0

    def clock(self) -> float:
        return self.now

    def run(self, steps: Steps[Any]) -> Any:
        reply = None
        while True:
            try:
                step = steps.send(reply)
            except StopIteration as end:
                return end.value
            reply = None
            if isinstance(step, Pause):
                self.pauses.append(step.seconds)
                self.now += step.seconds
            else:
                self.sent.append(step)
                reply = self.answers.pop(0)


def test_pauses_double_up_to_a_limit_and_never_fall_together() -> None:
    retries = Retries(most=20, first=1, longest=8)
    for tries, whole in enumerate((1, 2, 4, 8, 8, 8), start=1):
        drawn = [retries.pause_after(tries, Unreachable()) or 0 for _ in range(50)]
        assert whole / 2 <= min(drawn) <= max(drawn) <= whole
        assert len(set(drawn)) > 40


def test_it_is_sent_until_it_is_answered() -> None:
    world = World(GONE, refusal(503, "unavailable"), refusal(502), DONE)
    assert world.run(ask(GET, Retries())) == DONE
    assert len(world.sent) == 4
    assert len(world.pauses) == 3


def test_it_ends_when_it_was_tried_often_enough() -> None:
    world = World(*[GONE] * 3)
    with pytest.raises(Unreachable, match="GET /somewhere found no answer, tried 3 times: connection reset"):
        world.run(ask(GET, Retries(most=3)))
    with pytest.raises(ServerProblem):
        World(refusal(500, "internal-error")).run(ask(GET, Retries(most=1)))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 302])
def test_what_time_does_not_heal_is_not_repeated(status: int) -> None:
    world = World(refusal(status))
    with pytest.raises(Problem):
        world.run(ask(GET, Retries()))
    assert len(world.sent) == 1


@pytest.mark.parametrize("seconds", [True, False])
def test_retry_after_is_honoured(seconds: bool) -> None:
    said = "7" if seconds else formatdate(time() + 7, usegmt=True)
    world = World(refusal(429, "too-many-requests", **{"retry-after": said}), DONE)
    world.run(ask(GET, Retries()))
    assert 5 <= world.pauses[0] <= 8.1


def test_a_retry_after_beyond_patience_ends_the_call() -> None:
    world = World(refusal(429, "too-many-requests", **{"retry-after": "3600"}))
    with pytest.raises(TooManyRequests) as raised:
        world.run(ask(GET, Retries()))
    assert raised.value.retry_after == 3600


def test_a_repeat_carries_the_same_key_and_the_same_bytes() -> None:
    world = World(GONE, GONE, refusal(409, "conflict"))
    with pytest.raises(Conflict):
        world.run(Calls().submit("receipts", {"a": 1}, {}, None))
    first, *repeats = world.sent
    assert "Idempotency-Key" in first.headers
    assert repeats == [first, first]


def waiting(outcome: bool = False) -> Answer:
    item = {"id": "1", "state": "pending", "reasons": [], "created_at": "2026-03-02T09:00:00Z"}
    told = {"verdict": "accept", "decided_at": "2026-03-02T09:00:00Z", "revision": 1}
    return Answer(200, {}, json.dumps({**item, "outcome": told if outcome else None}).encode())


def test_a_server_that_has_no_place_to_wait_is_not_asked_without_a_pause() -> None:
    world = World(*[waiting()] * 5, waiting(outcome=True))
    assert world.run(Calls(now=world.clock).wait("1", None)).verdict == "accept"
    assert world.pauses == [1.0] * 5


def test_a_wait_outlives_a_restart_but_not_its_time() -> None:
    world = World(waiting(), *[GONE] * 20, waiting(outcome=True))
    assert world.run(Calls(now=world.clock).wait("1", None)).verdict == "accept"

    world = World(waiting(), *[GONE] * 20)
    with pytest.raises(Unreachable):
        world.run(Calls(now=world.clock).wait("1", 20))
    assert 10 < world.now - 1000 <= 20

    world = World(*[GONE] * 6)
    with pytest.raises(Unreachable):
        world.run(Calls(now=world.clock).wait("1", None))


def test_a_wait_holds_no_longer_than_asked() -> None:
    world = World(*[waiting()] * 100)
    with pytest.raises(NotYet):
        world.run(Calls(now=world.clock).wait("1", 3))
    assert [request.query["wait"] for request in world.sent] == ["3.000", "2.000", "1.000", "0.000"]


def test_the_feed_follows_through_a_restart() -> None:
    page = Answer(200, {}, json.dumps({"items": [], "next": 7}).encode())
    world = World(page, *[GONE] * 20, page)
    feed = Feed(Calls(now=world.clock), 0, None, (), None)
    with pytest.raises(IndexError):  # the world has no more answers, and the feed still asks
        world.run(feed.events())  # type: ignore[arg-type]
    assert feed.cursor == 7
    assert world.sent[-1].query["after"] == 7


def test_the_feed_ends_when_it_was_quiet_long_enough() -> None:
    page = Answer(200, {}, json.dumps({"items": [], "next": 7}).encode())
    world = World(*[page] * 100)
    assert world.run(Feed(Calls(now=world.clock), 0, None, (), 3).events()) is None  # type: ignore[arg-type]
    assert world.now == 1003


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refusal(401, "unauthenticated"), Unauthenticated),
        (refusal(403, "forbidden"), Forbidden),
        (refusal(404, "not-found"), NotFound),
        (refusal(415, "unsupported-media-type"), BadRequest),
        (refusal(409, "claimed-by-another"), Conflict),
        (refusal(429, "rate-limited"), TooManyRequests),
        (refusal(422, "invalid-document"), Invalid),
        (refusal(418, "teapot"), Problem),
        (refusal(599), ServerProblem),
        (Answer(502, {"x-request-id": "r"}, b"<html>Bad gateway"), ServerProblem),
        (Answer(200, {}, b"[]"), Problem),
    ],
)
def test_each_refusal_is_the_most_telling_type(answer: Answer, kind: type[Problem]) -> None:
    problem = refusal_in(answer)
    assert type(problem) is kind
    assert isinstance(problem, ReviewQueueError)
    assert problem.status == answer.status
    assert f"status {answer.status}" in str(problem)


def test_a_success_that_is_not_the_servers_is_a_problem() -> None:
    with pytest.raises(Problem, match="not from reviewqueue"):
        World(Answer(200, {}, b"<html>Sign in to the network")).run(Calls().item("1"))


def test_each_repeat_is_told(caplog: pytest.LogCaptureFixture) -> None:
    World(GONE, DONE).run(ask(GET, Retries()))
    assert [record.name for record in caplog.records] == ["reviewqueue.client"]
    assert "found no answer, tried once: connection reset. Trying again in" in caplog.text


CIRCLE: list[Any] = []
CIRCLE.append(CIRCLE)


@pytest.mark.parametrize(
    "value",
    [float("nan"), b"bytes", {1, 2}, "\ud800", object(), CIRCLE, datetime.fromisoformat("2026-03-02")],
)
def test_what_json_cannot_hold_is_refused_before_it_is_sent(value: Any) -> None:
    with pytest.raises(NotSendable):
        encoded({"input": value})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "REVIEWQUEUE_URL"),
        ({"base_url": "review.example.org", "key": "rq_1"}, "http"),
        ({"base_url": "https://review.example.org"}, "REVIEWQUEUE_KEY"),
        ({"base_url": "https://review.example.org", "key": "rq_1\n2"}, "copied whole"),
    ],
)
def test_what_is_missing_is_named(given: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REVIEWQUEUE_URL", raising=False)
    monkeypatch.delenv("REVIEWQUEUE_KEY", raising=False)
    with pytest.raises(NotConfigured, match=said):
        ReviewQueue(**given)


def test_address_and_key_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REVIEWQUEUE_URL", "https://review.example.org/desk/")
    monkeypatch.setenv("REVIEWQUEUE_KEY", "rq_secret\n")
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(404)

    with ReviewQueue(transport=httpx.MockTransport(answer)) as desk, pytest.raises(NotFound):
        desk.item("a/b")
    assert str(seen[0].url) == "https://review.example.org/desk/api/v1/items/a%2Fb"
    assert seen[0].headers["Authorization"] == "Bearer rq_secret"


def test_the_key_shows_nowhere(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    def answers(answers: Sequence[int]) -> httpx.MockTransport:
        left = iter(answers)
        return httpx.MockTransport(lambda request: httpx.Response(next(left), headers={"location": "/x"}))

    caplog.set_level(logging.DEBUG)
    said = []
    for statuses in ([503, 302], [401], [500] * 6):
        desk = ReviewQueue(
            "http://localhost", "rq_topsecret", transport=answers(statuses), retries=Retries(first=0.001)
        )
        with desk, pytest.raises(Problem) as raised:
            desk.item("1")
        said += [str(raised.value), repr(raised.value), repr(desk), repr(desk._access)]
    told = "".join(capfd.readouterr()) + caplog.text + "".join(said)
    assert "topsecret" not in told
