"""Verifies receipts as docs/receipts.md tells apps to, with nothing of the product: cryptography's primitives alone."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64decode
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class NoOrder(Exception):
    """What carries this receipt must not be executed."""


def order(
    receipt: str, keys: dict[str, Any], *, output: Any, item: str, now: float, seen_revision: int = 0
) -> dict[str, Any]:
    """The claims of a receipt that says to go ahead with this output. Raises NoOrder."""
    claims = claims_of(receipt, keys)
    refusals = {
        "another installation": claims["iss"] != "http://localhost",
        "another item": claims["sub"] != item,
        "over": claims.get("exp", now + 1) <= now,
        "verdict": claims["verdict"] not in ("accept", "edit"),
        "another output": claims["output_sha256"] != canonical_hash(output),
        "superseded": claims["revision"] < seen_revision,
    }
    for why, refused in refusals.items():
        if refused:
            raise NoOrder(why)
    return claims


def claims_of(receipt: str, keys: dict[str, Any]) -> dict[str, Any]:
    """What a good signature says. Raises NoOrder."""
    signed, _, signature = receipt.rpartition(".")
    header = json.loads(_decoded(signed.partition(".")[0]))
    if (header["alg"], header["typ"]) != ("EdDSA", "reviewqueue-receipt+jwt"):
        raise NoOrder("header")
    key = next((key for key in keys["keys"] if key["kid"] == header["kid"]), None)
    if key is None:
        raise NoOrder("unknown key")
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("OKP", "Ed25519", "EdDSA", "sig")
    try:
        Ed25519PublicKey.from_public_bytes(_decoded(key["x"])).verify(_decoded(signature), signed.encode())
    except InvalidSignature:
        raise NoOrder("signature") from None
    claims: dict[str, Any] = json.loads(_decoded(signed.partition(".")[2]))
    return claims


def canonical_hash(value: Any) -> str:
    """Of plain values: ASCII keys and no fractions, where Python's own JSON is canonical."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
