"""The documentation's page of settings tells what the Settings class takes."""

from __future__ import annotations

from reviewqueue.config import PREFIX, Settings
from tools.settings_page import PAGE, page


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs` and commit docs/settings.md"


def test_every_setting_is_described() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, f"{PREFIX}{name.upper()} has no description"
        assert f"`{PREFIX}{name.upper()}`" in page()
