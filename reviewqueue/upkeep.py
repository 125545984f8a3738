"""The commands of whoever keeps an installation: migrate, backup, restore, prune, doctor."""

from __future__ import annotations

from pathlib import Path

import click

from . import cli
from .errors import EXIT_REFUSED

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(epilog="Example: reviewqueue migrate")
def migrate() -> None:
    """Bring the database to the newest schema. Back PostgreSQL up before."""
    with cli.database(migrate=True) as db:
        click.echo(f"The schema of {db.url.render_as_string(hide_password=True)} is the newest.")


@click.command(epilog="Example: reviewqueue backup backups/monday.sqlite3")
@click.argument("file", type=FILE)
def backup(file: Path) -> None:
    """Copy the embedded database to FILE, checked and whole, while it is in use."""
    from .backups import back_up

    with cli.database() as db:
        size = back_up(db, file)
    click.echo(f"{file}: {size / 1024 / 1024:.1f} MiB, checked")


@click.command(epilog="Example: reviewqueue restore backups/monday.sqlite3")
@click.argument("file", type=FILE)
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore(file: Path, yes: bool) -> None:
    """Put the backup FILE in the place of the embedded database, and keep that one beside it."""
    from . import backups, migrating
    from .db import Database

    settings = cli.settings()
    if not yes:
        click.confirm(f"Replace the database of {settings.data_dir} by {file}?", abort=True)
    db = Database(settings.url)
    try:
        kept = backups.restore(db, file)
        migrating.upgrade(db)
    finally:
        db.dispose()
    click.echo(f"Restored {file}." + (f" The database as it was: {kept}" if kept else ""))


@click.command(epilog="Example: reviewqueue prune")
def prune() -> None:
    """Remove sessions, sign-in links, keys of repeats and counters that are over. The worker does it each hour."""
    from .pruning import prune as run

    with cli.database() as db:
        for name, count in run(db).items():
            click.echo(f"{count:>8,}  {name}")


@click.command(epilog="Example: reviewqueue doctor")
@click.pass_context
def doctor(ctx: click.Context) -> None:
    """Check database, schema, clock, worker, storage and settings, and say what to do."""
    from .doctor import Standing, examine

    standing = {Standing.GOOD: "ok", Standing.ODD: "note", Standing.BAD: "FAIL"}
    worst = Standing.GOOD
    for finding in examine():
        worst = max(worst, finding.standing)
        click.echo(f"{standing[finding.standing]:>4}  {finding.about}: {finding.says}")
        if finding.advice:
            click.echo(f"      {finding.advice}")
    if worst is Standing.BAD:
        ctx.exit(EXIT_REFUSED)
