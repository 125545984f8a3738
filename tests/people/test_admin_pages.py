"""What an admin does in the browser, by plain forms."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from reviewqueue.db import Database
from reviewqueue.people import operations
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.people.forms import NewPerson
from tests.support.databases import Kind
from tests.support.making import make_queue

PASSWORD = "correct horse battery"


@pytest.fixture
def kind() -> Kind:
    """Pages know nothing of the database, so one is enough here."""
    return "sqlite"


@pytest.fixture
def admin(client: FlaskClient, db: Database) -> FlaskClient:
    form = NewPerson(email="ada@example.org", name="Ada", is_admin=True)
    operations.add_person(db, SYSTEM_CALLER, form, password=PASSWORD)
    client.environ_base["HTTP_ACCEPT"] = "text/html"
    client.post("/sign-in", data={"email": "ada@example.org", "password": PASSWORD})
    return client


def test_an_invited_person_gets_in_by_the_link_that_is_shown_once(admin: FlaskClient, app: Flask) -> None:
    page = admin.post("/admin/people", data={"email": "bo@example.org", "name": "Bo"})
    assert page.headers["Cache-Control"] == "no-store"
    link = re.findall(r"<code>http://localhost(/link/[\w-]+)</code>", page.text)[0]
    assert link not in admin.get("/admin/people").text
    bo = app.test_client()
    bo.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"
    assert bo.post(link, data={"password": PASSWORD, "repeated": PASSWORD}).status_code == 303
    assert bo.get("/account").status_code == 200


def test_a_person_that_cannot_be_added_is_told_beside_what_was_typed(admin: FlaskClient) -> None:
    wrong = admin.post("/admin/people", data={"email": "nonsense", "name": "Bo"})
    assert wrong.status_code == 422
    assert "must be an email address" in wrong.text
    assert 'value="nonsense"' in wrong.text
    taken = admin.post("/admin/people", data={"email": "ada@example.org", "name": "Ada"})
    assert taken.status_code == 409
    assert "already" in taken.text


def test_disabling_the_last_admin_is_refused_in_words(admin: FlaskClient) -> None:
    assert admin.post("/admin/people/ada@example.org/disabling").status_code == 303
    assert "is the last admin" in admin.get("/admin/people/ada@example.org").text


def test_roles_and_teams_by_forms(admin: FlaskClient, db: Database) -> None:
    make_queue(db, "receipts")
    admin.post("/admin/people", data={"email": "bo@example.org", "name": "Bo"})
    admin.post("/admin/teams", data={"slug": "clerks", "name": "Clerks"})
    admin.post("/admin/teams/clerks/members", data={"email": "bo@example.org", "act": "add"})
    role = {"holder": "team:clerks", "queue": "receipts", "role": "reviewer"}
    assert admin.post("/admin/roles", data={**role, "act": "grant"}).location == "/admin/teams"
    assert "through the team clerks" in admin.get("/admin/people/bo@example.org").text
    direct = {"holder": "bo@example.org", "queue": "receipts", "role": "lead"}
    assert (
        admin.post("/admin/roles", data={**direct, "act": "grant"}).location == "/admin/people/bo@example.org"
    )
    assert "Revoke<" in admin.get("/admin/people/bo@example.org").text
    admin.post("/admin/roles", data={**direct, "act": "revoke"})
    admin.post("/admin/teams/clerks/members", data={"email": "bo@example.org", "act": "remove"})
    assert "No role in any queue" in admin.get("/admin/people/bo@example.org").text


@pytest.mark.parametrize(
    "role",
    [
        {"holder": "bo@example.org", "queue": "receipts", "role": "emperor"},
        {"holder": "", "queue": "receipts", "role": "lead"},
        {"holder": "nobody@example.org", "queue": "receipts", "role": "lead"},
        {"holder": "ada@example.org", "queue": "nowhere", "role": "lead"},
        {},
    ],
)
def test_a_role_that_makes_no_sense_is_refused_without_a_crash(
    admin: FlaskClient, db: Database, role: dict[str, str]
) -> None:
    make_queue(db, "receipts")
    assert admin.post("/admin/roles", data=role).status_code == 303
    assert 'class="notice error"' in admin.get("/admin/teams").text


def test_a_key_is_shown_once_works_and_is_revoked(admin: FlaskClient) -> None:
    page = admin.post("/admin/keys", data={"name": "invoices", "scopes": ["items:read"], "queues": ""})
    assert page.headers["Cache-Control"] == "no-store"
    secret = re.findall(r"rq_[\w-]{43}", page.text)[0]
    assert secret not in admin.get("/admin/keys").text
    bearer = {"Authorization": f"Bearer {secret}"}
    used = admin.get("/api/v1/queues", headers=bearer)
    assert used.status_code == 200
    used.close()  # the last use is noted once the answer is out
    listed = admin.get("/admin/keys").text
    key_id = re.findall(r"/admin/keys/([0-9a-f-]{36})/revocation", listed)[0]
    assert "never</span>" not in listed, "its use is noted"
    admin.post(f"/admin/keys/{key_id}/revocation")
    assert admin.get("/api/v1/queues", headers=bearer).status_code == 401


def test_a_key_without_a_scope_is_refused_and_keeps_what_was_typed(admin: FlaskClient) -> None:
    refused = admin.post("/admin/keys", data={"name": "x", "queues": "a b", "person": ""})
    assert refused.status_code == 422
    assert 'value="a b"' in refused.text


def test_hostile_names_are_text(admin: FlaskClient) -> None:
    admin.post("/admin/people", data={"email": "bo@example.org", "name": "<script>alert(1)</script>"})
    for path in ("/admin/people", "/admin/people/bo@example.org", "/admin/teams"):
        assert "<script>alert" not in admin.get(path).text


def test_an_address_that_nobody_has_is_404(admin: FlaskClient) -> None:
    assert admin.get("/admin/people/nobody@example.org").status_code == 404
