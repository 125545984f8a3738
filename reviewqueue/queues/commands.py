"""`reviewqueue queue`: the command line's door to queues."""

from __future__ import annotations

from pathlib import Path

import click

from ..cli import database
from ..errors import Invalid
from ..people.access import SYSTEM_CALLER
from . import operations
from .document import QueueDocument, parse
from .operations import Applied


@click.group(short_help="Create and update queues from their documents.")
def queue() -> None:
    """Create and update queues from their documents."""


@queue.command("apply")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
)
def apply_files(files: tuple[Path, ...]) -> None:
    """Create or update a queue from each FILE of YAML or JSON; `-` reads standard input.

    A changed policy becomes the next version, and what changed is printed, with a warning of what is hardly meant.
    All files are checked before the first is applied, so that a mistake in one changes nothing.

    \b
    Example:
      reviewqueue queue apply queues/receipts.yaml queues/invoices.yaml
    """
    documents = [_read(file) for file in files]
    with database() as db:
        for document in documents:
            for line in _told(operations.apply(db, SYSTEM_CALLER, document)):
                click.echo(line)


def _read(file: Path) -> QueueDocument:
    """Raises Invalid, naming the file."""
    with click.open_file(str(file), "rb") as source:
        written = source.read()
    try:
        return parse(written)
    except Invalid as refusal:
        raise Invalid(f"{file}: {refusal.detail}", faults=refusal.faults) from None


def _told(applied: Applied) -> list[str]:
    if applied.created:
        first = f"{applied.queue}: created, policy version {applied.policy_version}"
    elif applied.changes:
        first = f"{applied.queue}: policy version {applied.policy_version}"
    else:
        first = f"{applied.queue}: nothing changed"
    lines = [first, *(f"  {change}" for change in applied.changes)]
    return lines + [f"  warning: {warning}" for warning in applied.warnings]
