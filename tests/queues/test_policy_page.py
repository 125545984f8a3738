"""The page that explains the document knows every key, and its example is one that works."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from reviewqueue.queues.document import parse
from reviewqueue.queues.invalid import known_keys
from reviewqueue.queues.operators import Operator

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "policy.md").read_text("utf-8")
CALENDARS = (DOCS / "calendars.md").read_text("utf-8")
NOTIFICATIONS = (DOCS / "notifications.md").read_text("utf-8")
"""Explains the keys of `hours`, which a shared calendar has too."""


def test_the_example_is_accepted() -> None:
    example = re.search(r"```yaml\n(queue:.*?)```", PAGE, re.DOTALL)
    assert example is not None
    assert parse(example[1]).queue == "receipt-extraction"


@pytest.mark.parametrize("word", sorted(known_keys() | set(get_args(Operator))))
def test_every_key_and_operator_is_explained(word: str) -> None:
    explained = re.sub(r"```.*?```", "", PAGE + CALENDARS + NOTIFICATIONS, flags=re.DOTALL)
    assert re.search(rf"`[^`]*\b{word}\b[^`]*`", explained), f"neither page explains {word}"
