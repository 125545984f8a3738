"""The MCP server as real MCP clients use it: in memory, and as a command over stdio."""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from click.testing import CliRunner
from mcp import Client, StdioServerParameters

from reviewqueue.adapters import mcp
from reviewqueue.cli import main
from reviewqueue.errors import Refusal

from .desk import QUEUE, Desk

Call = Callable[..., Awaitable[dict[str, Any]]]
Story = Callable[[Call], Awaitable[None]]


def call_with(client: Client) -> Call:
    async def call(name: str, **arguments: Any) -> dict[str, Any]:
        result = await client.call_tool(name, arguments)
        if result.is_error:
            (said,) = result.content
            raise Refused(getattr(said, "text", ""))
        assert result.structured_content is not None
        return dict(result.structured_content)

    return call


class Refused(Exception):
    """What a model is told when a tool fails."""


def play(desk: Desk, story: Story) -> None:
    """The story with a server in memory, which submits to the desk's queue."""

    async def played() -> None:
        async with desk.async_client() as reviews, Client(mcp.server(reviews, QUEUE)) as client:
            await story(call_with(client))

    asyncio.run(played())


def test_it_says_which_version_it_is(desk: Desk) -> None:
    async def version() -> str:
        async with desk.async_client() as reviews, Client(mcp.server(reviews, QUEUE)) as client:
            return client.server_info.version if client.server_info else ""

    assert asyncio.run(version()) == importlib.metadata.version("reviewqueue")


def test_submit_wait_and_act_on_what_was_released(desk: Desk) -> None:
    async def story(call: Call) -> None:
        item = await call(
            "submit_for_review", input={"mail": "Hello"}, output="Hi.", explanation="It is polite."
        )
        assert (item["state"], item["outcome"]) == ("pending", None)
        assert item["url"].endswith(item["id"])
        assert (await call("wait_for_review", id=item["id"], seconds=0))["outcome"] is None
        desk.decide(item["id"], "edit", output="Good day.")
        outcome = (await call("wait_for_review", id=item["id"], seconds=5))["outcome"]
        assert (outcome["released"], outcome["verdict"], outcome["output"]) == (True, "edit", "Good day.")
        assert outcome["by"] == "person"

    play(desk, story)


def test_a_rejected_output_is_not_shown_as_something_to_use(desk: Desk) -> None:
    async def story(call: Call) -> None:
        item = await call("submit_for_review", input={}, output="Hi.", queue=QUEUE)
        desk.decide(item["id"], "reject", reason="too-much", comment="No.")
        outcome = (await call("check_review", id=item["id"]))["outcome"]
        assert (outcome["released"], outcome["output"], outcome["comment"]) == (False, None, "No.")

    play(desk, story)


def test_the_same_external_id_is_the_same_item(desk: Desk) -> None:
    async def story(call: Call) -> None:
        said = {"input": {}, "output": "Hi.", "external_id": "mail-1"}
        first = await call("submit_for_review", **said)
        assert (await call("submit_for_review", **said))["id"] == first["id"]
        with pytest.raises(Refused, match="mail-1"):
            await call("submit_for_review", **{**said, "output": "Ho."})

    play(desk, story)


def test_an_outcome_that_a_model_reads_can_no_longer_be_undone(desk: Desk) -> None:
    async def story(call: Call) -> None:
        said = {"input": {}, "output": "Hi.", "external_id": "mail-2"}
        item = await call("submit_for_review", **said)
        desk.decide(item["id"])
        assert (await call("submit_for_review", **said))["outcome"]["released"]
        with pytest.raises(Refusal):
            desk.undo(item["id"])

    play(desk, story)


def test_policy_that_trusts_an_output_releases_it_at_once(desk: Desk) -> None:
    async def story(call: Call) -> None:
        item = await call(
            "submit_for_review", input={}, output="Hi.", confidence=0.95, flags=["x"], tags={"a": "b"}
        )
        assert item["lane"] == "autonomous"
        assert item["outcome"]["by"] == "policy"

    play(desk, story)


def test_withdrawing_spares_the_people_the_work(desk: Desk) -> None:
    async def story(call: Call) -> None:
        item = await call("submit_for_review", input={}, output="Hi.")
        gone = await call("withdraw_review", id=item["id"], reason="sent otherwise")
        assert (gone["state"], gone["outcome"]["released"]) == ("withdrawn", False)

    play(desk, story)


def test_refusals_tell_the_model_what_is_wrong(desk: Desk) -> None:
    async def story(call: Call) -> None:
        with pytest.raises(Refused, match="no such queue"):
            await call("submit_for_review", input={}, output="Hi.", queue="elsewhere")
        with pytest.raises(Refused, match="no such item"):
            await call("check_review", id="0190a0a0-0000-7000-8000-000000000000")

    play(desk, story)


def test_without_a_queue_of_its_own_it_asks_for_one(desk: Desk) -> None:
    async def story() -> None:
        async with desk.async_client() as reviews, Client(mcp.server(reviews)) as client:
            with pytest.raises(Refused, match="name a queue"):
                await call_with(client)("submit_for_review", input={}, output="Hi.")

    asyncio.run(story())


def test_the_tools_say_what_they_do(desk: Desk) -> None:
    async def story() -> None:
        async with desk.async_client() as reviews, Client(mcp.server(reviews)) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert set(tools) == {"submit_for_review", "check_review", "wait_for_review", "withdraw_review"}
            assert all(tool.description and tool.output_schema for tool in tools.values())
            assert "never the one that you submitted" in (client.instructions or "")

    asyncio.run(story())


def test_the_command_serves_on_stdio(desk: Desk) -> None:
    command = StdioServerParameters(
        command=sys.executable,
        args=["-m", "reviewqueue.cli", "mcp", "--queue", QUEUE],
        env={**os.environ, "REVIEWQUEUE_URL": desk.url, "REVIEWQUEUE_KEY": desk.key},
    )

    async def story() -> None:
        async with Client(command) as client:
            call = call_with(client)
            item = await call("submit_for_review", input={}, output="Hi.")
            desk.decide(item["id"])
            waited = await call("wait_for_review", id=item["id"])
            assert waited["outcome"]["output"] == "Hi."

    asyncio.run(story())


def test_the_command_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REVIEWQUEUE_KEY", raising=False)
    result = CliRunner().invoke(main, ["mcp", "--url", "http://127.0.0.1:9"])
    assert (result.exit_code, "REVIEWQUEUE_KEY" in result.stderr) == (1, True)
