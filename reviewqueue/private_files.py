"""Files that hold evidence, and are for whoever runs the product alone."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def keep_private(file: Path | str | None) -> None:
    """Makes the file, if it is not there, for its owner alone. SQLite gives what it puts beside it the same mode.

    Whoever may read the database reads all evidence. The mode of a file that is there is its owner's business. What
    cannot be made is left to SQLite to tell.
    """
    if not file or file == ":memory:":
        return
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):
        os.close(os.open(file, os.O_RDONLY | os.O_CREAT, 0o600))
