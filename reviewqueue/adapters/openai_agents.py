"""Agents of the OpenAI Agents SDK whose tool approvals people give through a queue.

    reviews = AsyncReviews(AsyncReviewQueue(), queue="agent-actions")
    agent = Agent(name="books", tools=[gated(pay)])
    result = await openai_agents.run(agent, "Pay the invoice", reviews, run_id="invoice-17")

A run that waits is a `RunState`, which the app may store as a string. The run's id and the calls' own make their
external ids: `resume` on the stored state finds the same items, in this process or another.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

from reviewqueue.client import Item

from .extras import needs
from .reviews import AsyncReviews
from .tool_calls import RUN_OR_NOT, Answer, Kind, ToolCall, external_id, said

with needs("openai-agents"):
    from agents import Agent, FunctionTool, Runner, RunResult, RunState, ToolApprovalItem
    from agents.tool_context import ToolContext

APPROVE_OR_NOT: tuple[Kind, ...] = ("approve", "reject")
SPOKEN = {"message_output_item", "tool_call_item", "tool_call_output_item"}

_released: ContextVar[Mapping[str, Answer]] = ContextVar("released")
"""By the calls' ids, what may run in the current run."""


def gated(tool: FunctionTool) -> FunctionTool:
    """The tool, such that every call needs approval, a reviewer may change its arguments, and nothing else runs it.

    Without it an approval is yes or no: the SDK itself knows no changed arguments.
    """
    return replace(tool, needs_approval=True, on_invoke_tool=_Gate(tool))


async def run(
    agent: Agent[Any], input: Any, reviews: AsyncReviews, *, run_id: str, **options: Any
) -> RunResult:
    """Runs the agent to its end, with every approval that it asks for decided in the queue.

    `options` are `Runner.run`'s. A NotYet loses the run: where `reviews` has a timeout, use `resume` on a stored state.
    """
    result = await Runner.run(agent, input, **options)
    while result.interruptions:
        result = await resume(agent, result.to_state(), reviews, run_id=run_id, **options)
    return result


async def resume(
    agent: Agent[Any],
    state: RunState[Any, Any],
    reviews: AsyncReviews,
    *,
    run_id: str,
    **options: Any,
) -> RunResult:
    """Goes on until the agent ends or asks again: store the new state then, before resuming once more.

    Raises the client's NotYet where people take longer than `reviews` waits; the state is then as it was.
    """
    asked = state.get_interruptions()
    calls = _calls(state, asked, run_id)
    answers = await reviews.answers(calls)
    for approval, answer in zip(asked, answers, strict=True):
        if answer.kind == "reject":
            state.reject(approval, rejection_message=answer.message)
        else:
            state.approve(approval)
    with _releasing(asked, answers):
        return await Runner.run(agent, state, **options)


async def submit(state: RunState[Any, Any], reviews: AsyncReviews, *, run_id: str) -> list[Item]:
    """Enqueues what the run waits for, without waiting for it. Again it finds the same items."""
    return await reviews.submit(_calls(state, state.get_interruptions(), run_id))


class _Gate:
    """Runs what was released, with the arguments that were decided on."""

    def __init__(self, tool: FunctionTool) -> None:
        self._tool = tool

    async def __call__(self, context: ToolContext[Any], arguments: str) -> Any:
        answer = _released.get({}).get(context.tool_call_id)
        if answer is None:
            # Approved elsewhere, or in a run that was stopped: what was decided is not known here.
            return "Not run: no decision of the review queue is at hand for this call."
        if answer.kind != "edit":
            return await self._tool.on_invoke_tool(context, arguments)
        edited = json.dumps(answer.args, ensure_ascii=False)
        result = await self._tool.on_invoke_tool(context, edited)
        return (
            f"A reviewer changed the arguments to {edited}. Result: {result}"
            if isinstance(result, str)
            else result
        )


def _calls(state: RunState[Any, Any], asked: Sequence[ToolApprovalItem], run_id: str) -> list[ToolCall]:
    conversation = _conversation(state)
    return [
        ToolCall(
            external_id=external_id("openai-agents", run_id, approval.call_id or place),
            tool=approval.qualified_name or approval.name or "unknown",
            args=_arguments(approval),
            conversation=conversation,
            allowed=RUN_OR_NOT if _is_gated(approval) else APPROVE_OR_NOT,
        )
        for place, approval in enumerate(asked)
    ]


def _arguments(approval: ToolApprovalItem) -> dict[str, Any]:
    """What the model wrote, which need not be an object or JSON at all."""
    written = approval.arguments or "{}"
    try:
        arguments = json.loads(written)
    except ValueError:
        return {"not_json": written}
    return arguments if isinstance(arguments, dict) else {"not_an_object": arguments}


def _is_gated(approval: ToolApprovalItem) -> bool:
    tools = getattr(approval.agent, "tools", ())
    named = (tool for tool in tools if isinstance(tool, FunctionTool) and tool.name == approval.name)
    return any(isinstance(tool.on_invoke_tool, _Gate) for tool in named)


def _conversation(state: RunState[Any, Any]) -> list[str]:
    """From the state's own JSON, which is the same before and after it was stored."""
    document = state.to_json(context_serializer=lambda _: {})
    given = document["original_input"]
    before = [{"role": "user", "content": given}] if isinstance(given, str) else given
    since = [item["raw_item"] for item in document["generated_items"] if item["type"] in SPOKEN]
    return [_told(message) for message in (*before, *since)]


def _told(message: Mapping[str, Any]) -> str:
    if "arguments" in message:
        return said("assistant", None, [(message.get("name") or "tool", message["arguments"])])
    if "output" in message:
        return said("tool", message["output"])
    content = message.get("content")
    if isinstance(content, list) and all("text" in part for part in content):
        content = "\n".join(part["text"] for part in content)
    return said(message.get("role") or "assistant", content)


@contextmanager
def _releasing(asked: Sequence[ToolApprovalItem], answers: Sequence[Answer]) -> Iterator[None]:
    decided = zip(asked, answers, strict=True)
    token = _released.set({call.call_id: a for call, a in decided if call.call_id and a.kind != "reject"})
    try:
        yield
    finally:
        _released.reset(token)
