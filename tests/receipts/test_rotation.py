"""Keys that sign receipts: the first, the next with an overlap, a stolen one, and one that cannot be opened."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest

from reviewqueue.audit.models import EventContent
from reviewqueue.clock import MovableClock
from reviewqueue.config import Settings
from reviewqueue.db import Database
from reviewqueue.doctor import Standing, _signing_key
from reviewqueue.errors import Conflict, Forbidden
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.receipts.keys import jwk, opened
from reviewqueue.receipts.models import SigningKey
from reviewqueue.receipts.operations import destroy_retired, ensure_key, rotate
from reviewqueue.receipts.queries import signing_keys
from reviewqueue.receipts.signing import Signer
from reviewqueue.sealing import CannotOpen

from ..items.office import APP
from .verifying import NoOrder, claims_of

SECRET = "s" * 64


@pytest.fixture
def signer(db: Database) -> Signer:
    return Signer(db, SECRET, None)


def signed(signer: Signer) -> str:
    receipt = signer.sign({"revision": 1})
    assert receipt is not None
    return receipt


def keys(db: Database, lifetime: timedelta | None = None) -> dict[str, Any]:
    with db.reading() as session:
        published = [k for k in signing_keys(session) if k.is_published(db.clock.now(), lifetime)]
        return {"keys": [jwk(key) for key in published]}


def all_keys(db: Database) -> list[SigningKey]:
    with db.reading() as session:
        return list(signing_keys(session))


def events(db: Database) -> list[str]:
    with db.reading() as session:
        bodies = [row.body for row in session.query(EventContent)]
    return sorted(found for body in bodies if (found := body.split('"type":"')[1].split('"')[0]))


def test_the_first_receipt_makes_the_first_key_and_the_trail_tells(db: Database, signer: Signer) -> None:
    assert keys(db) == {"keys": []}
    assert claims_of(signed(signer), keys(db)) == {"revision": 1}
    assert events(db) == ["signing_key.made"]


def test_processes_that_need_the_first_key_at_once_make_one(db: Database) -> None:
    threads = [threading.Thread(target=ensure_key, args=(db, SECRET)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(all_keys(db)) == 1


def test_the_next_key_is_published_before_it_signs_and_the_old_receipts_stay_good(
    db: Database, signer: Signer, clock: MovableClock
) -> None:
    before = signed(signer)
    rotated = rotate(db, SYSTEM_CALLER, SECRET)
    assert keys(db)["keys"][0]["kid"] == rotated.kid
    clock.move(minutes=59)
    assert signed(signer) == before
    clock.move(minutes=1)
    after = signed(signer)
    assert after != before
    assert claims_of(after, keys(db)) == claims_of(before, keys(db))
    assert events(db) == ["signing_key.made", "signing_key.made", "signing_key.retired"]


def test_one_rotation_at_a_time(db: Database, signer: Signer, clock: MovableClock) -> None:
    signed(signer)
    rotate(db, SYSTEM_CALLER, SECRET)
    with pytest.raises(Conflict, match="takes over at"):
        rotate(db, SYSTEM_CALLER, SECRET)
    clock.move(hours=1)
    rotate(db, SYSTEM_CALLER, SECRET)
    assert len(all_keys(db)) == 3


def test_a_retired_key_is_published_as_long_as_a_receipt_may_be_valid_that_it_signed(
    db: Database, signer: Signer, clock: MovableClock
) -> None:
    receipt, week = signed(signer), timedelta(days=7)
    rotate(db, SYSTEM_CALLER, SECRET, at_once=True)
    clock.move(days=6, hours=23)
    assert claims_of(receipt, keys(db, week))
    clock.move(hours=1)
    with pytest.raises(NoOrder, match="unknown key"):
        claims_of(receipt, keys(db, week))
    clock.move(days=3650)
    assert claims_of(receipt, keys(db, None)), "without end by itself, so is the key"


def test_the_private_part_of_a_retired_key_is_destroyed(
    db: Database, signer: Signer, clock: MovableClock
) -> None:
    signed(signer)
    rotate(db, SYSTEM_CALLER, SECRET)
    assert destroy_retired(db) == 0
    clock.move(hours=2)
    assert destroy_retired(db) == 1
    assert [key.sealed_private_key is None for key in all_keys(db)] == [False, True]
    assert "signing_key.destroyed" in events(db)
    assert destroy_retired(db) == 0


def test_nothing_that_a_stolen_key_signed_is_believed(
    db: Database, signer: Signer, clock: MovableClock
) -> None:
    stolen = signed(signer)
    waiting = rotate(db, SYSTEM_CALLER, SECRET)
    rotated = rotate(db, SYSTEM_CALLER, SECRET, compromised=True)
    assert waiting.kid in rotated.revoked
    assert len(rotated.revoked) == 2
    clock.move(seconds=10)
    with pytest.raises(NoOrder, match="unknown key"):
        claims_of(stolen, keys(db))
    assert claims_of(signed(signer), keys(db))
    assert [key["kid"] for key in keys(db)["keys"]] == [rotated.kid]


def test_a_key_of_another_secret_signs_nothing_until_it_is_rotated(
    db: Database, signer: Signer, clock: MovableClock, tmp_path: Any
) -> None:
    before = signed(signer)
    other = Signer(db, "other" * 10, None)
    assert other.sign({"revision": 1}) is None
    settings = Settings(data_dir=tmp_path, secret_key="other" * 10)
    (ill,) = _signing_key(db, settings)
    assert (ill.standing, "rotate --now" in ill.advice) == (Standing.BAD, True)
    rotate(db, SYSTEM_CALLER, "other" * 10, at_once=True)
    clock.move(seconds=10)
    assert claims_of(signed(other), keys(db)) == claims_of(before, keys(db))
    (well,) = _signing_key(db, settings)
    assert well.standing is Standing.GOOD


def test_the_private_key_is_in_no_column_as_it_is(db: Database, signer: Signer) -> None:
    signed(signer)
    (key,) = all_keys(db)
    private = opened(key, SECRET)._private.private_bytes_raw()
    assert key.sealed_private_key is not None
    assert private not in key.sealed_private_key
    with pytest.raises(CannotOpen):
        opened(key, SECRET + "x")


def test_no_app_rotates_keys(db: Database) -> None:
    with pytest.raises(Forbidden):
        rotate(db, APP, SECRET)
