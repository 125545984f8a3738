"""How large a proof is: small enough for every run of the suite, or as large as what is promised."""

from __future__ import annotations

import os

FULL = os.environ.get("REVIEWQUEUE_TEST_SIZE") == "full"


def size(in_suite: int, full: int) -> int:
    """The second with REVIEWQUEUE_TEST_SIZE=full, which also holds the proofs to their times."""
    return full if FULL else in_suite
