"""The request's id, where a sign-in may lead, and that every door is closed unless it says otherwise."""

from __future__ import annotations

import uuid

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from reviewqueue.web.requests import safe_next

OPEN = {
    "static", "problem", "problems", "openapi_document", "api_docs", "monitoring.healthz", "monitoring.readyz",
    "monitoring.metrics", "people.sign_in", "people.sign_in_by_password", "people.sign_out", "people.link",
    "people.use_link", "receipts.jwks",
}  # fmt: skip


@pytest.mark.parametrize("given_id", ["a", "trace-1.2_3", "x" * 128, "3ba85fed-f9e5-4b3a-b7d9-8e84e62a4553"])
def test_a_valid_id_is_taken_over(client: FlaskClient, given_id: str) -> None:
    assert client.get("/healthz", headers={"X-Request-Id": given_id}).headers["X-Request-Id"] == given_id


@pytest.mark.parametrize("given_id", ["", " ", "x" * 129, "a b", "a;b", "é", "<script>", "a/b"])
def test_any_other_is_replaced(client: FlaskClient, given_id: str) -> None:
    answered = client.get("/healthz", headers={"X-Request-Id": given_id}).headers["X-Request-Id"]
    assert uuid.UUID(answered)


def test_two_requests_have_two_ids(client: FlaskClient) -> None:
    assert client.get("/healthz").headers["X-Request-Id"] != client.get("/healthz").headers["X-Request-Id"]


def test_every_door_is_closed_but_for_these(app: Flask) -> None:
    """Whoever opens another one to everybody says so here."""
    found = {name for name, view in app.view_functions.items() if getattr(view, "is_public", False)} | {
        "static"
    }
    assert found == OPEN


@pytest.mark.parametrize("address", ["/", "/items/1", "/queues/a/items?state=pending&q=x%20y", "/a#b"])
def test_a_path_of_ours_is_led_back_to(address: str) -> None:
    assert safe_next(address) == address


@pytest.mark.parametrize(
    "address",
    [None, "", "items", "//evil.example", "/\\evil.example", "https://evil.example", "/\n/evil.example", "/ x",
     "\\\\evil.example", "/sign-in?next=/", "/sign-out", "javascript:alert(1)", "///evil.example"],
)  # fmt: skip
def test_anything_else_is_not(address: str | None) -> None:
    assert safe_next(address) == "/"


@given(st.text())
def test_whatever_is_asked_for_the_answer_stays_here(address: str) -> None:
    found = safe_next(address)
    assert found.startswith("/")
    assert not found.startswith(("//", "/\\"))
