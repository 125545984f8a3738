"""LangChain agents whose `HumanInTheLoopMiddleware` asks people through a queue, in either of its interrupt modes.

    reviews = Reviews(ReviewQueue(), queue="agent-actions")
    result = langchain.invoke(agent, {"messages": [...]}, config, reviews)

Nothing is kept here: the thread's checkpoint says which calls wait, and their external ids (thread, interrupt, place)
find the same items after a restart, so that `resume` goes on wherever `invoke` or `submit` was cut off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from reviewqueue.client import Item

from .extras import needs
from .reviews import AsyncReviews, Reviews
from .tool_calls import Answer, Kind, ToolCall, external_id, refusal, said

with needs("langchain"):
    from langchain_core.messages import AIMessage, BaseMessage, convert_to_openai_messages
    from langgraph.errors import is_invalid_resume
    from langgraph.pregel import Pregel
    from langgraph.types import Command, Interrupt, StateSnapshot

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

Graph: TypeAlias = Pregel[Any, Any, Any, Any]
"""An agent as `create_agent` makes it, or a graph that holds one. It needs a checkpointer."""

UNFIT = "Not run: the arguments that the reviewer gave do not fit the tool."


def invoke(agent: Graph, input: Any, config: RunnableConfig, reviews: Reviews, **options: Any) -> Any:
    """Runs the agent to its end, with every tool call that it interrupts for decided in the queue.

    `options` are the agent's own `invoke`'s. Raises the client's NotYet where people take longer than `reviews` waits;
    `resume` goes on later.
    """
    result = agent.invoke(input, config, **options)
    return resume(agent, config, reviews, **options) if pauses_of(agent.get_state(config)) else result


def resume(agent: Graph, config: RunnableConfig, reviews: Reviews, **options: Any) -> Any:
    """Goes on with a thread that waits for people, in this process or another. As `invoke`."""
    result: Any = None
    while pauses := pauses_of(agent.get_state(config)):
        answers = reviews.answers(_calls(pauses))
        for pause, answered in _by_pause(pauses, answers):
            try:
                result = agent.invoke(pause.command(answered), config, **options)
            except ValueError as error:
                result = agent.invoke(pause.command(_refused(pause, error)), config, **options)
    return agent.get_state(config).values if result is None else result


def submit(agent: Graph, config: RunnableConfig, reviews: Reviews) -> list[Item]:
    """Enqueues what the thread waits for, without waiting for it. Again it finds the same items."""
    return reviews.submit(_calls(pauses_of(agent.get_state(config))))


async def ainvoke(
    agent: Graph, input: Any, config: RunnableConfig, reviews: AsyncReviews, **options: Any
) -> Any:
    """As `invoke`."""
    result = await agent.ainvoke(input, config, **options)
    waits = pauses_of(await agent.aget_state(config))
    return await aresume(agent, config, reviews, **options) if waits else result


async def aresume(agent: Graph, config: RunnableConfig, reviews: AsyncReviews, **options: Any) -> Any:
    """As `resume`."""
    result: Any = None
    while pauses := pauses_of(await agent.aget_state(config)):
        answers = await reviews.answers(_calls(pauses))
        for pause, answered in _by_pause(pauses, answers):
            try:
                result = await agent.ainvoke(pause.command(answered), config, **options)
            except ValueError as error:
                result = await agent.ainvoke(pause.command(_refused(pause, error)), config, **options)
    return (await agent.aget_state(config)).values if result is None else result


async def asubmit(agent: Graph, config: RunnableConfig, reviews: AsyncReviews) -> list[Item]:
    """As `submit`."""
    return await reviews.submit(_calls(pauses_of(await agent.aget_state(config))))


@dataclass(frozen=True, slots=True)
class Pause:
    """One interrupt of the middleware, and the calls that it asks about."""

    id: str
    calls: Sequence[ToolCall]
    batched: bool
    """One answer lists the decisions on all calls; else the answer is the decision itself."""

    def command(self, answers: Sequence[Answer]) -> Command[Any]:
        """Resumes this interrupt alone: what else waits goes on waiting."""
        decisions = [_decision(call, answer) for call, answer in zip(self.calls, answers, strict=True)]
        return Command(resume={self.id: {"decisions": decisions} if self.batched else decisions[0]})


def pauses_of(state: StateSnapshot) -> list[Pause]:
    """What the middleware waits for on the thread, in the order of the calls; other interrupts are the app's own."""
    thread = state.config["configurable"]["thread_id"]
    conversation = _conversation(state.values.get("messages", ()))
    pauses = [_pause(interrupt, thread, conversation) for interrupt in state.interrupts]
    return [pause for pause in pauses if pause is not None]


def _pause(interrupt: Interrupt[Any], thread: str, conversation: Sequence[str]) -> Pause | None:
    asked = interrupt.value
    if not isinstance(asked, Mapping):
        return None
    if "action_requests" in asked and "review_configs" in asked:
        configs = {config["action_name"]: config for config in asked["review_configs"]}
        requests = [(r, configs[r["name"]]["allowed_decisions"]) for r in asked["action_requests"]]
    elif asked.get("type") == "tool_approval":
        requests = [(asked, _allowed_by(interrupt.response_schema))]
    else:
        return None
    calls = [
        ToolCall(
            external_id=external_id("langgraph", thread, interrupt.id, place),
            tool=request["name"],
            args=request["args"],
            conversation=conversation,
            description=request.get("description"),
            allowed=tuple(allowed),
        )
        for place, (request, allowed) in enumerate(requests)
    ]
    return Pause(interrupt.id, calls, batched="action_requests" in asked)


def _allowed_by(schema: Any) -> list[Kind]:
    """The decisions that an interrupt's JSON Schema takes: one object, or one of several told apart by `type`."""
    if "discriminator" in schema:
        return list(schema["discriminator"]["mapping"])
    kind = schema["properties"]["type"]
    return cast("list[Kind]", [kind["const"]])


def _conversation(messages: Sequence[BaseMessage]) -> list[str]:
    """Up to what the model said last: the results of calls that ran since would change the item between two tries."""
    last = max((i for i, message in enumerate(messages) if isinstance(message, AIMessage)), default=-1)
    told: Any = convert_to_openai_messages(list(messages[: last + 1]))
    return [
        said(
            message["role"], message.get("content"), [_called(call) for call in message.get("tool_calls", ())]
        )
        for message in told
    ]


def _called(call: Mapping[str, Any]) -> tuple[str, str]:
    return call["function"]["name"], call["function"]["arguments"]


def _decision(call: ToolCall, answer: Answer) -> dict[str, Any]:
    decision: dict[str, Any] = {"type": answer.kind}
    if answer.kind == "edit":
        decision["edited_action"] = {"name": call.tool, "args": answer.args}
    elif answer.message is not None:
        decision["message"] = answer.message
    return decision


def _calls(pauses: Sequence[Pause]) -> list[ToolCall]:
    return [call for pause in pauses for call in pause.calls]


def _by_pause(pauses: Sequence[Pause], answers: Sequence[Answer]) -> list[tuple[Pause, list[Answer]]]:
    left = iter(answers)
    return [(pause, [next(left) for _ in pause.calls]) for pause in pauses]


def _refused(pause: Pause, error: ValueError) -> list[Answer]:
    """For arguments that LangGraph did not take: nothing has run. Raises what is another error."""
    if not is_invalid_resume(error):
        raise error
    return [refusal(call, UNFIT) for call in pause.calls]
