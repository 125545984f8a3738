"""LangChain's agents with the real HumanInTheLoopMiddleware and a scripted model: what it publishes holds here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Literal

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver

from reviewqueue.adapters import langchain
from reviewqueue.adapters.reviews import AsyncReviews, Reviews
from reviewqueue.adapters.tool_calls import NotAllowed
from reviewqueue.client import NotYet

from .desk import QUEUE, Desk, run_example

Mode = Literal["batched", "per_call"]
MODES: tuple[Mode, ...] = ("batched", "per_call")
THREAD: RunnableConfig = {"configurable": {"thread_id": "invoice-17"}}
GO = {"messages": [{"role": "user", "content": "Pay what is due."}]}


class Scripted(GenericFakeChatModel):
    """Says what the test tells it to."""

    def bind_tools(self, tools: Sequence[Any], **options: Any) -> Any:
        return self


class Shop:
    """An agent whose tools note what they did."""

    def __init__(self, mode: Mode = "batched", **interrupt_on: Any) -> None:
        self.done: list[Any] = []
        self.mode = mode
        self.interrupt_on = interrupt_on or {"pay": True}
        self.saver = InMemorySaver()

    def agent(self, *calls: tuple[str, dict[str, Any]]) -> langchain.Graph:
        """It makes the calls in one turn, and then says that it is done. Each is as if after a restart."""

        @tool
        def pay(amount: int) -> str:
            """Pays."""
            self.done.append(("pay", amount))
            return f"paid {amount}"

        @tool
        def look_up(name: str) -> str:
            """Reads, and asks nobody."""
            self.done.append(("look_up", name))
            return f"{name} is known"

        @tool
        def ask(question: str) -> str:
            """Asks a person."""
            raise AssertionError("the person is the tool")

        made = [{"name": name, "args": args, "id": f"call-{i}"} for i, (name, args) in enumerate(calls)]
        said = [AIMessage("Let me see.", tool_calls=made), AIMessage("Done.")]
        middleware = HumanInTheLoopMiddleware(self.interrupt_on, interrupt_mode=self.mode)
        agent: langchain.Graph = create_agent(
            Scripted(messages=iter(said if calls else said[1:])),
            [pay, look_up, ask],
            middleware=[middleware],
            checkpointer=self.saver,
        )
        return agent


def results(state: dict[str, Any]) -> list[tuple[str, str]]:
    """What the model was told of its calls, in their order: (status, text)."""
    told = [message for message in state["messages"] if isinstance(message, ToolMessage)]
    in_order = sorted(told, key=lambda message: message.tool_call_id)
    return [(message.status, str(message.content)) for message in in_order]


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> Mode:
    """Runs the test in each mode of the middleware."""
    mode: Mode = request.param
    return mode


Decide = Callable[..., dict[str, Any]]


@pytest.fixture
def decided(desk: Desk, reviews: Reviews) -> Decide:
    """Runs an agent until it asks, decides each item as told, in the calls' order, and runs it on to its end."""

    def run(agent: langchain.Graph, *verdicts: dict[str, Any]) -> dict[str, Any]:
        with pytest.raises(NotYet):
            langchain.invoke(agent, GO, THREAD, reviews)
        for item, verdict in zip(desk.waiting(), verdicts, strict=True):
            desk.decide(item, **verdict)
        state: dict[str, Any] = langchain.resume(agent, THREAD, reviews)
        assert state["messages"][-1].content == "Done."
        return state

    return run


def test_the_item_holds_what_a_person_needs(desk: Desk, reviews: Reviews, mode: Mode) -> None:
    agent = Shop(mode).agent(("pay", {"amount": 5}))
    agent.invoke(GO, THREAD)
    (item,) = langchain.submit(agent, THREAD, reviews)
    evidence = desk.evidence(item)
    assert evidence["output"] == {"amount": 5}
    assert evidence["input"]["tool"] == "pay"
    assert evidence["input"]["answers"] == "approve, edit, reject, respond"
    assert evidence["input"]["conversation"] == (
        'user: Pay what is due.\n\nassistant: Let me see.\n→ pay {"amount": 5}'
    )
    assert item.tags == {"tool": "pay"}
    assert item.external_id is not None
    assert item.external_id.startswith("langgraph:invoice-17:")


def test_an_accepted_call_runs(decided: Decide, mode: Mode) -> None:
    shop = Shop(mode)
    state = decided(shop.agent(("pay", {"amount": 5})), {"verdict": "accept"})
    assert shop.done == [("pay", 5)]
    assert results(state) == [("success", "paid 5")]


def test_an_edited_call_runs_with_the_edited_arguments(decided: Decide, mode: Mode) -> None:
    shop = Shop(mode)
    state = decided(shop.agent(("pay", {"amount": 5})), {"verdict": "edit", "output": {"amount": 50}})
    assert shop.done == [("pay", 50)]
    ((status, text),) = results(state)
    assert status == "success"
    assert text.endswith("paid 50")


def test_a_rejected_call_never_runs_and_the_model_is_told_why(decided: Decide, mode: Mode) -> None:
    shop = Shop(mode)
    verdict = {"verdict": "reject", "reason": "too-much", "comment": "Not before Monday."}
    state = decided(shop.agent(("pay", {"amount": 5})), verdict)
    assert shop.done == []
    ((status, text),) = results(state)
    assert status == "error"
    assert "Not before Monday. (too-much)" in text


def test_text_in_place_of_arguments_answers_for_the_tool(decided: Decide, mode: Mode) -> None:
    """`True` allows all four decisions, respond among them."""
    shop = Shop(mode)
    state = decided(shop.agent(("pay", {"amount": 5})), {"verdict": "edit", "output": "Paid it myself."})
    assert shop.done == []
    assert results(state) == [("success", "Paid it myself.")]


def test_a_tool_that_asks_is_answered_by_the_person(desk: Desk, decided: Decide, mode: Mode) -> None:
    shop = Shop(mode, ask={"allowed_decisions": ["respond"]})
    state = decided(shop.agent(("ask", {"question": "Which colour?"})), {"verdict": "edit", "output": "blue"})
    assert results(state) == [("success", "blue")]


def test_a_respond_that_is_not_allowed_becomes_a_rejection(decided: Decide, mode: Mode) -> None:
    shop = Shop(mode, pay={"allowed_decisions": ["approve", "edit", "reject"]})
    state = decided(shop.agent(("pay", {"amount": 5})), {"verdict": "edit", "output": "Paid it myself."})
    assert shop.done == []
    ((status, text),) = results(state)
    assert (status, "cannot be answered with respond" in text) == ("error", True)


def test_an_edit_that_is_not_allowed_becomes_a_rejection(decided: Decide, mode: Mode) -> None:
    shop = Shop(mode, pay={"allowed_decisions": ["approve", "reject"]})
    state = decided(shop.agent(("pay", {"amount": 5})), {"verdict": "edit", "output": {"amount": 1}})
    assert shop.done == []
    ((status, text),) = results(state)
    assert (status, "cannot be answered with edit" in text) == ("error", True)


def test_a_rejection_that_is_not_allowed_leaves_the_call_waiting(
    desk: Desk, reviews: Reviews, mode: Mode
) -> None:
    shop = Shop(mode, pay={"allowed_decisions": ["approve"]})
    agent = shop.agent(("pay", {"amount": 5}))
    with pytest.raises(NotYet):
        langchain.invoke(agent, GO, THREAD, reviews)
    desk.decide(desk.waiting()[0], "reject", reason="too-much")
    with pytest.raises(NotAllowed, match="allow reject"):
        langchain.resume(agent, THREAD, reviews)
    assert shop.done == []
    assert len(agent.get_state(THREAD).interrupts) == 1


def test_arguments_that_do_not_fit_the_tool_run_nothing(decided: Decide, mode: Mode) -> None:
    shop = Shop(mode)
    state = decided(shop.agent(("pay", {"amount": 5})), {"verdict": "edit", "output": {"amount": "lots"}})
    assert shop.done == []
    assert [status for status, _ in results(state)] == ["error"]


def test_several_calls_keep_their_order_with_mixed_answers(decided: Decide, mode: Mode) -> None:
    shop = Shop(mode, pay=True, ask={"allowed_decisions": ["respond"]})
    agent = shop.agent(
        ("look_up", {"name": "acme"}),
        ("pay", {"amount": 1}),
        ("pay", {"amount": 2}),
        ("ask", {"question": "Which colour?"}),
        ("pay", {"amount": 3}),
        ("look_up", {"name": "blue"}),
    )
    state = decided(
        agent,
        {"verdict": "accept"},
        {"verdict": "reject", "reason": "too-much"},
        {"verdict": "edit", "output": "blue"},
        {"verdict": "edit", "output": {"amount": 33}},
    )
    assert sorted(shop.done) == [("look_up", "acme"), ("look_up", "blue"), ("pay", 1), ("pay", 33)]
    told = results(state)
    assert [status for status, _ in told] == ["success", "success", "error", "success", "success", "success"]
    assert [told[0][1], told[1][1], told[3][1]] == ["acme is known", "paid 1", "blue"]
    assert "too-much" in told[2][1]
    assert told[4][1].endswith("paid 33")


def test_a_call_that_the_predicate_lets_through_asks_nobody(decided: Decide, mode: Mode) -> None:
    config = {
        "allowed_decisions": ["approve", "reject"],
        "when": lambda request: request.tool_call["args"]["amount"] > 10,
    }
    shop = Shop(mode, pay=config)
    decided(
        shop.agent(("pay", {"amount": 5}), ("pay", {"amount": 50})),
        {"verdict": "reject", "reason": "too-much"},
    )
    assert shop.done == [("pay", 5)]


def test_policy_that_trusts_a_call_asks_nobody(desk: Desk, mode: Mode) -> None:
    shop = Shop(mode)
    trusting = Reviews(desk.client, QUEUE, timeout=0, describe=lambda call: {"confidence": 0.95})
    state = langchain.invoke(shop.agent(("pay", {"amount": 5})), GO, THREAD, trusting)
    assert shop.done == [("pay", 5)]
    assert state["messages"][-1].content == "Done."


def test_a_restart_finds_the_same_items_and_enqueues_none_twice(
    desk: Desk, reviews: Reviews, mode: Mode
) -> None:
    shop = Shop(mode)
    before = shop.agent(("pay", {"amount": 1}), ("pay", {"amount": 2}))
    with pytest.raises(NotYet):
        langchain.invoke(before, GO, THREAD, reviews)
    items = desk.waiting()
    desk.decide(items[1], "accept")
    known = len(list(desk.client.items(queue=QUEUE)))
    # Only the checkpoint is left; the model goes on where it was.
    after = shop.agent()
    with pytest.raises(NotYet):
        langchain.resume(after, THREAD, reviews)
    assert [item.id for item in langchain.submit(after, THREAD, reviews)] == [item.id for item in items]
    desk.decide(items[0], "reject", reason="too-much")
    langchain.resume(after, THREAD, reviews)
    assert shop.done == [("pay", 2)]
    assert len(list(desk.client.items(queue=QUEUE))) == known


def test_a_withdrawn_call_never_runs(desk: Desk, reviews: Reviews) -> None:
    shop = Shop()
    agent = shop.agent(("pay", {"amount": 5}))
    agent.invoke(GO, THREAD)
    (item,) = langchain.submit(agent, THREAD, reviews)
    desk.client.withdraw(item, "no longer needed")
    state = langchain.resume(agent, THREAD, reviews)
    assert shop.done == []
    assert "withdrawn" in results(state)[0][1]


def test_the_asynchronous_flavour_does_the_same(desk: Desk, mode: Mode) -> None:
    shop = Shop(mode)
    agent = shop.agent(("pay", {"amount": 1}), ("pay", {"amount": 2}), ("pay", {"amount": 3}))

    async def story() -> Any:
        async with desk.async_client() as client:
            reviews = AsyncReviews(client, QUEUE, timeout=0)
            with pytest.raises(NotYet):
                await langchain.ainvoke(agent, GO, THREAD, reviews)
            said: list[dict[str, Any]] = [
                {},
                {"verdict": "reject", "reason": "too-much"},
                {"verdict": "edit", "output": {"amount": "x"}},
            ]
            for item, verdict in zip(await langchain.asubmit(agent, THREAD, reviews), said, strict=True):
                desk.decide(item, **verdict)
            return await langchain.aresume(agent, THREAD, reviews)

    state = asyncio.run(story())
    assert shop.done == [("pay", 1)]
    assert [status for status, _ in results(state)] == ["success", "error", "error"]


def test_an_interrupt_of_the_apps_own_is_left_to_it(reviews: Reviews) -> None:
    from langgraph.graph import START, StateGraph
    from langgraph.types import interrupt
    from typing_extensions import TypedDict

    class State(TypedDict):
        name: str

    graph = StateGraph(State)
    graph.add_node("ask", lambda state: {"name": interrupt("who are you?")})
    graph.add_edge(START, "ask")
    agent = graph.compile(checkpointer=InMemorySaver())
    result = langchain.invoke(agent, {"name": ""}, THREAD, reviews)
    assert result["__interrupt__"][0].value == "who are you?"


def test_the_documented_example_works(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    call = {"name": "pay", "args": {"amount": 5}, "id": "call-1"}
    model = Scripted(messages=iter([AIMessage("", tool_calls=[call]), AIMessage("It is paid.")]))
    printed = run_example(desk, monkeypatch, "langchain", model)
    assert capsys.readouterr().out == printed
