"""Commands on items: taking them in from a file, writing them out to one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from ..cli import Input, database, settings
from ..errors import EXIT_REFUSED, Invalid, Refusal

if TYPE_CHECKING:
    from ..config import Settings
    from ..db import Database

FILE = click.Path(dir_okay=False, path_type=Path, allow_dash=True)


@click.group()
def items() -> None:
    """Import and export items."""


@items.command("import", epilog="Example: reviewqueue items import items.jsonl --queue receipts")
@click.argument("file", type=Input())
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
        records = import_formats.table(file, _mapped(columns), _delimiter(delimiter))
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


def _delimiter(given: str) -> str:
    if given == "tab":
        return "\t"
    if len(given) != 1 or given in '"\r\n':
        raise click.UsageError("a delimiter is one character, as --delimiter ';', or tab")
    return given


def _mapped(columns: tuple[str, ...]) -> dict[str, str]:
    pairs = [column.partition("=") for column in columns]
    if not all(equals for _, equals, _ in pairs):
        raise click.UsageError("a column is mapped as --column 'COLUMN=FIELD'")
    return {name: field for name, _, field in pairs}


@items.command(epilog="Example: reviewqueue items export --queue receipts --format csv --out receipts.csv")
@click.option("--queue", required=True, help="Whose items.")
@click.option(
    "--what",
    type=click.Choice(["items", "outputs", "preferences"]),
    default="items",
    show_default=True,
    help="All items; or for training, redacted: what people accepted or edited, or pairs of edits.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "csv", "parquet", "label-studio"]),
    default="jsonl",
    show_default=True,
)
@click.option(
    "--test-share",
    type=click.FloatRange(0, 1),
    default=0.1,
    show_default=True,
    help="For training: the share of inputs that are kept for testing.",
)
@click.option("--out", type=FILE, default="-", show_default=True, help="A file; - is stdout.")
def export(queue: str, what: str, form: str, test_share: float, out: Path) -> None:
    """Write out a queue's items with evidence and outcome, or its decisions for training, the oldest first."""
    from ..progress import counting
    from . import tables
    from .parquet import write_parquet

    if form == "label-studio" and what != "items":
        raise click.UsageError("--format label-studio writes items")
    if form == "parquet" and str(out) == "-":
        raise click.UsageError("--format parquet needs --out FILE")
    columns = {"items": tables.ITEMS, "outputs": tables.OUTPUTS, "preferences": tables.PREFERENCES}[what]
    given = settings()
    with database(given) as db, _opened(out) as file, counting("Exporting") as told:
        rows = _counted(_exported(db, given, queue, what, test_share), told)
        if form == "parquet":
            write_parquet(rows, columns, file)
            return
        lines = tables.label_studio(rows) if form == "label-studio" else tables.lines(rows)
        for line in tables.table(rows, columns) if form == "csv" else lines:
            file.write(line)


def _exported(
    db: Database, given: Settings, queue: str, what: str, test_share: float
) -> Iterator[dict[str, Any]]:
    from ..people.callers import SYSTEM_CALLER
    from . import exporting, training
    from .receipts import receipts_of

    base_url = given.base_url.rstrip("/")
    if what == "outputs":
        return training.outputs(db, SYSTEM_CALLER, queue, base_url, test_share)
    if what == "preferences":
        return training.preferences(db, SYSTEM_CALLER, queue, base_url, test_share)
    return exporting.export(db, SYSTEM_CALLER, queue, base_url, receipts_of(given, db))


def _counted(rows: Iterator[dict[str, Any]], told: Callable[[int, str], None]) -> Iterator[dict[str, Any]]:
    for number, row in enumerate(rows, start=1):
        yield row
        told(number, "rows")


@contextmanager
def _opened(out: Path) -> Iterator[IO[bytes]]:
    """The file gets its name when it is whole. Raises Invalid where it cannot be written."""
    if str(out) == "-":
        yield sys.stdout.buffer
        return
    part = out.with_name(f"{out.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(out)
    except OSError as error:
        raise Invalid(f"{out} cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            part.unlink()


def _size(file: IO[bytes]) -> int | None:
    try:
        return os.fstat(file.fileno()).st_size or None
    except OSError:
        return None


def _in_one_line(refusal: Refusal) -> str:
    faults = "; ".join(f"{fault.pointer} {fault.detail}".strip() for fault in refusal.faults[:5])
    return faults or refusal.detail
