"""A query that does not fit is refused in plain words that say what would."""

from __future__ import annotations

from typing import get_args

import pytest
from flask.testing import FlaskClient

from reviewqueue.db import Database
from reviewqueue.items.parameters import WantedState
from reviewqueue.items.states import State
from reviewqueue.people import key_operations
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.people.forms import NewKey
from reviewqueue.people.models import Scope


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("items?state=x", "/state must be 'open', 'pending', 'disputed', 'accepted', 'edited', 'rejected', "),
        ("items?order=x", "/order must be 'due', '-created' or '-priority'."),
        ("items?lane=assist", "There is no filter lane; there are cursor, external_id, flag, "),
        ("items?level_min=x", "/level_min must be a whole number."),
        ("items?limit=201", "/limit must be at most 200."),
        ("items?limit=0&order=x", "/order must be 'due', '-created' or '-priority'. And 1 more."),
        ("items?q=" + "x" * 201, "/q must have at most 200 characters."),
        ("items?cursor=x", "The cursor is not one of ours; take it from `next`"),
        ("events?after=x", "/after must be a whole number."),
        ("events?after=-1", "/after must be at least 0."),
        ("events?type=x", "There is no event type 'x'"),
        ("events?wait=61", "/wait must be at most 60."),
        ("events?types=x", "/types is not a known field."),
        ("backlog?level_min=0", "/level_min must be at least 1."),
        ("queues?limit=many", "/limit must be a whole number."),
    ],
)
def test_what_is_wrong_with_a_query_is_said_plainly(
    client: FlaskClient, db: Database, query: str, says: str
) -> None:
    key = key_operations.create_key(db, SYSTEM_CALLER, NewKey(name="app", scopes=list(Scope)))
    answer = client.get(f"/api/v1/{query}", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 422
    problem = answer.get_json()
    assert says in problem["detail"]
    assert not any(word in answer.text for word in ("Input should", "literal", "enum", "Extra inputs"))


def test_every_state_may_be_asked_for() -> None:
    assert set(get_args(WantedState)) == {"open", *State}
