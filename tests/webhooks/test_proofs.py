"""What is promised of deliveries: official libraries verify them, hostile receivers harm nobody, none is lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from standardwebhooks import Webhook, WebhookVerificationError

from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.items import operations as items
from reviewqueue.outbound.client import Limits
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.receipts.operations import rotate
from reviewqueue.webhooks import claiming, operations
from reviewqueue.webhooks.forms import Rotation
from reviewqueue.webhooks.models import Delivery, DeliveryAttempt
from tests.items.office import APP, open_office
from tests.support.databases import Databases, Kind
from tests.support.sizes import FULL, size

from ..outbound.sockets import connections
from .hostile import FORBIDDEN_PORT, twenty_hostile
from .receivers import SEAL, SECRET_KEY, Got, Receiver, receiving, send, sender, subscribe

ROOT = Path(__file__).resolve().parents[2]
VERIFY = """
const { Webhook } = require("standardwebhooks");
const given = JSON.parse(require("fs").readFileSync(0, "utf8"));
for (const { secret, headers, body } of given) new Webhook(secret).verify(body, headers);
let refused = 0;
for (const { secret, headers, body } of given)
  try { new Webhook(secret).verify(body.replace("receipts", "recipes"), headers); } catch { refused += 1; }
console.log(JSON.stringify({ verified: given.length, refused }));
"""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def real_time(databases: Databases) -> Iterator[Database]:
    """A database by the real clock: the libraries refuse what is older than five minutes."""
    db = databases.make("sqlite")
    yield db
    databases.drop(db)


def test_the_official_python_and_npm_libraries_verify_what_is_sent(
    real_time: Database, receiver: Receiver
) -> None:
    office = open_office(real_time)
    made = subscribe(real_time, receiver.url, ["item.enqueued"])
    rotated = operations.rotate(real_time, SYSTEM_CALLER, made.id, Rotation(), SEAL)
    for name in ("plain", "naïve – 計算 🎉", 'quo"te\\'):
        office.enqueue(external_id=name)
    assert send(real_time) == 3
    secrets = (made.secret, rotated.secret)
    for got in receiver.got:
        for secret in secrets:
            assert Webhook(secret).verify(got.body, got.headers) == got.told
            with pytest.raises(WebhookVerificationError):
                Webhook(secret).verify(got.body.replace(b"receipts", b"recipes"), got.headers)
    asked = [_as_asked(got, secret) for got in receiver.got for secret in secrets]
    assert verified_by_node(asked) == {"verified": 6, "refused": 6}


def _as_asked(got: Got, secret: str) -> dict[str, object]:
    return {"secret": secret, "headers": got.headers, "body": got.body.decode()}


def verified_by_node(asked: list[dict[str, object]]) -> object:
    done = subprocess.run(
        [node(), "-e", VERIFY],
        input=json.dumps(asked),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def node() -> str:
    """The system's Node, else the one that Playwright brings along."""
    from playwright._impl._driver import compute_driver_executable

    return shutil.which("node") or str(compute_driver_executable()[0])


def test_twenty_hostile_receivers_slow_no_healthy_one(databases: Databases, kind: Kind) -> None:
    """By the product's own times at full size; in the suite they are a tenth of these."""
    limits = Limits() if FULL else Limits(connect=0.5, total=1.0)
    count, every = size(40, 600), size(10, 20)
    db = databases.make(kind)
    office = open_office(db)
    committed: dict[str, float] = {}
    took: list[float] = []
    pause = threading.Event()

    def arrived(got: Got) -> None:
        took.append(time.monotonic() - committed[got.told["data"]["item"]["external_id"]])

    with receiving() as healthy, twenty_hostile() as urls, connections() as connected:
        healthy.on_request = arrived
        subscribe(db, healthy.url, ["item.enqueued"], name="healthy")
        for number, url in enumerate(urls):
            subscribe(db, url, ["item.enqueued"], name=f"hostile {number}")
        before = most = memory()
        running = threading.Thread(target=sender(limits=limits).run, args=(db,), kwargs={"linger": 0.5})
        running.start()
        for start in range(0, count, every):
            names = [f"r-{number}" for number in range(start, start + every)]
            committed.update(dict.fromkeys(names, time.monotonic()))
            items.enqueue_batch(db, APP, [office.body(external_id=name) for name in names])
            pause.wait(0.3)
            most = max(most, memory())
        end = time.monotonic() + 60
        while len(took) < count and time.monotonic() < end:
            pause.wait(0.05)
            most = max(most, memory())
        grown = most - before
        p99 = sorted(took)[int(len(took) * 0.99) - 1]
        print(f"\n{kind}: p99 {p99:.2f} s of {len(took)} deliveries, memory +{grown:.1f} MiB")
        assert len(took) == len({got.id for got in healthy.got}) == count
        assert p99 < 5 and grown < 100
        _stop(db, running)
    with db.reading() as session:
        attempts = session.scalars(sa.select(DeliveryAttempt)).all()
        states = session.scalars(sa.select(Delivery.state)).all()
    assert max(attempt.seconds for attempt in attempts) < limits.total + 2
    assert {attempt.status for attempt in attempts} <= {200, 307, 500, None}
    assert len(states) == 21 * count, "every delivery is still there"
    reached = {address[:2] for address in connected if isinstance(address, tuple)}
    allowed = {("127.0.0.1", int(url.split(":")[2].partition("/")[0])) for url in (healthy.url, *urls)}
    assert allowed <= reached and ("127.0.0.9", FORBIDDEN_PORT) not in reached, "no redirect was followed"
    databases.drop(db)


def memory() -> float:
    """What this process holds just now, in MiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2


def _stop(db: Database, running: threading.Thread) -> None:
    """Pauses everybody, so that the run finds nothing more to do."""
    from reviewqueue.webhooks import queries

    for row in queries.subscriptions(db, SYSTEM_CALLER):
        operations.pause(db, SYSTEM_CALLER, row.subscription.id)
    running.join(60)
    assert not running.is_alive()


def test_a_sender_that_is_killed_before_it_records_is_followed_by_the_same_again(
    db: Database, receiver: Receiver, clock: MovableClock
) -> None:
    office = open_office(db)
    subscribe(db, receiver.url, ["item.auto_accepted"])
    office.enqueue(confidence=0.95)
    url = db.url.render_as_string(hide_password=False)
    killed = subprocess.run(
        [sys.executable, "-m", "tests.webhooks.killed_sender", url], cwd=ROOT, check=False, timeout=60
    )
    assert killed.returncode == -signal.SIGKILL
    assert len(receiver.got) == 1
    assert send(db) == 0, "its lease still runs"
    clock.move(seconds=(claiming.LEASE + timedelta(seconds=1)).total_seconds())
    rotate(db, SYSTEM_CALLER, SECRET_KEY, at_once=True)
    assert send(db) == 1
    first, second = receiver.got
    assert (first.id, first.body) == (second.id, second.body)
    assert first.told["data"]["item"]["outcome"]["receipt"], "by the key before"
    with db.reading() as session:
        assert session.scalars(sa.select(Delivery.state)).all() == ["arrived"]
