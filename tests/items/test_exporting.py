"""What leaves a queue: items as files, and decisions as training data without what the policy hides."""

from __future__ import annotations

import csv
import io
import json
import os
import tracemalloc
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.errors import Forbidden, NoSuchQueue
from reviewqueue.items import operations, tables, training
from reviewqueue.items.exporting import export
from reviewqueue.items.import_formats import label_studio, table
from reviewqueue.items.parquet import write_parquet
from reviewqueue.people.callers import SYSTEM_CALLER

from .office import APP, Office, open_office

BASE = "https://reviews.example.org"
HIDDEN = ["/input/customer/name", "/input/lines/0", "/output/iban", "/input/nothing/here"]


@pytest.fixture
def office(db: Database) -> Office:
    return open_office(db, retention={"redact": HIDDEN})


@pytest.fixture
def decided(office: Office, clock: MovableClock) -> dict[str, uuid.UUID]:
    """Of each kind one, long enough ago that none can be undone."""

    def enqueue(name: str, **given: Any) -> uuid.UUID:
        told = {"customer": {"name": "Ada", "id": 7}, "lines": ["Ada", f"TOTAL {name}"]}
        output = {"total": "12.90", "iban": "DE00"}
        return office.enqueue(external_id=name, input=told, output=output, **given)

    ids = {name: enqueue(name) for name in ("accepted", "edited", "rejected", "withdrawn", "waiting")}
    ids["released"] = enqueue("released", confidence=0.95)
    office.decide("ann", ids["accepted"])
    better = {"total": "=1+1", "iban": "DE01"}
    office.decide("ann", ids["edited"], "edit", output=better, reason="wrong-total", comment="+4 missing")
    office.decide("ann", ids["rejected"], "reject", reason="wrong-total")
    operations.withdraw(office.db, APP, ids["withdrawn"])
    clock.move(minutes=1)
    return ids


def outputs(office: Office) -> list[dict[str, Any]]:
    return list(training.outputs(office.db, SYSTEM_CALLER, "receipts", BASE))


def preferences(office: Office) -> list[dict[str, Any]]:
    return list(training.preferences(office.db, SYSTEM_CALLER, "receipts", BASE))


def test_outputs_are_what_people_accepted_or_made_of_them(
    office: Office, decided: dict[str, uuid.UUID]
) -> None:
    accepted, edited = outputs(office)
    assert (accepted["external_id"], edited["external_id"]) == ("accepted", "edited")
    assert accepted["output"] == accepted["suggested"] == {"total": "12.90", "iban": "[redacted]"}
    assert edited["output"] == {"total": "=1+1", "iban": "[redacted]"}
    assert edited["input"] == {
        "customer": {"name": "[redacted]", "id": 7},
        "lines": ["[redacted]", "TOTAL edited"],
    }


def test_an_edit_is_a_preference_with_its_reason_and_its_event(
    office: Office, decided: dict[str, uuid.UUID]
) -> None:
    (pair,) = preferences(office)
    assert (pair["chosen"]["total"], pair["rejected"]["total"]) == ("=1+1", "12.90")
    assert (pair["verdict"], pair["reason"], pair["comment"]) == ("edit", "wrong-total", "+4 missing")
    event = office.trail(decided["edited"])[-1]
    assert event["type"] == "item.edited"
    assert pair["event"] == event["id"]
    assert pair["event_url"] == f"{BASE}/items/{decided['edited']}#event-{event['id']}"


def test_what_is_voided_or_may_be_undone_teaches_nothing(
    office: Office, decided: dict[str, uuid.UUID]
) -> None:
    operations.reopen(office.db, office.caller("lea"), decided["edited"], "look again")
    office.decide("bob", decided["waiting"])
    assert [row["external_id"] for row in outputs(office)] == ["accepted"]


def test_who_has_no_role_exports_nothing(office: Office) -> None:
    with pytest.raises(NoSuchQueue):
        next(training.outputs(office.db, office.caller("out"), "receipts", BASE))
    with pytest.raises((NoSuchQueue, Forbidden)):
        next(export(office.db, office.caller("out"), "receipts", BASE))


@given(st.lists(st.integers(), min_size=1, max_size=5), st.floats(0, 1), st.floats(0, 1))
def test_an_input_is_on_one_side_and_stays_in_the_test_when_its_share_grows(
    given_: list[int], one: float, other: float
) -> None:
    small, large = sorted((one, other))
    told = {"lines": given_}
    assert training.split_of(told, small) == training.split_of(json.loads(json.dumps(told)), small)
    if training.split_of(told, small) == "test":
        assert training.split_of(told, large) == "test"
    assert (training.split_of(told, 0.0), training.split_of(told, 1.0)) == ("train", "test")


def test_the_split_has_the_share_that_was_asked_for() -> None:
    drawn = [training.split_of({"n": n}, 0.2) for n in range(2_000)]
    assert 340 <= drawn.count("test") <= 460


def test_duplicates_are_never_on_both_sides(office: Office, clock: MovableClock) -> None:
    for number in range(12):
        office.decide("ann", office.enqueue(external_id=f"r-{number}", input={"lines": [number // 2]}))
    clock.move(minutes=1)
    rows = list(training.outputs(office.db, SYSTEM_CALLER, "receipts", BASE, test_share=0.5))
    sides: dict[int, set[str]] = {}
    for row in rows:
        sides.setdefault(int(row["external_id"][2:]) // 2, set()).add(row["split"])
    assert len(rows) == 12
    assert all(len(side) == 1 for side in sides.values())


def test_what_differs_only_where_redaction_hides_it_is_never_on_both_sides(
    db: Database, clock: MovableClock
) -> None:
    office = open_office(db, retention={"evidence": "365d", "redact": ["/input/name"]})
    for number in range(12):
        office.decide("ann", office.enqueue(input={"name": f"N. {number}", "kind": "letter"}))
    clock.move(minutes=1)
    rows = list(training.outputs(db, SYSTEM_CALLER, "receipts", BASE, test_share=0.5))
    assert [row["input"] for row in rows] == [{"name": "[redacted]", "kind": "letter"}] * 12
    assert len({row["split"] for row in rows}) == 1


def test_a_table_defuses_formulas_and_keeps_json(office: Office, decided: dict[str, uuid.UUID]) -> None:
    written = b"".join(tables.table(iter(preferences(office)), tables.PREFERENCES)).decode()
    (row,) = csv.DictReader(io.StringIO(written))
    assert row["comment"] == "'+4 missing"
    assert json.loads(row["chosen"]) == {"total": "=1+1", "iban": "[redacted]"}


def test_a_table_of_items_can_be_imported_again(office: Office, decided: dict[str, uuid.UUID]) -> None:
    items = export(office.db, SYSTEM_CALLER, "receipts", BASE)
    written = b"".join(tables.table(items, tables.ITEMS))
    kept = {"input": "input:json", "output": "output:json"}
    dropped = [c.name for c in tables.ITEMS if c.name not in ("external_id", "confidence", *kept)]
    (first, *_) = table(io.BytesIO(written), {**kept, **dict.fromkeys(dropped, "")})
    assert first.body["output"] == {"total": "12.90", "iban": "DE00"}
    assert (first.body["external_id"], first.body["confidence"]) == ("accepted", 0.5)


def test_tables_of_items_hold_all_that_was_sent(db: Database, clock: MovableClock, tmp_path: Path) -> None:
    nested = {
        "model": {"name": "rapidocr", "version": "1"},
        "prompt": {"name": "extract", "text": "Read it."},
        "config": {"temperature": 0},
        "context": [{"title": "Supplier"}],
        "assumptions": ["in euro"],
        "error": {"code": 7},
    }
    plain = {"explanation": "clear", "latency_ms": 812.5, "retries": 1, "trace_id": "t-1"}
    times = {"occurred_at": "2026-03-01T08:00:00Z", "valid_until": "2026-04-01T00:00:00.000000Z"}
    office = open_office(db)
    office.enqueue(external_id="old")
    office.enqueue(supersedes="old", **nested, **plain, **times)
    office.enqueue(error="timeout")
    items = list(export(db, SYSTEM_CALLER, "receipts", BASE))
    written = b"".join(tables.table(iter(items), tables.ITEMS)).decode()
    old, row, failed = csv.DictReader(io.StringIO(written))
    assert {name: json.loads(row[name]) for name in nested} == nested
    assert {name: row[name] for name in (*plain, *times)} == {
        k: str(v) for k, v in {**plain, **times}.items()
    }
    assert (row["supersedes"], row["url"], failed["error"]) == (old["id"], items[1]["url"], "timeout")
    assert {old[name] for name in (*nested, *plain)} == {""}
    assert old["outcome_revision"] == "1" and row["deadline_at"] == items[1]["deadline_at"] != ""
    with (tmp_path / "items.parquet").open("wb") as file:
        write_parquet(iter(items), tables.ITEMS, file)
    read = pq.read_table(tmp_path / "items.parquet").to_pylist()[1]
    assert {name: json.loads(read[name]) for name in nested} == nested
    assert {name: read[name] for name in plain} == plain
    assert read["valid_until"] == datetime(2026, 4, 1, tzinfo=UTC)


def test_parquet_holds_the_same_rows_with_types(
    office: Office, decided: dict[str, uuid.UUID], tmp_path: Path
) -> None:
    rows = outputs(office)
    with (tmp_path / "rows.parquet").open("wb") as file:
        assert write_parquet(iter(rows), tables.OUTPUTS, file) == 2
    read = pq.read_table(tmp_path / "rows.parquet").to_pylist()
    assert [json.loads(row["output"]) for row in read] == [row["output"] for row in rows]
    assert read[0]["decided_at"] == datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    assert read[0]["confidence"] == 0.5
    with (tmp_path / "none.parquet").open("wb") as file:
        assert write_parquet(iter([]), tables.ITEMS, file) == 0
    assert pq.read_table(tmp_path / "none.parquet").column_names[:3] == ["id", "queue", "external_id"]


def test_label_studio_gets_its_own_regions_back(db: Database, clock: MovableClock) -> None:
    office = open_office(db)
    region = {"from_name": "kind", "to_name": "text", "type": "choices", "value": {"choices": ["hotel"]}}
    task = {"id": 7, "project": 3, "data": {"text": "x"}, "predictions": [{"score": 0.4, "result": [region]}]}
    (record,) = label_studio(io.BytesIO(json.dumps([task]).encode()))
    first = office.enqueue(**{**record.body, "output": [region]})
    second = office.enqueue(input="plain", output={"total": "1"})
    office.decide("ann", second, "reject", reason="wrong-total")
    exported = export(db, SYSTEM_CALLER, "receipts", BASE)
    one, other = json.loads(b"".join(tables.label_studio(exported)))
    assert (one["id"], one["project"], one["data"]) == (7, 3, {"text": "x"})
    assert one["predictions"][0]["result"] == [region]
    assert (one["annotations"], one["meta"]["reviewqueue"]["item"]) == ([], str(first))
    assert other["data"] == {"input": "plain"}
    assert other["predictions"][0]["result"][0]["value"] == {"text": ['{"total": "1"}']}
    (annotation,) = other["annotations"]
    assert (annotation["was_cancelled"], annotation["result"]) == (True, [])
    assert annotation["meta"]["reason"] == "wrong-total"
    assert json.loads(b"".join(tables.label_studio(iter([])))) == []


def test_an_export_holds_few_items_at_once(sqlite_db: Database, tmp_path: Path) -> None:
    """1,500 items of 20 KB: 30 MB. `REVIEWQUEUE_TEST_SIZE=full`: 20,000, 400 MB."""
    count = 20_000 if os.environ.get("REVIEWQUEUE_TEST_SIZE") == "full" else 1_500
    open_office(sqlite_db)
    page = "x" * 20_000
    for start in range(0, count, 100):
        bodies = [{"queue": "receipts", "input": f"{start + n} {page}"} for n in range(100)]
        operations.enqueue_batch(sqlite_db, APP, bodies)
    tracemalloc.start()
    lines = sum(1 for _ in tables.lines(export(sqlite_db, SYSTEM_CALLER, "receipts", BASE)))
    with (tmp_path / "items.parquet").open("wb") as file:
        write_parquet(export(sqlite_db, SYSTEM_CALLER, "receipts", BASE), tables.ITEMS, file)
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    print(f"{count:,} items, peak {peak:.0f} MB")
    assert lines == count
    assert peak < 60
