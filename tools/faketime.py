"""Makes sure that tests can move a PostgreSQL server's clock: libfaketime, from the machine or from Debian by apt.

Prints what to do, and fails, where it cannot be had.
"""

from __future__ import annotations

import os
from pathlib import Path

from .debian import apt_install

PLACES = (
    "/usr/lib/*/faketime/libfaketime.so.1",
    "/usr/lib*/faketime/libfaketime.so.1",
    "/usr/local/lib/faketime/libfaketime.so.1",
    "/opt/homebrew/lib/faketime/libfaketime.1.dylib",
    "/usr/local/lib/faketime/libfaketime.1.dylib",
)
ADVICE = """libfaketime was not found, by which the tests move the clock of a PostgreSQL server. Either of these helps:
  - install it (apt-get install libfaketime, dnf install libfaketime, brew install libfaketime)
  - REVIEWQUEUE_TEST_LIBFAKETIME=/path/to/libfaketime.so.1 make test"""


def main() -> None:
    if found() is None:
        apt_install("libfaketime")
    if found() is None:
        raise SystemExit(ADVICE)


def found() -> str | None:
    """The path of the library, if there is one."""
    if named := os.environ.get("REVIEWQUEUE_TEST_LIBFAKETIME"):
        return named if Path(named).exists() else None
    return next((str(path) for place in PLACES for path in Path("/").glob(place.lstrip("/"))), None)


if __name__ == "__main__":
    main()
