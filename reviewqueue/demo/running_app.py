"""An app as anyone may write it: sends a model output every few seconds with its key, and decides nothing."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Iterable

import orjson
import structlog

from .arrivals import Body, after

EVERY_SECONDS = 5.0
MOST_TRIES = 12

log = structlog.get_logger(__name__)


class RunningApp(threading.Thread):
    """Enqueues through the API of a server that may still be starting, until it is told to stop."""

    def __init__(
        self, address: str, key: str, bodies: Iterable[Body] | None = None, every: float = EVERY_SECONDS
    ) -> None:
        super().__init__(name="demo-app", daemon=True)
        self._items = f"{address.rstrip('/')}/api/v1/items"
        self._key = key
        self._bodies = after() if bodies is None else bodies
        self._every = every
        self._stopped = threading.Event()

    def run(self) -> None:
        for body in self._bodies:
            if self._stopped.wait(self._every) or not self._deliver(body):
                return

    def stop(self) -> None:
        self._stopped.set()

    def _deliver(self, body: Body) -> bool:
        """Sends until the server answers. A repeat is safe: the external id makes it the same item."""
        for _ in range(MOST_TRIES):
            try:
                status = self._send(body)
            except OSError:
                status = None
            if status is not None and status < 500 and status != 429:
                if status >= 400:
                    log.warning("demo.refused", external_id=body["external_id"], status=status)
                return True
            if self._stopped.wait(self._every):
                return False
        log.warning("demo.gave_up", address=self._items, tries=MOST_TRIES)
        return False

    def _send(self, body: Body) -> int:
        request = urllib.request.Request(  # noqa: S310  the address is this process's own server
            self._items,
            data=orjson.dumps(body),
            headers={"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:  # noqa: S310
                return int(answer.status)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code
