"""Secrets at rest: encrypted with a key that is derived from SECRET_KEY, so that a copy of the database opens none."""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE = 12


class CannotOpen(ValueError):
    """Sealed with another SECRET_KEY, for another use, or altered since."""


def seal(secret_key: str, use: str, plain: bytes) -> bytes:
    """Encrypts by AES-256-GCM: the nonce, then the text with its tag. `use` says what for: no other use opens it."""
    nonce = secrets.token_bytes(NONCE)
    return nonce + _cipher(secret_key, use).encrypt(nonce, plain, None)


def unseal(secret_key: str, use: str, sealed: bytes) -> bytes:
    """Raises CannotOpen."""
    try:
        return _cipher(secret_key, use).decrypt(sealed[:NONCE], sealed[NONCE:], None)
    except InvalidTag:
        raise CannotOpen(f"the {use} cannot be opened with this SECRET_KEY") from None


def _cipher(secret_key: str, use: str) -> AESGCM:
    # The secret key is random, so it needs no slow function; HKDF keeps its uses apart.
    derived = HKDF(SHA256(), 32, salt=None, info=f"reviewqueue {use}".encode()).derive(secret_key.encode())
    return AESGCM(derived)
