"""A sender in a process of its own that is killed between sending and recording: `python -m … URL`."""

from __future__ import annotations

import os
import signal
import sys

from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.webhooks import settling
from tests.webhooks.receivers import sender


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    settling.settle_and_claim = die  # type: ignore[assignment]
    sender().run(Database(sys.argv[1], MovableClock()), linger=0)
