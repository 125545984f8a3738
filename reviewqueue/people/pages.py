"""The pages of people: signing in and out, links that let in once, and one's own account."""

from __future__ import annotations

from flask import (
    Blueprint,
    Response,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue

from reviewqueue.errors import Fault, Invalid, NotFound, Refusal, TooManyRequests
from reviewqueue.people import forms, links, operations, queries, signing_in
from reviewqueue.people.sessions import Viewer
from reviewqueue.people.signing_in import Arrival, SignInFailed
from reviewqueue.web.errors import headers_of
from reviewqueue.web.requests import (
    SESSION_ID,
    caller,
    database,
    public,
    request_id,
    safe_next,
    session_lifetime,
    viewer,
)

blueprint = Blueprint("people", __name__)


@blueprint.get("/sign-in")
@public
def sign_in() -> ResponseReturnValue:
    back = safe_next(request.args.get("next"))
    if viewer() is not None:
        return redirect(back, 303)
    return _sign_in_page(back)


@blueprint.post("/sign-in")
@public
def sign_in_by_password() -> ResponseReturnValue:
    email, password = request.form.get("email", ""), request.form.get("password", "")
    back = safe_next(request.form.get("next"))
    try:
        session_id = signing_in.sign_in(database(), email, password, _arrival())
    except (SignInFailed, TooManyRequests) as refusal:
        return _sign_in_page(back, email, refusal)
    _let_in(session_id)
    return redirect(back, 303)


@blueprint.post("/sign-out")
@public
def sign_out() -> ResponseReturnValue:
    if (leaving := viewer()) is not None:
        signing_in.sign_out(database(), leaving, request_id())
    session.clear()
    return redirect(url_for(".sign_in"), 303)


@blueprint.get("/link/<token>")
@public
def link(token: str) -> ResponseReturnValue:
    return _link_page(links.look_up(database(), token))


@blueprint.post("/link/<token>")
@public
def use_link(token: str) -> ResponseReturnValue:
    found = links.look_up(database(), token)
    try:
        session_id = _use(found, token)
    except Invalid as refusal:
        return _link_page(found, refusal)
    _let_in(session_id)
    return redirect("/", 303)


@blueprint.get("/account")
def account() -> ResponseReturnValue:
    return _account_page(_signed_in())


@blueprint.post("/account/preferences")
def set_preferences() -> ResponseReturnValue:
    given = {"theme": request.form.get("theme", "system"), "keys": "keys" in request.form}
    form = forms.read(forms.Preferences, given)
    operations.set_preferences(database(), _signed_in(), form, request_id())
    flash("Saved.", "done")
    return redirect(url_for(".account"), 303)


@blueprint.post("/account/password")
def change_password() -> ResponseReturnValue:
    person = _signed_in()
    try:
        form = forms.read(forms.NewPassword, request.form)
        operations.change_password(database(), person, form, _arrival())
    except (Invalid, TooManyRequests) as refusal:
        return _account_page(person, refusal)
    flash("Your password is changed, and every other browser is signed out.", "done")
    return redirect(url_for(".account"), 303)


@blueprint.post("/account/sign-out-everywhere")
def sign_out_everywhere() -> ResponseReturnValue:
    signing_in.sign_out_everywhere(database(), _signed_in(), request_id())
    session.clear()
    return redirect(url_for(".sign_in"), 303)


def _sign_in_page(back: str, email: str = "", refusal: Refusal | None = None) -> Response:
    with database().reading() as reading:
        is_empty = not queries.anybody(reading)
    page = render_template("people/sign_in.html", next=back, email=email, refusal=refusal, is_empty=is_empty)
    return _answer(page, refusal)


def _link_page(found: links.OpenLink, refusal: Invalid | None = None) -> Response:
    page = render_template(
        "people/link.html", link=found, given=request.form, refusal=refusal, faults=faults_of(refusal)
    )
    response = make_response(page, refusal.status if refusal else 200)
    # The address itself lets somebody in: neither a cache nor the next page may learn it.
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _account_page(person: Viewer, refusal: Refusal | None = None) -> Response:
    with database().reading() as reading:
        own = queries.person(reading, person.email)
    preferences = forms.Preferences.model_validate(
        {name: value for name, value in person.preferences.items() if name in forms.Preferences.model_fields}
    )
    page = render_template(
        "people/account.html", own=own, preferences=preferences, refusal=refusal, faults=faults_of(refusal)
    )
    return _answer(page, refusal)


def _answer(page: str, refusal: Refusal | None) -> Response:
    return make_response(page, refusal.status, headers_of(refusal)) if refusal else make_response(page)


def _use(found: links.OpenLink, token: str) -> str:
    password = request.form.get("password", "")
    if password != request.form.get("repeated"):
        raise Invalid("The two passwords differ.", faults=[Fault("/repeated", "differs from the first")])
    if not found.makes_first_admin:
        return links.choose_password(database(), token, password, _arrival())
    given = {
        "email": request.form.get("email", ""),
        "name": request.form.get("name", ""),
        "password": password,
    }
    return links.make_first_admin(database(), token, forms.read(forms.FirstAdmin, given), _arrival())


def _let_in(session_id: str) -> None:
    """A new id for every sign-in: one that was planted before is worth nothing."""
    session.clear()
    session[SESSION_ID] = session_id
    session.permanent = True


def _arrival() -> Arrival:
    return Arrival(request.remote_addr, session_lifetime(), request_id())


def _signed_in() -> Viewer:
    caller()  # raises where nobody is signed in
    if (person := viewer()) is None:
        raise NotFound("This page is for people who are signed in.")
    return person


def faults_of(refusal: Refusal | None) -> dict[str, str]:
    """What is wrong with each field of a form, by its name."""
    return {} if refusal is None else {fault.pointer.lstrip("/"): fault.detail for fault in refusal.faults}
