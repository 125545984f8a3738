"""Views of a queue's items that a person keeps under a name, among their preferences.

A view is the query of the list's address, so its link shows the same to everybody who may see the queue.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from ..db import Database, Json
from ..errors import Conflict, Forbidden, Invalid
from ..people import persons
from ..people.access import Action, Caller, access_of
from ..queues.policies import desk_named

PREFERENCE = "views"
MOST = 20
LONGEST_NAME = 60

Views = dict[str, str]
"""The query of each view, by its name, in the order of keeping."""


def views_of(preferences: Mapping[str, Json], queue: str) -> Views:
    """The views that a person keeps of a queue."""
    return dict((preferences.get(PREFERENCE) or {}).get(queue) or {})


def save_view(
    db: Database,
    caller: Caller,
    queue: str,
    name: str,
    filters: Mapping[str, str],
    request_id: str | None = None,
) -> None:
    """Keeps the filters under the name; one that is there is replaced.

    Raises NoSuchQueue, Invalid without a name, and Conflict when the person keeps MOST of them already.
    """
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_NAME:
        raise Invalid(f"Give the view a name of up to {LONGEST_NAME} characters.")

    def keep(views: Views) -> Views:
        if name not in views and len(views) >= MOST:
            raise Conflict(f"You keep {MOST} views of this queue; forget one first.")
        return {**views, name: urlencode(dict(filters))}

    _change(db, caller, queue, keep, request_id)


def forget_view(db: Database, caller: Caller, queue: str, name: str, request_id: str | None = None) -> None:
    """Raises NoSuchQueue. A view that is not there is forgotten already."""
    _change(
        db,
        caller,
        queue,
        lambda views: {kept: query for kept, query in views.items() if kept != name},
        request_id,
    )


def _change(db: Database, caller: Caller, queue: str, change: Any, request_id: str | None) -> None:
    if caller.person_id is None:
        raise Forbidden("Only a person keeps views.")
    with db.transaction(caller.actor, request_id) as tx:
        desk = desk_named(tx.session, queue)
        access_of(tx.session, caller).require(Action.SEE, desk.id, desk.name)
        person = persons.by_id(tx.session, caller.person_id)
        before = views_of(person.preferences, queue)
        after = change(before)
        if after != before:
            views = {**(person.preferences.get(PREFERENCE) or {}), queue: after}
            persons.change(tx, person, preferences={**person.preferences, PREFERENCE: views})
