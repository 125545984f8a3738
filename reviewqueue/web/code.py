"""Tells code from prose, and its language where that is certain."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from reviewqueue.web.untrusted import known_language


def language_beside(key: str, siblings: Mapping[str, Any]) -> str | None:
    """What the evidence itself says about the language: the key, or a language or file name beside it."""
    for hint in ("language", "lang", *_FILE_NAMES):
        beside = siblings.get(hint)
        if isinstance(beside, str) and key != hint:
            # A file is called what its people like; only its ending tells.
            found = known_language(_ending(beside) if hint in _FILE_NAMES else beside)
            if found:
                return found
    return known_language(_ending(key) or key)


_FILE_NAMES = ("filename", "file_name", "file", "path")


def _ending(name: str) -> str:
    return name.rpartition(".")[2] if "." in name else ""


_UNMISTAKABLE = (
    (re.compile(r"#!.*\bpython"), "python"),
    (re.compile(r"#!.*\b(ba|z|da|k)?sh\b"), "bash"),
    (re.compile(r"#!.*\bruby\b"), "ruby"),
    (re.compile(r"#!.*\b(node|deno|bun)\b"), "javascript"),
    (re.compile(r"#!.*\bphp\b"), "php"),
    (re.compile(r"#!.*\blua\b"), "lua"),
    (re.compile(r"\s*<\?php"), "php"),
    (re.compile(r"\s*<\?xml"), "xml"),
    (re.compile(r"\s*<!doctype html", re.IGNORECASE), "html"),
    (re.compile(r"diff --git "), "diff"),
    (re.compile(r"Traceback \(most recent call last\)"), "pytb"),
)


def sniffed(text: str) -> str | None:
    for pattern, language in _UNMISTAKABLE:
        if pattern.match(text):
            return language
    return "json" if _is_json_text(text) else None


def _is_json_text(text: str) -> bool:
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        return isinstance(json.loads(text), (dict, list))
    except (ValueError, RecursionError):
        return False


def looks_like_code(text: str) -> bool:
    """Half of at least two lines start or end as lines of prose do not, or one below the first is indented."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < 2:
        return False
    return 2 * sum(map(_is_code_line, lines)) >= len(lines) or _is_laid_out(lines)


def _is_code_line(line: str) -> bool:
    return (
        line.rstrip()[-1] in ";{}()[]>,=\\"
        or line[:2] in ("//", "/*", "<!")
        or _STATEMENT.match(line) is not None
    )


_STATEMENT = re.compile(
    r"(?:import|package|use|using|require|include|#include) ['\"<\w./:*{-]+;?\s*$|from [\w.]+ import "
    r"|(?:def|func|fn|function|class|struct|interface|module) \w+ ?[({:<]|(?:def|class|module) \w+\s*$"
    r"|(?:public|private|static|export) (?:\w+ ){0,4}\w+ ?[({=]|(?:const|let|var) [\w{}\[\], ]{1,80}="
    r"|[\w.$@-]{1,80} ?[:+]?= ?\S|(?:end|fi|done)\s*$|(?:for|while|if) .{1,80}; (?:do|then)\s*$"
    r"|(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE|ALTER|DROP) [\w*]"
)
LONGEST_LAID_OUT = 160
"""Characters of a line above which a text is no layout but paragraphs, which need to be broken."""


def _is_laid_out(lines: Sequence[str]) -> bool:
    """Whether lines are indented below the first, as in code or a table, but for the entries of a list."""
    indented = any(
        line[:2] in ("  ", " \t") or line[0] == "\t" for line in lines[1:] if not _ENTRY.match(line)
    )
    return indented and max(map(len, lines)) <= LONGEST_LAID_OUT


_ENTRY = re.compile(r"\s+(?:[-*+•>]|\d{1,3}[.)]) ")
