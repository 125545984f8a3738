"""The HTTP API as one key's holder uses it: answers that are not the expected ones fail the test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Self

import orjson

from reviewqueue.db import Database
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.people.forms import NewKey
from reviewqueue.people.key_operations import create_key
from reviewqueue.people.models import Scope

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

Item = dict[str, Any]
"""An item as the API shows it."""


class Api:
    """The HTTP API, as whoever holds the key sees it."""

    def __init__(self, app: Flask, key: str) -> None:
        self._client: FlaskClient = app.test_client()
        self._headers = {"Authorization": f"Bearer {key}"}

    @classmethod
    def open(cls, app: Flask, db: Database, scopes: Sequence[Scope], person: str | None = None) -> Self:
        form = NewKey(name=person or "shop", scopes=list(scopes), person=person)
        return cls(app, create_key(db, SYSTEM_CALLER, form))

    def get(self, path: str, **query: Any) -> Any:
        answer = self._client.get(f"/api/v1{path}", query_string=query, headers=self._headers)
        assert answer.status_code == 200, answer.text
        return orjson.loads(answer.data)

    def post(self, path: str, body: bytes, type_: str = "application/json") -> Any:
        answer = self._client.post(
            f"/api/v1{path}", data=body, headers={**self._headers, "Content-Type": type_}
        )
        assert answer.status_code in {200, 201, 204}, answer.text
        return orjson.loads(answer.data) if answer.data else None

    def every_item(self) -> Iterator[Item]:
        page = self.get("/items", limit=200, order="-created")
        yield from page["items"]
        while page["next"] is not None:
            page = self.get("/items", limit=200, order="-created", cursor=page["next"])
            yield from page["items"]
