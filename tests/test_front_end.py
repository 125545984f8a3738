"""What the strict content policy and the wheel ask of templates and scripts, read from their text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.vendor import FILES, ICONS

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted((ROOT / "static" / "js").rglob("*.js"))
VENDORED = {*FILES, "icons.svg", "LICENSES.txt"}

FORBIDDEN_IN_TEMPLATES = {
    "an inline style": re.compile(r"<style\b|\sstyle\s*=", re.IGNORECASE),
    "an inline script": re.compile(r"<script\b(?![^>]*\bsrc\s*=)", re.IGNORECASE),
    "an event handler": re.compile(r"<[^>]*\son[a-z]+\s*=", re.IGNORECASE),
    "a javascript: address": re.compile(r"javascript:", re.IGNORECASE),
    "markup that nobody sanitised": re.compile(r"\|\s*safe\b|\bautoescape\s+false"),
    "another host": re.compile(r"(?:src|href|action)\s*=\s*[\"']?(?:https?:)?//", re.IGNORECASE),
}
FORBIDDEN_IN_SCRIPTS = {
    "a string run as code": re.compile(r"\beval\(|\bnew Function\(|setTimeout\(\s*[\"']"),
    "markup from a string": re.compile(r"\.(?:innerHTML|outerHTML)\s*=|insertAdjacentHTML|document\.write"),
    "another host": re.compile(r"[\"'`]https?://(?!www\.w3\.org/)"),
}


def test_the_front_end_was_read() -> None:
    """Guards the tests below against reading nothing."""
    assert len(TEMPLATES) > 5
    assert len(SCRIPTS) > 5


@pytest.mark.parametrize("what", FORBIDDEN_IN_TEMPLATES)
def test_no_template_holds(what: str) -> None:
    assert _found(TEMPLATES, FORBIDDEN_IN_TEMPLATES[what]) == []


@pytest.mark.parametrize("what", FORBIDDEN_IN_SCRIPTS)
def test_no_script_holds(what: str) -> None:
    assert _found(SCRIPTS, FORBIDDEN_IN_SCRIPTS[what]) == []


def test_each_icon_that_is_used_is_in_the_sprite() -> None:
    used = {
        name
        for path in TEMPLATES
        for name in re.findall(r"\bicon\([\"']([a-z0-9-]+)", path.read_text("utf-8"))
    }
    assert used
    assert used - set(ICONS) == set()


def test_each_vendored_file_that_is_named_is_fetched() -> None:
    named = {
        name
        for path in (*TEMPLATES, *SCRIPTS)
        for name in re.findall(r"vendor/([\w.-]+\.\w+)", path.read_text("utf-8"))
    }
    assert named
    assert named - VENDORED == set()
    assert {path.name for path in (ROOT / "static" / "vendor").iterdir()} == VENDORED | {".stamp"}


def _found(paths: list[Path], pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}"
        for path in paths
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
