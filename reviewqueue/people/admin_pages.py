"""The admin's pages: people, teams and keys. Plain forms, each leading back to the page that it changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from reviewqueue.errors import Conflict, Invalid, NotFound, Refusal
from reviewqueue.people import forms, key_operations, links, operations, queries
from reviewqueue.people.access import access_of
from reviewqueue.people.models import Role, Scope
from reviewqueue.people.pages import faults_of
from reviewqueue.web.requests import base_url, caller, database, request_id

blueprint = Blueprint("admin", __name__, url_prefix="/admin")


@blueprint.before_request
def require_admin() -> None:
    with database().reading() as session:
        access_of(session, caller()).require_admin()


@blueprint.get("")
def index() -> ResponseReturnValue:
    return redirect(url_for(".people"), 303)


@blueprint.get("/people")
def people() -> Response:
    return _people_page()


@blueprint.post("/people")
def add_person() -> Response:
    given = {name: request.form.get(name, "") for name in ("email", "name")}
    flags = {name: name in request.form for name in ("is_admin", "is_auditor")}
    try:
        form = forms.read(forms.NewPerson, given | flags)
        token = operations.add_person(database(), caller(), form, request_id=request_id())
    except (Invalid, Conflict) as refusal:
        return _people_page(refusal=refusal)
    return _people_page(link=_address_of(token), invited=form.email)


@blueprint.get("/people/<email>")
def person(email: str) -> Response:
    return _person_page(email)


@blueprint.post("/people/<email>/link")
def make_link(email: str) -> Response:
    try:
        token = links.make_link(database(), caller(), email, request_id())
    except Conflict as refusal:
        return _person_page(email, refusal=refusal)
    return _person_page(email, link=_address_of(token))


@blueprint.post("/people/<email>/disabling")
def disable_person(email: str) -> ResponseReturnValue:
    back = url_for(".person", email=email)
    return _done(back, "Disabled, and signed out everywhere.", operations.disable_person, email)


@blueprint.post("/people/<email>/enabling")
def enable_person(email: str) -> ResponseReturnValue:
    return _done(url_for(".person", email=email), "Enabled.", operations.enable_person, email)


@blueprint.post("/roles")
def change_role() -> ResponseReturnValue:
    """Grants a role in a queue to a person or a team, or revokes it."""
    holder = request.form.get("holder", "")
    back = url_for(".teams") if holder.startswith("team:") else url_for(".person", email=holder or "-")
    act, words = (
        (operations.revoke_role, "The role is revoked.")
        if request.form.get("act") == "revoke"
        else (operations.grant_role, "The role is granted.")
    )
    try:
        form = forms.read(forms.Grant, {"holder": holder, "role": request.form.get("role", "")})
    except Invalid as refusal:
        flash(refusal.detail, "error")
        return redirect(back, 303)
    return _done(back, words, act, request.form.get("queue", ""), form)


@blueprint.get("/teams")
def teams() -> Response:
    return _teams_page()


@blueprint.post("/teams")
def create_team() -> ResponseReturnValue:
    try:
        form = forms.read(forms.NewTeam, request.form)
        operations.create_team(database(), caller(), form, request_id())
    except (Invalid, Conflict) as refusal:
        return _teams_page(refusal)
    flash(f"The team {form.slug} is there.", "done")
    return redirect(url_for(".teams"), 303)


@blueprint.post("/teams/<slug>/members")
def change_team(slug: str) -> ResponseReturnValue:
    email = request.form.get("email", "")
    if request.form.get("act") == "remove":
        return _done(url_for(".teams"), f"{email} left {slug}.", operations.remove_from_team, slug, email)
    return _done(url_for(".teams"), f"{email} is in {slug}.", operations.add_to_team, slug, email)


@blueprint.get("/keys")
def keys() -> Response:
    return _keys_page()


@blueprint.post("/keys")
def create_key() -> Response:
    given: dict[str, Any] = {name: request.form.get(name, "") for name in ("name", "queues", "person")}
    try:
        form = forms.read(forms.NewKey, given | {"scopes": request.form.getlist("scopes")})
        secret = key_operations.create_key(database(), caller(), form, request_id())
    except (Invalid, NotFound) as refusal:
        return _keys_page(refusal=refusal)
    return _keys_page(secret=secret)


@blueprint.post("/keys/<uuid:key_id>/revocation")
def revoke_key(key_id: object) -> ResponseReturnValue:
    return _done(url_for(".keys"), "The key is revoked.", key_operations.revoke_key, str(key_id))


def _done(back: str, words: str, operation: Callable[..., object], *arguments: object) -> ResponseReturnValue:
    """Runs the operation and leads back, with its success or its refusal told there."""
    try:
        operation(database(), caller(), *arguments, request_id=request_id())
    except (NotFound, Conflict) as refusal:
        flash(refusal.detail, "error")
    else:
        flash(words, "done")
    return redirect(back, 303)


def _people_page(*, refusal: Refusal | None = None, link: str | None = None, invited: str = "") -> Response:
    with database().reading() as session:
        rows = queries.people(session)
    return _page("people/people.html", refusal, secret=link, link=link, invited=invited, people=rows)


def _person_page(email: str, *, refusal: Refusal | None = None, link: str | None = None) -> Response:
    with database().reading() as session:
        row, queues = queries.person(session, email), queries.queue_names(session)
    return _page(
        "people/person.html", refusal, secret=link, link=link, shown=row, queues=queues, all_roles=Role
    )


def _teams_page(refusal: Refusal | None = None) -> Response:
    with database().reading() as session:
        rows, queues, everybody = (
            queries.teams(session),
            queries.queue_names(session),
            queries.people(session),
        )
    return _page("people/teams.html", refusal, teams=rows, queues=queues, people=everybody, all_roles=Role)


def _keys_page(*, refusal: Refusal | None = None, secret: str | None = None) -> Response:
    with database().reading() as session:
        rows = queries.all_keys(session)
    return _page("people/keys.html", refusal, secret=secret, rows=rows, all_scopes=Scope)


def _page(template: str, refusal: Refusal | None, *, secret: str | None = None, **context: Any) -> Response:
    page = render_template(
        template, refusal=refusal, faults=faults_of(refusal), given=request.form, secret=secret, **context
    )
    response = make_response(page, refusal.status if refusal else 200)
    if secret is not None:
        response.headers["Cache-Control"] = "no-store"
    return response


def _address_of(token: str | None) -> str | None:
    return None if token is None else base_url() + links.path_of(token)
