"""Key pairs: made, kept, shown as a JWK, and used to sign a compact JWS."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ..sealing import seal, unseal
from .models import SigningKey

TYP = "reviewqueue-receipt+jwt"
USE = "signing key of receipts"


@dataclass(frozen=True, slots=True)
class OpenKey:
    """A private key in memory, ready to sign."""

    kid: str
    _private: Ed25519PrivateKey

    def compact_jws(self, claims: dict[str, Any]) -> str:
        """RFC 7515 by RFC 8037. Written here, as joserfc warns of the name EdDSA, which verifiers know best."""
        header = {"alg": "EdDSA", "kid": self.kid, "typ": TYP}
        signed = f"{_base64url(orjson.dumps(header))}.{_base64url(orjson.dumps(claims))}"
        return f"{signed}.{_base64url(self._private.sign(signed.encode()))}"


def new_key(number: int, secret_key: str, now: datetime, signs_from: datetime) -> SigningKey:
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    return SigningKey(
        number=number,
        kid=thumbprint(public),
        public_key=public,
        sealed_private_key=seal(secret_key, USE, private.private_bytes_raw()),
        created_at=now,
        signs_from=signs_from,
    )


def opened(key: SigningKey, secret_key: str) -> OpenKey:
    """Raises CannotOpen where SECRET_KEY is another than the one that the key was kept with."""
    private = unseal(secret_key, USE, key.sealed_private_key or b"")
    return OpenKey(key.kid, Ed25519PrivateKey.from_private_bytes(private))


def jwk(key: SigningKey) -> dict[str, str]:
    """The public key as RFC 8037 writes it."""
    return {**_essence(key.public_key), "kid": key.kid, "use": "sig", "alg": "EdDSA"}


def thumbprint(public_key: bytes) -> str:
    """RFC 7638: the hash of the members that make the key what it is, in the order of their names."""
    return _base64url(hashlib.sha256(orjson.dumps(_essence(public_key))).digest())


def _essence(public_key: bytes) -> dict[str, str]:
    return {"crv": "Ed25519", "kty": "OKP", "x": _base64url(public_key)}


def _base64url(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()
