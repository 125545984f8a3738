"""`reviewqueue subscription`: the command line's door to webhooks."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click

from .. import cli
from ..db import Database
from ..errors import NotFound
from ..people.access import SYSTEM_CALLER
from ..people.forms import read
from ..people.tables import print_table
from . import operations, queries, replaying
from .delivery import sender_of
from .forms import NewSubscription, Replay, Rotation
from .signing import Seal


@click.group(short_help="Send events to apps by webhooks.")
def subscription() -> None:
    """Send events to apps by webhooks: where, which, and what became of them."""


@subscription.command(
    "add",
    epilog="Example: reviewqueue subscription add --name books --url https://books.example.org/hook "
    "--type item.accepted --type item.edited --type item.rejected --queue receipts",
)
@click.option("--name", required=True, help="Which app it is for.")
@click.option("--url", required=True, help="Where events are sent: https, or a network that you allow.")
@click.option("--type", "types", multiple=True, help="Event type, or item.*; repeatable. Left out: item.*.")
@click.option("--queue", "queues", multiple=True, help="Repeatable; left out: all queues.")
@click.option("--waits-for-undo", is_flag=True, help="Send decisions only once they cannot be undone.")
def add(name: str, url: str, types: Sequence[str], queues: Sequence[str], waits_for_undo: bool) -> None:
    """Make a subscription and print its secret, alone, on stdout: it is never shown again."""
    given: dict[str, Any] = {"name": name, "url": url, "queues": list(queues) or None}
    form = read(NewSubscription, {**given, "waits_for_undo": waits_for_undo, **_if_any(types=list(types))})
    settings = cli.settings()
    with cli.database(settings) as db:
        made = operations.subscribe(db, SYSTEM_CALLER, form, settings.guard, Seal(settings.secret_key))
    click.echo(f"The subscription {form.name} has the id {made.id}. Its secret:", err=True)
    click.echo(made.secret)


@subscription.command("list", epilog="Example: reviewqueue subscription list")
def list_all() -> None:
    """List subscriptions, and what became of the last 30 days' deliveries."""
    with cli.database() as db:
        rows = queries.subscriptions(db, SYSTEM_CALLER)
    print_table(
        ("ID", "NAME", "URL", "TYPES", "QUEUES", "STATE", "WAITING", "ARRIVED", "FAILED"),
        [_cells(row) for row in rows],
    )


@subscription.command(
    "deliveries", epilog="Example: reviewqueue subscription deliveries books --state failed"
)
@click.argument("name_or_id")
@click.option("--state", type=click.Choice(queries.STATES), help="Only those.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
def deliveries(name_or_id: str, state: str | None, limit: int) -> None:
    """List the newest deliveries with what became of their last attempt."""
    with cli.database() as db:
        found = _find(db, name_or_id)
        page = queries.deliveries(db, SYSTEM_CALLER, found, queries.Wanted(state), limit=limit)
    print_table(
        ("ID", "MADE", "TYPE", "ITEM", "STATE", "ATTEMPTS", "LAST ANSWER"), [_line(row) for row in page.rows]
    )


@subscription.command("pause", epilog="Example: reviewqueue subscription pause books")
@click.argument("name_or_id")
def pause(name_or_id: str) -> None:
    """Keep what happens from now on waiting."""
    with cli.database() as db:
        operations.pause(db, SYSTEM_CALLER, _find(db, name_or_id))
    click.echo(f"{name_or_id} is paused.", err=True)


@subscription.command("resume", epilog="Example: reviewqueue subscription resume books")
@click.argument("name_or_id")
def resume(name_or_id: str) -> None:
    """Send again, after a pause or after it was disabled."""
    with cli.database() as db:
        operations.resume(db, SYSTEM_CALLER, _find(db, name_or_id))
    click.echo(f"{name_or_id} is active. What failed is sent again by: replay", err=True)


@subscription.command("rotate", epilog="Example: reviewqueue subscription rotate books --overlap-hours 48")
@click.argument("name_or_id")
@click.option("--overlap-hours", default=24, show_default=True, type=click.IntRange(0, 720))
@click.option(
    "--end-overlap", is_flag=True, help="Also while an earlier secret still signs: it stops at once."
)
def rotate(name_or_id: str, overlap_hours: int, end_overlap: bool) -> None:
    """Make a new secret and print it, alone, on stdout; the old one signs beside it for a while."""
    settings = cli.settings()
    with cli.database(settings) as db:
        made = operations.rotate(
            db,
            SYSTEM_CALLER,
            _find(db, name_or_id),
            Rotation(overlap_hours=overlap_hours, end_overlap=end_overlap),
            Seal(settings.secret_key),
        )
    click.echo(made.secret)


@subscription.command("revoke", epilog="Example: reviewqueue subscription revoke books")
@click.argument("name_or_id")
def revoke(name_or_id: str) -> None:
    """End a subscription at once and for good."""
    with cli.database() as db:
        operations.revoke(db, SYSTEM_CALLER, _find(db, name_or_id))
    click.echo(f"{name_or_id} is revoked.", err=True)


@subscription.command("test", epilog="Example: reviewqueue subscription test books")
@click.argument("name_or_id")
@click.pass_context
def test(ctx: click.Context, name_or_id: str) -> None:
    """Send a test event now and tell what became of it."""
    settings = cli.settings()
    with cli.database(settings) as db:
        made = operations.send_test(db, SYSTEM_CALLER, _find(db, name_or_id), sender_of(settings))
    click.echo(f"{made.error or f'answered {made.status}'}, after {made.seconds:.2f} s", err=True)
    if made.status is None or not 200 <= made.status < 300:
        ctx.exit(1)


@subscription.command(
    "replay", epilog="Example: reviewqueue subscription replay books --since 2026-03-01T00:00Z"
)
@click.argument("name_or_id")
@click.option("--delivery", "ids", multiple=True, type=click.UUID, help="These alone; repeatable.")
@click.option(
    "--since", help="Made at or after this time, such as 2026-03-01T00:00Z; UTC where it names no zone."
)
@click.option("--until", help="Made before this time.")
@click.option("--state", type=click.Choice(["failed", "arrived", "any"]), default="failed", show_default=True)
def replay(
    name_or_id: str, ids: Sequence[uuid.UUID], since: str | None, until: str | None, state: str
) -> None:
    """Send deliveries again: those named, a range, or all that failed within 30 days."""
    given = {"state": state, **_if_any(deliveries=list(ids), since=_moment(since), until=_moment(until))}
    with cli.database() as db:
        count = replaying.replay(db, SYSTEM_CALLER, _find(db, name_or_id), read(Replay, given))
    click.echo(f"{count:,} deliveries are sent again.", err=True)


def _find(db: Database, name_or_id: str) -> uuid.UUID:
    """The one of that id or name. Raises NotFound."""
    matching = [
        row.subscription.id
        for row in queries.subscriptions(db, SYSTEM_CALLER)
        if name_or_id in (str(row.subscription.id), row.subscription.name)
        and row.subscription.state != "revoked"
    ]
    if len(matching) != 1:
        why = "There are several; name its id" if matching else "There is no such subscription"
        raise NotFound(f"{why}: reviewqueue subscription list.")
    return matching[0]


def _cells(row: queries.SubscriptionRow) -> Sequence[str]:
    one = row.subscription
    counts = (str(row.counts[state]) for state in ("waiting", "arrived", "failed"))
    state = "failing" if row.is_failing else one.state
    return (
        str(one.id),
        one.name,
        one.url,
        ",".join(one.types),
        "all" if one.queues is None else ",".join(one.queues),
        state,
        *counts,
    )


def _line(row: queries.DeliveryRow) -> Sequence[str]:
    last = row.attempts[-1] if row.attempts else None
    answer = "-" if last is None else last.error or str(last.status)
    one = row.delivery
    return (
        str(one.id), _when(one.created_at), row.announcement.type, row.announcement.title or "-", one.state,
        str(one.attempts), answer,
    )  # fmt: skip


def _when(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(text: str | None) -> datetime | None:
    """Raises click's own error for what is no time."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text} is no time such as 2026-03-01T00:00Z") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def _if_any(**given: Any) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value}
