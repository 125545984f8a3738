"""`reviewqueue rotation`: the command line's door to on-call rotations."""

from __future__ import annotations

from pathlib import Path

import click

from ..cli import database
from ..people.access import SYSTEM_CALLER
from . import operations
from .queries import Turn


@click.group(short_help="Publish and list on-call rotations.")
def rotation() -> None:
    """Publish and list on-call rotations."""


@rotation.command("apply")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
def apply_file(file: Path) -> None:
    """Publish the rotation in FILE, YAML or JSON, as its next version; `-` reads standard input.

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


@rotation.command("list", epilog="Example: reviewqueue rotation list")
def list_rotations() -> None:
    """List the rotations with who is on call now and next."""
    with database() as db:
        for board in operations.list_boards(db):
            ends = board.now.ends
            until = f"until {ends:%Y-%m-%d %H:%M} UTC" if ends else "and on"
            following = f"; then {_told(board.next)}" if board.next else ""
            click.echo(f"{board.slug}: {_told(board.now)} {until}{following}")


def _told(turn: Turn) -> str:
    return turn.person or "nobody"
