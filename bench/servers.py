"""Sets a queue up as an operator would, with the product's own commands, and runs the server processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .content import QUEUE, body
from .http import Connection
from .template import DECIDED, WAITING

ROOT = Path(__file__).resolve().parent.parent
REVIEWER, PASSWORD = "reviewer@example.org", "four-horses-on-a-quay"
SCOPES = {"app": ("items:write", "items:read"), "person": ("items:read", "decisions:write")}
API = "/api/v1"


@dataclass(frozen=True)
class Site:
    """A prepared database and the secrets to reach it through the product."""

    url: str
    environment: dict[str, str]
    app_key: str
    person_key: str


def prepare(url: str, folder: Path) -> Site:
    """Migrates an empty database, makes queue, reviewer and keys, and rehearses the work once."""
    environment = {
        **os.environ,
        "REVIEWQUEUE_DATABASE_URL": url,
        "REVIEWQUEUE_DATA_DIR": str(folder),
        "REVIEWQUEUE_SECRET_KEY": "of-the-benchmark-" + "0" * 32,
    }
    _command(environment, "migrate")
    _command(environment, "person", "add", REVIEWER, "--name", "Reviewer", "--password-stdin", given=PASSWORD)
    _command(environment, "queue", "apply", str(ROOT / "bench" / "queue.yaml"))
    site = Site(
        url,
        environment,
        app_key=_command(environment, "key", "create", "--name", "bench app", *_scopes("app")),
        person_key=_command(
            environment, "key", "create", "--name", "bench", *_scopes("person"), "--person", REVIEWER
        ),
    )
    with serving("product", site) as port:
        _rehearse(port, site)
    return site


@contextmanager
def serving(which: Literal["product", "bare"], site: Site) -> Iterator[int]:
    """Runs a server process on the site and yields its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.serve", which],
        cwd=ROOT,
        env={**site.environment, "REVIEWQUEUE_LOG_FORMAT": "json"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise SystemExit(f"the {which} server did not start; try: python -m bench.serve {which}")
        yield int(line)
    finally:
        process.terminate()
        process.wait(20)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def _rehearse(port: int, site: Site) -> None:
    """Leaves the two items that bench.template reads."""
    app, person = Connection(port, bearer(site.app_key)), Connection(port, bearer(site.person_key))
    app.json("POST", f"{API}/items", {**body("rehearsal", 1), "external_id": DECIDED}, expect=201)
    claim = person.json("POST", f"{API}/queues/{QUEUE}/claims", expect=201)
    verdict = {"verdict": "accept", "claim_token": claim["token"]}
    person.json("POST", f"{API}/items/{claim['item']['id']}/decision", verdict, expect=200)
    app.json("POST", f"{API}/items", {**body("rehearsal", 1), "external_id": WAITING}, expect=201)
    app.close()
    person.close()


def _scopes(whose: str) -> list[str]:
    return [word for scope in SCOPES[whose] for word in ("--scope", scope)]


def _command(environment: dict[str, str], *words: str, given: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-c", "from reviewqueue.cli import main; main()", *words],
        cwd=ROOT, env=environment, input=given, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"reviewqueue {' '.join(words[:2])} failed: {done.stderr.strip()}")
    return done.stdout.strip()
