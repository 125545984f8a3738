"""`reviewqueue calendar`: the command line's door to calendars."""

from __future__ import annotations

from pathlib import Path

import click

from ..cli import database
from ..errors import Invalid
from ..people.access import SYSTEM_CALLER
from . import calendar_operations, calendar_queries
from .calendar_operations import AppliedCalendar
from .calendars import CalendarDocument, parse_calendar


@click.group(short_help="Publish and list calendars of opening hours.")
def calendar() -> None:
    """Publish and list calendars of opening hours."""


@calendar.command("apply")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
)
def apply_files(files: tuple[Path, ...]) -> None:
    """Publish a calendar from each FILE of YAML or JSON; `-` reads standard input.

    What differs from the newest version is printed and becomes the next one. Queues that follow an older version
    are named: apply their documents again to let them follow this one.

    \b
    Example:
      reviewqueue calendar apply calendars/office.yaml
    """
    documents = [_read(file) for file in files]
    with database() as db:
        for document in documents:
            for line in _told(calendar_operations.apply_calendar(db, SYSTEM_CALLER, document)):
                click.echo(line)


@calendar.command("list")
def list_all() -> None:
    """List the calendars: name, version, zone, and when they open next.

    \b
    Example:
      reviewqueue calendar list
    """
    with database() as db:
        for row, now in calendar_queries.outlooks(db, SYSTEM_CALLER):
            state = "open" if now.is_open else f"opens {now.next_open:%a %Y-%m-%d %H:%M}"
            click.echo(f"{row.name}\tversion {row.version}\t{row.zone}\t{state}")


def _read(file: Path) -> CalendarDocument:
    """Raises Invalid, naming the file."""
    with click.open_file(str(file), "rb") as source:
        written = source.read()
    try:
        return parse_calendar(written)
    except Invalid as refusal:
        raise Invalid(f"{file}: {refusal.detail}", faults=refusal.faults) from None


def _told(applied: AppliedCalendar) -> list[str]:
    if applied.created:
        first = f"{applied.calendar}: created, version {applied.version}"
    elif applied.changes:
        first = f"{applied.calendar}: version {applied.version}"
    else:
        first = f"{applied.calendar}: nothing changed"
    lines = [first, *(f"  {change}" for change in applied.changes)]
    if applied.behind:
        lines.append(f"  in an older version still: {', '.join(applied.behind)}; apply their documents again")
    return lines
