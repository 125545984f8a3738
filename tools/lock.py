"""Renews the locks: requirements/*.txt with hashes and package-lock.json. None of them names a registry's host."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .vendor import ROOT, npm

REQUIREMENTS = Path("requirements")
COMPILE = (
    *(
        sys.executable,
        "-m",
        "uv",
        "pip",
        "compile",
        "--quiet",
        "--upgrade",
        "--universal",
        "--python-version",
        "3.11",
    ),
    *("--generate-hashes", "--no-emit-index-url", "--no-header", "--no-annotate"),
)


def main() -> None:
    run = REQUIREMENTS / "run.txt"
    _compile(REQUIREMENTS / "bootstrap.in", "bootstrap.txt")
    _compile(REQUIREMENTS / "node.in", "node.txt")
    _compile(Path("pyproject.toml"), "run.txt")
    # What the tests run on is what is shipped: the development lock only adds to the other one.
    _compile(Path("pyproject.toml"), "dev.txt", "--all-extras", "--group", "dev", "--constraint", str(run))
    subprocess.run([*npm(), "update", "--package-lock-only", "--ignore-scripts"], cwd=ROOT, check=True)


def _compile(source: Path, target: str, *options: str) -> None:
    subprocess.run(
        [*COMPILE, str(source), "--output-file", str(REQUIREMENTS / target), *options], cwd=ROOT, check=True
    )


if __name__ == "__main__":
    main()
