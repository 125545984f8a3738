"""`reviewqueue rotation`: the command line's door to on-call rotations."""

from __future__ import annotations

from pathlib import Path

import click
import yaml

from ..cli import database
from ..people.access import SYSTEM_CALLER
from . import operations
from .queries import Board, Turn


@click.group(short_help="Publish and list on-call rotations.")
def rotation() -> None:
    """Publish and list on-call rotations."""


@rotation.command("apply")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
def apply_file(file: Path) -> None:
    """Publish the rotation in FILE, YAML or JSON, as its next version; `-` reads standard input.

    What differs from the version before is printed. Stand-ins made on the page stay until they are over.

    \b
    Example:
      reviewqueue rotation apply nights.yaml
    """
    with click.open_file(str(file), "rb") as source:
        written = source.read()
    with database() as db:
        applied = operations.apply(db, SYSTEM_CALLER, written)
    done = f"version {applied.version}" if applied.changed else "nothing changed"
    click.echo(f"{applied.rotation}: {done}")
    for change in applied.changes:
        click.echo(f"  {change}")


@rotation.command("show", epilog="Example: reviewqueue rotation show nights > nights.yaml")
@click.argument("name")
def show(name: str) -> None:
    """Print the document in force, with the stand-ins made on the page, as it can be applied again."""
    with database() as db:
        document = operations.document_in_force(db, name)
    click.echo(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110), nl=False)


@rotation.command("list", epilog="Example: reviewqueue rotation list")
def list_rotations() -> None:
    """List the rotations with who is on call now and next."""
    with database() as db:
        for board in operations.list_boards(db):
            ends = board.now.ends
            until = f"until {ends:%Y-%m-%d %H:%M} UTC" if ends else "and on"
            following = f"; then {_told(board, board.next)}" if board.next else ""
            click.echo(f"{board.slug}: {_told(board, board.now)} {until}{following}")


def _told(board: Board, turn: Turn) -> str:
    if turn.person is None or turn.person in board.names:
        return turn.person or "nobody"
    return f"nobody ({turn.person} is not here, or disabled)"
