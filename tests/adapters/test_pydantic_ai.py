"""Pydantic AI's deferred tools with a model that is a function: approvals, changed arguments, refusals, questions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from pydantic_ai import Agent, CallDeferred, DeferredToolRequests, DeferredToolResults
from pydantic_ai.capabilities import HandleDeferredToolCalls
from pydantic_ai.messages import (
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
)
from pydantic_ai.models.function import AgentInfo, FunctionModel

from reviewqueue.adapters import pydantic_ai
from reviewqueue.adapters.reviews import AsyncReviews, Reviews
from reviewqueue.client import NotYet

from .desk import QUEUE, Desk, run_example

Call = tuple[str, dict[str, Any]]


def scripted(*calls: Call) -> FunctionModel:
    """Makes the calls in one turn, and then says that it is paid."""

    def model(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        if any(isinstance(part, ToolReturnPart) for message in messages for part in message.parts):
            return ModelResponse(parts=[TextPart("It is paid.")])
        made = [ToolCallPart(name, args, tool_call_id=f"call-{i}") for i, (name, args) in enumerate(calls)]
        return ModelResponse(parts=made)

    return FunctionModel(model)


class Books:
    """An agent whose tools need people."""

    def __init__(self, *calls: Call, capabilities: Any = ()) -> None:
        self.paid: list[int] = []
        self.agent = Agent(
            scripted(*calls), output_type=[str, DeferredToolRequests], capabilities=capabilities
        )

        @self.agent.tool_plain(requires_approval=True)
        def pay(amount: int) -> str:
            self.paid.append(amount)
            return f"paid {amount}"

        @self.agent.tool_plain
        def ask(question: str) -> str:
            raise CallDeferred(kind="question")

        @self.agent.tool_plain
        def run_elsewhere(job: str) -> str:
            raise CallDeferred

    def asks(self) -> tuple[DeferredToolRequests, list[ModelMessage]]:
        result = asyncio.run(self.agent.run("Pay what is due."))
        assert isinstance(result.output, DeferredToolRequests)
        return result.output, result.all_messages()

    def goes_on(self, messages: list[ModelMessage], results: DeferredToolResults) -> list[str]:
        """What the model was told of its calls, in their order."""
        result = asyncio.run(self.agent.run(message_history=messages, deferred_tool_results=results))
        assert result.output == "It is paid."
        return told(result.all_messages())


def told(messages: list[ModelMessage]) -> list[str]:
    returns = [part for message in messages for part in message.parts if isinstance(part, ToolReturnPart)]
    return [str(part.content) for part in sorted(returns, key=lambda part: part.tool_call_id)]


Decide = Callable[..., list[str]]


@pytest.fixture
def decided(desk: Desk, reviews: Reviews) -> Decide:
    """Decides each item as told, approvals first, and runs the agent on to its end."""

    def run(books: Books, run_id: str, *verdicts: dict[str, Any]) -> list[str]:
        requests, messages = books.asks()
        about: dict[str, Any] = {"run_id": run_id, "messages": messages}
        with pytest.raises(NotYet):
            pydantic_ai.decided(requests, reviews, **about)
        for item, verdict in zip(pydantic_ai.submit(requests, reviews, **about), verdicts, strict=True):
            desk.decide(item, **verdict)
        return books.goes_on(messages, pydantic_ai.decided(requests, reviews, **about))

    return run


def test_each_call_is_decided_on_its_own(decided: Decide) -> None:
    books = Books(("pay", {"amount": 1}), ("pay", {"amount": 2}), ("pay", {"amount": 3}))
    said = decided(
        books,
        "mixed",
        {"verdict": "accept"},
        {"verdict": "reject", "reason": "too-much", "comment": "Not before Monday."},
        {"verdict": "edit", "output": {"amount": 33}},
    )
    assert sorted(books.paid) == [1, 33]
    assert said == ["paid 1", "Not before Monday. (too-much)", "paid 33"]


def test_the_item_holds_what_a_person_needs(desk: Desk, reviews: Reviews) -> None:
    requests, messages = Books(("pay", {"amount": 5})).asks()
    (item,) = pydantic_ai.submit(requests, reviews, run_id="shown", messages=messages)
    evidence = desk.evidence(item)
    assert evidence["output"] == {"amount": 5}
    assert evidence["input"]["tool"] == "pay"
    assert evidence["input"]["conversation"] == ('user: Pay what is due.\n\nassistant:\n→ pay {"amount": 5}')
    assert item.external_id == "pydantic-ai:shown:call-0"


def test_a_question_is_answered_by_the_person(decided: Decide) -> None:
    books = Books(("ask", {"question": "Which colour?"}), ("pay", {"amount": 1}))
    said = decided(books, "asked", {"verdict": "accept"}, {"verdict": "edit", "output": "blue"})
    assert said == ["blue", "paid 1"]


def test_a_question_that_is_rejected_fails(decided: Decide) -> None:
    books = Books(("ask", {"question": "Which colour?"}))
    verdict = {"verdict": "reject", "reason": "too-much", "comment": "None of your business."}
    (said,) = decided(books, "not-asked", verdict)
    assert "None of your business." in said


def test_text_in_place_of_arguments_runs_nothing(decided: Decide) -> None:
    books = Books(("pay", {"amount": 5}))
    (said,) = decided(books, "text", {"verdict": "edit", "output": "Paid it myself."})
    assert books.paid == []
    assert "cannot be answered with respond" in said


def test_a_call_that_runs_elsewhere_is_not_for_people(desk: Desk, reviews: Reviews) -> None:
    requests, messages = Books(("run_elsewhere", {"job": "nightly"})).asks()
    results = pydantic_ai.decided(requests, reviews, run_id="elsewhere", messages=messages)
    assert desk.waiting() == []
    assert requests.remaining(results) is not None


def test_a_stored_run_goes_on_in_another_process(desk: Desk, reviews: Reviews) -> None:
    books = Books(("pay", {"amount": 5}))
    requests, messages = books.asks()
    (item,) = pydantic_ai.submit(requests, reviews, run_id="stored", messages=messages)
    desk.decide(item, "edit", output={"amount": 50})
    restored = ModelMessagesTypeAdapter.validate_json(ModelMessagesTypeAdapter.dump_json(messages))
    results = pydantic_ai.decided(requests, reviews, run_id="stored", messages=restored)
    assert books.goes_on(restored, results) == ["paid 50"]
    assert books.paid == [50]


def test_a_run_may_wait_by_itself(desk: Desk) -> None:
    """With the capability that resolves deferred calls inside of the run; policy trusts this one."""

    async def story() -> str:
        async with desk.async_client() as client:
            reviews = AsyncReviews(client, QUEUE, describe=lambda call: {"confidence": 0.95})
            waits = HandleDeferredToolCalls[Any](handler=pydantic_ai.handler(reviews))
            books = Books(("pay", {"amount": 5}), capabilities=[waits])
            result = await books.agent.run("Pay what is due.")
            assert books.paid == [5]
            return str(result.output)

    assert asyncio.run(story()) == "It is paid."


def test_the_documented_example_works(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # `run_sync` makes a loop where there is none, and leaves it open.
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        printed = run_example(desk, monkeypatch, "pydantic_ai", scripted(("pay", {"amount": 5})))
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    assert capsys.readouterr().out == printed
