"""The code of a page of documentation, run as a reader would: one shell from the first block to the last.

Blocks marked `bash` and `python` are run in their order, and what each prints must be the block marked `text` right
after it, where there is one. Blocks marked otherwise (`sh`, `json`, ...) are shown only.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK = "----8<---- "


@dataclass
class Block:
    language: str
    code: str
    line: int
    prints: str | None = None


def blocks_of(page: Path) -> list[Block]:
    """The blocks that are run."""
    text = page.read_text(encoding="utf-8")
    found: list[Block] = []
    previous_end = -1
    for match in _FENCE.finditer(text):
        language, code = match[1], match[2]
        if language in {"bash", "python"}:
            found.append(Block(language, code, text.count("\n", 0, match.start()) + 1))
            previous_end = match.end()
        elif language == "text" and found and not text[previous_end : match.start()].strip():
            found[-1].prints = code.strip()
    return found


def run(page: Path, folder: Path, environment: Mapping[str, str], changed: Mapping[str, str]) -> list[Block]:
    """Runs the page in the folder, each key of `changed` replaced by its value, and compares what it prints."""
    blocks = blocks_of(page)
    script = "set -euo pipefail\n" + "".join(map(_as_shell, blocks))
    for old, new in changed.items():
        script = script.replace(old, new)
    done = subprocess.run(
        ["bash"],
        input=script,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    printed = done.stdout.split(_MARK)[1:]
    last = printed[-1].partition("\n")[0] if printed else "0"
    assert done.returncode == 0, f"{page.name}:{last} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    for block, output in zip(blocks, printed, strict=True):
        told = output.partition("\n")[2].strip()
        assert block.prints is None or told == block.prints, f"{page.name}:{block.line} printed\n{told}"
    return blocks


def _as_shell(block: Block) -> str:
    code = block.code if block.language == "bash" else f"python - <<'PYTHON'\n{block.code}PYTHON\n"
    return f"echo '{_MARK}{block.line}'\n{code}"
