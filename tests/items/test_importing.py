"""Files that become items: tables by a mapping of their columns, Label Studio's tasks, and what is wrong in them."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Iterable, Mapping
from typing import IO, Any

import pytest

from reviewqueue.db import Database
from reviewqueue.errors import Invalid, Refusal
from reviewqueue.items import operations
from reviewqueue.items.import_formats import label_studio, ndjson, table
from reviewqueue.items.importing import Imported, Record, import_records
from reviewqueue.people.callers import SYSTEM_CALLER

from .office import Office, open_office


@pytest.fixture
def office(db: Database) -> Office:
    return open_office(db)


def take(office: Office, records: Iterable[Record]) -> Imported:
    (done,) = import_records(office.db, SYSTEM_CALLER, records, queue="receipts")
    return done


def rows(text: str | bytes, columns: Mapping[str, str] | None = None, **more: Any) -> list[Record]:
    content = text.encode() if isinstance(text, str) else text
    return list(table(io.BytesIO(content), columns or {}, **more))


def table_of_any(file: IO[bytes]) -> Iterable[Record]:
    return table(file, {})


def refusal_of(record: Record) -> str:
    assert isinstance(record.body, Refusal)
    return "; ".join(f"{fault.pointer} {fault.detail}" for fault in record.body.faults) or record.body.detail


TABLE = """\
\ufeffNo,Text,total,sure,flags,tags.department,notes
r-1,"TOTAL
12.90",12.90,0.95,vip;missing:date,finance,x
r-2,TOTAL 3,3.00,,,,
"""
COLUMNS = {
    "No": "external_id",
    "Text": "input.text",
    "total": "output.total",
    "sure": "confidence",
    "notes": "",
}


def test_a_table_becomes_items_by_its_columns(office: Office) -> None:
    first, second = rows(TABLE, COLUMNS)
    assert first.body == {
        "external_id": "r-1",
        "input": {"text": "TOTAL\n12.90"},
        "output": {"total": "12.90"},
        "confidence": 0.95,
        "flags": ["vip", "missing:date"],
        "tags": {"department": "finance"},
    }
    assert (first.line, second.line) == (2, 4)
    assert second.body == {"external_id": "r-2", "input": {"text": "TOTAL 3"}, "output": {"total": "3.00"}}
    done = take(office, [first, second])
    assert (done.accepted, done.refused) == (2, 0)


def test_a_table_may_be_sent_again(office: Office) -> None:
    text = "input,output\na,1\na,1\nb,2\n"
    assert take(office, rows(text)).accepted == 3
    again = take(office, rows(text + "c,3\n"))
    assert (again.accepted, again.replayed) == (1, 3)


def test_each_bad_line_of_a_table_is_told_by_its_number_and_spoils_no_other(office: Office) -> None:
    text = b'input,confidence,config\na,0.5,\nb,high,\nc,0.5\n"d"e,1,\n\xff,1,\nf,nan,\ng,7,\nh\0,1,\ni,,{"t":\nj,1,\n'
    records = rows(text)
    refused = {r.line: refusal_of(r) for r in records if isinstance(r.body, Refusal)}
    assert list(refused) == [3, 4, 5, 6, 7, 9, 10]
    assert refused[3] == "/confidence is no number: 'high'"
    assert refused[4] == "The line has 2 cells, where the first has 3."
    assert "cannot be read as CSV" in refused[5]
    assert refused[6] == "The line is not UTF-8."
    done = take(office, records)
    assert (done.accepted, [number for number, _ in done.refusals]) == (2, [3, 4, 5, 6, 7, 8, 9, 10])


def test_cells_are_read_as_told() -> None:
    columns = {"in": "input:json", "n": "output.n:number", "t": "output.t"}
    (record,) = rows('in;n;t\n{"a": [1]};12;12\n', columns, delimiter=";")
    assert record.body == {"input": {"a": [1]}, "output": {"n": 12, "t": "12"}}


@pytest.mark.parametrize(
    ("head", "columns", "says"),
    [
        (
            "input,Total",
            {},
            "/Total begins with Total, which no enqueued item has; map it: --column 'Total=input",
        ),
        ("input", {"Sum": "output"}, "/Sum is no column of the file"),
        ("input", {"input": "input:date"}, "begins with input:date"),
        ("input,again", {"again": "input:json"}, "/again is a field that another column is"),
    ],
)
def test_columns_that_do_not_fit_are_named_before_anything_is_taken(
    head: str, columns: dict[str, str], says: str
) -> None:
    with pytest.raises(Invalid) as refused:
        rows(f"{head}\nx,y\n", columns)
    assert says in "; ".join(f"{fault.pointer} {fault.detail}" for fault in refused.value.faults)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "The file is empty. The first line names the columns, such as: external_id,"),
        (b"\r\na,b\r\n", "The first line is empty. The first line names the columns"),
        ("input,Wäh\na,1\n".encode("latin-1"), "The first line is not UTF-8. Save the table as UTF-8"),
        (b'"input\na,1\n', "The first line cannot be read as CSV"),
    ],
    ids=["empty", "blank first line", "latin-1", "open quote"],
)
def test_a_table_without_a_head_says_what_a_head_is(content: bytes, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        rows(content)


@pytest.mark.parametrize("reader", [ndjson, table_of_any, label_studio])
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PK\x03\x04\x14rest of a workbook", "Excel's .xlsx is too. Save the table as CSV in UTF-8."),
        (
            gzip.compress(b"input\na\n"),
            "packed by gzip. Unpack it: gunzip -c FILE | reviewqueue items import -.",
        ),
        (b"PAR1\x15\x04\x15", "Parquet. Write it as JSON lines or CSV."),
        ("input\na\n".encode("utf-16"), "UTF-16. Save it as UTF-8."),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "binary. Give JSON lines or a table, in UTF-8."),
        (b"\x7fELF\x02\x01\x01\0\0", "binary. Give JSON lines or a table, in UTF-8."),
    ],
    ids=["xlsx", "gzip", "parquet", "utf-16", "png", "program"],
)
def test_a_file_that_is_no_text_is_refused_whole_and_says_what_to_do(
    reader: Callable[[IO[bytes]], Iterable[Record]], content: bytes, says: str
) -> None:
    with pytest.raises(Invalid) as refused:
        list(reader(io.BytesIO(content)))
    assert refused.value.detail.startswith("The file cannot be read: it is ")
    assert refused.value.detail.endswith(says)


TASK: dict[str, Any] = {
    "id": 7,
    "project": 3,
    "data": {"text": "TOTAL 12.90"},
    "predictions": [
        {
            "model_version": "new",
            "score": 0.93,
            "result": [{"from_name": "kind", "to_name": "text", "value": {}}],
        },
        {"model_version": "old", "score": 12, "result": []},
    ],
}


def tasks(written: str, model_version: str | None = None) -> list[Record]:
    return list(label_studio(io.BytesIO(written.encode()), model_version))


@pytest.mark.parametrize("lines", [False, True])
def test_tasks_come_with_their_predictions(office: Office, lines: bool) -> None:
    given = [TASK, {"text": "only data"}, 5]
    written = "\n".join(map(json.dumps, given)) if lines else f"\n {json.dumps(given)}"
    first, second, third = tasks(written)
    assert first.body == {
        "external_id": "label-studio-3-7",
        "input": {"text": "TOTAL 12.90"},
        "output": TASK["predictions"][0]["result"],
        "confidence": 0.93,
        "model": {"name": "new"},
    }
    assert second.body == {"input": {"text": "only data"}}
    assert refusal_of(third) == " must be an object"
    assert [record.line for record in (first, second, third)] == [1, 2, 3]
    done = take(office, [first, second, third])
    assert (done.accepted, done.refused) == (2, 1)
    assert take(office, tasks(written)).replayed == 2


def test_the_prediction_of_one_model_is_taken_where_it_is_named() -> None:
    (record,) = tasks(json.dumps([TASK]), "old")
    assert record.body["model"] == {"name": "old"}
    assert "confidence" not in record.body, "12 is no confidence"
    assert "output" not in tasks(json.dumps([TASK]), "none")[0].body


def test_large_records_are_taken_in_small_batches(
    sqlite_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = open_office(sqlite_db)
    taken: list[int] = []
    whole = operations.enqueue_batch
    monkeypatch.setattr("reviewqueue.items.importing.MOST_BYTES", 3_000)

    def counted(db: Database, caller: Any, bodies: Any) -> Any:
        taken.append(len(bodies))
        return whole(db, caller, bodies)

    monkeypatch.setattr("reviewqueue.items.importing.enqueue_batch", counted)
    lines = [json.dumps({"input": "x" * 1_000 + str(n)}).encode() + b"\n" for n in range(7)]
    *_, done = import_records(office.db, SYSTEM_CALLER, ndjson(lines), queue="receipts")
    assert (taken, done.accepted) == ([3, 3, 1], 7)
