"""Receipts, from the outcome that carries one to the app that acts on it, verified by an implementation of its own."""

from __future__ import annotations

import uuid
import warnings
from typing import Any

import orjson
import pytest
from flask import Flask
from joserfc import jws
from joserfc.jwk import KeySet
from werkzeug.test import TestResponse

from reviewqueue.clock import MovableClock
from reviewqueue.config import Settings
from reviewqueue.db import Database
from reviewqueue.errors import TooLateToUndo
from reviewqueue.items import operations
from reviewqueue.people.models import Scope
from reviewqueue.receipts.signing import signer_for

from ..items.office import APP, Office, open_office
from ..support.api import Api
from .verifying import NoOrder, canonical_hash, claims_of, order


@pytest.fixture
def office(db: Database) -> Office:
    return open_office(db)


@pytest.fixture
def api(app: Flask, office: Office) -> Api:
    return Api.open(app, office.db, sorted(APP.scopes or ()))


@pytest.fixture
def by_ann(app: Flask, office: Office) -> Api:
    return Api.open(app, office.db, list(Scope), person="ann@example.org")


def keys_of(app: Flask) -> dict[str, Any]:
    answer = app.test_client().get("/.well-known/jwks.json")
    assert answer.status_code == 200
    keys: dict[str, Any] = answer.get_json()
    return keys


def verify(app: Flask, clock: MovableClock, shown: dict[str, Any], **more: Any) -> dict[str, Any]:
    outcome = shown["outcome"]
    told = {"output": outcome["output"], "item": shown["id"], "now": clock.now().timestamp(), **more}
    return order(outcome["receipt"], keys_of(app), **told)


def test_a_decision_comes_with_a_receipt_for_exactly_what_was_decided(
    app: Flask, api: Api, office: Office, clock: MovableClock
) -> None:
    item_id = office.enqueue(input={"lines": ["TOTAL 12.90"], "n": 2**60})
    decided_at = clock.move(minutes=5)
    office.decide("ann", item_id, "edit", output={"total": "12.50"})
    item = api.get(f"/items/{item_id}")
    claims = verify(app, clock, item)
    assert claims == {
        "iss": "http://localhost",
        "sub": str(item_id),
        "queue": "receipts",
        "revision": 1,
        "verdict": "edit",
        "by": "person",
        "output_sha256": canonical_hash({"total": "12.50"}),
        "input_sha256": canonical_hash({"lines": ["TOTAL 12.90"], "n": 2**60}),
        "policy_version": 1,
        "iat": int(decided_at.timestamp()),
    }
    with pytest.raises(NoOrder, match="another output"):
        verify(app, clock, item, output={"total": "1250.00"})
    with pytest.raises(NoOrder, match="another item"):
        verify(app, clock, item, item=str(uuid.uuid4()))


def test_an_altered_receipt_is_refused(app: Flask, api: Api, office: Office, clock: MovableClock) -> None:
    item_id = office.enqueue(confidence=0.95)
    head, claims, signature = api.get(f"/items/{item_id}")["outcome"]["receipt"].split(".")
    other = "A" if signature[10] != "A" else "B"
    for broken in (
        f"{head}.{claims}.{signature[:10]}{other}{signature[11:]}",
        f"{head}.{claims[:-4]}{claims[-4:].swapcase()}.{signature}",
    ):
        with pytest.raises(NoOrder, match="signature"):
            claims_of(broken, keys_of(app))


def test_a_jose_library_agrees(app: Flask, api: Api, office: Office) -> None:
    item_id = office.enqueue(confidence=0.95)
    receipt = api.get(f"/items/{item_id}")["outcome"]["receipt"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # joserfc would have EdDSA called Ed25519
        read = jws.deserialize_compact(receipt, KeySet.import_key_set(keys_of(app)), algorithms=["EdDSA"])  # type: ignore[arg-type]
    assert read.headers()["typ"] == "reviewqueue-receipt+jwt"
    assert b'"verdict":"accept","by":"policy"' in read.payload


def test_every_answer_that_shows_the_outcome_carries_the_same_receipt(
    api: Api, office: Office, clock: MovableClock
) -> None:
    arrived = api.post("/items", orjson.dumps(office.body(confidence=0.95, external_id="r-1")))
    receipt = arrived["outcome"]["receipt"]
    assert receipt
    clock.move(days=3)
    again = api.post("/items", orjson.dumps(office.body(confidence=0.95, external_id="r-1")))
    (listed,) = api.get("/items", queue="receipts")["items"]
    with_evidence = api.get(f"/items/{arrived['id']}", include="evidence")
    assert {one["outcome"]["receipt"] for one in (again, listed, with_evidence)} == {receipt}


def test_no_receipt_while_a_decision_may_be_undone(
    api: Api, by_ann: Api, office: Office, clock: MovableClock
) -> None:
    item_id = office.enqueue()
    office.decide("ann", item_id)
    assert by_ann.get(f"/items/{item_id}")["outcome"]["receipt"] is None
    operations.undo(office.db, office.caller("ann"), item_id)
    token = office.claim("ann", item_id).token
    office.decide("ann", item_id, "reject", token, reason="wrong-total")
    clock.move(seconds=31)
    assert by_ann.get(f"/items/{item_id}")["outcome"]["receipt"] is not None


@pytest.mark.parametrize("read", ["one", "list"])
def test_an_app_that_reads_the_outcome_has_its_receipt_at_once_and_ends_the_undo(
    api: Api, office: Office, read: str
) -> None:
    item_id = office.enqueue()
    office.decide("ann", item_id)
    item = api.get(f"/items/{item_id}") if read == "one" else api.get("/items", queue="receipts")["items"][0]
    assert item["outcome"]["receipt"] is not None
    with pytest.raises(TooLateToUndo):
        operations.undo(office.db, office.caller("ann"), item_id)


def test_what_must_not_be_done_is_signed_as_such(
    app: Flask, api: Api, office: Office, clock: MovableClock
) -> None:
    rejected, withdrawn = office.enqueue(), office.enqueue()
    office.decide("ann", rejected, "reject", reason="wrong-total")
    api.post(f"/items/{withdrawn}/withdrawal", b"{}")
    for item_id, verdict in ((rejected, "reject"), (withdrawn, "withdrawn")):
        item = api.get(f"/items/{item_id}")
        assert claims_of(item["outcome"]["receipt"], keys_of(app))["verdict"] == verdict
        with pytest.raises(NoOrder, match="verdict"):
            verify(app, clock, item)


def test_a_corrected_outcome_supersedes_the_receipt_before(
    app: Flask, api: Api, office: Office, clock: MovableClock
) -> None:
    item_id = office.enqueue(confidence=0.95)
    released = api.get(f"/items/{item_id}")
    operations.recall(office.db, office.caller("lea"), item_id, "looks wrong")
    assert api.get(f"/items/{item_id}")["outcome"] is None
    office.decide("ann", item_id, "edit", output={"total": "9.00"})
    corrected = api.get(f"/items/{item_id}")
    claims = verify(app, clock, corrected)
    assert claims["revision"] == 2
    with pytest.raises(NoOrder, match="superseded"):
        verify(app, clock, released, seen_revision=claims["revision"])


def test_a_receipt_ends_with_the_item_or_with_the_setting_whichever_is_first(
    app: Flask, api: Api, office: Office, clock: MovableClock, settings: Settings, db: Database
) -> None:
    begun = clock.now()
    item_id = office.enqueue(confidence=0.95, valid_until="2026-03-02T10:30:00Z")
    endless = office.enqueue(confidence=0.95)
    item = api.get(f"/items/{item_id}")
    assert verify(app, clock, item)["exp"] == int(begun.timestamp()) + 5400
    clock.move(hours=1, minutes=30)
    with pytest.raises(NoOrder, match="over"):
        verify(app, clock, item)
    app.extensions["receipts"] = signer_for(settings.model_copy(update={"receipt_hours": 1}), db)
    for each in (item_id, endless):
        receipt = api.get(f"/items/{each}")["outcome"]["receipt"]
        assert claims_of(receipt, keys_of(app))["exp"] == int(begun.timestamp()) + 3600


def test_a_batch_signs_nothing(app: Flask, api: Api, office: Office) -> None:
    bodies = [office.body(confidence=0.95) for _ in range(50)]
    operations.enqueue_batch(office.db, APP, bodies)
    assert keys_of(app) == {"keys": []}
    items = api.get("/items", queue="receipts")["items"]
    assert len({item["outcome"]["receipt"] for item in items}) == 50


def test_the_public_keys_are_public_and_cacheable(app: Flask, api: Api, office: Office) -> None:
    api.get(f"/items/{office.enqueue(confidence=0.95)}")
    client = app.test_client()
    answer: TestResponse = client.get("/.well-known/jwks.json")
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert answer.content_type == "application/jwk-set+json"
    (key,) = answer.get_json()["keys"]
    assert "d" not in key
    unchanged = client.get("/.well-known/jwks.json", headers={"If-None-Match": answer.headers["ETag"]})
    assert unchanged.status_code == 304
