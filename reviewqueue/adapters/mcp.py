"""An MCP server through which any agent submits outputs for review, checks on them, waits and withdraws."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Annotated, Any

from pydantic import BaseModel, Field

from reviewqueue.client import AsyncReviewQueue, Item, NotYet, ReviewQueueError

from .extras import needs

with needs("mcp"):
    from mcp.server.mcpserver import MCPServer
    from mcp.server.mcpserver.exceptions import ToolError
    from mcp_types import ToolAnnotations

INSTRUCTIONS = """\
People review what you submit here. Act on an output only once its outcome is released: use the outcome's output, which
a reviewer may have changed, and never the one that you submitted. Rejected or withdrawn means: do not act.
"""

LONGEST_WAIT = 300
"""Seconds. A person may take hours; ask again."""

READS = ToolAnnotations(read_only_hint=True, open_world_hint=True)
SUBMITS = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=True)
WITHDRAWS = ToolAnnotations(
    read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=True
)

ItemId = Annotated[str, Field(description="The item's id, as submit_for_review answered it.")]


class Decided(BaseModel):
    """What may be acted on."""

    released: bool = Field(description="Whether the output may be used. If false, do not act.")
    verdict: str = Field(description="accept, edit, reject or withdrawn")
    by: str = Field(description="person, policy, fallback (nobody decided in time) or app")
    output: Any = Field(description="What to use in place of what was submitted.")
    reason: str | None
    comment: str | None
    receipt: str | None


class Review(BaseModel):
    """How an item stands."""

    id: str
    state: str
    lane: str = Field(description="autonomous: no human is asked")
    url: str = Field(description="The item's page, for people.")
    outcome: Decided | None = Field(description="Null while people have not decided.")

    @classmethod
    def of(cls, item: Item) -> Review:
        outcome = item.outcome
        decided = outcome and Decided(
            released=outcome.released,
            verdict=outcome.verdict,
            by=outcome.by,
            output=outcome.output if outcome.released else None,
            reason=outcome.reason,
            comment=outcome.comment,
            receipt=outcome.receipt,
        )
        return cls(id=item.id, state=item.state, lane=item.lane, url=item.url, outcome=decided or None)


def server(client: AsyncReviewQueue, queue: str | None = None) -> MCPServer[Any]:
    """The server, on whatever the client's key may do; `queue` is for submissions that name none."""
    made: MCPServer[Any] = MCPServer(
        "reviewqueue",
        version=version("reviewqueue"),
        title="Human review",
        instructions=INSTRUCTIONS,
        log_level="WARNING",
    )
    desk = _Desk(client, queue)
    made.tool(title="Submit for review", annotations=SUBMITS)(desk.submit_for_review)
    made.tool(title="Check a review", annotations=READS)(desk.check_review)
    made.tool(title="Wait for a review", annotations=READS)(desk.wait_for_review)
    made.tool(title="Withdraw from review", annotations=WITHDRAWS)(desk.withdraw_review)
    return made


class _Desk:
    """The tools; what their docstrings say is what a model reads."""

    def __init__(self, client: AsyncReviewQueue, queue: str | None) -> None:
        self._client = client
        self._queue = queue

    async def submit_for_review(
        self,
        input: Annotated[Any, Field(description="What the output was made from: any JSON.")],
        output: Annotated[Any, Field(description="What you propose; null asks a person to answer.")] = None,
        queue: Annotated[str | None, Field(description="Whose desk it goes to.")] = None,
        external_id: Annotated[
            str | None, Field(description="Your own name for it: submitting it again has no second effect.")
        ] = None,
        confidence: Annotated[
            float | None, Field(ge=0, le=1, description="Without one a human looks.")
        ] = None,
        explanation: Annotated[str | None, Field(description="Why you propose this.")] = None,
        flags: Annotated[list[str] | None, Field(description="What a reviewer should mind.")] = None,
        tags: dict[str, str] | None = None,
    ) -> Review:
        """Submit an output for human review. Its outcome may be there at once; else wait_for_review."""
        named = queue or self._queue
        if named is None:
            raise ToolError("name a queue")
        optional = {"external_id": external_id, "confidence": confidence, "explanation": explanation}
        given = {**optional, "flags": flags, "tags": tags}
        with _told_to_the_model():
            evidence: Any = {name: value for name, value in given.items() if value is not None}
            item = await self._client.submit(named, input, output=output, **evidence)
            # Reading ends the time in which who decided may undo it; what submit shows may still be undone.
            return Review.of(await self._client.item(item.id) if item.outcome else item)

    async def check_review(self, id: ItemId) -> Review:
        """How an item stands now, without waiting."""
        with _told_to_the_model():
            return Review.of(await self._client.item(id))

    async def wait_for_review(
        self, id: ItemId, seconds: Annotated[float, Field(ge=0, le=LONGEST_WAIT)] = 30
    ) -> Review:
        """Wait for people to decide. While the outcome is null, go on with something else and ask again later."""
        with _told_to_the_model():
            try:
                await self._client.wait(id, timeout=seconds)
            except NotYet as waiting:
                return Review.of(waiting.item)
            return Review.of(await self._client.item(id))

    async def withdraw_review(
        self,
        id: ItemId,
        reason: Annotated[str | None, Field(description="Why nobody needs to decide any more.")] = None,
    ) -> Review:
        """Take an item back that is no longer needed, so that nobody spends time on it."""
        with _told_to_the_model():
            return Review.of(await self._client.withdraw(id, reason))


@contextmanager
def _told_to_the_model() -> Iterator[None]:
    """What the server refuses is for the model to read; it would else be told of a crash without a word of why."""
    try:
        yield
    except ReviewQueueError as error:
        raise ToolError(str(error)) from error


async def serve(url: str, queue: str | None) -> None:
    """Serves on stdin and stdout until they end. Raises NotConfigured without a key."""
    async with AsyncReviewQueue(url) as client:
        await server(client, queue).run_stdio_async()
