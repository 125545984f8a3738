"""What comes out the same in each test and costs more than the tests do, made once by each worker.

Every test still has an app, an engine and a hasher of its own: only what was worked out is remembered.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import CodeType
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from jinja2 import BytecodeCache
from werkzeug.routing import Rule

from reviewqueue.people import passwords

if TYPE_CHECKING:
    from argon2 import PasswordHasher
    from jinja2.bccache import Bucket


def share_what_apps_compile() -> None:
    """For the rest of the process. Called once, before any test."""
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": CompiledTemplates()}
    _share_builders()


class CompiledTemplates(BytecodeCache):
    """Keeps the code of templates by name, file and text. What jinja compiles knows nothing of its app."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code is not None
        self._kept[bucket.key, bucket.checksum] = bucket.code


def _share_builders() -> None:
    """Werkzeug compiles two functions for each of 130 routes; they are told their rule when they are called."""
    compile_builder = Rule._compile_builder
    kept: dict[tuple[Any, ...], Callable[..., tuple[str, str]]] = {}

    def shared(self: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        if self.defaults:
            return compile_builder(self, append_unknown)
        what = self.rule, tuple(self._trace), append_unknown
        if what not in kept:
            kept[what] = compile_builder(self, append_unknown)
        return kept[what]

    Rule._compile_builder = shared  # type: ignore[method-assign]


def hash_passwords_quickly() -> None:
    """A password's hash is meant to cost a tenth of a second, of four cores. Here it costs next to nothing."""
    passwords._hasher = _quick_hasher


def hash_passwords_as_in_production(patch: pytest.MonkeyPatch) -> None:
    """For the tests of the hashes themselves."""
    patch.setattr(passwords, "_hasher", _production_hasher)
    patch.setattr(passwords, "_nobodys_hash", _nobodys_hash.__wrapped__)


@cache
def _quick_hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


_production_hasher, _nobodys_hash = passwords._hasher, passwords._nobodys_hash
