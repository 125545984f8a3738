"""Makes sure that tests can drive a browser: the system's Chromium, else Playwright's, else Debian's by apt.

Prints what to do, and fails, where none can be had.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from .debian import apt_install

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
APPLICATIONS = (
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
    Path("C:/Program Files/Google/Chrome/Application/chrome.exe"),
)
ADVICE = """No browser was found for the tests. Any of these helps:
  - install Chromium or Google Chrome (Debian, Ubuntu: apt-get install chromium)
  - .venv/bin/playwright install chromium
  - REVIEWQUEUE_TEST_BROWSER=/path/to/chromium make test"""
DRIVER_ADVICE = "Playwright's driver does not run here. On Debian or Ubuntu: apt-get install libatomic1"


def main() -> None:
    if not _driver_runs():
        # The Node that Playwright ships needs a library that a small Debian lacks.
        apt_install("libatomic1")
        if not _driver_runs():
            raise SystemExit(DRIVER_ADVICE)
    if found() is not None:
        return
    if not apt_install("chromium"):
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    if found() is None:
        raise SystemExit(ADVICE)


def found() -> str | None:
    """The path of a browser that Playwright can drive, if there is one."""
    if named := os.environ.get("REVIEWQUEUE_TEST_BROWSER"):
        return named if Path(named).exists() else None
    for name in NAMES:
        if path := shutil.which(name):
            return path
    for application in APPLICATIONS:
        if application.exists():
            return str(application)
    return _playwrights_own()


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def _driver_runs() -> bool:
    from playwright._impl._driver import compute_driver_executable

    node, _script = compute_driver_executable()
    return subprocess.run([node, "--version"], capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    main()
