"""The pages of people, as a browser without scripts uses them, with htmx, and signed out."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from reviewqueue.clock import MovableClock
from reviewqueue.config import Settings
from reviewqueue.db import Database
from reviewqueue.people import links, operations
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.people.forms import NewPerson
from reviewqueue.people.signing_in import PER_EMAIL
from tests.support.databases import Kind

PASSWORD = "correct horse battery"
ADA = {"email": "ada@example.org", "password": PASSWORD}
PAGES = ["/account", "/admin/people", "/admin/people/ada@example.org", "/admin/teams", "/admin/keys"]


@pytest.fixture
def kind() -> Kind:
    """Pages know nothing of the database, so one is enough here."""
    return "sqlite"


@pytest.fixture
def client(client: FlaskClient) -> FlaskClient:
    client.environ_base["HTTP_ACCEPT"] = "text/html"
    return client


@pytest.fixture
def ada(db: Database) -> None:
    form = NewPerson(email="ada@example.org", name="Ada", is_admin=True)
    operations.add_person(db, SYSTEM_CALLER, form, password=PASSWORD)


@pytest.fixture
def signed_in(client: FlaskClient, ada: None) -> FlaskClient:
    assert client.post("/sign-in", data=ADA).status_code == 303
    return client


def error_of(page: str) -> list[str]:
    return re.findall(r'class="error"[^>]*>([^<]*)<', page)


def test_the_first_run_leads_from_the_link_to_a_signed_in_admin(client: FlaskClient, db: Database) -> None:
    assert "one-time link" in client.get("/sign-in").text
    path = links.path_of(links.first_run_link(db) or "")
    page = client.get(path)
    assert (page.status_code, page.headers["Cache-Control"]) == (200, "no-store")
    given = {"name": "Ada", "email": "ada@example.org", "password": PASSWORD, "repeated": "something else"}
    refused = client.post(path, data=given)
    assert (refused.status_code, error_of(refused.text)[0]) == (422, "The two passwords differ.")
    assert 'value="ada@example.org"' in refused.text, "what was typed is kept"
    done = client.post(path, data={**given, "repeated": PASSWORD})
    assert (done.status_code, done.location) == (303, "/")
    assert client.get("/admin/people").status_code == 200
    assert client.get(path).status_code == 404


@pytest.mark.usefixtures("ada")
def test_a_wrong_password_keeps_the_address_and_says_nothing_more(client: FlaskClient) -> None:
    refused = client.post("/sign-in", data={**ADA, "password": "wrong"})
    assert (refused.status_code, error_of(refused.text)) == (
        401,
        ["The email address or the password is wrong."],
    )
    assert 'value="ada@example.org"' in refused.text
    assert 'wrong"' not in refused.text
    assert client.get("/account").status_code == 303


@pytest.mark.usefixtures("ada")
def test_the_sign_in_says_how_long_to_wait(client: FlaskClient) -> None:
    for _ in range(PER_EMAIL):
        client.post("/sign-in", data={**ADA, "password": "wrong"})
    refused = client.post("/sign-in", data=ADA)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert error_of(refused.text) == ["Too many attempts. Try again in 15 minutes."]


@pytest.mark.parametrize("path", PAGES)
def test_signed_out_a_page_leads_to_the_sign_in_and_back(client: FlaskClient, ada: None, path: str) -> None:
    asked = client.get(path)
    assert asked.status_code == 303
    assert asked.location.startswith("/sign-in?next=")
    form = client.get(asked.location).text
    back = re.findall(r'name="next" value="([^"]*)"', form)[0]
    assert client.post("/sign-in", data={**ADA, "next": back}).location == path


@pytest.mark.parametrize("path", PAGES)
def test_signed_out_htmx_is_sent_to_the_sign_in_as_a_whole(client: FlaskClient, path: str) -> None:
    asked = client.get(
        path, headers={"HX-Request": "true", "HX-Current-URL": "http://localhost/queues/a?b=c"}
    )
    assert (asked.status_code, asked.data) == (204, b"")
    assert asked.headers["HX-Redirect"] == "/sign-in?next=%2Fqueues%2Fa%3Fb%3Dc"


@pytest.mark.parametrize(
    "path",
    [
        "/account/preferences",
        "/account/password",
        "/account/sign-out-everywhere",
        "/admin/people",
        "/admin/people/ada@example.org/link",
        "/admin/people/ada@example.org/disabling",
        "/admin/people/ada@example.org/enabling",
        "/admin/roles",
        "/admin/teams",
        "/admin/teams/clerks/members",
        "/admin/keys",
        "/admin/keys/00000000-0000-0000-0000-000000000000/revocation",
    ],
)
def test_signed_out_nothing_is_done(client: FlaskClient, db: Database, ada: None, path: str) -> None:
    answer = client.post(path, data={"email": "x@example.org", "name": "X", "slug": "x"})
    assert (answer.status_code, answer.location) == (303, "/sign-in")


@pytest.mark.parametrize("path", [p for p in PAGES if p.startswith("/admin")])
def test_the_admins_pages_are_for_admins(client: FlaskClient, db: Database, ada: None, path: str) -> None:
    operations.add_person(db, SYSTEM_CALLER, NewPerson(email="bo@example.org", name="Bo"), password=PASSWORD)
    client.post("/sign-in", data={**ADA, "email": "bo@example.org"})
    assert client.get(path).status_code == 403
    assert 'href="/admin"' not in client.get("/account").text


@pytest.mark.parametrize(
    "next_page",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/sign-out",
    ],
)
def test_a_sign_in_never_leads_to_a_foreign_page(client: FlaskClient, ada: None, next_page: str) -> None:
    assert client.post("/sign-in", data={**ADA, "next": next_page}).location == "/"


def test_a_session_that_was_planted_before_is_not_the_one_that_signs_in(
    app: Flask, ada: None, db: Database
) -> None:
    victim, attacker = app.test_client(), app.test_client()
    for browser in (victim, attacker):
        browser.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"
    with attacker.session_transaction() as planted:
        planted["id"] = "chosen-by-the-attacker"
    cookie = attacker.get_cookie("reviewqueue")
    assert cookie is not None
    victim.set_cookie("reviewqueue", cookie.value)
    assert victim.post("/sign-in", data=ADA).status_code == 303
    assert victim.get("/account").status_code == 200
    assert attacker.get("/account").status_code == 303


def test_the_cookie_is_signed_and_out_of_scripts_reach(client: FlaskClient, ada: None) -> None:
    cookie = client.post("/sign-in", data=ADA).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie, "the test is not served by https"
    kept = client.get_cookie("reviewqueue")
    assert kept is not None
    client.set_cookie("reviewqueue", kept.value[:-3] + "AAA")
    assert client.get("/account").status_code == 303


@pytest.mark.usefixtures("ada")
def test_the_cookie_is_secure_where_people_come_by_https(settings: Settings, db: Database) -> None:
    from reviewqueue import create_app

    app = create_app(settings.model_copy(update={"base_url": "https://review.example.org"}), db)
    client = app.test_client()
    answer = client.post("/sign-in", data=ADA, headers={"Sec-Fetch-Site": "same-origin"})
    assert "Secure" in answer.headers["Set-Cookie"]


def test_signing_out_ends_the_session_itself(signed_in: FlaskClient) -> None:
    kept = signed_in.get_cookie("reviewqueue")
    assert kept is not None
    assert signed_in.post("/sign-out").location == "/sign-in"
    signed_in.set_cookie("reviewqueue", kept.value)
    assert signed_in.get("/account").status_code == 303


def test_a_session_expires(signed_in: FlaskClient, clock: MovableClock, settings: Settings) -> None:
    clock.move(hours=settings.session_hours)
    assert signed_in.get("/account").status_code == 303


def test_the_account_keeps_preferences_and_every_page_starts_with_them(signed_in: FlaskClient) -> None:
    assert signed_in.post("/account/preferences", data={"theme": "dark"}).status_code == 303
    page = signed_in.get("/account").text
    assert '<html lang="en" data-theme="dark" data-keys="off">' in page
    signed_in.post("/account/preferences", data={"theme": "system", "keys": "on"})
    assert '<html lang="en">' in signed_in.get("/account").text


def test_a_preference_that_is_none_is_refused(signed_in: FlaskClient) -> None:
    assert signed_in.post("/account/preferences", data={"theme": "pink"}).status_code == 422


def test_changing_the_password_asks_for_the_current_one(signed_in: FlaskClient) -> None:
    wrong = signed_in.post(
        "/account/password", data={"current": "guess", "password": "another good sentence"}
    )
    assert (wrong.status_code, error_of(wrong.text)[0]) == (422, "The current password is wrong.")
    right = signed_in.post(
        "/account/password", data={"current": PASSWORD, "password": "another good sentence"}
    )
    assert right.status_code == 303
    assert "Your password is changed" in signed_in.get("/account").text


def test_guessing_the_current_password_is_told_how_long_to_wait(signed_in: FlaskClient) -> None:
    guess = {"current": "guess", "password": "another good sentence"}
    for _ in range(PER_EMAIL):
        signed_in.post("/account/password", data=guess)
    refused = signed_in.post("/account/password", data=guess)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0


def test_signing_out_everywhere_reaches_the_other_browser(signed_in: FlaskClient, app: Flask) -> None:
    other = app.test_client()
    other.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"
    other.post("/sign-in", data=ADA)
    assert other.get("/account").status_code == 200
    signed_in.post("/account/sign-out-everywhere")
    assert other.get("/account").status_code == 303
