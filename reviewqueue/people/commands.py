"""`reviewqueue person` and `reviewqueue key`: the command line's door to people and keys."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime

import click

from reviewqueue import cli
from reviewqueue.config import Settings
from reviewqueue.people import forms, key_operations, links, operations, queries
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.people.models import Role, Scope
from reviewqueue.people.queries import KeyRow, PersonRow
from reviewqueue.people.tables import print_table

NONE = "-"


@click.group(short_help="Add, list and disable persons.")
def person() -> None:
    """Add, list and disable persons."""


@person.command(
    "add",
    epilog="Example: reviewqueue person add ada@example.org --name Ada --role lead --queue receipts",
)
@click.argument("email")
@click.option("--name", required=True, help="As others see it.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice([r.value for r in Role]),
    help="With --queue; repeatable.",
)
@click.option("--queue", "queues", multiple=True, help="The queue of the --role in the same place.")
@click.option("--admin", is_flag=True, help="Manages people, teams and keys.")
@click.option("--auditor", is_flag=True, help="Reads everything, with its trail.")
@click.option("--password-stdin", is_flag=True, help="Read a password from stdin instead of making a link.")
def add(
    email: str,
    name: str,
    roles: Sequence[str],
    queues: Sequence[str],
    admin: bool,
    auditor: bool,
    password_stdin: bool,
) -> None:
    """Add a person. Prints a one-time link to choose a password, unless one comes from stdin."""
    if len(roles) != len(queues):
        raise click.UsageError("each --role needs its --queue: --role reviewer --queue receipts")
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    form = forms.read(
        forms.NewPerson, {"email": email, "name": name, "is_admin": admin, "is_auditor": auditor}
    )
    pairs = [(Role(role), queue) for role, queue in zip(roles, queues, strict=True)]
    settings = cli.settings()
    with cli.database(settings) as db:
        token = operations.add_person(db, SYSTEM_CALLER, form, password=password, roles=pairs)
    if token is None:
        click.echo(f"{form.email} can sign in.", err=True)
        return
    _print_link(settings, token, form.email)


@person.command("link", epilog="Example: reviewqueue person link ada@example.org")
@click.argument("email")
def link(email: str) -> None:
    """Print a new one-time link for somebody who lost theirs or forgot their password."""
    settings = cli.settings()
    with cli.database(settings) as db:
        token = links.make_link(db, SYSTEM_CALLER, email)
    _print_link(settings, token, email)


def _print_link(settings: Settings, token: str, email: str) -> None:
    click.echo(settings.address + links.path_of(token))
    elsewhere = (
        "" if settings.base_url else " Set REVIEWQUEUE_BASE_URL where people reach it at another address."
    )
    click.echo(f"{email} chooses a password with this link: once, within 72 hours.{elsewhere}", err=True)


@person.command("list", epilog="Example: reviewqueue person list")
def list_people() -> None:
    """List everybody with their roles."""
    with cli.database() as db, db.reading() as session:
        rows = queries.people(session)
    print_table(("EMAIL", "NAME", "ROLES", "STATE"), [_person_cells(row) for row in rows])


@person.command("disable", epilog="Example: reviewqueue person disable ada@example.org")
@click.argument("email")
def disable(email: str) -> None:
    """Sign a person out everywhere and keep them and their keys out."""
    with cli.database() as db:
        operations.disable_person(db, SYSTEM_CALLER, email)
    click.echo(f"{email} is disabled.", err=True)


@click.group(short_help="Create, list and revoke the keys of apps.")
def key() -> None:
    """Create, list and revoke the keys of apps."""


@key.command(
    "create",
    epilog="Example: reviewqueue key create --name invoices --scope items:write --scope items:read --queue receipts",
)
@click.option("--name", required=True, help="Which app it is for.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([s.value for s in Scope]),
    help="Repeatable.",
)
@click.option("--queue", "queues", multiple=True, help="Repeatable; left out: all queues.")
@click.option("--person", "email", help="The key acts as this person, within its scopes.")
def create(name: str, scopes: Sequence[str], queues: Sequence[str], email: str | None) -> None:
    """Make a key and print it, alone, on stdout: it is never shown again."""
    form = forms.read(
        forms.NewKey,
        {"name": name, "scopes": list(scopes), "queues": list(queues) or None, "person": email},
    )
    with cli.database() as db:
        secret = key_operations.create_key(db, SYSTEM_CALLER, form)
    click.echo(secret)


@key.command("list", epilog="Example: reviewqueue key list")
def list_keys() -> None:
    """List all keys, without their secrets."""
    with cli.database() as db, db.reading() as session:
        rows = queries.all_keys(session)
    print_table(
        ("ID", "NAME", "BEGINS", "SCOPES", "QUEUES", "PERSON", "LAST USED", "STATE"),
        [_key_cells(row) for row in rows],
    )


@key.command("revoke", epilog="Example: reviewqueue key revoke invoices")
@click.argument("name_or_id")
def revoke(name_or_id: str) -> None:
    """Revoke a key at once and for good."""
    with cli.database() as db:
        name = key_operations.revoke_key(db, SYSTEM_CALLER, name_or_id)
    click.echo(f"The key {name} is revoked.", err=True)


def _person_cells(row: PersonRow) -> Sequence[str]:
    everywhere = [word for word, held in (("admin", row.is_admin), ("auditor", row.is_auditor)) if held]
    held = [f"{role.role}:{role.queue}" for role in row.roles]
    state = "disabled" if row.disabled_at else "active" if row.has_password else "invited"
    return row.email, row.name, ",".join([*everywhere, *dict.fromkeys(held)]) or NONE, state


def _key_cells(row: KeyRow) -> Sequence[str]:
    queues = "all" if row.queues is None else ",".join(row.queues)
    state = "revoked" if row.revoked_at else "active"
    scopes = ",".join(row.scopes)
    return str(row.id), row.name, row.hint, scopes, queues, row.person or NONE, _when(row.last_used_at), state


def _when(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%dT%H:%MZ") if at else "never"
