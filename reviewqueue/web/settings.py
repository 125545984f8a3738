"""Flask's own configuration, from ours."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from reviewqueue.config import Settings
from reviewqueue.resources import folder

COOKIE = "reviewqueue"


def configuration(settings: Settings) -> dict[str, Any]:
    return {
        "SECRET_KEY": settings.secret_key,
        "MAX_CONTENT_LENGTH": settings.max_body,
        "MAX_FORM_MEMORY_SIZE": settings.max_body,
        "SESSION_COOKIE_NAME": COOKIE,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        # The row in the database ends a session, on its last use; the cookie only has to outlive it, and is
        # not sent again with every answer, which would spoil 304s.
        "PERMANENT_SESSION_LIFETIME": timedelta(days=400),
        "SESSION_REFRESH_EACH_REQUEST": False,
        "PREFERRED_URL_SCHEME": "https" if settings.base_url.startswith("https://") else "http",
    }


def template_folders() -> dict[str, str]:
    return {"template_folder": str(folder("templates")), "static_folder": str(folder("static"))}
