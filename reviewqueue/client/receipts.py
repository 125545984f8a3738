"""Checking a receipt offline: the signature, whom and what it is about, and whether it is an order to act."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import rfc8785
from joserfc.errors import BadSignatureError, JoseError, UnsupportedAlgorithmError
from joserfc.jwk import OKPKey
from joserfc.jws import CompactSignature, JWSRegistry, deserialize_compact

from .encoding import plain
from .errors import InvalidReceipt, UnknownKey
from .values import Receipt
from .wishes import ANY

ALGORITHM = "EdDSA"
TYPE = "reviewqueue-receipt+jwt"
SAFE_INTEGER = 2**53 - 1
"""Beyond it RFC 8785 says nothing; the server writes all digits."""
Keys = Mapping[str, OKPKey]
"""The server's public keys by their `kid`."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the receipt must be about, as the app knows it."""

    output: Any
    input: Any = ANY
    item_id: str | None = None
    queue: str | None = None
    issuer: str | None = None
    least_revision: int = 1
    """The highest that the app has seen of the item: an earlier one is superseded."""
    verdicts: Collection[str] = ("accept", "edit")


def keys_of(jwks: Mapping[str, Any]) -> Keys:
    """The Ed25519 keys of a JWKS document; what else it holds signs no receipts."""
    found: dict[str, OKPKey] = {}
    for jwk in jwks["keys"]:
        if jwk.get("kty") == "OKP" and jwk.get("crv") == "Ed25519" and jwk.get("kid"):
            try:
                found[jwk["kid"]] = OKPKey.import_key(
                    {name: jwk[name] for name in ("kty", "crv", "x", "kid")}
                )
            except (JoseError, KeyError, ValueError) as error:
                raise InvalidReceipt(f"The published key {jwk['kid']!r} cannot be read.") from error
    return found


def check(receipt: str, keys: Keys, expected: Expected, now: float) -> Receipt:
    """The receipt's claims, if it is genuine and orders to act on exactly what is expected.

    `now` is in seconds since 1970. Raises UnknownKey where its `kid` is not among the keys, else InvalidReceipt.
    """
    claims = _claims_of(_signed(receipt, keys))
    _require_about(claims, expected)
    if claims.expires_at is not None and now >= claims.expires_at.timestamp():
        raise InvalidReceipt(f"The receipt ended at {claims.expires_at.isoformat()}.")
    return claims


def sha256_of(value: Any) -> str:
    """Hex SHA-256 of the value's canonical JSON (RFC 8785)."""
    return hashlib.sha256(_canonical(plain(value))).hexdigest()


class _EdDSA(JWSRegistry):
    """EdDSA alone, without joserfc's warning that RFC 9864 has a new name for it."""

    def get_alg(self, name: str) -> Any:
        if name != ALGORITHM:
            raise UnsupportedAlgorithmError
        return self.algorithms[ALGORITHM]


def _signed(receipt: str, keys: Keys) -> CompactSignature:
    try:
        return deserialize_compact(receipt, lambda token: _key_for(token.headers(), keys), registry=_EdDSA())
    except BadSignatureError as error:
        raise InvalidReceipt("The signature does not fit: the receipt was altered.") from error
    except UnsupportedAlgorithmError as error:
        raise InvalidReceipt(f"The receipt is not signed with {ALGORITHM}.") from error
    except (JoseError, ValueError, TypeError) as error:
        raise InvalidReceipt("This is no receipt: it cannot be read as a compact JWS.") from error


def _key_for(header: Mapping[str, Any], keys: Keys) -> OKPKey:
    if header.get("alg") != ALGORITHM or header.get("typ") != TYPE or "crit" in header:
        raise InvalidReceipt(f"The receipt is not of the type {TYPE}, signed with {ALGORITHM}.")
    key = keys.get(str(header.get("kid")))
    if key is None:
        raise UnknownKey(f"The server publishes no key {header.get('kid')!r}.")
    return key


def _claims_of(token: CompactSignature) -> Receipt:
    try:
        claims: dict[str, Any] = json.loads(token.payload)
        end = claims.get("exp")
        return Receipt(
            item_id=str(claims["sub"]),
            queue=str(claims["queue"]),
            revision=int(claims["revision"]),
            verdict=claims["verdict"],
            by=claims["by"],
            output_sha256=str(claims["output_sha256"]),
            input_sha256=str(claims["input_sha256"]),
            policy_version=int(claims["policy_version"]),
            issuer=str(claims["iss"]),
            issued_at=datetime.fromtimestamp(claims["iat"], UTC),
            expires_at=None if end is None else datetime.fromtimestamp(end, UTC),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InvalidReceipt(f"The receipt does not say what a receipt says: {error}.") from error


def _require_about(claims: Receipt, expected: Expected) -> None:
    for name, wanted in (
        ("item_id", expected.item_id),
        ("queue", expected.queue),
        ("issuer", expected.issuer),
    ):
        if wanted is not None and getattr(claims, name) != wanted:
            raise InvalidReceipt(f"The receipt is for another {name}: {getattr(claims, name)}, not {wanted}.")
    if claims.verdict not in expected.verdicts:
        raise InvalidReceipt(f"The receipt says {claims.verdict}, which is no order to act.")
    if claims.revision < expected.least_revision:
        raise InvalidReceipt(
            f"Revision {claims.revision} was superseded; revision {expected.least_revision} is known."
        )
    if claims.output_sha256 != sha256_of(expected.output):
        raise InvalidReceipt("The output is not the one that was decided on.")
    if expected.input is not ANY and claims.input_sha256 != sha256_of(expected.input):
        raise InvalidReceipt("The input is not the one that was decided on.")


def _canonical(value: Any) -> bytes:
    """RFC 8785, and whole numbers beyond its reach with all their digits."""
    if isinstance(value, dict):
        pairs = sorted(value.items(), key=lambda pair: pair[0].encode("utf-16-be"))
        return b"{" + b",".join(rfc8785.dumps(name) + b":" + _canonical(part) for name, part in pairs) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(map(_canonical, value)) + b"]"
    if isinstance(value, int) and abs(value) > SAFE_INTEGER:
        return str(value).encode()
    return rfc8785.dumps(value)
