"""The items' API as an app and a reviewer's script speak it: statuses, headers, problem documents."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.people.callers import SYSTEM_CALLER
from reviewqueue.people.forms import NewKey
from reviewqueue.people.key_operations import create_key
from reviewqueue.people.models import Scope

from .office import Office, open_office

Call = Callable[..., TestResponse]


@pytest.fixture
def office(db: Database) -> Office:
    return open_office(db)


def caller_of(app: Flask, db: Database, person: str | None = None, *scopes: Scope) -> Call:
    """Calls the API with a key of its own."""
    if not scopes:
        scopes = tuple(Scope) if person else tuple(s for s in Scope if s is not Scope.DECISIONS_WRITE)
    secret = create_key(db, SYSTEM_CALLER, NewKey(name=person or "app", scopes=list(scopes), person=person))
    client = app.test_client()

    def call(
        method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any
    ) -> TestResponse:
        auth = {"Authorization": f"Bearer {secret}", **(headers or {})}
        return client.open(f"/api/v1{path}", method=method, headers=auth, **options)

    return call


@pytest.fixture
def by_app(app: Flask, office: Office) -> Call:
    return caller_of(app, office.db)


@pytest.fixture
def by_ann(app: Flask, office: Office) -> Call:
    return caller_of(app, office.db, "ann@example.org")


def test_from_enqueue_to_outcome(office: Office, by_app: Call, by_ann: Call) -> None:
    sent = by_app("POST", "/items", json=office.body(external_id="r-1"))
    assert (sent.status_code, sent.headers["ETag"]) == (201, '"1"')
    item = sent.get_json()
    assert sent.headers["Location"] == f"/api/v1/items/{item['id']}"
    assert item["url"] == f"http://localhost/items/{item['id']}"

    claimed = by_ann("POST", "/queues/receipts/claims")
    assert claimed.status_code == 201
    assert claimed.get_json()["item"]["evidence"]["input"] == {"lines": ["TOTAL 12.90"]}
    assert by_ann("POST", "/queues/receipts/claims").status_code == 204

    verdict = {"verdict": "edit", "output": {"total": "1.00"}, "claim_token": claimed.get_json()["token"]}
    decided = by_ann("POST", f"/items/{item['id']}/decision", json=verdict)
    assert decided.status_code == 200
    outcome = by_app("GET", f"/items/{item['id']}?wait=1").get_json()["outcome"]
    assert (outcome["verdict"], outcome["by"], outcome["output"]) == ("edit", "person", {"total": "1.00"})
    again = by_ann("POST", f"/items/{item['id']}/decision", json=verdict)
    assert (again.status_code, again.get_json()["type"]) == (409, "/problems/already-decided")


def test_a_repeat_answers_200_and_says_so(office: Office, by_app: Call) -> None:
    for headers, body in (({}, office.body(external_id="r-1")), ({"Idempotency-Key": "k"}, office.body())):
        first = by_app("POST", "/items", json=body, headers=headers)
        again = by_app("POST", "/items", json=body, headers=headers)
        assert (first.status_code, again.status_code) == (201, 200)
        assert again.headers["Idempotent-Replayed"] == "true"
        assert again.get_json() == first.get_json()
    other = by_app("POST", "/items", json=office.body(confidence=0.7), headers={"Idempotency-Key": "k"})
    assert (other.status_code, other.get_json()["type"]) == (422, "/problems/idempotency-key-reused")
    taken = by_app("POST", "/items", json=office.body(external_id="r-1", confidence=0.7))
    assert (taken.status_code, taken.get_json()["type"]) == (409, "/problems/external-id-taken")


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b'{"queue": "receipts", "input": NaN}', 400),
        (b'{"queue": "receipts", "input": 1e999}', 400),
        (b'{"queue": "receipts", "input": 1, "input": 2}', 400),
        (b'{"queue": "receipts", "input": "\\ud800"}', 400),
        (b'{"queue": "receipts", "input": "a\\u0000b"}', 400),
        (b'{"queue": "receipts", "input": ' + b"[" * 70 + b"]" * 70 + b"}", 400),
        (b"\xff\xfe", 400),
        (b"[]", 422),
        (b"null", 422),
        (b'{"queue": "receipts"}', 422),
        (b'{"queue": "receipts", "input": 1, "suprise": 2}', 422),
        (b'{"queue": "receipts", "input": 1, "confidence": "0.5"}', 422),
        (b'{"queue": "nowhere", "input": 1}', 404),
        (b'{"queue": "receipts", "input": "' + b"x" * 1_100_000 + b'"}', 413),
    ],
)
def test_garbage_is_refused_by_name_and_leaves_nothing(
    office: Office, by_app: Call, raw: bytes, status: int
) -> None:
    answer = by_app("POST", "/items", data=raw, content_type="application/json")
    problem = answer.get_json()
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert problem["status"] == status
    assert problem["detail"]
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    assert by_app("GET", "/items").get_json() == {"items": [], "next": None}


def test_another_type_of_body_is_415(by_app: Call) -> None:
    answer = by_app("POST", "/items", data="queue=receipts", content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 415


def test_an_unknown_field_is_named_by_a_pointer(office: Office, by_app: Call) -> None:
    (error,) = by_app("POST", "/items", json=office.body(confidnce=0.3)).get_json()["errors"]
    assert error == {"pointer": "/confidnce", "detail": "is not a known field"}
    (told,) = by_app("POST", "/items/batch", json=[office.body(confidnce=0.3)]).get_json()["results"]
    assert told["problem"]["errors"] == [error]


@pytest.mark.parametrize(
    ("field", "value"), [("model", 5), ("model", []), ("error", ""), ("error", 5), ("context", [1])]
)
def test_what_is_wrong_is_told_without_the_names_of_our_code(
    office: Office, by_app: Call, field: str, value: Any
) -> None:
    errors = by_app("POST", "/items", json=office.body(**{field: value})).get_json()["errors"]
    assert {error["pointer"] for error in errors} == {"/context/0" if field == "context" else f"/{field}"}
    assert {error["detail"] for error in errors} <= {"must be an object", "must be text", "must not be empty"}


@pytest.mark.parametrize("said", [{"verdict": "edit"}, {"verdict": "accept", "output": 1}])
def test_a_decisions_wrong_output_is_pointed_at(office: Office, by_ann: Call, said: dict[str, Any]) -> None:
    path = f"/items/{office.enqueue()}/decision"
    (error,) = by_ann("POST", path, json=said, headers={"If-Match": "1"}).get_json()["errors"]
    assert error["pointer"] == "/output"


@pytest.mark.parametrize("ndjson", [True, False])
def test_a_batch_tells_what_became_of_each(office: Office, by_app: Call, ndjson: bool) -> None:
    bodies = [office.body(external_id="a"), office.body(external_id="a"), office.body(confidence=9)]
    if ndjson:
        lines = b"\n".join(json.dumps(body).encode() for body in bodies) + b'\n{"torn\n'
        answer = by_app("POST", "/items/batch", data=lines, content_type="application/x-ndjson")
    else:
        answer = by_app("POST", "/items/batch", json=bodies)
    told = answer.get_json()
    assert answer.status_code == 207
    assert (told["accepted"], told["replayed"], told["refused"]) == (1, 1, 2 if ndjson else 1)
    assert set(told["results"][0]) == {"index", "id", "state", "lane"}
    assert told["results"][2]["problem"]["errors"][0]["pointer"] == "/confidence"


def test_a_batch_under_a_key_is_answered_again_as_it_was(office: Office, by_app: Call) -> None:
    bodies, key = [office.body(), office.body(confidence=9)], {"Idempotency-Key": "k"}
    first = by_app("POST", "/items/batch", json=bodies, headers=key)
    again = by_app("POST", "/items/batch", json=bodies, headers=key)
    assert (first.status_code, again.status_code) == (207, 207)
    assert ("Idempotent-Replayed" in first.headers, again.headers["Idempotent-Replayed"]) == (False, "true")
    assert again.get_json() == first.get_json()
    assert len(by_app("GET", "/items").get_json()["items"]) == 1
    for path, body in (("/items/batch", bodies[:1]), ("/items", bodies[0])):
        other = by_app("POST", path, json=body, headers=key)
        assert (other.status_code, other.get_json()["type"]) == (422, "/problems/idempotency-key-reused")


def test_a_refused_atomic_batch_does_not_use_up_its_key(office: Office, by_app: Call) -> None:
    key = {"Idempotency-Key": "k"}
    bodies = [office.body(), office.body(confidence=9)]
    assert by_app("POST", "/items/batch?atomic=true", json=bodies, headers=key).status_code == 422
    taken = by_app("POST", "/items/batch?atomic=true", json=bodies[:1], headers=key)
    assert (taken.status_code, taken.get_json()["accepted"]) == (200, 1)


def test_an_atomic_batch_is_422_and_leaves_nothing(office: Office, by_app: Call) -> None:
    answer = by_app("POST", "/items/batch?atomic=true", json=[office.body(), office.body(confidence=9)])
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, "/1/confidence")
    assert by_app("GET", "/items").get_json()["items"] == []


def test_a_claim_is_renewed_and_released_by_its_token(office: Office, by_ann: Call) -> None:
    path = f"/items/{office.enqueue()}/claim"
    claimed = by_ann("POST", path)
    assert claimed.status_code == 201
    token = claimed.get_json()["token"]
    assert by_ann("PATCH", path, json={"token": "wrong"}).status_code == 412
    bare = by_ann("PATCH", path)
    assert (bare.status_code, "claim_token" in bare.get_json()["detail"]) == (428, True)
    assert by_ann("PATCH", path, json={"token": token}).status_code == 200
    assert by_ann("DELETE", path, json={"token": token}).status_code == 204
    gone = by_ann("DELETE", path, json={"token": token})
    assert (gone.status_code, gone.get_json()["detail"].partition(":")[0]) == (412, "Nobody holds the item")


def test_a_decision_needs_the_token_or_if_match(office: Office, by_ann: Call) -> None:
    path = f"/items/{office.enqueue()}/decision"
    accept = {"verdict": "accept"}
    assert by_ann("POST", path, json=accept).status_code == 428
    assert by_ann("POST", path, json=accept, headers={"If-Match": '"7"'}).status_code == 412
    assert by_ann("POST", path, json={**accept, "output": {}}, headers={"If-Match": '"1"'}).status_code == 422
    assert by_ann("POST", path, json={"verdict": "reject"}, headers={"If-Match": '"1"'}).status_code == 422
    assert by_ann("POST", path, json=accept, headers={"If-Match": '"1"'}).status_code == 200


def test_the_api_accepts_an_unfit_output_on_purpose_only(office: Office, by_ann: Call) -> None:
    path, seen = f"/items/{office.enqueue(output=None)}/decision", {"If-Match": '"1"'}
    refused = by_ann("POST", path, json={"verdict": "accept"}, headers=seen)
    assert (refused.status_code, refused.get_json()["errors"][0]["pointer"]) == (422, "/output")
    on_purpose = {"verdict": "accept", "despite_schema": True}
    assert by_ann("POST", path, json=on_purpose, headers=seen).status_code == 200


def test_lists_filter_order_and_page(office: Office, by_app: Call, clock: MovableClock) -> None:
    for number in range(5):
        clock.move(seconds=1)
        office.enqueue(
            external_id=f"n{number}", flags=["odd"] if number % 2 else [], tags={"department": str(number)}
        )
    office.enqueue(external_id="sure", confidence=0.99)

    def names(query: str) -> list[str]:
        return [item["external_id"] for item in by_app("GET", f"/items?{query}").get_json()["items"]]

    assert names("state=pending&flag=odd") == ["n1", "n3"]
    assert names("tag.department=4") == ["n4"]
    assert names("state=auto_accepted") == ["sure"]
    assert names("q=12.90&external_id=n2") == ["n2"]
    assert names("order=-created&limit=2") == ["sure", "n4"]
    seen, cursor = [], ""
    while True:
        page = by_app("GET", f"/items?queue=receipts&limit=2{cursor}").get_json()
        seen += [item["external_id"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == ["n0", "n1", "n2", "n3", "n4", "sure"]
    for bad in ("limit=0", "limit=201", "colour=red", "cursor=!!", "order=random", "state=lost"):
        assert by_app("GET", f"/items?{bad}").status_code == 422


def test_the_acts_of_people_by_their_paths(
    office: Office, app: Flask, by_ann: Call, clock: MovableClock
) -> None:
    by_lea = caller_of(app, office.db, "lea@example.org")
    item_id = office.enqueue()
    at = f"/items/{item_id}"
    assert by_ann("POST", f"{at}/comments", json={"text": "odd"}).status_code == 201
    assert by_ann("POST", f"{at}/escalation", json={"reason": "no idea"}).get_json()["level"] == 1
    until = "2026-03-02T10:00:00Z"
    assert (
        by_ann("POST", f"{at}/snooze", json={"until": until})
        .get_json()["snoozed_until"]
        .startswith(until[:-1])
    )
    assert by_ann("POST", f"{at}/assignment", json={"to": "bob@example.org"}).status_code == 403
    assert (
        by_lea("POST", f"{at}/assignment", json={"to": "bob@example.org"}).get_json()["assigned_to"]
        == "bob@example.org"
    )
    assert by_lea("POST", f"{at}/reopening", json={"reason": "x"}).status_code == 409
    token = by_lea("POST", f"{at}/claim").get_json()["token"]
    assert (
        by_lea("POST", f"{at}/decision", json={"verdict": "accept", "claim_token": token}).status_code == 200
    )
    assert by_lea("DELETE", f"{at}/decision").get_json()["item"]["state"] == "pending"
    assert by_ann("GET", f"/items/{'0' * 8}-0000-7000-8000-{'0' * 12}").status_code == 404
    assert by_ann("GET", "/items/not-an-id").status_code == 404


def test_a_key_without_the_scope_is_refused_by_name(office: Office, app: Flask) -> None:
    reads = caller_of(app, office.db, None, Scope.ITEMS_READ)
    refused = reads("POST", "/items", json=office.body())
    assert (refused.status_code, refused.get_json()["type"]) == (403, "/problems/forbidden")
    assert "items:write" in refused.get_json()["detail"]
    assert app.test_client().get("/api/v1/items").status_code == 401
