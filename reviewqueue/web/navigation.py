"""Where the bar at the top leads, for the person who looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask, request

from reviewqueue.people.access import Access, Action, access_of
from reviewqueue.web.requests import database, viewer


@dataclass(frozen=True, slots=True)
class Entry:
    """A link of the bar; `key` is pressed after g."""

    label: str
    href: str
    key: str = ""

    @property
    def current(self) -> bool:
        return request.path == self.href or (self.href != "/" and request.path.startswith(f"{self.href}/"))


def register(app: Flask) -> None:
    app.context_processor(_of_viewer)


def entries(access: Access) -> list[Entry]:
    """The pages that are for this person."""
    found = [Entry("Desk", "/", "g d")]
    if access.queue_ids_for(Action.SEE_BACKLOG) != frozenset():
        found.append(Entry("Backlog", "/backlog", "g b"))
    if access.is_admin:
        found.append(Entry("Admin", "/admin", "g m"))
    return found


def account_menu(access: Access) -> list[Entry]:
    """What one looks up now and then."""
    found = [Entry("Your account", "/account"), Entry("On call", "/oncall")]
    if access.queue_ids_for(Action.SEE) != frozenset():
        found.insert(0, Entry("Calendars", "/calendars"))
    return found


def _of_viewer() -> dict[str, Any]:
    person = viewer()
    if person is None:
        return {"person": None}
    with database().reading() as session:
        access = access_of(session, person.caller)
    return {"person": person, "navigation": entries(access), "account_menu": account_menu(access)}
