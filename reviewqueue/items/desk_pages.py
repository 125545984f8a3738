"""The desk: where a reviewer begins and comes back to."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from ..web.pages import show
from ..web.requests import caller, database
from .desk_queries import desk


def show_desk() -> ResponseReturnValue:
    return show("items/desk.html", "content", desk=desk(database(), caller()))
