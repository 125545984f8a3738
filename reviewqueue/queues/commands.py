"""`reviewqueue queue`: the command line's door to queues."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import click
import yaml

from ..adapters.a2i import Fields, carry_over
from ..cli import Input, database
from ..errors import Invalid, NotJson
from ..people.access import SYSTEM_CALLER
from ..people.tables import print_table
from ..web.strict_json import loads
from . import operations, queries
from .document import QueueDocument, parse
from .operations import Applied

A2I = Fields()


@click.group(short_help="Create, update and list queues.")
def queue() -> None:
    """Create and update queues from their documents, and list them."""


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


@queue.command("list", epilog="Example: reviewqueue queue list")
def list_queues() -> None:
    """List all queues: stage, policy version in force, and how many items wait for people."""
    with database() as db:
        found = queries.queues_with_waiting(db, SYSTEM_CALLER)
    rows = [(row.name, row.title, row.stage, str(row.policy_version), f"{n:,}") for row, n in found]
    print_table(("NAME", "TITLE", "STAGE", "POLICY", "WAITING"), rows)


@queue.command("import-a2i")
@click.argument("file", type=Input())
@click.option("--queue", "name", required=True, help="The queue that the document is for.")
@click.option("--key-field", default=A2I.key, show_default=True, help="Where an item has a key's value.")
@click.option("--confidence-field", default=A2I.confidence, show_default=True, help="Its confidence.")
@click.option("--word-field", default=A2I.word, show_default=True, help="The lowest confidence of its words.")
@click.option("--fractions", is_flag=True, help="These confidences go from 0 to 1, not to 100.")
def import_a2i(
    file: IO[bytes], name: str, key_field: str, confidence_field: str, word_field: str, fractions: bool
) -> None:
    """Turn Amazon A2I's activation conditions in FILE into a queue's document, on stdout.

    FILE is the JSON of HumanLoopActivationConditions, or a flow definition with it; - reads standard input. What is
    not the same, and what a policy cannot say, is told on stderr and in the document's first lines.

    \b
    Example:
      reviewqueue queue import-a2i conditions.json --queue forms > forms.yaml
    """
    carried = carry_over(_conditions(file), Fields(key_field, confidence_field, word_field, not fractions))
    document = {"queue": name, "policy": carried.policy()}
    parse(document)
    told = [f"note: {note}" for note in carried.notes]
    told += [f"left out: {what}" for what in carried.left_out]
    for line in told:
        click.echo(f"# {line}")
        click.echo(line, err=True)
    click.echo(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110), nl=False)


def _conditions(file: IO[bytes]) -> Any:
    """Raises NotJson, saying what the file should hold."""
    try:
        return loads(file.read())
    except NotJson as refusal:
        raise NotJson(
            f"The conditions cannot be read: {refusal.detail} "
            "Give them as JSON in UTF-8, alone or in a flow definition."
        ) from None


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
