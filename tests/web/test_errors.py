"""Every refusal and failure: a problem document for programs, a page for people, and never a secret."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from markupsafe import escape
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from reviewqueue.audit.models import Event
from reviewqueue.db import Database
from reviewqueue.errors import ClaimedByAnother, Fault, Invalid, TooManyRequests
from reviewqueue.people import key_operations
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.people.forms import NewKey
from reviewqueue.web.problems import EXPLAINED, kinds_by_slug
from reviewqueue.web.requests import public

MEMBERS = {"type", "title", "status", "detail", "errors", "request_id"}
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def raising(error: Exception) -> Any:
    def view() -> None:
        raise error

    return public(view)


@pytest.fixture
def app(app: Flask) -> Flask:
    app.add_url_rule("/api/broken", "broken_api", raising(RuntimeError("the secret is 12345")))
    app.add_url_rule("/broken", "broken", raising(RuntimeError("the secret is 12345")))
    app.add_url_rule("/api/gone", "gone", raising(OperationalError("SELECT 1", {}, Exception("host db-17"))))
    app.add_url_rule(
        "/api/held", "held", raising(ClaimedByAnother("Bo holds it.", until="2026-03-02T09:10:00Z"))
    )
    app.add_url_rule("/api/often", "often", raising(TooManyRequests("Wait.", retry_after=7)))
    app.add_url_rule(
        "/page", "page", raising(Invalid("Two things.", faults=[Fault("/a<b", "is <i>wrong</i>")]))
    )
    return app


@pytest.fixture
def bearer(db: Database) -> dict[str, str]:
    form = NewKey.model_validate({"name": "app", "scopes": ["items:write", "items:read", "queues:write"]})
    return {"Authorization": f"Bearer {key_operations.create_key(db, SYSTEM_CALLER, form)}"}


def problem(answer: TestResponse, status: int, slug: str) -> dict[str, Any]:
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    document: dict[str, Any] = answer.get_json()
    assert document.keys() >= MEMBERS
    assert (document["type"], document["status"]) == (f"/problems/{slug}", status)
    assert document["request_id"] == answer.headers["X-Request-Id"]
    return document


@pytest.mark.parametrize(
    ("method", "path", "status", "slug"),
    [
        ("GET", "/api/v1/nothing", 404, "not-found"),
        ("GET", "/nothing", 404, "not-found"),
        ("DELETE", "/api/v1/queues", 405, "method-not-allowed"),
        ("DELETE", "/healthz", 405, "method-not-allowed"),
        ("GET", "/api/v1/queues", 401, "unauthenticated"),
        ("GET", "/api/broken", 500, "internal-error"),
        ("GET", "/broken", 500, "internal-error"),
        ("GET", "/api/gone", 503, "unavailable"),
        ("GET", "/api/held", 409, "claimed-by-another"),
        ("GET", "/api/often", 429, "too-many-requests"),
        ("GET", "/static/nothing.js", 404, "not-found"),
    ],
)
def test_programs_get_a_problem_document(
    client: FlaskClient, method: str, path: str, status: int, slug: str
) -> None:
    problem(client.open(path, method=method), status, slug)


def test_a_problem_tells_what_helps_and_in_the_headers_too(client: FlaskClient) -> None:
    assert client.get("/api/held").get_json()["until"] == "2026-03-02T09:10:00Z"
    assert client.get("/api/often").headers["Retry-After"] == "7"
    assert "GET" in client.delete("/api/v1/queues").headers["Allow"]
    assert client.get("/api/v1/queues").headers["WWW-Authenticate"] == "Bearer"


def test_what_broke_is_in_the_log_and_not_in_the_answer(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    for path in ("/api/broken", "/broken", "/api/gone"):
        answer = client.get(path, headers={"X-Request-Id": "find-me"})
        assert "12345" not in answer.text
        assert "db-17" not in answer.text
        assert "Traceback" not in answer.text
    told = [str(record.msg) for record in caplog.records if record.levelname == "ERROR"]
    assert len(told) == 3
    assert all("find-me" in each for each in told)


@pytest.mark.parametrize(("path", "status"), [("/nothing", 404), ("/broken", 500), ("/page", 422)])
def test_people_get_a_page(client: FlaskClient, path: str, status: int) -> None:
    answer = client.get(path, headers=HTML)
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert answer.headers["X-Request-Id"] in answer.text
    assert "<h1>" in answer.text


def test_what_a_page_says_of_the_input_is_text(client: FlaskClient) -> None:
    page = client.get("/page", headers=HTML).text
    assert "is &lt;i&gt;wrong&lt;/i&gt;" in page


def test_a_page_is_told_even_when_the_frame_of_all_pages_breaks(app: Flask) -> None:
    def broken() -> dict[str, Any]:
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    app.context_processor(broken)
    answer = app.test_client().get("/nothing", headers=HTML)
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "There is nothing at this address." in answer.text


@pytest.mark.parametrize(
    ("body", "content_type", "status", "slug"),
    [
        (b"{", "application/json", 400, "not-json"),
        (b"", "application/json", 400, "not-json"),
        (b"[NaN]", "application/json", 400, "not-json"),
        (b'{"a": 1, "a": 2}', "application/json", 400, "not-json"),
        (b"a=1", "application/x-www-form-urlencoded", 415, "unsupported-media-type"),
        (b"{}", "text/plain", 415, "unsupported-media-type"),
        (b'"{}"', "application/json", 422, "invalid"),
        (b"null", "application/json", 422, "invalid"),
        (b'{"surprise": 1}', "application/json", 422, "invalid"),
        (b'{"a": "' + b"x" * 1024 * 1024 + b'"}', "application/json", 413, "too-large"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_wrong_input_is_never_a_500_and_leaves_nothing_behind(
    client: FlaskClient,
    db: Database,
    bearer: dict[str, str],
    body: bytes,
    content_type: str,
    status: int,
    slug: str,
) -> None:
    with db.reading() as session:
        before = session.query(Event).count()
    answer = client.post("/api/v1/items", data=body, content_type=content_type, headers=bearer)
    problem(answer, status, slug)
    with db.reading() as session:
        assert session.query(Event).count() == before


def test_who_calls_is_asked_before_the_body_is_read(client: FlaskClient) -> None:
    problem(client.post("/api/v1/items", data=b"{", content_type="application/json"), 401, "unauthenticated")


def test_every_problem_has_a_page_that_explains_it(client: FlaskClient) -> None:
    kinds = kinds_by_slug()
    assert {"refused", "internal-error", "invalid-document", "sign-in-failed"} <= set(kinds)
    assert set(kinds) - set(EXPLAINED) == set(), "a refusal needs words of its own in explanations.py"
    listed = client.get("/problems/", headers=HTML)
    assert listed.status_code == 200
    for slug, kind in kinds.items():
        page = client.get(f"/problems/{slug}", headers=HTML)
        assert page.status_code == 200
        assert escape(kind.title) in page.text
        assert f"&#34;/problems/{slug}&#34;" in page.text, "the example is of this problem"
        assert f'href="/problems/{slug}"' in listed.text


def test_each_problem_has_words_of_its_own() -> None:
    for told in ("happened", "advice", "detail"):
        words = [getattr(explanation, told) for explanation in EXPLAINED.values()]
        assert len(set(words)) == len(words)
        assert min(map(len, words)) > 20
    assert set(EXPLAINED) - set(kinds_by_slug()) == set(), "words for a refusal that is gone"


def test_an_unknown_problem_has_none(client: FlaskClient) -> None:
    assert client.get("/problems/made-up").status_code == 404
