"""Makes text that others wrote safe to look at: visible controls, sanitised Markdown, coloured code.

This is the only module that turns untrusted input into markup; everything else escapes it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup
from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES
from pygments.util import ClassNotFound

MARKUP_LIMIT = 20_000
"""Characters above which text is shown plainly: rendering costs more than it helps."""

CODE_LIMIT = 5_000
"""The same for highlighting: several lexers are quadratic on what an attacker may send."""

LANGUAGES = frozenset(
    {
        "bash", "c", "cpp", "csharp", "css", "diff", "go", "html", "http", "ini", "java", "javascript",
        "json", "kotlin", "lua", "markdown", "php", "powershell", "python", "pytb", "ruby", "rust", "scala",
        "shell", "sql", "swift", "toml", "typescript", "xml", "yaml",
    }
)  # fmt: skip
"""Lexers that are let near hostile input; some of the other five hundred backtrack badly."""

ALIASES = {"js": "javascript", "ts": "typescript", "py": "python", "rb": "ruby", "rs": "rust", "cs": "csharp"}
ALIASES |= {"yml": "yaml", "sh": "shell", "htm": "html", "h": "c", "cc": "cpp", "hpp": "cpp", "kt": "kotlin"}
ALIASES |= {"ps1": "powershell", "md": "markdown", "patch": "diff", "traceback": "pytb"}

# Controls, soft hyphen, bidirectional and zero-width characters, fillers, tag characters: all that changes
# what one reads without being seen. Tab and line ends stay.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_JOINERS = "\u200c\u200d"

_TAGS = {
    "a", "blockquote", "br", "code", "del", "em", "hr", "li", "ol", "p", "pre", "s", "strong",
    "span", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_COLOURS = {f"hl-{short}" for short in STANDARD_TYPES.values() if short}


def visible(text: str) -> str:
    """Returns `text` with every hidden character written out, as in ‹U+202E›."""
    return _HIDDEN.sub(_written_out, text)


def _written_out(match: re.Match[str]) -> str:
    character = match.group()
    if character in _JOINERS and _joins_letters(match):
        return character
    return f"‹U+{ord(character):04X}›"


def _joins_letters(match: re.Match[str]) -> bool:
    """Whether a joiner stands where Arabic, Indic scripts and emoji need one (all above U+0600)."""
    around = match.string[match.start() - 1 : match.start()] + match.string[match.end() : match.end() + 1]
    return len(around) == 2 and all(ord(neighbour) >= 0x0600 for neighbour in around)


def markdown(text: str) -> Markup:
    """Renders Markdown without HTML, images or headings that could pass for the page's own."""
    rendered = _parser().render(visible(text))
    # nh3 is the second wall: it holds even if the renderer lets something through.
    return Markup(  # noqa: S704
        nh3.clean(
            rendered,
            tags=_TAGS,
            attributes={"a": {"href"}},
            attribute_filter=_harmless_attribute,
            allowed_classes={"p": {"md-heading"}, "span": _COLOURS},
            url_schemes={"http", "https", "mailto"},
            link_rel="noopener nofollow noreferrer",
            set_tag_attribute_values={"a": {"target": "_blank"}},
        )
    )


def _harmless_attribute(_tag: str, name: str, value: str) -> str | None:
    """A relative link would lead into these pages, with the reader's rights; a title would be a false hint."""
    if name == "href" and not value.lower().startswith(("https://", "http://", "mailto:")):
        return None
    return None if name in ("title", "lang") else value


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": False, "highlight": _colour_fence})
    parser.enable(["table", "strikethrough"]).disable(["image", "html_block", "html_inline"])
    parser.core.ruler.push("plain_headings", lambda state: _flatten_headings(state.tokens))
    return parser


def _colour_fence(code: str, language: str, _attributes: str) -> str:
    """Nothing, as the renderer wants it, where the code stays in one colour."""
    return coloured(code, language) or ""


def _flatten_headings(tokens: Sequence[Token]) -> None:
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = "p"
            if token.nesting == 1:
                token.attrSet("class", "md-heading")


def coloured(text: str, language: str | None) -> Markup | None:
    """Highlights code with CSS classes, or returns None where no trusted lexer knows the language."""
    lexer = _lexer(language) if language and len(text) <= CODE_LIMIT else None
    if lexer is None:
        return None
    formatted = highlight(text, lexer, HtmlFormatter(nowrap=True, classprefix="hl-"))
    return Markup(visible(formatted))  # noqa: S704 - Pygments escapes what it colours


def known_language(name: str) -> str | None:
    """Maps a language's name or a file's ending to a trusted lexer's name."""
    name = name.strip().lower().removeprefix(".")
    name = ALIASES.get(name, name)
    return name if name in LANGUAGES else None


def _lexer(language: str) -> Lexer | None:
    name = known_language(language)
    try:
        return get_lexer_by_name(name, stripnl=False, ensurenl=False) if name else None
    except ClassNotFound:
        return None
