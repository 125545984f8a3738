"""The command that serves the review queue to agents over MCP."""

from __future__ import annotations

import click

from ..errors import Unavailable


@click.command(epilog="Example: REVIEWQUEUE_KEY=rq_... reviewqueue mcp --url https://review.example.org")
@click.option(
    "--url", envvar="REVIEWQUEUE_URL", required=True, help="Where reviewqueue is. [REVIEWQUEUE_URL]"
)
@click.option("--queue", help="For submissions that name none.")
def mcp(url: str, queue: str | None) -> None:
    """Serve tools to submit, check, wait and withdraw to an agent, as an MCP server on stdin and stdout.

    The app's key comes from REVIEWQUEUE_KEY: what it may do, the agent may do.
    """
    import anyio

    from ..client import NotConfigured
    from .extras import MissingExtra

    try:
        from .mcp import serve

        anyio.run(serve, url, queue)
    except (MissingExtra, NotConfigured) as error:
        raise Unavailable(str(error)) from error
