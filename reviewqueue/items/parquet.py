"""Exports as Parquet, which needs the extra `parquet`. Written in groups of rows, so that few are held at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

from ..errors import Unavailable
from .tables import Column, Kind, Row, value_of

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_AT_ONCE = 1_000
MOST_BYTES = 32 * 1024 * 1024
"""Of text in one group of rows."""


def write_parquet(rows: Iterable[Row], columns: Sequence[Column], file: IO[bytes]) -> int:
    """Writes all rows; returns how many. Nested values are JSON text. Raises Unavailable without pyarrow."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise Unavailable("Parquet needs the extra: pip install 'reviewqueue[parquet]'") from None
    schema = pa.schema([(column.name, _type(pa, column.kind)) for column in columns])
    written, remaining = 0, iter(rows)
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        while group := _group(remaining, columns):
            arrays = [
                pa.array(values, schema.field(i).type) for i, values in enumerate(zip(*group, strict=True))
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            written += len(group)
    return written


def _group(rows: Iterable[Row], columns: Sequence[Column]) -> list[list[Any]]:
    group: list[list[Any]] = []
    held = 0
    for row in islice(rows, ROWS_AT_ONCE):
        values = [_value(row, column) for column in columns]
        group.append(values)
        held += sum(len(value) for value in values if isinstance(value, str))
        if held >= MOST_BYTES:
            break
    return group


def _value(row: Row, column: Column) -> Any:
    value = value_of(row, column)
    return datetime.fromisoformat(value) if column.kind == "time" and value is not None else value


def _type(pa: Any, kind: Kind) -> pa.DataType:
    types = {
        "text": pa.large_string(),
        "json": pa.large_string(),
        "number": pa.float64(),
        "integer": pa.int64(),
        "time": pa.timestamp("us", tz="UTC"),
    }
    return types[kind]
