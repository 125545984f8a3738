"""Real `reviewqueue worker` processes on a test's database, which may be killed at any moment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reviewqueue.db import Database

ROOT = Path(__file__).resolve().parents[2]


class Workers:
    """As many workers as there should be; whoever is killed is replaced."""

    def __init__(self, db: Database, folder: Path) -> None:
        self._log = (folder / "workers.log").open("ab")
        self._environment = {
            **os.environ,
            "REVIEWQUEUE_DATABASE_URL": db.url.render_as_string(hide_password=False),
            "REVIEWQUEUE_DATA_DIR": str(folder),
            "REVIEWQUEUE_SECRET_KEY": "only-for-tests-" + "0" * 32,
            "REVIEWQUEUE_SMTP_URL": "",
        }
        self._running: list[subprocess.Popen[bytes]] = []
        self.killed = 0

    def start(self) -> None:
        self._running.append(
            subprocess.Popen(
                [sys.executable, "-c", "from reviewqueue.cli import main; main()", "worker"],
                cwd=ROOT,
                env=self._environment,
                stdout=self._log,
                stderr=subprocess.STDOUT,
            )
        )

    def kill_one(self) -> None:
        """SIGKILL for the one that has run longest, and a new one in its place."""
        oldest = self._running.pop(0)
        oldest.kill()
        assert oldest.wait(10) != 0
        self.killed += 1
        self.start()

    def stop(self) -> None:
        for worker in self._running:
            worker.kill()
        for worker in self._running:
            worker.wait(10)
        self._log.close()


@contextmanager
def running_workers(db: Database, folder: Path, count: int) -> Iterator[Workers]:
    workers = Workers(db, folder)
    try:
        for _ in range(count):
            workers.start()
        yield workers
    finally:
        workers.stop()
