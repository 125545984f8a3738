"""Where templates, static files and migrations are: inside the installed wheel, or beside the package in a checkout."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """The folder `templates`, `static` or `migrations`.

    Raises FileNotFoundError when the package was installed without it.
    """
    for parent in (PACKAGE, PACKAGE.parent):
        if (parent / name).is_dir():
            return parent / name
    raise FileNotFoundError(
        f"this installation of reviewqueue has no {name} folder; install it again from its wheel"
    )
