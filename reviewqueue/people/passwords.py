"""Passwords: which are accepted, how they are kept, and how they are checked without telling who exists."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import TYPE_CHECKING

from reviewqueue.errors import Fault, Invalid

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST, LONGEST = 12, 256
FEWEST_DIFFERENT = 5


def hash_of(password: str, *, email: str = "") -> str:
    """The hash to keep (Argon2id). Slow on purpose: call it outside any transaction.

    Raises Invalid for a password that is too short, too long, too monotonous, or the email address.
    """
    password = _normal(password)
    if wrong := _what_is_wrong(password, email):
        raise Invalid(f"The password {wrong}.", faults=[Fault("/password", wrong)])
    return _hasher().hash(password)


def matches(password: str, kept: str | None) -> bool:
    """Whether the password belongs to the hash; takes as long where there is none."""
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return _hasher().verify(kept or _nobodys_hash(), _normal(password)[:LONGEST]) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(kept: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher().check_needs_rehash(kept)


def _what_is_wrong(password: str, email: str) -> str | None:
    if len(password) < SHORTEST:
        return f"needs at least {SHORTEST} characters; a sentence is easy to remember"
    if len(password) > LONGEST:
        return f"may have {LONGEST} characters at most"
    if len(set(password.casefold())) < FEWEST_DIFFERENT:
        return f"needs at least {FEWEST_DIFFERENT} different characters"
    if email and password.casefold() == email.casefold():
        return "must not be the email address"
    return None


def _normal(password: str) -> str:
    """The same text from every keyboard: two ways to type é are one password."""
    return unicodedata.normalize("NFKC", password)


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher()


@cache
def _nobodys_hash() -> str:
    return _hasher().hash("the password of nobody")
