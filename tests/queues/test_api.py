"""The queues' API keeps its contract: documents in and out, statuses, versions, pages of lists, refusals."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from reviewqueue.db import Database
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.people.models import Scope
from reviewqueue.queues.document import parse
from reviewqueue.queues.models import Queue
from reviewqueue.queues.operations import apply
from tests.queues.doors import key_headers
from tests.queues.examples import CONTRACT_DOCUMENT, OFFICE
from tests.support.making import make_calendar, make_person

AT = "/api/v1/queues"


@pytest.fixture
def key(db: Database) -> dict[str, str]:
    make_calendar(db, OFFICE)
    return key_headers(db)


def test_put_creates_with_201_and_answers_the_canonical_document(
    client: FlaskClient, key: dict[str, str]
) -> None:
    document = parse(CONTRACT_DOCUMENT).as_dict()
    answer = client.put(f"{AT}/receipt-extraction", json=document, headers=key)
    assert answer.status_code == 201
    assert {key: value for key, value in (answer.json or {}).items() if key != "warnings"} == document
    assert answer.headers["Location"] == f"{AT}/receipt-extraction"
    assert answer.headers["Policy-Version"] == "1"
    read = client.get(f"{AT}/receipt-extraction", headers=key)
    assert (read.status_code, read.json, read.headers["Policy-Version"]) == (200, document, "1")


def test_put_takes_yaml_too_and_answers_200_for_what_is_there(
    client: FlaskClient, key: dict[str, str]
) -> None:
    yaml = {"data": CONTRACT_DOCUMENT, "content_type": "application/yaml", "headers": key}
    assert client.put(f"{AT}/receipt-extraction", **yaml).status_code == 201
    assert client.put(f"{AT}/receipt-extraction", **yaml).status_code == 200


def test_what_get_answers_can_be_put_back_unchanged(client: FlaskClient, key: dict[str, str]) -> None:
    client.put(
        f"{AT}/receipt-extraction", data=CONTRACT_DOCUMENT, content_type="application/yaml", headers=key
    )
    document = client.get(f"{AT}/receipt-extraction", headers=key).json
    again = client.put(f"{AT}/receipt-extraction", json=document, headers=key)
    told = again.json or {}
    assert told.pop("warnings")
    assert (again.status_code, told, again.headers["Policy-Version"]) == (200, document, "1")


@pytest.mark.parametrize(
    ("sent", "status", "slug", "pointer"),
    [
        ({"json": {"polcy": {}}}, 422, "invalid-document", "/polcy"),
        (
            {"json": {"policy": {"lanes": {"autonomous_at": 2}}}},
            422,
            "invalid-document",
            "/policy/lanes/autonomous_at",
        ),
        ({"json": {"queue": "another"}}, 422, "invalid-document", "/queue"),
        ({"json": ["no", "object"]}, 422, "invalid", None),
        ({"data": "{", "content_type": "application/json"}, 400, "not-json", None),
        ({"data": "title: [", "content_type": "application/yaml"}, 422, "invalid-document", ""),
        ({"data": "a: &x b", "content_type": "application/yaml"}, 422, "invalid-document", ""),
        ({"data": b"\xff", "content_type": "application/yaml"}, 422, "invalid-document", ""),
        ({"data": "title: x", "content_type": "text/plain"}, 415, "unsupported-media-type", None),
        (
            {
                "data": "output_schema: {maximum: 123456789012345678901234567890}",
                "content_type": "application/yaml",
            },
            422,
            "invalid-document",
            "/output_schema/maximum",
        ),
    ],
)
def test_a_document_that_does_not_fit_is_a_problem_that_names_the_place(
    client: FlaskClient,
    key: dict[str, str],
    db: Database,
    sent: Any,
    status: int,
    slug: str,
    pointer: str | None,
) -> None:
    answer = client.put(f"{AT}/receipts", headers=key, **sent)
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    problem = answer.json
    assert problem is not None
    assert problem["type"] == f"/problems/{slug}"
    if pointer is not None:
        assert problem["errors"][0]["pointer"] == pointer
    with db.reading() as session:
        assert session.scalars(sa.select(Queue)).all() == []


@pytest.mark.parametrize("name", ["UPPER", "with space", "a_b", "x" * 65])
def test_a_name_that_is_no_slug_is_refused(client: FlaskClient, key: dict[str, str], name: str) -> None:
    assert client.put(f"{AT}/{name}", json={}, headers=key).status_code == 422


def test_the_list_goes_page_by_page_in_the_order_of_names(client: FlaskClient, db: Database) -> None:
    for name in ("b", "c", "a"):
        apply(db, SYSTEM_CALLER, {"queue": name})
    key, seen, cursor = key_headers(db), [], None
    for _ in range(3):
        page = client.get(
            AT, query_string={"limit": 1, "cursor": cursor} if cursor else {"limit": 1}, headers=key
        ).json
        assert page is not None
        seen += [(row["queue"], row["policy_version"], row["url"]) for row in page["items"]]
        cursor = page["next"]
    assert seen == [(name, 1, f"http://localhost/queues/{name}") for name in "abc"]
    assert cursor is None


def test_the_versions_of_a_policy_are_listed_newest_first_and_read_one_by_one(
    client: FlaskClient, key: dict[str, str]
) -> None:
    for share in (0.1, 0.2, 0.3):
        client.put(f"{AT}/receipts", json={"policy": {"audit_sample": share}}, headers=key)
    first = client.get(f"{AT}/receipts/policies?limit=2", headers=key).json
    assert first is not None
    assert [(row["version"], row["in_force"]) for row in first["items"]] == [(3, True), (2, False)]
    rest = client.get(f"{AT}/receipts/policies", query_string={"cursor": first["next"]}, headers=key).json
    assert rest is not None
    assert ([row["version"] for row in rest["items"]], rest["next"]) == ([1], None)
    version = client.get(f"{AT}/receipts/policies/2", headers=key).json
    assert version is not None
    assert version["policy"]["audit_sample"] == 0.2
    assert (version["published_by"], version["output_schema"]) == ("test key", None)
    assert client.get(f"{AT}/receipts/policies/9", headers=key).status_code == 404


@pytest.mark.parametrize("cursor", ["nonsense", "WzFd", "WyJhIiwiYiJd", "bnVsbA"])
def test_a_foreign_cursor_is_refused(client: FlaskClient, key: dict[str, str], cursor: str) -> None:
    assert client.get(AT, query_string={"cursor": cursor}, headers=key).status_code == 422


def test_a_key_reaches_its_queues_alone(client: FlaskClient, db: Database) -> None:
    apply(db, SYSTEM_CALLER, {"queue": "mine"})
    apply(db, SYSTEM_CALLER, {"queue": "theirs"})
    narrow = key_headers(db, queues=["mine", "new"])
    listed = client.get(AT, headers=narrow).json
    assert listed is not None
    assert [row["queue"] for row in listed["items"]] == ["mine"]
    for path in ("theirs", "theirs/policies", "theirs/policies/1", "unheard-of"):
        answer = client.get(f"{AT}/{path}", headers=narrow)
        assert (answer.status_code, answer.json and answer.json["type"]) == (404, "/problems/no-such-queue")
    assert client.put(f"{AT}/theirs", json={}, headers=narrow).status_code == 404
    assert client.put(f"{AT}/new", json={}, headers=narrow).status_code == 201


def test_changing_needs_the_scope_and_reading_its_own(client: FlaskClient, db: Database) -> None:
    apply(db, SYSTEM_CALLER, {"queue": "receipts"})
    reader, writer = key_headers(db, [Scope.ITEMS_READ]), key_headers(db, [Scope.QUEUES_WRITE])
    assert client.get(f"{AT}/receipts", headers=reader).status_code == 200
    assert client.put(f"{AT}/receipts", json={}, headers=reader).status_code == 403
    assert client.get(f"{AT}/receipts", headers=writer).status_code == 403
    assert client.put(f"{AT}/receipts", json={"title": "New"}, headers=writer).status_code == 200
    assert client.get(f"{AT}/receipts").status_code == 401


def test_a_persons_key_may_do_what_the_person_may(client: FlaskClient, db: Database) -> None:
    boss, clerk = make_person(db, "boss@example.org"), make_person(db, "clerk@example.org")
    members = {"manager": ["boss@example.org"], "reviewer": ["clerk@example.org"]}
    apply(db, SYSTEM_CALLER, {"queue": "receipts", "members": members})
    as_boss, as_clerk = key_headers(db, person=boss), key_headers(db, person=clerk)
    changed = {"title": "Changed", "members": members}
    assert client.put(f"{AT}/receipts", json=changed, headers=as_clerk).status_code == 403
    assert client.put(f"{AT}/receipts", json=changed, headers=as_boss).status_code == 200
    assert client.put(f"{AT}/brand-new", json={}, headers=as_boss).status_code == 404


def test_the_description_has_the_whole_document(client: FlaskClient) -> None:
    spec = client.get("/api/v1/openapi.json").json
    assert spec is not None
    put = spec["paths"]["/api/v1/queues/{queue}"]["put"]
    assert set(put["requestBody"]["content"]) == {"application/json", "application/yaml"}
    assert {"200", "201", "404", "422"} <= set(put["responses"])
    properties = spec["components"]["schemas"]["QueueDocument"]["properties"]
    assert set(properties) >= set(parse(CONTRACT_DOCUMENT).as_dict())
