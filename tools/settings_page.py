"""Writes docs/settings.md from the Settings class: `make docs`. A test holds that the page is current."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from reviewqueue.config import PREFIX, Settings

PAGE = Path(__file__).resolve().parent.parent / "docs" / "settings.md"

HEAD = f"""\
# Settings

<!-- Made by `make docs` from reviewqueue/config.py. Change the class, not this page. -->

Every setting is an environment variable. A name with `_FILE` added reads the value from the file it
names, which keeps secrets out of the environment: `{PREFIX}SECRET_KEY_FILE=/run/secrets/reviewqueue`. A value
that does not fit stops the start with one line that names the variable.

| variable | default | means |
| --- | --- | --- |
"""


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(Path.cwd())}" if PAGE.is_relative_to(Path.cwd()) else f"wrote {PAGE}")


def page() -> str:
    """The whole page, as it should be on disk."""
    return HEAD + "".join(_row(name, field) for name, field in Settings.model_fields.items())


def _row(name: str, field: FieldInfo) -> str:
    return f"| `{PREFIX}{name.upper()}` | {_default(field.default)} | {field.description}{_limits(field)} |\n"


def _default(value: Any) -> str:
    return "" if value == "" else f"`{value}`"


def _limits(field: FieldInfo) -> str:
    low, high = (_limit(field, name) for name in ("ge", "le"))
    if low is not None and high is not None:
        return f" {low} to {high}."
    return f" At least {low}." if low is not None else ""


def _limit(field: FieldInfo, name: str) -> Any:
    return next((limit for part in field.metadata if (limit := getattr(part, name, None)) is not None), None)


if __name__ == "__main__":
    main()
