"""Commands on items: taking them in from a file, writing them out to one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import click

from ..cli import database, settings
from ..errors import EXIT_REFUSED, Refusal

FILE = click.Path(dir_okay=False, path_type=Path, allow_dash=True)


@click.group()
def items() -> None:
    """Import and export items."""


@items.command("import", epilog="Example: reviewqueue items import items.jsonl --queue receipts")
@click.argument("file", type=click.File("rb"))
@click.option("--queue", help="For the lines that name none.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["ndjson", "csv", "label-studio"]),
    default="ndjson",
    show_default=True,
    help="What FILE holds.",
)
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="COLUMN=FIELD",
    help="CSV: which field a column is, as --column 'Total=output.total'; nothing after the = leaves it out.",
)
@click.option("--delimiter", default=",", show_default=True, help="CSV: between two cells; tab for tabs.")
@click.option("--model-version", help="Label Studio: whose predictions to take, where a task has several.")
@click.pass_context
def import_items(
    ctx: click.Context,
    file: IO[bytes],
    queue: str | None,
    form: str,
    columns: tuple[str, ...],
    delimiter: str,
    model_version: str | None,
) -> None:
    """Take in FILE (- for stdin): one enqueue body a line, as JSON; a table; or Label Studio's tasks.

    Lines that are refused are told by their number and spoil no other. Run it again to go on after a stop: what
    is in already is found, and not taken twice.
    """
    from ..people.callers import SYSTEM_CALLER
    from ..progress import counting
    from . import import_formats
    from .importing import Imported, Record, import_records

    records: Iterator[Record]
    if form == "csv":
        between = "\t" if delimiter == "tab" else delimiter
        records = import_formats.table(file, _mapped(columns), between)
    elif form == "label-studio":
        records = import_formats.label_studio(file, model_version)
    else:
        records = import_formats.ndjson(file)
    done = Imported()
    with database() as db, counting("Importing bytes", _size(file)) as told:
        for done in import_records(db, SYSTEM_CALLER, records, queue=queue):
            for number, refusal in done.refusals:
                click.echo(f"line {number}: {_in_one_line(refusal)}", err=True)
            told(done.bytes, f"{done.lines:,} lines")
    click.echo(f"{done.accepted:,} taken, {done.replayed:,} there already, {done.refused:,} refused")
    if done.refused:
        click.echo("Error: some lines were refused; mend them and import the file again", err=True)
        ctx.exit(EXIT_REFUSED)


def _mapped(columns: tuple[str, ...]) -> dict[str, str]:
    pairs = [column.partition("=") for column in columns]
    if not all(equals for _, equals, _ in pairs):
        raise click.UsageError("a column is mapped as --column 'COLUMN=FIELD'")
    return {name: field for name, _, field in pairs}


@items.command(epilog="Example: reviewqueue items export --queue receipts --format csv --out receipts.csv")
@click.option("--queue", required=True, help="Whose items.")
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True)
@click.option("--out", type=FILE, default="-", show_default=True, help="A file; - is stdout.")
def export(queue: str, form: str, out: Path) -> None:
    """Write out a queue's items with evidence and outcome, the oldest first."""
    from ..people.callers import SYSTEM_CALLER
    from ..progress import counting
    from . import exporting

    base_url = settings().base_url.rstrip("/")
    written: Callable[[Iterator[dict[str, Any]]], Iterator[bytes]]
    written = exporting.as_lines if form == "jsonl" else exporting.as_table
    with database() as db, _opened(out) as file, counting("Exporting") as told:
        for number, line in enumerate(written(exporting.export(db, SYSTEM_CALLER, queue, base_url)), start=1):
            file.write(line)
            told(number, "lines")


@contextmanager
def _opened(out: Path) -> Iterator[IO[bytes]]:
    """The file gets its name when it is whole."""
    if str(out) == "-":
        yield sys.stdout.buffer
        return
    part = out.with_name(f"{out.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


def _size(file: IO[bytes]) -> int | None:
    try:
        return os.fstat(file.fileno()).st_size or None
    except OSError:
        return None


def _in_one_line(refusal: Refusal) -> str:
    faults = "; ".join(f"{fault.pointer} {fault.detail}".strip() for fault in refusal.faults[:5])
    return faults or refusal.detail
