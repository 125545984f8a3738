"""Many rows at once: COPY on PostgreSQL, executemany on SQLite, and finding many by name."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import repeat
from operator import is_
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from .db import NEVER, JsonText, UtcDateTime, UtcOrNever

LINES_AT_ONCE = 200
NULL = "\\N"
"""None, in COPY's text."""


def insert_rows(session: Session, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows that all have the same keys; columns that are absent get the database's default.

    Raises sqlalchemy.exc.IntegrityError when a constraint refuses them.
    """
    if not rows:
        return
    columns = tuple(rows[0])
    if session.get_bind().dialect.name == "sqlite":
        _executemany(session, table, columns, rows)
    else:
        _copy(session, table, columns, rows)


def among(session: Session, column: sa.ColumnElement[str], texts: Sequence[str]) -> sa.ColumnElement[bool]:
    """Whether the column holds one of the texts, asked with one parameter: thousands of them cost more than the search.

    Both databases answer it from an index.
    """
    if session.get_bind().dialect.name == "sqlite":
        listed = sa.func.json_each(_json(list(texts))).table_valued("value")
        return column.in_(sa.select(listed.c.value))
    return column == sa.any_(sa.literal(list(texts), postgresql.ARRAY(sa.Text)))


def _executemany(
    session: Session, table: sa.Table, columns: tuple[str, ...], rows: Sequence[Mapping[str, Any]]
) -> None:
    # Names come from our own tables, never from input.
    sql = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
    values = [_column(rows, name, _for_sqlite(table.c[name].type)) for name in columns]
    session.connection().exec_driver_sql(sql, list(zip(*values, strict=True)))


def _copy(
    session: Session, table: sa.Table, columns: tuple[str, ...], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Raises IntegrityError as SQLAlchemy would, since the driver is spoken to directly."""
    import psycopg

    converts = [(name, _for_copy(table.c[name].type)) for name in columns]
    cursor: Any = session.connection().connection.cursor()
    sql = f"COPY {table.name} ({', '.join(columns)}) FROM STDIN"
    try:
        with cursor.copy(sql) as copy:
            # A run at a time: the server stores one while we write the next.
            for start in range(0, len(rows), LINES_AT_ONCE):
                some = rows[start : start + LINES_AT_ONCE]
                texts = [_column(some, name, convert) for name, convert in converts]
                copy.write("".join(["\t".join(line) + "\n" for line in zip(*texts, strict=True)]))
    except psycopg.errors.IntegrityError as error:
        raise sa.exc.IntegrityError(sql, None, error) from error
    finally:
        cursor.close()


def _column(rows: Sequence[Mapping[str, Any]], name: str, how: Conversion) -> list[Any]:
    """One column's values, as the driver takes them. Column by column, since most hold one value for all rows."""
    values = [row[name] for row in rows]
    first = values[0]
    if all(map(is_, values, repeat(first))):
        return [how.convert(first) if first is not None else how.null] * len(values)
    if any(map(is_, values, repeat(None))):
        return [how.convert(value) if value is not None else how.null for value in values]
    return list(map(how.convert, values))


class Conversion(NamedTuple):
    """From a value of Python's to what the driver takes."""

    convert: Callable[[Any], Any]
    null: Any
    """What stands for None."""


def _for_sqlite(type_: sa.types.TypeEngine[Any]) -> Conversion:
    if isinstance(type_, UtcOrNever):
        return Conversion(_naive_text, _naive_text(NEVER))
    if isinstance(type_, UtcDateTime):
        return Conversion(_naive_text, None)
    if isinstance(type_, sa.Uuid):
        return Conversion(_hex, None)
    if isinstance(type_, sa.JSON | JsonText):
        return Conversion(_json, None)
    return Conversion(_as_it_is, None)


def _for_copy(type_: sa.types.TypeEngine[Any]) -> Conversion:
    if isinstance(type_, UtcOrNever):
        return Conversion(_zoned_text, _zoned_text(NEVER))
    if isinstance(type_, UtcDateTime):
        return Conversion(_zoned_text, NULL)
    if isinstance(type_, sa.Uuid):
        return Conversion(_hex, NULL)
    if isinstance(type_, sa.JSON | JsonText):
        return Conversion(_escaped_json, NULL)
    if isinstance(type_, sa.LargeBinary):
        return Conversion(_escaped_bytes, NULL)
    if isinstance(type_, sa.String | sa.Text):
        return Conversion(_escaped, NULL)
    return Conversion(str, NULL)


def _as_it_is(value: Any) -> Any:
    return value


def _hex(value: uuid.UUID) -> str:
    return value.hex


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


@lru_cache(maxsize=4096)
def _naive_text(value: datetime) -> str:
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


@lru_cache(maxsize=4096)
def _zoned_text(value: datetime) -> str:
    return value.isoformat()


def _escaped(value: str) -> str:
    if "\\" in value:
        value = value.replace("\\", "\\\\")
    if "\n" in value:
        value = value.replace("\n", "\\n")
    if "\r" in value:
        value = value.replace("\r", "\\r")
    if "\t" in value:
        value = value.replace("\t", "\\t")
    return value


def _escaped_json(value: Any) -> str:
    # Of what COPY wants escaped, JSON holds no more than the backslash.
    return _json(value).replace("\\", "\\\\")


def _escaped_bytes(value: bytes) -> str:
    return "\\\\x" + value.hex()
