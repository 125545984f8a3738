"""The OpenAI Agents SDK's approvals with a scripted model: what people decide is what runs, after a restart too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from agents import Agent, RunConfig, Runner, RunResult, RunState, function_tool, set_tracing_disabled
from agents.testing import ScriptedModel, assistant_message, function_call

from reviewqueue.adapters import openai_agents
from reviewqueue.adapters.openai_agents import gated
from reviewqueue.adapters.reviews import AsyncReviews, Describe
from reviewqueue.client import NotYet

from .desk import QUEUE, Desk, run_example

OFFLINE = RunConfig(tracing_disabled=True)
RUN: dict[str, Any] = {"run_config": OFFLINE}

Story = Callable[[AsyncReviews], Coroutine[Any, Any, None]]


class Books:
    """An agent that pays each of the amounts, and then says that it is done."""

    def __init__(self, *amounts: int, gate: bool = True) -> None:
        self.paid: list[int] = []

        @function_tool(needs_approval=True)
        def pay(amount: int) -> str:
            """Pays."""
            self.paid.append(amount)
            return f"paid {amount}"

        calls = [function_call("pay", {"amount": n}, call_id=f"call-{i}") for i, n in enumerate(amounts)]
        self.model = ScriptedModel([calls, [assistant_message("Done.")]])
        self.agent = Agent(name="books", model=self.model, tools=[gated(pay) if gate else pay])

    async def asks(self) -> RunState[Any, Any]:
        result = await Runner.run(self.agent, "Pay what is due.", run_config=OFFLINE)
        assert len(result.interruptions) > 0
        return result.to_state()


def told(result: RunResult) -> list[str]:
    """What the model was told of its calls."""
    assert result.final_output == "Done."
    items: list[Any] = result.to_input_list()
    return [item["output"] for item in items if item.get("type") == "function_call_output"]


def play(desk: Desk, story: Story, describe: Describe | None = None) -> None:
    """The story with reviews that wait for nobody."""

    async def played() -> None:
        async with desk.async_client() as client:
            await story(AsyncReviews(client, QUEUE, timeout=0, describe=describe))

    asyncio.run(played())


def test_each_call_is_decided_on_its_own(desk: Desk) -> None:
    books = Books(1, 2, 3)

    async def story(reviews: AsyncReviews) -> None:
        state = await books.asks()
        items = await openai_agents.submit(state, reviews, run_id="mixed")
        with pytest.raises(NotYet):
            await openai_agents.resume(books.agent, state, reviews, run_id="mixed", **RUN)
        desk.decide(items[0], "accept")
        desk.decide(items[1], "reject", reason="too-much", comment="Not before Monday.")
        desk.decide(items[2], "edit", output={"amount": 33})
        result = await openai_agents.resume(books.agent, state, reviews, run_id="mixed", **RUN)
        assert sorted(books.paid) == [1, 33]
        first, second, third = told(result)
        assert (first, second) == ("paid 1", "Not before Monday. (too-much)")
        assert third.startswith('A reviewer changed the arguments to {"amount": 33}')
        assert third.endswith("paid 33")

    play(desk, story)


def test_the_item_holds_what_a_person_needs(desk: Desk) -> None:
    async def story(reviews: AsyncReviews) -> None:
        (item,) = await openai_agents.submit(await Books(5).asks(), reviews, run_id="shown")
        evidence = desk.evidence(item)
        assert evidence["output"] == {"amount": 5}
        assert evidence["input"]["tool"] == "pay"
        assert evidence["input"]["conversation"] == (
            'user: Pay what is due.\n\nassistant:\n→ pay {"amount":5}'
        )
        assert item.external_id == "openai-agents:shown:call-0"

    play(desk, story)


def test_a_stored_run_goes_on_in_another_process(desk: Desk) -> None:
    books = Books(5, 6)

    async def story(reviews: AsyncReviews) -> None:
        state = await books.asks()
        items = await openai_agents.submit(state, reviews, run_id="stored")
        stored = state.to_string()
        desk.decide(items[0], "edit", output={"amount": 50})
        desk.decide(items[1], "reject", reason="too-much")
        restored = await RunState.from_string(books.agent, stored)
        assert [item.id for item in await openai_agents.submit(restored, reviews, run_id="stored")] == [
            item.id for item in items
        ]
        await openai_agents.resume(books.agent, restored, reviews, run_id="stored", **RUN)
        assert books.paid == [50]

    play(desk, story)


def test_a_gated_tool_runs_nothing_that_was_approved_elsewhere(desk: Desk) -> None:
    """A state that was stored between the approval and the run no longer knows the reviewer's arguments."""
    books = Books(5)

    async def story(_: AsyncReviews) -> None:
        state = await books.asks()
        state.approve(state.get_interruptions()[0])
        result = await Runner.run(books.agent, state, run_config=OFFLINE)
        assert books.paid == []
        assert "no decision of the review queue" in told(result)[0]

    play(desk, story)


def test_a_tool_without_a_gate_takes_no_changed_arguments(desk: Desk) -> None:
    books = Books(5, 6, gate=False)

    async def story(reviews: AsyncReviews) -> None:
        state = await books.asks()
        items = await openai_agents.submit(state, reviews, run_id="plain")
        assert desk.evidence(items[0])["input"]["answers"] == "approve, reject"
        desk.decide(items[0], "edit", output={"amount": 1})
        desk.decide(items[1], "accept")
        result = await openai_agents.resume(books.agent, state, reviews, run_id="plain", **RUN)
        assert books.paid == [6]
        assert "cannot be answered with edit" in told(result)[0]

    play(desk, story)


def test_text_in_place_of_arguments_runs_nothing(desk: Desk) -> None:
    books = Books(5)

    async def story(reviews: AsyncReviews) -> None:
        state = await books.asks()
        (item,) = await openai_agents.submit(state, reviews, run_id="text")
        desk.decide(item, "edit", output="Paid it myself.")
        await openai_agents.resume(books.agent, state, reviews, run_id="text", **RUN)
        assert books.paid == []

    play(desk, story)


def test_policy_that_trusts_a_call_asks_nobody(desk: Desk) -> None:
    books = Books(5)

    async def story(reviews: AsyncReviews) -> None:
        result = await openai_agents.run(books.agent, "Pay.", reviews, run_id="trusted", **RUN)
        assert told(result) == ["paid 5"]

    play(desk, story, describe=lambda call: {"confidence": 0.95})


def test_arguments_that_are_no_object_are_shown_as_they_are(desk: Desk) -> None:
    books = Books()
    books.model = ScriptedModel([[function_call("pay", "[5", call_id="odd")], [assistant_message("Done.")]])
    books.agent = books.agent.clone(model=books.model)

    async def story(reviews: AsyncReviews) -> None:
        (item,) = await openai_agents.submit(await books.asks(), reviews, run_id="odd")
        assert desk.evidence(item)["output"] == {"not_json": "[5"}

    play(desk, story)


def test_the_documented_example_works(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_tracing_disabled(True)
    call = function_call("pay", {"amount": 5}, call_id="call-1")
    model = ScriptedModel([[call], [assistant_message("It is paid.")]])
    printed = run_example(desk, monkeypatch, "openai_agents", model)
    assert capsys.readouterr().out == printed
