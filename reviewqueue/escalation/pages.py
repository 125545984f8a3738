"""The calendars' pages: which there are, and what the next two weeks of one are like."""

from __future__ import annotations

from datetime import date, datetime

from flask import Blueprint, render_template, request

from ..web.requests import caller, database
from . import calendar_queries
from .calendars import OpenDay

blueprint = Blueprint("escalation", __name__)


@blueprint.app_template_filter()
def weekday(at: date) -> str:
    """ "Monday", whatever the machine's locale."""
    return ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")[at.weekday()]


@blueprint.app_template_filter()
def clock_time(at: datetime, now: datetime) -> str:
    """A time of a calendar's zone as one says it: "today 17:20", "Monday 10:20", and with its date if a week off."""
    days = (at.date() - now.date()).days
    if days == 0:
        return f"today {at:%H:%M}"
    return f"{weekday(at)} {at:%H:%M}" if days < 7 else f"{weekday(at)}, {at:%Y-%m-%d %H:%M}"


@blueprint.app_template_filter()
def intervals(day: OpenDay) -> str:
    """ "09:00–12:00, 13:00–17:00"."""
    return ", ".join(f"{_wall(opens)}–{_wall(closes)}" for opens, closes in day.walls)


@blueprint.get("/calendars")
def calendars() -> str:
    found = calendar_queries.outlooks(database(), caller())
    return render_template("escalation/calendars.html", calendars=found)


@blueprint.get("/calendars/<name>")
def calendar(name: str) -> str:
    version = request.args.get("version", type=int)
    found = calendar_queries.get_calendar(database(), caller(), name, version)
    today = found.outlook.now.date().isoformat()
    coming = [day for day in (found.holidays or {}).get("dates", ()) if day["date"] >= today]
    return render_template(
        "escalation/calendar.html", found=found, row=found.row, outlook=found.outlook, coming=coming[:10]
    )


def _wall(second: int) -> str:
    return f"{second // 3600:02}:{second // 60 % 60:02}"
