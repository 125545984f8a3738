"""A receipt is an order to act on exactly what was decided, or it is refused."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reviewqueue.client import InvalidReceipt, ReviewQueue, UnknownKey
from reviewqueue.client.receipts import TYPE, Expected, check, keys_of, sha256_of
from reviewqueue.client.trust import KEPT

OUTPUT = {"total": "12.90", "tax": 1.0, "currency": "€"}
INPUT = {"lines": ["TOTAL 12.90"]}
NOW = 1_772_442_000
PRIVATE = Ed25519PrivateKey.generate()
EXPECTED = Expected(OUTPUT, item_id="item-1")


def base64url(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def sha256(canonical: str) -> str:
    return hashlib.sha256(canonical.encode()).hexdigest()


CLAIMS: dict[str, Any] = {
    "iss": "https://review.example.org",
    "sub": "item-1",
    "queue": "receipts",
    "revision": 2,
    "verdict": "edit",
    "by": "person",
    "output_sha256": sha256('{"currency":"€","tax":1,"total":"12.90"}'),
    "input_sha256": sha256('{"lines":["TOTAL 12.90"]}'),
    "policy_version": 3,
    "iat": NOW - 60,
    "exp": NOW + 60,
}
HEADER = {"alg": "EdDSA", "kid": "k1", "typ": TYPE}


def signed(
    claims: dict[str, Any] | None = None,
    header: dict[str, Any] | None = None,
    key: Ed25519PrivateKey = PRIVATE,
) -> str:
    """By the signature primitive alone, so that no library checks its own work."""
    parts = [json.dumps({**HEADER, **(header or {})}), json.dumps({**CLAIMS, **(claims or {})})]
    signed = ".".join(base64url(part.encode()) for part in parts)
    return f"{signed}.{base64url(key.sign(signed.encode()))}"


def jwk(kid: str, key: Ed25519PrivateKey = PRIVATE) -> dict[str, str]:
    x = base64url(key.public_key().public_bytes_raw())
    return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid, "use": "sig", "alg": "EdDSA"}


KEYS = keys_of({"keys": [{"kty": "RSA", "kid": "other"}, jwk("k1")]})


def test_a_good_receipt_says_what_was_decided() -> None:
    receipt = check(signed(), KEYS, replace(EXPECTED, input=INPUT, queue="receipts"), NOW)
    assert (receipt.item_id, receipt.revision, receipt.verdict, receipt.by) == ("item-1", 2, "edit", "person")
    assert receipt.expires_at is not None and receipt.expires_at.timestamp() == NOW + 60
    endless = check(signed({"exp": None}), KEYS, EXPECTED, NOW * 2)
    assert endless.expires_at is None


REFUSED: dict[str, tuple[Callable[[], str], dict[str, Any], str]] = {
    "no algorithm": (lambda: signed(header={"alg": "none"}), {}, "signed with EdDSA"),
    "another algorithm": (lambda: signed(header={"alg": "HS256"}), {}, "signed with EdDSA"),
    "another type of token": (lambda: signed(header={"typ": "JWT"}), {}, "not of the type"),
    "a critical extension": (lambda: signed(header={"crit": ["b64"], "b64": True}), {}, "type|read"),
    "another key's signature": (lambda: signed(key=Ed25519PrivateKey.generate()), {}, "altered"),
    "an altered claim": (
        lambda: ".".join(
            [signed().split(".")[0], signed({"revision": 9}).split(".")[1], signed().split(".")[2]]
        ),
        {},
        "altered",
    ),
    "no token at all": (lambda: "no receipt", {}, "compact JWS"),
    "claims missing": (lambda: signed({"revision": None}), {}, "does not say"),
    "its end is over": (lambda: signed({"exp": NOW}), {}, "ended at"),
    "another output": (signed, {"output": {**OUTPUT, "total": "12.91"}}, "The output"),
    "another input": (signed, {"input": {}}, "The input"),
    "another item": (signed, {"item_id": "item-2"}, "another item"),
    "another queue": (signed, {"queue": "orders"}, "another queue"),
    "another server": (signed, {"issuer": "https://elsewhere.example.org"}, "another issuer"),
    "a rejection": (lambda: signed({"verdict": "reject"}), {}, "no order to act"),
    "a withdrawal": (lambda: signed({"verdict": "withdrawn"}), {}, "no order to act"),
    "an earlier revision": (signed, {"least_revision": 3}, "superseded"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case: str) -> None:
    make, differing, why = REFUSED[case]
    with pytest.raises(InvalidReceipt, match=why):
        check(make(), KEYS, replace(EXPECTED, **differing), NOW)


def test_numbers_and_keys_are_hashed_as_the_server_writes_them() -> None:
    value = {"\U0001f600": 1e21, "\ufb33": 9007199254740993, "a": [0.1, -0.0, True, None, '\x1f"é']}
    canonical = '{"a":[0.1,0,true,null,"\\u001f\\"é"],"\U0001f600":1e+21,"\ufb33":9007199254740993}'
    assert sha256_of(value) == sha256(canonical)


class KeyServer:
    """Publishes keys and counts how often they are read."""

    def __init__(self, *kids: str) -> None:
        self.kids = list(kids)
        self.reads = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/.well-known/jwks.json"
        self.reads += 1
        return httpx.Response(200, json={"keys": [jwk(kid) for kid in self.kids]})


@pytest.fixture
def endless() -> str:
    return signed({"exp": None})


def test_keys_are_read_once_and_again_for_one_that_is_unknown(endless: str) -> None:
    published = KeyServer("k0")
    desk = ReviewQueue("http://localhost", "rq_1", transport=httpx.MockTransport(published))
    with pytest.raises(UnknownKey, match="k1"):
        desk.verify(endless, OUTPUT)
    assert published.reads == 2
    published.kids.append("k1")
    assert desk.verify(endless, OUTPUT, item="item-1", input=INPUT).queue == "receipts"
    assert desk.verify(endless, OUTPUT, least_revision=2, verdicts=["edit"]).revision == 2
    assert published.reads == 3


def test_a_key_that_was_revoked_is_not_believed_for_long(
    endless: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = KeyServer("k1")
    desk = ReviewQueue("http://localhost", "rq_1", transport=httpx.MockTransport(published))
    desk.verify(endless, OUTPUT)
    published.kids.clear()
    desk.verify(endless, OUTPUT)
    assert desk._trust.read_at is not None
    desk._trust.read_at -= KEPT + 1
    with pytest.raises(UnknownKey):
        desk.verify(endless, OUTPUT)
