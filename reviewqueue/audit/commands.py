"""Commands on the trail."""

from __future__ import annotations

import click

from ..cli import database
from ..errors import EXIT_REFUSED

MOST_SHOWN = 50


@click.group()
def audit() -> None:
    """Verify the trail."""


@audit.command(epilog="Example: reviewqueue audit verify")
@click.pass_context
def verify(ctx: click.Context) -> None:
    """Check every event's hash, every item's chain, the order of all, and that replaying an item gives its row.

    Without a checkpoint kept elsewhere this cannot show that an owner of the database has rewritten everything.
    """
    from ..progress import counting
    from .verify import Checked, verify

    checked, faults = Checked(), 0
    with database() as db, counting("Verifying") as told:
        for fault in verify(db, checked, lambda so_far: told(so_far.events, f"{so_far.items:,} items")):
            faults += 1
            if faults <= MOST_SHOWN:
                click.echo(f"{fault.subject}: {fault.detail}", err=True)
    looked = f"{checked.events:,} events of {checked.items:,} items, {checked.positions:,} positions"
    if faults:
        click.echo(f"Error: {faults:,} faults in {looked}; see the lines above", err=True)
        ctx.exit(EXIT_REFUSED)
    click.echo(f"Sound: {looked}")
