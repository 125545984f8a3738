"""Canonical JSON: one value, one text, and so one hash, whoever writes it."""

from __future__ import annotations

import hashlib

import rfc8785

from .db import Json

LARGEST = 2**53 - 1
"""The largest whole number that RFC 8785 writes: JavaScript's numbers lose digits beyond."""


def canonical(value: Json) -> bytes:
    """The value by RFC 8785. A whole number beyond its range is written with all its digits, which loses nothing."""
    try:
        return rfc8785.dumps(value)
    except rfc8785.IntegerDomainError:
        return _with_large_numbers(value)


def sha256_of(value: Json) -> bytes:
    return hashlib.sha256(canonical(value)).digest()


def _with_large_numbers(value: Json) -> bytes:
    if isinstance(value, dict):
        ordered = sorted(value.items(), key=lambda pair: pair[0].encode("utf-16-be"))
        members = (rfc8785.dumps(name) + b":" + _with_large_numbers(inner) for name, inner in ordered)
        return b"{" + b",".join(members) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(map(_with_large_numbers, value)) + b"]"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > LARGEST:
        return str(value).encode()
    return rfc8785.dumps(value)
