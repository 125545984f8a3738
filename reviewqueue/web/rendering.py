"""Turns evidence, which is any JSON and hostile, into blocks that a template can show."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from markupsafe import Markup

from reviewqueue.web import tree
from reviewqueue.web.code import language_beside, looks_like_code, sniffed
from reviewqueue.web.images import is_data_url, raster
from reviewqueue.web.untrusted import MARKUP_LIMIT, coloured, markdown, visible

TEXT_LIMIT = 20_000
ROW_LIMIT = 100
COLUMN_LIMIT = 8
PROSE = frozenset({"answer", "body", "content", "message", "prompt", "question", "text", "transcript"})
"""Members that are what the evidence is about, however short."""
LONG_TEXT = 80
"""A string of at least so many characters, or of several lines, gets a block of its own."""


@dataclass(frozen=True, slots=True)
class Block:
    """Something to show under its `name`; `cut` says how much more there is (characters, rows or entries)."""

    name: str
    cut: int = 0

    @property
    def kind(self) -> str:
        return type(self).__name__.removesuffix("Block").lower()


@dataclass(frozen=True, slots=True)
class TextBlock(Block):
    text: str = ""


@dataclass(frozen=True, slots=True)
class MarkdownBlock(Block):
    html: Markup = field(default_factory=Markup)
    text: str = ""
    """As it was written, since rendering may hide what matters."""


@dataclass(frozen=True, slots=True)
class CodeBlock(Block):
    text: str = ""
    language: str | None = None
    html: Markup | None = None
    """None: no lexer knows it; the text is shown in one colour."""


@dataclass(frozen=True, slots=True)
class TreeBlock(Block):
    root: tree.Node = tree.EMPTY


@dataclass(frozen=True, slots=True)
class TableBlock(Block):
    columns: tuple[str, ...] = ()
    numeric: tuple[bool, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class ImageBlock(Block):
    source: str = ""
    width: int = 0
    height: int = 0


def present(value: Any, name: str, *, whole: bool = False) -> list[Block]:
    """Returns blocks that show `value`; `whole` lifts the caps and drops the costly markup instead."""
    if isinstance(value, dict) and value:
        for _ in range(3):
            # A wrapper around the one thing that matters tells nothing but its name.
            key, member = next(iter(value.items()))
            if len(value) > 1 or not isinstance(member, dict) or not member:
                break
            name, value = key, member
        return list(_members(value, name, whole))
    return [_block(value, name, whole, language=None)]


def _members(value: Mapping[str, Any], name: str, whole: bool) -> Iterator[Block]:
    """A block for each member that needs room; the small ones share a tree where the first of them stands."""
    large = {key for key, member in value.items() if _needs_room(member) or _is_prose(key, member)}
    large = large or _only_text(value)
    small = {key: member for key, member in value.items() if key not in large}
    placed = False
    for key, member in value.items():
        if key in large:
            yield _block(member, key, whole, language=language_beside(key, value))
        elif not placed:
            placed = True
            yield _tree(small, name, whole)


def _needs_room(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) >= LONG_TEXT or "\n" in value or is_data_url(value)
    return isinstance(value, list) and _is_table(value)


def _is_prose(key: str, value: Any) -> bool:
    return isinstance(value, str) and key.lower() in PROSE and bool(value)


def _only_text(value: Mapping[str, Any]) -> set[str]:
    texts = {key for key, member in value.items() if isinstance(member, str)}
    return texts if len(texts) == 1 else set()


def _block(value: Any, name: str, whole: bool, language: str | None) -> Block:
    if isinstance(value, str):
        return _text(value, name, whole, language)
    if isinstance(value, list) and _is_table(value):
        return _table(value, name, whole)
    return _tree(value, name, whole)


def _text(value: str, name: str, whole: bool, language: str | None) -> Block:
    name = visible(name)
    if is_data_url(value):
        return _image(value, name)
    if len(value) > MARKUP_LIMIT:
        kept = value if whole else value[:TEXT_LIMIT]
        return TextBlock(name, cut=len(value) - len(kept), text=visible(kept))
    language = language or sniffed(value)
    if language or (not _is_fenced(value) and looks_like_code(value)):
        return CodeBlock(name, text=visible(value), language=language, html=coloured(value, language))
    if _looks_like_markdown(value):
        return MarkdownBlock(name, html=markdown(value), text=visible(value))
    return TextBlock(name, text=visible(value))


def _image(value: str, name: str) -> Block:
    image = raster(value)
    if image is None:
        about = visible(value[:60])
        return TextBlock(
            name, cut=max(0, len(value) - 60), text=f"Not shown, since it is no sound image: {about}"
        )
    return ImageBlock(name, source=image.source, width=image.width, height=image.height)


def _table(value: list[dict[str, Any]], name: str, whole: bool) -> TableBlock:
    rows = value if whole else value[:ROW_LIMIT]
    columns = tuple(dict.fromkeys(key for row in value for key in row))
    return TableBlock(
        visible(name),
        cut=len(value) - len(rows),
        columns=tuple(visible(column) for column in columns),
        numeric=tuple(all(_is_number(row.get(column, 0)) for row in rows) for column in columns),
        rows=tuple(
            tuple(tree.scalar(row[column]) if column in row else "" for column in columns) for row in rows
        ),
    )


def _tree(value: Any, name: str, whole: bool) -> TreeBlock:
    root, left_out = tree.grow(value, whole=whole)
    return TreeBlock(visible(name), cut=left_out, root=root)


def _is_table(value: list[Any]) -> bool:
    if not value or not all(isinstance(row, dict) and row for row in value):
        return False
    columns = {key for row in value for key in row}
    return len(columns) <= COLUMN_LIMIT and all(_is_cell(cell) for row in value for cell in row.values())


def _is_cell(value: Any) -> bool:
    return not isinstance(value, (dict, list)) and len(str(value)) <= 300


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_FENCE = re.compile(r"^ {0,3}```[^`\n]*$", re.MULTILINE)


_MARKDOWN_SIGNS = tuple(
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        r"^#{1,6} \S",
        r"^```",
        r"^ {0,3}[-*+] \S.*\n {0,3}[-*+] \S",
        r"^ {0,3}\d+[.)] \S.*\n {0,3}\d+[.)] \S",
        r"\[[^\]\n]{1,200}\]\([^)\s]{1,400}\)",
        r"\*\*\S[^*\n]{0,200}\*\*",
        r"^\|.{1,400}\|\n\|[ :|-]{3,400}\|",
    )
)


def _is_fenced(text: str) -> bool:
    """Whether code is fenced and the fence closed: nothing but Markdown is written so."""
    fences = _FENCE.findall(text)
    return len(fences) >= 2 and len(fences) % 2 == 0


def _looks_like_markdown(text: str) -> bool:
    return _is_fenced(text) or sum(bool(sign.search(text)) for sign in _MARKDOWN_SIGNS) >= 2


def named(blocks: Iterable[Block], names: Mapping[str, str]) -> list[Block]:
    """Gives blocks the titles that readers know them by."""
    return [replace(block, name=names.get(block.name, block.name)) for block in blocks]
