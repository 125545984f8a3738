"""Lets raster images in as data URLs, after a look at their bytes; never anything else."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

MAX_PIXELS = 60_000_000
"""A small file can unpack to a picture that freezes the browser; above this it is not shown."""

_DATA_URL = re.compile(r"data:image/(png|jpe?g|webp|gif);base64,", re.IGNORECASE)
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class Raster:
    """An image that may be shown: a data URL rebuilt from the checked bytes, and its size in pixels."""

    source: str
    width: int
    height: int


def is_data_url(text: str) -> bool:
    return text[:5].lower() == "data:"


def raster(url: str) -> Raster | None:
    """Returns the image that `url` carries, or None unless it is a sound PNG, JPEG, WebP or GIF."""
    head = _DATA_URL.match(url)
    if head is None:
        return None
    try:
        content = base64.b64decode(url[head.end() :], validate=True)
    except (binascii.Error, ValueError):
        return None
    found = _kind_and_size(content)
    if found is None:
        return None
    kind, width, height = found
    if not 0 < width * height <= MAX_PIXELS:
        return None
    # Rebuilt, so that what the browser gets is exactly what was looked at.
    return Raster(f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}", width, height)


def _kind_and_size(content: bytes) -> tuple[str, int, int] | None:
    if content[:8] == b"\x89PNG\r\n\x1a\n" and len(content) >= 24:
        return "png", _big(content[16:20]), _big(content[20:24])
    if content[:6] in (b"GIF87a", b"GIF89a") and len(content) >= 10:
        return "gif", _little(content[6:8]), _little(content[8:10])
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP" and len(content) >= 30:
        size = _webp_size(content)
        return ("webp", *size) if size else None
    if content[:3] == b"\xff\xd8\xff":
        size = _jpeg_size(content)
        return ("jpeg", *size) if size else None
    return None


def _webp_size(content: bytes) -> tuple[int, int] | None:
    chunk = content[12:16]
    if chunk == b"VP8X":
        return _little(content[24:27]) + 1, _little(content[27:30]) + 1
    if chunk == b"VP8 ":
        return _little(content[26:28]) & 0x3FFF, _little(content[28:30]) & 0x3FFF
    if chunk == b"VP8L":
        bits = _little(content[21:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return None


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    """Walks the segments to the frame header, which holds the size."""
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker in _JPEG_FRAMES:
            return _big(content[at + 7 : at + 9]), _big(content[at + 5 : at + 7])
        at += 1 if marker == 0xFF else 2 + max(2, _big(content[at + 2 : at + 4]))
    return None


def _big(raw: bytes) -> int:
    return int.from_bytes(raw, "big")


def _little(raw: bytes) -> int:
    return int.from_bytes(raw, "little")
