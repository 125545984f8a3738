"""The log: one line a request, with its id, and no secret wherever it hides."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from reviewqueue.db import Database
from reviewqueue.people import key_operations, links, operations
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.people.forms import NewKey, NewPerson
from reviewqueue.web import logs

PASSWORD = "correct horse battery"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What goes to stderr, as JSON lines; the log is put back afterwards."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    root = logging.getLogger()
    before = root.handlers[:], root.level
    logs.set_up("json", logging.DEBUG)
    yield stream
    root.handlers, root.level = before[0], before[1]


def lines(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_request_is_one_line_with_its_id(client: FlaskClient, written: io.StringIO) -> None:
    client.get("/sign-in?email=ada@example.org", headers={"X-Request-Id": "abc"})
    told = [line for line in lines(written) if line["event"] == "request"]
    assert len(told) == 1
    line = told[0]
    assert (line["method"], line["path"], line["status"], line["request_id"]) == (
        "GET",
        "/sign-in",
        200,
        "abc",
    )
    assert line["ms"] >= 0
    assert line["level"] == "info"


def test_probes_are_told_at_debug_level(client: FlaskClient, written: io.StringIO) -> None:
    client.get("/healthz")
    assert [line["level"] for line in lines(written) if line["event"] == "request"] == ["debug"]


def test_no_secret_of_a_sign_in_a_link_or_a_key_is_written(
    client: FlaskClient, db: Database, written: io.StringIO
) -> None:
    token = operations.add_person(db, SYSTEM_CALLER, NewPerson(email="ada@example.org", name="Ada"))
    assert token is not None
    path = links.path_of(token)
    client.get(path)
    client.post(path, data={"password": PASSWORD, "repeated": PASSWORD})
    client.post("/sign-in", data={"email": "ada@example.org", "password": PASSWORD})
    secret = key_operations.create_key(
        db, SYSTEM_CALLER, NewKey.model_validate({"name": "app", "scopes": ["items:read"]})
    )
    client.get("/api/v1/queues", headers={"Authorization": f"Bearer {secret}"}).close()
    cookie = client.get_cookie("reviewqueue")
    assert cookie is not None
    text = written.getvalue()
    assert len(lines(written)) >= 4
    for hidden in (token, PASSWORD, secret, cookie.value):
        assert hidden not in text
    assert "/link/<token>" in text


@pytest.mark.parametrize(
    ("event", "hidden"),
    [
        ({"authorization": "abc"}, "abc"),
        ({"Set-Cookie": "abc"}, "abc"),
        ({"new_password": "abc"}, "abc"),
        ({"api_key": "abc"}, "abc"),
        ({"claim_token": "abc"}, "abc"),
        ({"event": "key rq_0123456789abcdef is wrong"}, "rq_0123456789"),
        ({"event": "sent Authorization: Bearer abc.def"}, "abc.def"),
        ({"exception": "postgresql://user:hunter2@db/x"}, "hunter2"),
    ],
)
def test_secrets_are_hidden_by_name_and_by_shape(event: dict[str, Any], hidden: str) -> None:
    assert hidden not in repr(logs.redact(None, "info", event))


def test_what_is_no_secret_stays() -> None:
    event = {"event": "request", "path": "/items/1", "ms": 1.5, "by": "person:1"}
    assert logs.redact(None, "info", dict(event)) == event


def test_libraries_log_in_the_same_form(written: io.StringIO) -> None:
    logging.getLogger("some.library").warning("used %s", "rq_0123456789abcdef")
    line = lines(written)[-1]
    assert (line["event"], line["level"], line["logger"]) == ("used ***", "warning", "some.library")


def test_text_is_for_people(written: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", written)
    logs.set_up("text")
    logging.getLogger("x").warning("hello")
    assert "[warning  ] hello" in written.getvalue()


def test_a_request_leaves_its_id_to_nobody(client: FlaskClient, written: io.StringIO) -> None:
    client.get("/healthz", headers={"X-Request-Id": "abc"})
    logging.getLogger("x").warning("hello")
    assert "request_id" not in lines(written)[-1]
