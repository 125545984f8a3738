"""A person at a browser without scripts, or with htmx: reads a page's form and sends it as the browser would."""

from __future__ import annotations

import uuid
from html.parser import HTMLParser
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

HTML = {"Accept": "text/html"}
HTMX = {**HTML, "HX-Request": "true"}


class Form(HTMLParser):
    """What the form `decision` of a page would send, untouched."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._inside = False
        self._textarea: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = found.get("id") == "decision"
        if not self._inside or "name" not in found:
            return
        if tag == "input" and (found.get("type") != "radio" or "checked" in found):
            self.values[found["name"]] = found.get("value", "")
        if tag == "textarea":
            self._textarea = found["name"]
            self.values[self._textarea] = ""

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.values[self._textarea] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._textarea:
            # A browser drops the first line end, and sends CR LF for the others.
            text = self.values[self._textarea].removeprefix("\n")
            self.values[self._textarea] = text.replace("\n", "\r\n")
            self._textarea = None
        if tag == "form":
            self._inside = False


class Visitor:
    """Somebody looking at pages; `htmx` says whether scripts run."""

    def __init__(self, client: FlaskClient, *, htmx: bool = False) -> None:
        self.client, self.htmx = client, htmx
        self.headers = HTMX if htmx else HTML

    def get(self, address: str) -> TestResponse:
        return self.client.get(address, headers=HTML)

    def post(self, address: str, **form: Any) -> TestResponse:
        return self.client.post(address, headers=self.headers, data=form)

    def form_at(self, address: str) -> dict[str, str]:
        answer = self.get(address)
        assert answer.status_code == 200, answer.text
        return Form(answer.text).values

    def act(self, item_id: uuid.UUID | str, what: str, form: dict[str, str], **typed: str) -> TestResponse:
        """Sends the form of the review page to one of its buttons' addresses."""
        return self.post(f"/items/{item_id}/{what}", **{**form, **typed})

    def landed(self, answer: TestResponse) -> str:
        """The page that the person ends up on."""
        if answer.status_code == 303:
            return self.get(answer.headers["Location"]).text
        if "HX-Redirect" in answer.headers:
            return self.get(answer.headers["HX-Redirect"]).text
        return answer.text
