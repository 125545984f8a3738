"""The files that an import reads: JSON lines, tables with a mapping of columns, Label Studio's tasks."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any

import orjson

from ..adapters.label_studio import body_of
from ..errors import Fault, Invalid, NotJson, Refusal
from ..queues.fields import split_field
from ..web.strict_json import loads
from .importing import Record

MOST_IN_CELL = 32 * 1024 * 1024
NUMBERS = frozenset({"confidence", "latency_ms", "retries", "priority"})
AS_JSON = frozenset({"model", "prompt", "config", "context", "assumptions"})


_SIGNS = {
    b"PK\x03\x04": "a ZIP archive, which Excel's .xlsx is too. Save the table as CSV in UTF-8",
    b"\x1f\x8b": "packed by gzip. Unpack it: gunzip -c FILE | reviewqueue items import -",
    b"PAR1": "Parquet. Write it as JSON lines or CSV",
    b"\xff\xfe": "text in UTF-16. Save it as UTF-8",
    b"\xfe\xff": "text in UTF-16. Save it as UTF-8",
}
"""What files of other kinds begin with, and what to do about them."""


class _Unreadable(ValueError):
    """A cell does not hold what it should."""


def ndjson(file: Iterable[bytes]) -> Iterator[Record]:
    """One JSON document a line; blank lines are passed over. Raises Invalid for a file that is no text."""
    for number, line in enumerate(_lines_of_text(file), start=1):
        if text := line.strip():
            yield Record(number, len(line), _read(text), text)


def label_studio(file: IO[bytes], model_version: str | None = None) -> Iterator[Record]:
    """Label Studio's tasks: an array, which is read whole, or one task a line, however many there are."""
    first = file.read(1)
    while first.isspace():
        first = file.read(1)
    if first == b"[":
        written = first + file.read()
        tasks: Iterable[Record] = (
            Record(number, len(written) // max(1, len(array)), task, orjson.dumps(task))
            for array in [loads(written)]
            for number, task in enumerate(array, start=1)
        )
    else:
        tasks = ndjson(_with_first(first, file))
    for task in tasks:
        body = task.body if isinstance(task.body, Refusal) else body_of(task.body, model_version)
        yield Record(task.line, task.size, body, task.identity)


def table(file: Iterable[bytes], columns: Mapping[str, str], delimiter: str = ",") -> Iterator[Record]:
    """CSV whose first line names the columns; `columns` says which field of the enqueue body a column is.

    A column that is not mapped is the field of its own name. A field may say how its cells are read: `output:json`,
    `output.total:number`. An empty cell is no value. Raises Invalid for a file that is no text or has no head, and for
    a column that is no field.
    """
    csv.field_size_limit(MOST_IN_CELL)
    lines = _Lines(_lines_of_text(file))
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    cells = _cells(_head(rows), columns)
    while True:
        begins, before = lines.number + 1, lines.bytes
        try:
            row = next(rows)
            body = _body_of(row, cells) if row else None
        except StopIteration:
            return
        except csv.Error as error:
            body = Invalid(f"The line cannot be read as CSV: {error}")
        except Refusal as refusal:
            body = refusal
        if body is not None:
            identity = b"" if isinstance(body, Refusal) else orjson.dumps(body)
            yield Record(begins, lines.bytes - before, body, identity)


def _lines_of_text(file: Iterable[bytes]) -> Iterator[bytes]:
    """The file's lines. One whose bytes are wrong is for the reader to refuse; a file of another kind is refused whole.

    Raises Invalid with the first line that is asked for.
    """
    lines = iter(file)
    head = list(islice(lines, 3))
    first = head[0] if head else b""
    kind = next((said for sign, said in _SIGNS.items() if first.startswith(sign)), None)
    if kind is None and any(b"\0" in line for line in head):
        kind = "binary. Give JSON lines or a table, in UTF-8"
    if kind is not None:
        raise Invalid(f"The file cannot be read: it is {kind}.")
    yield from head
    yield from lines


def _head(rows: Iterator[list[str]]) -> list[str]:
    """The names in a table's first line. Raises Invalid."""
    needed = "The first line names the columns, such as: external_id,input.text,output.total,confidence"
    try:
        head = next(rows, None)
        ",".join(head or ()).encode()
    except csv.Error as error:
        raise Invalid(f"The first line cannot be read as CSV: {error}. {needed}") from None
    except UnicodeEncodeError:
        raise Invalid(
            "The first line is not UTF-8. Save the table as UTF-8; Excel calls it CSV UTF-8."
        ) from None
    if not head:
        raise Invalid(f"The {'file' if head is None else 'first line'} is empty. {needed}")
    return head


@dataclass(frozen=True, slots=True)
class _Cell:
    column: str
    path: Sequence[str]
    read: Callable[[str], Any]


class _Lines:
    """The lines of a file as text, counted. A byte that is no UTF-8 spoils its own line alone."""

    def __init__(self, file: Iterable[bytes]) -> None:
        self._file = iter(file)
        self.number = self.bytes = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._file)
        self.number += 1
        self.bytes += len(line)
        return line.decode("utf-8-sig" if self.number == 1 else "utf-8", errors="surrogateescape")


def _cells(head: Sequence[str], columns: Mapping[str, str]) -> list[_Cell | None]:
    missing = [name for name in columns if name not in head]
    faults = [Fault(f"/{name}", "is no column of the file") for name in missing]
    cells: list[_Cell | None] = []
    for name in head:
        field = columns.get(name, name)
        try:
            cells.append(_cell(name, field) if field else None)
        except ValueError as error:
            faults.append(
                Fault(f"/{name}", f"{error}; map it: --column '{name}=input.…', or '{name}=' to leave out")
            )
    faults += [Fault(f"/{name}", "is a field that another column is") for name in _repeated(cells)]
    if faults:
        raise Invalid("The columns do not fit.", faults=faults)
    return cells


def _repeated(cells: Iterable[_Cell | None]) -> Iterator[str]:
    taken: set[tuple[str, ...]] = set()
    for cell in cells:
        if cell is not None:
            if tuple(cell.path) in taken:
                yield cell.column
            taken.add(tuple(cell.path))


def _cell(column: str, field: str) -> _Cell:
    """Raises ValueError for what is no field of the enqueue body."""
    told = _READER.search(field)
    path = split_field(field[: told.start()] if told else field)
    if told:
        return _Cell(column, path, _READERS[told[1]])
    if path[0] in NUMBERS:
        return _Cell(column, path, _number)
    if path == ["flags"]:
        return _Cell(column, path, _flags)
    return _Cell(column, path, _json if path[0] in AS_JSON and len(path) == 1 else str)


def _body_of(row: Sequence[str], cells: Sequence[_Cell | None]) -> Any:
    if len(row) != len(cells):
        raise Invalid(f"The line has {len(row)} cells, where the first has {len(cells)}.")
    body: dict[str, Any] = {}
    faults = []
    for text, cell in zip(row, cells, strict=True):
        if cell is None or not text:
            continue
        try:
            _put(body, cell.path, cell.read(text))
        except _Unreadable as error:
            faults.append(Fault(f"/{cell.column}", str(error)))
    if faults:
        raise Invalid("Cells cannot be read.", faults=faults)
    # Read back, since a table may hold what no JSON may, such as bytes that are no UTF-8.
    try:
        return loads(orjson.dumps(body))
    except orjson.JSONEncodeError:
        raise Invalid("The line is not UTF-8.") from None


def _put(body: dict[str, Any], path: Sequence[str], value: Any) -> None:
    within = body
    for name in path[:-1]:
        within = within.setdefault(name, {})
        if not isinstance(within, dict):
            raise _Unreadable(f"{name} has a value of its own, from another column")
    if path[-1] in within:
        raise _Unreadable("another column gives the same field")
    within[path[-1]] = value


def _number(text: str) -> int | float:
    """As JSON writes it: Python's own reading would take 1_000 and nan."""
    try:
        value = loads(text.strip().encode("utf-8", errors="surrogateescape"))
    except NotJson:
        value = None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Unreadable(f"is no number: {text[:40]!r}")
    return value


def _json(text: str) -> Any:
    try:
        return loads(text.encode("utf-8", errors="surrogateescape"))
    except NotJson as refusal:
        raise _Unreadable(refusal.detail) from None


_READER = re.compile(r":(text|number|json)$")
_READERS: dict[str, Callable[[str], Any]] = {"text": str, "number": _number, "json": _json}


def _flags(text: str) -> list[str]:
    """A JSON list, as exports write it, or words between semicolons."""
    if text.startswith("["):
        flags: list[str] = _json(text)
        return flags
    return [flag.strip() for flag in text.split(";") if flag.strip()]


def _read(text: bytes) -> Any:
    try:
        return loads(text)
    except NotJson as refusal:
        return refusal


def _with_first(first: bytes, file: IO[bytes]) -> Iterator[bytes]:
    yield first + file.readline()
    yield from file
