"""The client stands alone: it loads nothing of the server, and both of its flavours are the same but for `await`."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

from reviewqueue.client import AsyncReviewQueue, ReviewQueue

LOADED = """
import sys
from reviewqueue.client import AsyncReviewQueue, ReviewQueue, reviewed
ReviewQueue("http://localhost", "rq_1")
import reviewqueue.client.receipts
print(*sorted(sys.modules))
"""
OF_THE_SERVER = {"flask", "werkzeug", "sqlalchemy", "alembic", "pydantic", "structlog", "jinja2"}


def test_it_loads_nothing_of_the_server() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert "reviewqueue.client.receipts" in loaded
    assert {name.partition(".")[0] for name in loaded} & OF_THE_SERVER == set()
    ours = [name for name in loaded if name.startswith("reviewqueue.")]
    assert [name for name in ours if not name.startswith("reviewqueue.client")] == []


def public(kind: type) -> set[str]:
    return {name for name, member in vars(kind).items() if callable(member) and not name.startswith("_")}


def test_both_flavours_have_the_same_calls() -> None:
    assert public(ReviewQueue) == public(AsyncReviewQueue)
    assert {"submit", "submit_many", "wait", "outcome", "withdraw", "events", "verify"} <= public(ReviewQueue)


@pytest.mark.parametrize("name", sorted(public(ReviewQueue)))
def test_both_flavours_take_and_say_the_same(name: str) -> None:
    blocking, awaited = getattr(ReviewQueue, name), getattr(AsyncReviewQueue, name)
    assert blocking.__doc__ == awaited.__doc__
    theirs, ours = inspect.signature(blocking).parameters, inspect.signature(awaited).parameters
    assert list(theirs) == list(ours)
    assert [p.default for p in theirs.values()] == [p.default for p in ours.values()]
