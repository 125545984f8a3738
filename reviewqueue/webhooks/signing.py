"""Standard Webhooks: what a delivery is signed with, and how those secrets are kept.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

A secret must be there to sign with, so it cannot be kept as a hash. It is sealed with a key that is derived from the
operator's SECRET_KEY: whoever has the database alone has nothing.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime

from ..sealing import seal, unseal

PREFIX = "whsec_"
SECRET_BYTES = 32
USE = "secret of a subscription"


class Seal:
    """Closes and opens secrets by the operator's key."""

    def __init__(self, secret_key: str) -> None:
        self._secret_key = secret_key

    def close(self, secret: str) -> str:
        return base64.b64encode(seal(self._secret_key, USE, secret.encode())).decode()

    def open(self, sealed: str) -> str:
        """Raises CannotOpen: it was sealed under another SECRET_KEY."""
        return unseal(self._secret_key, USE, base64.b64decode(sealed)).decode()


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def headers(message_id: str, at: datetime, body: bytes, secrets_now: Iterable[str]) -> dict[str, str]:
    """The headers of one attempt, with a signature by each secret."""
    timestamp = str(int(at.timestamp()))
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(secret, signed) for secret in secrets_now),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
