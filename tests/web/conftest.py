"""The web's own rules know nothing of the database, so one is enough here."""

from __future__ import annotations

import pytest

from tests.support.databases import Kind


@pytest.fixture
def kind() -> Kind:
    return "sqlite"
