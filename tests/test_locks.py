"""The locks are whole: every package pinned with its hashes, and no registry named."""

from __future__ import annotations

import json
import re
import tomllib
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = sorted((ROOT / "requirements").glob("*.txt"))
PINNED = re.compile(r"^([a-z0-9-]+)==(\S+)(?: ; .+)? \\$", re.MULTILINE)
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def test_there_is_a_lock_for_each_purpose() -> None:
    assert [path.stem for path in REQUIREMENTS] == ["bootstrap", "dev", "node", "run"]


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: str(path.stem))
def test_python_locks_name_no_host(path: Path) -> None:
    assert "//" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: str(path.stem))
def test_each_pinned_package_has_its_hashes(path: Path) -> None:
    blocks = re.split(r"\n(?=\S)", path.read_text(encoding="utf-8").strip())
    assert blocks
    assert [block for block in blocks if not PINNED.match(block) or not HASH.search(block)] == []


def test_what_is_tested_is_what_is_shipped() -> None:
    shipped, tested = _pinned("run"), _pinned("dev")
    assert {
        name: (version, tested.get(name)) for name, version in shipped.items() if tested.get(name) != version
    } == {}


def test_each_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"].values()
    groups = {
        "run": project["project"]["dependencies"],
        "dev": [*project["dependency-groups"]["dev"], *chain.from_iterable(extras)],
    }
    for lock, wanted in groups.items():
        names = {re.split(r"[\[<>=;! ]", line)[0] for line in wanted}
        assert names - set(_pinned(lock)) == set()


def test_front_end_packages_are_locked_by_hash_without_an_address() -> None:
    packages = _package_lock()
    fetched = {name: package for name, package in packages.items() if name}
    assert fetched
    assert [name for name, package in fetched.items() if not package["integrity"].startswith("sha512-")] == []
    assert [name for name, package in fetched.items() if "resolved" in package] == []


def test_front_end_versions_are_exact() -> None:
    declared = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["dependencies"]
    locked = _package_lock()
    assert {name: locked[f"node_modules/{name}"]["version"] for name in declared} == declared


def _pinned(lock: str) -> dict[str, str]:
    return dict(PINNED.findall((ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")))


def _package_lock() -> dict[str, Any]:
    packages: dict[str, Any] = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))[
        "packages"
    ]
    return packages
