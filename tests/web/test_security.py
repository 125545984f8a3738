"""What every answer forbids the browser, and whose requests may change something."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from reviewqueue import create_app
from reviewqueue.config import Settings
from reviewqueue.db import Database
from reviewqueue.people import operations
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.people.forms import NewPerson
from reviewqueue.resources import folder

PASSWORD = "correct horse battery"
VALUES = {"string": "x", "int": "1", "uuid": "00000000-0000-0000-0000-000000000000", "path": "js/app.js"}


def every_address(app: Flask) -> list[tuple[str, str]]:
    """Each rule of the app with something in its blanks, and each of its methods."""
    found = []
    for rule in app.url_map.iter_rules():
        path = re.sub(
            r"<(?:(\w+)(?:\([^)]*\))?:)?\w+>", lambda m: VALUES.get(m[1] or "string", "x"), rule.rule
        )
        found += [(method, path) for method in sorted(rule.methods or ())]
    return found


def assert_protected(headers: dict[str, str], where: object) -> None:
    policy = headers.get("Content-Security-Policy", "")
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';"), where
    assert "unsafe" not in policy, where
    assert "frame-ancestors 'none'" in policy, where
    assert headers["X-Content-Type-Options"] == "nosniff", where
    assert headers["Referrer-Policy"] in ("same-origin", "no-referrer"), where
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin", where
    assert headers["X-Request-Id"], where
    assert "Server" not in headers, where


def test_every_answer_of_every_address_carries_the_policy(
    client: FlaskClient, app: Flask, db: Database
) -> None:
    form = NewPerson(email="ada@example.org", name="Ada", is_admin=True, is_auditor=True)
    operations.add_person(db, SYSTEM_CALLER, form, password=PASSWORD)
    addresses = every_address(app)
    assert len(addresses) > 40
    for signed_in in (False, True):
        if signed_in:
            client.post("/sign-in", data={"email": "ada@example.org", "password": PASSWORD})
        for method, path in addresses:
            if path in ("/sign-out", "/account/sign-out-everywhere") and method == "POST":
                continue
            answer = client.open(path, method=method, headers={"Accept": "text/html"})
            assert_protected(dict(answer.headers), (method, path, answer.status_code))
            assert answer.status_code < 500, (method, path)
            answer.close()


@pytest.mark.parametrize("path", ["/nothing", "/api/nothing", "/sign-in"])
def test_strict_transport_where_it_is_https_alone(client: FlaskClient, path: str) -> None:
    assert "Strict-Transport-Security" not in client.get(path).headers
    assert (
        "max-age=31536000"
        in client.get(path, base_url="https://localhost").headers["Strict-Transport-Security"]
    )


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, False),
        ({"Sec-Fetch-Site": ""}, False),
        ({"Origin": "http://localhost"}, True),
        ({"Origin": "http://localhost:81"}, False),
        ({"Origin": "https://localhost"}, False),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": ""}, False),
        ({}, False),
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/account/password", "/admin/people", "/nothing"])
def test_only_our_own_pages_send_what_changes_something(
    app: Flask, headers: dict[str, str], allowed: bool, path: str
) -> None:
    answer = app.test_client().post(path, data={}, headers=headers)
    refused = answer.status_code == 403 and answer.get_json()["type"] == "/problems/foreign-origin"
    assert refused is not allowed


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_every_unsafe_method_is_checked(app: Flask, method: str) -> None:
    answer = app.test_client().open("/account", method=method, headers={"Origin": "http://evil.example"})
    assert answer.get_json()["type"] == "/problems/foreign-origin"


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_link_from_elsewhere_may_be_followed(app: Flask, method: str) -> None:
    answer = app.test_client().open("/sign-in", method=method, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200


def test_the_base_url_is_our_own_origin_too(settings: Settings, db: Database) -> None:
    app = create_app(settings.model_copy(update={"base_url": "https://review.example.org/desk"}), db)
    answer = app.test_client().post("/sign-in", data={}, headers={"Origin": "https://review.example.org"})
    assert answer.status_code == 401


def refusal(settings: Settings, db: Database, base_url: str, **headers: str) -> TestResponse:
    app = create_app(settings.model_copy(update={"base_url": base_url}), db)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    client = app.test_client()
    return client.post(
        "/sign-in", base_url="http://localhost", data={}, headers={"Accept": "text/html", **named}
    )


def test_an_address_that_is_not_ours_is_named_beside_the_one_that_is_set(
    settings: Settings, db: Database
) -> None:
    page = refusal(settings, db, "https://ops:secret@review.example.org/desk", Origin="http://desk.internal")
    assert page.status_code == 403
    assert (
        "The page was opened at http://desk.internal, the server is reached at http://localhost, and "
        "REVIEWQUEUE_BASE_URL says https://review.example.org. Open https://review.example.org instead."
    ) in page.text
    assert "secret" not in page.text
    page = refusal(settings, db, "", Origin="http://desk.internal")
    assert "REVIEWQUEUE_BASE_URL is not set. Open http://localhost instead." in page.text


def test_plain_http_under_an_https_address_is_told_instead_of_a_sign_in_that_leads_nowhere(
    settings: Settings, db: Database
) -> None:
    page = refusal(settings, db, "https://review.example.org", Origin="http://localhost")
    assert (page.status_code, "Open https://review.example.org instead" in page.text) == (403, True)
    # Behind a proxy that ends https and is not believed, the browser's word counts.
    behind = refusal(settings, db, "https://review.example.org", Origin="https://review.example.org")
    assert behind.status_code == 401


def test_addresses_of_a_request_are_shown_as_text_and_not_at_length(settings: Settings, db: Database) -> None:
    page = refusal(settings, db, "", Origin="http://<b>x</b>" + "y" * 5000).text
    assert "<b>x" not in page
    assert "&lt;b&gt;x" in page
    assert "y" * 200 not in page
    foreign = refusal(settings, db, "", Origin="http://evil.example", Sec_Fetch_Site="cross-site").text
    assert "came from a page of another site, http://evil.example." in foreign
    assert "BASE_URL" not in foreign


def test_the_api_takes_no_cookie_so_that_a_foreign_page_gains_nothing(
    client: FlaskClient, db: Database
) -> None:
    form = NewPerson(email="ada@example.org", name="Ada", is_admin=True)
    operations.add_person(db, SYSTEM_CALLER, form, password=PASSWORD)
    client.post("/sign-in", data={"email": "ada@example.org", "password": PASSWORD})
    assert client.get("/account").status_code == 200
    assert client.get("/api/v1/queues").status_code == 401


@pytest.mark.parametrize(("count", "address"), [(0, "127.0.0.1"), (1, "198.51.100.9"), (2, "203.0.113.5")])
def test_as_many_proxies_are_believed_as_the_operator_says(
    settings: Settings, db: Database, count: int, address: str
) -> None:
    app = create_app(settings.model_copy(update={"trusted_proxies": count}), db)
    seen: list[str | None] = []
    app.before_request(lambda: seen.append(request.remote_addr))
    app.test_client().get("/healthz", headers={"X-Forwarded-For": "203.0.113.5, 198.51.100.9"})
    assert seen == [address]


def test_no_template_holds_a_script_a_style_or_a_handler() -> None:
    read = 0
    for template in Path(folder("templates")).rglob("*.html"):
        text = template.read_text(encoding="utf-8")
        read += 1
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text), template
        assert not re.search(r"<script(?![^>]*\ssrc=)", text), template
    assert read > 10
