"""`reviewqueue signing-key`: the command line's door to the keys that sign receipts."""

from __future__ import annotations

import click

from ..audit.trail import rfc3339
from ..cli import database, settings
from ..people.access import SYSTEM_CALLER
from . import operations
from .models import SigningKey
from .queries import signing_keys


@click.group("signing-key", short_help="List and rotate the keys that sign receipts.")
def signing_key() -> None:
    """List and rotate the keys that sign receipts."""


@signing_key.command("rotate", epilog="Example: reviewqueue signing-key rotate")
@click.option("--now", "at_once", is_flag=True, help="Let the new key sign at once, not in an hour.")
@click.option("--compromised", is_flag=True, help="Revoke the present keys: nothing they signed is believed.")
def rotate(at_once: bool, compromised: bool) -> None:
    """Make the next key. It is published at once and signs in an hour, so that verifiers have it by then.

    Receipts of the key before stay valid; its private part is destroyed when it has retired.
    """
    given = settings()
    with database(given) as db:
        rotated = operations.rotate(
            db, SYSTEM_CALLER, given.secret_key, at_once=at_once, compromised=compromised
        )
    for kid in rotated.revoked:
        click.echo(f"{kid} is revoked: apps read their outcomes again for receipts by the new key.")
    click.echo(f"{rotated.kid} signs from {rfc3339(rotated.signs_from)}.")


@signing_key.command("list", epilog="Example: reviewqueue signing-key list")
def list_keys() -> None:
    """List the keys, the newest first."""
    with database() as db, db.reading() as session:
        for key in signing_keys(session):
            click.echo(f"{key.number:>3}  {key.kid}  {_told(key)}")


def _told(key: SigningKey) -> str:
    if key.revoked_at:
        return f"revoked {rfc3339(key.revoked_at)}"
    until = f" until {rfc3339(key.retired_at)}" if key.retired_at else ""
    return f"signs from {rfc3339(key.signs_from)}{until}"
