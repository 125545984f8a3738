"""The one entry point: collects each feature's commands, loads them only when they are asked for.

A command gets its database from `database()` and raises a Refusal for whatever it cannot do, which ends with one
line on stderr and exit code 1. Wrong usage is click's own, exit code 2.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import IO, TYPE_CHECKING, Any

import click

from .errors import EXIT_REFUSED, Refusal, Unavailable

if TYPE_CHECKING:
    from .config import Settings
    from .db import Database

COMMANDS = {
    "serve": ("reviewqueue.serving:serve", "Serve the pages and the API, with the worker inside."),
    "worker": ("reviewqueue.serving:worker", "Run the recurring jobs alone; any number may run."),
    "migrate": ("reviewqueue.upkeep:migrate", "Bring the database to the newest schema."),
    "demo": ("reviewqueue.demo.commands:demo", "Serve a fresh database with three queues of real outputs."),
    "queue": ("reviewqueue.queues.commands:queue", "Create, update and list queues."),
    "calendar": ("reviewqueue.escalation.commands:calendar", "Publish and list calendars of opening hours."),
    "person": ("reviewqueue.people.commands:person", "Add, list and disable persons."),
    "rotation": ("reviewqueue.oncall.commands:rotation", "Publish and list on-call rotations."),
    "key": ("reviewqueue.people.commands:key", "Create, list and revoke the keys of apps."),
    "signing-key": (
        "reviewqueue.receipts.commands:signing_key",
        "List and rotate the keys that sign receipts.",
    ),
    "subscription": ("reviewqueue.webhooks.commands:subscription", "Send events to apps by webhooks."),
    "items": ("reviewqueue.items.commands:items", "Import and export items."),
    "audit": ("reviewqueue.audit.commands:audit", "Verify the trail."),
    "mcp": ("reviewqueue.adapters.commands:mcp", "Serve the review queue to agents over MCP, on stdio."),
    "backup": ("reviewqueue.upkeep:backup", "Copy the embedded database to a file, while it is in use."),
    "restore": ("reviewqueue.upkeep:restore", "Put a backup in the place of the embedded database."),
    "prune": ("reviewqueue.upkeep:prune", "Remove sessions, keys of repeats and counters that are over."),
    "doctor": ("reviewqueue.upkeep:doctor", "Check the installation and say what to do."),
}
"""Name: where it is, and what `--help` says without loading it."""


class Commands(click.Group):
    """A group whose commands are imported when they are run, so that starting costs what is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, told) for name, (_, told) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Refusal as refusal:
            for line in refused(refusal):
                click.echo(line, err=True)
            ctx.exit(EXIT_REFUSED)


class Input(click.File):
    """A file to read as bytes, `-` for stdin, without the mark that some programs begin UTF-8 with."""

    def __init__(self) -> None:
        super().__init__("rb")

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> IO[bytes]:
        file: Any = super().convert(value, param, ctx)
        read = file if hasattr(file, "peek") else io.BufferedReader(file)
        if read.peek(3).startswith(codecs.BOM_UTF8):
            read.read(3)
        found: IO[bytes] = read
        return found


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="reviewqueue")
def main() -> None:
    """A review desk for AI outputs: policy decides which a human must see, people decide, all of it on the trail.

    Settings come from REVIEWQUEUE_* variables; `reviewqueue doctor` tells which are set.
    """


def settings() -> Settings:
    """Raises Invalid for a setting that does not fit."""
    from .config import load

    return load()


@contextmanager
def database(given: Settings | None = None, *, migrate: bool | None = None) -> Iterator[Database]:
    """The database of the settings, with its schema current: an embedded one is migrated, PostgreSQL never unasked.

    Raises Unavailable when it cannot be reached or its schema is not the newest.
    """
    # All tables, whatever the command loads itself: a row can only be written where what its keys point to is known.
    from . import models  # noqa: F401
    from .db import Database

    given = given or settings()
    db = Database(given.url, base_url=given.address)
    try:
        with reached(db):
            _make_current(db, db.embedded if migrate is None else migrate)
        yield db
    finally:
        db.dispose()


@contextmanager
def reached(db: Database) -> Iterator[None]:
    """Says in one line that the database cannot be reached, where its driver would say it in fifty."""
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except DBAPIError as error:
        where = db.url.render_as_string(hide_password=True)
        why = " ".join(str(error.orig).split())
        raise Unavailable(f"the database {where} cannot be used: {why}") from error


def refused(refusal: Refusal) -> Sequence[str]:
    """The refusal as lines for stderr: one, and one for each fault with a place of its own that it does not tell."""
    told = [f"{fault.pointer}: {fault.detail}" for fault in refusal.faults if fault.pointer]
    faults = [f"  {fault}" for fault in told if fault not in refusal.detail]
    return [f"Error: {refusal.detail}", *faults]


def _make_current(db: Database, migrate: bool) -> None:
    from . import migrating

    if migrating.is_current(db):
        return
    if not migrate:
        raise Unavailable("the database's schema is not the newest; run: reviewqueue migrate")
    migrating.upgrade(db)


if __name__ == "__main__":
    main()
