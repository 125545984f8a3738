"""Exports as tables: which columns, of which kind, and how CSV and JSON write them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from ..adapters.label_studio import task_of

FORMULA = ("=", "+", "-", "@", "\t", "\r")

Row = Mapping[str, Any]
Rows = Iterator[dict[str, Any]]
Kind = Literal["text", "number", "integer", "time", "json"]


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    kind: Kind
    of: Callable[[Row], Any]


def lines(rows: Rows) -> Iterator[bytes]:
    """JSON lines: exact, whatever the values are."""
    return (orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


def label_studio(items: Rows) -> Iterator[bytes]:
    """Label Studio's tasks, as one array."""
    before = b"[\n"
    for item in items:
        yield before + orjson.dumps(task_of(item))
        before = b",\n"
    yield b"[]\n" if before == b"[\n" else b"\n]\n"


def table(rows: Rows, columns: Sequence[Column]) -> Iterator[bytes]:
    """CSV for spreadsheets: nested values as JSON; text that a spreadsheet would run as a formula begins with '."""
    yield _line([column.name for column in columns])
    for row in rows:
        yield _line([_harmless(value_of(row, column)) for column in columns])


def value_of(row: Row, column: Column) -> Any:
    """The cell; nested values as JSON text. None where the row has none."""
    value = column.of(row)
    return orjson.dumps(value).decode() if column.kind == "json" else value


def _line(values: list[Any]) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow(values)
    return line.getvalue().encode()


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _plain(kind: Kind, *names: str) -> tuple[Column, ...]:
    return tuple(Column(name, kind, lambda row, name=name: row[name]) for name in names)  # type: ignore[misc]


def _of_outcome(kind: Kind, name: str) -> Column:
    return Column(f"outcome_{name}", kind, lambda row: (row["outcome"] or {}).get(name))


def _of_evidence(name: str) -> Column:
    return Column(name, "json", lambda row: row["evidence"][name])


def _of_details(kind: Kind, *names: str) -> tuple[Column, ...]:
    """Evidence that few items have: an empty cell where there is none."""
    return tuple(_of_detail(kind, name) for name in names)


def _of_detail(kind: Kind, name: str) -> Column:
    return Column(name, kind, lambda row: _cell(row["evidence"].get(name)))


def _cell(value: Any) -> Any:
    return orjson.dumps(value).decode() if isinstance(value, dict | list) else value


ITEMS = (
    *_plain("text", "id", "queue", "external_id", "state", "lane", "purpose"),
    *_plain("integer", "policy_version", "priority", "level"),
    *_plain("number", "confidence"),
    *_plain("time", "created_at", "due_at", "decided_at"),
    *_plain("json", "flags", "tags", "reasons"),
    _of_evidence("input"),
    _of_evidence("output"),
    _of_outcome("text", "verdict"),
    _of_outcome("text", "by"),
    _of_outcome("json", "output"),
    _of_outcome("text", "reason"),
    _of_outcome("text", "comment"),
    _of_outcome("time", "decided_at"),
    _of_outcome("integer", "revision"),
    *_of_details("text", "model", "prompt", "config", "context", "explanation", "assumptions", "error"),
    *_of_details("number", "latency_ms"),
    *_of_details("integer", "retries"),
    *_of_details("text", "trace_id", "occurred_at"),
    *_plain("time", "deadline_at", "valid_until"),
    *_plain("text", "supersedes", "url"),
)
"""New ones at the end: programs may count on the order."""
_DECISION = (
    *_plain("text", "verdict", "reason", "comment"),
    *_plain("number", "confidence"),
    *_plain("text", "model", "model_version", "prompt", "prompt_version"),
    *_plain("integer", "policy_version", "revision"),
    *_plain("time", "decided_at"),
    *_plain("text", "event", "event_url"),
)
_ITEM = (*_plain("text", "item", "queue", "external_id", "split"), *_plain("json", "input"))
OUTPUTS = (*_ITEM, *_plain("json", "output", "suggested"), *_DECISION)
PREFERENCES = (*_ITEM, *_plain("json", "chosen", "rejected"), *_DECISION)
