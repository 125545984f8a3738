"""Pydantic AI agents whose deferred tool calls people decide through a queue: approvals, and questions to a person.

    reviews = Reviews(ReviewQueue(), queue="agent-actions")
    result = agent.run_sync("Pay the invoice")
    while isinstance(result.output, DeferredToolRequests):
        results = decided(result.output, reviews, run_id="invoice-17", messages=result.all_messages())
        result = agent.run_sync(message_history=result.all_messages(), deferred_tool_results=results)

The run's id and the calls' own make their external ids: whoever stores the messages and the requests finds the same
items after a restart. Calls that are run outside of the agent are not for people, and are left out of the results.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_jsonable_python

from reviewqueue.client import Item

from .extras import needs
from .reviews import AsyncReviews, Reviews
from .tool_calls import RUN_OR_NOT, Answer, Kind, ToolCall, external_id, said

with needs("pydantic-ai"):
    from pydantic_ai import DeferredToolRequests, DeferredToolResults, RunContext, ToolApproved, ToolDenied
    from pydantic_ai.exceptions import ToolFailed
    from pydantic_ai.messages import ModelMessage, ToolCallPart

ANSWER_OR_NOT: tuple[Kind, ...] = ("respond", "reject")

BY = {
    "system-prompt": "system",
    "user-prompt": "user",
    "text": "assistant",
    "tool-call": "assistant",
    "tool-return": "tool",
}

Handler = Callable[[RunContext[Any], DeferredToolRequests], Awaitable[DeferredToolResults]]


def decided(
    requests: DeferredToolRequests,
    reviews: Reviews,
    *,
    run_id: str,
    messages: Sequence[ModelMessage] = (),
) -> DeferredToolResults:
    """What people decided on the requests, to run the agent on with.

    Raises the client's NotYet where people take longer than `reviews` waits: the same call again goes on waiting.
    """
    asked = _Asked.of(requests, run_id, messages)
    return asked.results(reviews.answers(asked.calls))


def submit(
    requests: DeferredToolRequests, reviews: Reviews, *, run_id: str, messages: Sequence[ModelMessage] = ()
) -> list[Item]:
    """Enqueues the requests without waiting for them. Again it finds the same items."""
    return reviews.submit(_Asked.of(requests, run_id, messages).calls)


async def adecided(
    requests: DeferredToolRequests,
    reviews: AsyncReviews,
    *,
    run_id: str,
    messages: Sequence[ModelMessage] = (),
) -> DeferredToolResults:
    """As `decided`."""
    asked = _Asked.of(requests, run_id, messages)
    return asked.results(await reviews.answers(asked.calls))


async def asubmit(
    requests: DeferredToolRequests,
    reviews: AsyncReviews,
    *,
    run_id: str,
    messages: Sequence[ModelMessage] = (),
) -> list[Item]:
    """As `submit`."""
    return await reviews.submit(_Asked.of(requests, run_id, messages).calls)


def handler(reviews: AsyncReviews) -> Handler:
    """For the capability `HandleDeferredToolCalls`: the run itself waits, and nothing has to be resumed."""

    async def decide(context: RunContext[Any], requests: DeferredToolRequests) -> DeferredToolResults:
        run_id = context.conversation_id or context.run_id or ""
        return await adecided(requests, reviews, run_id=run_id, messages=context.messages)

    return decide


@dataclass(frozen=True, slots=True)
class _Asked:
    """The requests that are for people, approvals first, each in its order."""

    requests: DeferredToolRequests
    parts: Sequence[ToolCallPart]
    calls: Sequence[ToolCall]

    @classmethod
    def of(cls, requests: DeferredToolRequests, run_id: str, messages: Sequence[ModelMessage]) -> _Asked:
        questions = [part for part in requests.calls if requests.kind(part.tool_call_id) == "question"]
        conversation = [told for message in messages for told in _told(message)]
        parts = [*requests.approvals, *questions]
        calls = [
            ToolCall(
                external_id=external_id("pydantic-ai", run_id, part.tool_call_id),
                tool=part.tool_name,
                args=part.args_as_dict(),
                conversation=conversation,
                allowed=ANSWER_OR_NOT if place >= len(requests.approvals) else RUN_OR_NOT,
            )
            for place, part in enumerate(parts)
        ]
        return cls(requests, parts, calls)

    def results(self, answers: Sequence[Answer]) -> DeferredToolResults:
        by_id = {part.tool_call_id: _result(a) for part, a in zip(self.parts, answers, strict=True)}
        approvals = [part.tool_call_id for part in self.requests.approvals]
        return self.requests.build_results(
            approvals={name: by_id.pop(name) for name in approvals},
            calls={name: _answered(result) for name, result in by_id.items()},
        )


def _result(answer: Answer) -> Any:
    match answer.kind:
        case "approve":
            return ToolApproved()
        case "edit":
            return ToolApproved(override_args=answer.args)
        case "respond":
            return answer.message
        case _:
            return ToolDenied(answer.message) if answer.message else ToolDenied()


def _answered(result: Any) -> Any:
    """A question is not run, and so it cannot be denied: it fails."""
    return ToolFailed(result.message) if isinstance(result, ToolDenied) else result


def _told(message: ModelMessage) -> list[str]:
    """The parts of a message that a person can judge by."""
    return [
        said(BY.get(part.part_kind, part.part_kind), _content(part), _called(part))
        for part in message.parts
        if _content(part) is not None or _called(part)
    ]


def _content(part: Any) -> Any:
    return to_jsonable_python(getattr(part, "content", None), fallback=str)


def _called(part: Any) -> list[tuple[str, Any]]:
    return [(part.tool_name, part.args_as_dict())] if isinstance(part, ToolCallPart) else []
