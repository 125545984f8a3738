"""Evidence is shown as what it is, and hostile evidence can do nothing."""

from __future__ import annotations

import base64
import json
import struct
import time
import zlib
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from reviewqueue.web import rendering, untrusted
from reviewqueue.web.rendering import (
    CodeBlock,
    ImageBlock,
    MarkdownBlock,
    TableBlock,
    TextBlock,
    TreeBlock,
    present,
)


def png(width: int = 3, height: int = 2) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IEND", b"")


def data_url(content: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


class Elements(HTMLParser):
    """Collects what a browser would build: tags and attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1)) and [data](data:text/html,<script>1</script>)",
    "![pixel](https://tracker.example/p.png)",
    "<style>body{display:none}</style><link rel=stylesheet href=//evil.example>",
    "<form action=//evil.example><input name=password></form>",
    "<a href='https://ok.example' onclick=alert(1) class='act accept' id='accept'>Accept</a>",
    "```html\n<script>alert(1)</script>\n```",
    "# Review page\n\n- **Decide** [now](vbscript:x)\n- [x](//evil.example/%0d%0a)",
    "<svg onload=alert(1)><math><mtext></form><style><!--</style><img src onerror=alert(1)>",
    "[a](<javascript:alert(1)>) <javascript:alert(1)> <https://ok.example>",
    '[a](https://ok.example "title\\" onmouseover=\\"alert(1)")',
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_markdown_builds_only_harmless_elements(text: str) -> None:
    built = Elements(untrusted.markdown(text))
    assert set(built.tags) <= untrusted._TAGS
    assert {name for name, _ in built.attributes} <= {"href", "rel", "target", "class"}
    for name, value in built.attributes:
        if name == "href":
            assert value.startswith(("https://", "http://", "mailto:"))
        if name == "class":
            assert value == "md-heading" or value in untrusted._COLOURS


@settings(deadline=None)
@given(st.text())
def test_no_text_leaves_the_allowed_elements(text: str) -> None:
    assert set(Elements(untrusted.markdown(text)).tags) <= untrusted._TAGS
    for language in ("html", "json", "python", "diff"):
        assert set(Elements(untrusted.coloured(text, language) or Markup()).tags) <= {"span"}


def test_links_give_nothing_away() -> None:
    html = untrusted.markdown("[a](https://ok.example)")
    assert 'rel="noopener nofollow noreferrer"' in html
    assert 'target="_blank"' in html


@pytest.mark.parametrize(
    "hidden", ["\u202e", "\u200b", "\x00", "\x1b", "\ufeff", "\U000e0041", "\u2066", "\xad"]
)
def test_hidden_characters_are_written_out(hidden: str) -> None:
    code = f"‹U+{ord(hidden):04X}›"
    assert untrusted.visible(f"pay{hidden}1") == f"pay{code}1"
    assert code in untrusted.markdown(f"pay{hidden}1")
    assert code in (untrusted.coloured(f"pay = {hidden}1", "python") or "")
    [tree] = present({"n": 1, f"k{hidden}": 2}, "input")
    assert isinstance(tree, TreeBlock)
    assert tree.root.children[1].key == f"k{code}"


def test_scripts_that_need_joiners_keep_them() -> None:
    assert untrusted.visible("می‌خواهم") == "می‌خواهم"
    assert untrusted.visible("👩‍🔧") == "👩‍🔧"
    assert untrusted.visible("pay\u200dpal") == "pay‹U+200D›pal"


def test_a_receipt_is_an_image_and_its_lines_a_table() -> None:
    evidence = {
        "image": data_url(png()),
        "ocr_lines": [{"text": "Total 12.90", "score": 0.98}, {"text": "x"}],
    }
    image, lines = present(evidence, "input")
    assert isinstance(image, ImageBlock)
    assert (image.width, image.height) == (3, 2)
    assert isinstance(lines, TableBlock)
    assert lines.columns == ("text", "score")
    assert lines.numeric == (False, True)
    assert lines.rows == (("Total 12.90", "0.98"), ("x", ""))


@pytest.mark.parametrize(
    "url",
    [
        data_url(b"<svg onload=alert(1)>", "image/svg+xml"),
        data_url(b"<svg onload=alert(1)>", "image/png"),
        data_url(b"<script>alert(1)</script>", "text/html"),
        data_url(png(60_000, 60_000)),
        data_url(png(0, 5)),
        data_url(b"\x89PNG\r\n\x1a\n"),
        data_url(b"\xff\xd8\xff" + b"\xff" * 50, "image/jpeg"),
        "data:image/png;base64,!!!!",
        "DATA:image/png,abc",
    ],
)
def test_only_sound_raster_images_are_shown(url: str) -> None:
    [block] = present({"image": url}, "input")
    assert isinstance(block, TextBlock)
    assert block.text.startswith("Not shown")


def test_an_image_is_called_what_its_bytes_are() -> None:
    [block] = present({"image": data_url(png(), "image/gif")}, "input")
    assert isinstance(block, ImageBlock)
    assert block.source.startswith("data:image/png;base64,")


def test_a_remote_image_stays_text() -> None:
    [block] = present({"image": "https://tracker.example/p.png"}, "input")
    assert isinstance(block, TextBlock)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("def f(x):\n    return x\n", CodeBlock),
        ("CREATE TABLE a (\n  b INTEGER\n);", CodeBlock),
        ('{"a": [1]}', CodeBlock),
        ('require "limit"\ndef total(value)\n  puts value\nrequire "index"\nputs "list"', CodeBlock),
        ("import os\nname = 'x'", CodeBlock),
        ("Coffee       2.50\nTea          1.80\n   together  4.30", CodeBlock),
        ("Use it so:\n\n```python\nx = 1\n```\n", MarkdownBlock),
        ("I thought of:\n  - a kettle\n  - a pot", TextBlock),
        ("Dear all\n  " + "a long paragraph that has to be broken " * 5, TextBlock),
        ("# Title\n\nSome **bold** prose with a [link](https://a.example).", MarkdownBlock),
        ("Good morning,\nthe kettle is too big.\nWhat can I do?", TextBlock),
        ("Garkalne kommun", TextBlock),
    ],
)
def test_text_is_told_from_code_and_markdown(value: str, expected: type) -> None:
    [block] = present({"text": value}, "input")
    assert isinstance(block, expected)


def test_a_language_is_taken_from_what_stands_beside_the_code() -> None:
    blocks = present({"filename": "a.py", "body": "x = 1\ny = (x,\n2)"}, "input")
    code = blocks[1]
    assert isinstance(code, CodeBlock)
    assert code.language == "python"
    assert 'class="hl-' in (code.html or "")


@pytest.mark.parametrize(
    ("evidence", "language"),
    [
        ({"body": "#!/usr/bin/env ruby\nputs 1"}, "ruby"),
        ({"file_name": "tools/run.rb", "body": "puts 1\nputs 2"}, "ruby"),
        ({"main.py": "x = 1\ny = 2"}, "python"),
        ({"file": "go", "body": "x = 1\ny = 2"}, None),
    ],
)
def test_only_what_is_certain_is_coloured(evidence: dict[str, str], language: str | None) -> None:
    code = present(evidence, "input")[-1]
    assert isinstance(code, CodeBlock)
    assert code.language == language


def test_fenced_code_is_coloured_where_it_names_its_language() -> None:
    assert '<span class="hl-' in untrusted.markdown("```python\nx = 1\n```")
    assert "span" not in untrusted.markdown("```\nx = 1\n```\n\n```nonsense\nx = 1\n```")


def test_small_members_share_a_tree_in_their_place() -> None:
    blocks = present({"head": "a\nb", "bytes": 47, "sure": None}, "input")
    assert [(block.kind, block.name) for block in blocks] == [("text", "head"), ("tree", "input")]


@pytest.mark.parametrize(
    "text", ["<b>&\u202e ", "*a **b _c ", "[", "[a](", "> ", "- ", "\n ", "a ", "`", '{"a":', "| - "]
)
def test_120_kb_of_anything_is_cut_and_fast(text: str) -> None:
    value = (text * 120_000)[:120_000]
    started = time.thread_time()
    blocks = present({"html": value}, "input")
    whole = present({"html": value}, "input", whole=True)
    short = present({"markdown": value[:20_000]}, "input")
    assert time.thread_time() - started < 3
    assert blocks[0].cut == 100_000
    assert whole[0].cut == 0
    assert short


def test_deep_and_wide_json_is_cut_with_a_count() -> None:
    deep: Any = 1
    for _ in range(5_000):
        deep = [deep, 2]
    [block] = present({"deep": deep}, "input")
    assert block.cut > 0
    [wide] = present({str(n): n for n in range(10_000)}, "input")
    assert isinstance(wide, TreeBlock)
    assert wide.cut == 9_600
    assert wide.root.left_out == 9_600
    [everything] = present({str(n): n for n in range(10_000)}, "input", whole=True)
    assert everything.cut == 0


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    )
)
def test_any_json_can_be_presented(value: Any) -> None:
    assert present(value, "input")


def test_the_demo_evidence_is_presented(demo_lines: list[dict[str, Any]]) -> None:
    kinds = {block.kind for line in demo_lines for block in present(line["input"], "input")}
    assert {"image", "table", "code", "text", "tree"} <= kinds
    shown = json.dumps([block.name for line in demo_lines for block in present(line["input"], "input")])
    assert "ocr_lines" in shown


@pytest.fixture
def demo_lines() -> list[dict[str, Any]]:
    from pathlib import Path

    data = Path(rendering.__file__).parents[1] / "demo" / "data"
    texts = [(data / name).read_text("utf-8") for name in ("receipts.jsonl", "files.jsonl")]
    return [json.loads(line) for text in texts for line in text.splitlines()]


def test_a_wrapper_around_the_one_thing_that_matters_is_taken_off() -> None:
    blocks = present({"message": {"channel": "chat", "text": "where is it?"}}, "input")
    assert [(block.kind, block.name) for block in blocks] == [("tree", "message"), ("text", "text")]
