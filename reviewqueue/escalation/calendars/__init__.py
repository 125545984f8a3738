"""Calendars: opening hours in which due times and escalation are counted. Pure: no database, no clock."""

from .document import CalendarDocument, InvalidCalendar, OpeningHours, document_of, parse_calendar
from .freezing import FrozenCalendar, compile_calendar, freeze
from .hours import Calendar, OpenDay, TooFar

__all__ = [
    "Calendar",
    "CalendarDocument",
    "FrozenCalendar",
    "InvalidCalendar",
    "OpenDay",
    "OpeningHours",
    "TooFar",
    "compile_calendar",
    "document_of",
    "freeze",
    "parse_calendar",
]
