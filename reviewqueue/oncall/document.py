"""A rotation as people write it, in YAML or JSON, and compiled into what tells who is on call."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field, StringConstraints, ValidationError, model_validator

from ..errors import Fault, Invalid
from ..queues.invalid import InvalidDocument
from ..queues.loading import Unreadable, read
from ..queues.names import Slug, person_or_team, without_repeats
from ..queues.part import Part, refuse_at
from .rotation import Handover, Hours, Layer, Override, Rotation

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
COUNTED_FROM = date(2024, 1, 1)
"""A Monday: the first turn of a rotation that does not say when it starts."""
FIRST_YEAR, LAST_YEAR = 1970, 2100

_EVERY = re.compile(r"([1-9][0-9]?) (day|week)s?")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


def _email(text: str) -> str:
    found = person_or_team(text)
    if found.startswith("team:"):
        raise ValueError("must be a person's e-mail address; a team cannot be on call")
    return found


def _zone(text: str) -> str:
    if text not in zones():
        raise ValueError(f"is not a time zone such as Europe/Berlin: {text[:80]!r}")
    return text


@lru_cache(maxsize=1)
def zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _clock(text: str) -> str:
    if text != "24:00" and not _CLOCK.fullmatch(text):
        raise ValueError(f"must be a time such as 09:00, not {text[:20]!r}")
    return text


def _clock_within_a_day(text: str) -> str:
    if _clock(text) == "24:00":
        raise ValueError("must be before 24:00; the next day's 00:00 is the same moment")
    return text


def _every(text: str) -> str:
    if not _EVERY.fullmatch(text):
        raise ValueError(f"must be such as `1 week` or `2 days`, not {text[:20]!r}")
    return text


def _date(text: str) -> str:
    _require_near(date.fromisoformat(text))
    return text


def _moment(text: str) -> str:
    _require_near(datetime.fromisoformat(text))
    return text


def _require_near(at: date) -> None:
    """Turns and zones are counted in days from here, which ends with Python's calendar."""
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise ValueError(f"must lie between {FIRST_YEAR} and {LAST_YEAR}")


Email = Annotated[str, AfterValidator(_email)]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Clock = Annotated[str, AfterValidator(_clock)]
ClockWithinADay = Annotated[str, AfterValidator(_clock_within_a_day)]
Moment = Annotated[str, AfterValidator(_moment)]
"""RFC 3339; without an offset it is local time in the rotation's zone."""


class HandoverPart(Part):
    day: Day = "mon"
    """Of handovers that come every so many weeks."""
    at: ClockWithinADay = "09:00"
    every: Annotated[str, AfterValidator(_every)] = "1 week"
    starts: Annotated[str, AfterValidator(_date)] | None = None
    """From this date on: the first member's turn begins at the first handover then. Absent: 2024-01-01."""

    def compiled(self) -> Handover:
        number, unit = _EVERY.fullmatch(self.every).groups()  # type: ignore[union-attr]
        first = date.fromisoformat(self.starts) if self.starts else COUNTED_FROM
        if unit == "week":
            first += timedelta(days=(DAYS.index(self.day) - first.weekday()) % 7)
        return Handover(first, time.fromisoformat(self.at), int(number) * (7 if unit == "week" else 1))


class HoursPart(Part):
    days: Annotated[list[Day], AfterValidator(without_repeats)] = Field(min_length=1)
    begins: ClockWithinADay = Field(alias="from")
    ends: Clock = Field(alias="to")

    def compiled(self) -> Hours:
        days = frozenset(DAYS.index(day) for day in self.days)
        return Hours(days, _minutes(self.begins), _minutes(self.ends))


class LayerPart(Part):
    """Members who take over from the others, within these hours."""

    members: list[Email] = Field(min_length=1, max_length=100)
    handover: HandoverPart = HandoverPart()
    hours: list[HoursPart] = Field(default=[], max_length=50)


class OverridePart(Part):
    begins: Moment = Field(alias="from")
    ends: Moment = Field(alias="to")
    person: Email
    by: Annotated[str, StringConstraints(min_length=1, max_length=254)] | None = None
    """Who put them in on the page. Such a stand-in outlasts the next version of the file."""


class RotationDocument(Part):
    rotation: Slug
    title: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    handover: HandoverPart = HandoverPart()
    members: list[Email] = Field(default=[], max_length=100)
    layers: list[LayerPart] = Field(default=[], max_length=20)
    overrides: list[OverridePart] = Field(default=[], max_length=1000)

    @model_validator(mode="after")
    def _overrides_end_after_they_begin(self) -> Self:
        for index, override in enumerate(self.overrides):
            if self._at(override.ends) <= self._at(override.begins):
                refuse_at(("overrides", index, "to"), "must be later than `from`")
        return self

    @property
    def people(self) -> dict[str, str]:
        """Everybody who is named, with the pointer to where."""
        named = {email: f"/members/{n}" for n, email in enumerate(self.members)}
        for n, layer in enumerate(self.layers):
            named |= {email: f"/layers/{n}/members/{m}" for m, email in enumerate(layer.members)}
        return named | {
            override.person: f"/overrides/{n}/person" for n, override in enumerate(self.overrides)
        }

    def compiled(self) -> Rotation:
        base = Layer(tuple(self.members), self.handover.compiled())
        above = (
            Layer(tuple(layer.members), layer.handover.compiled(), tuple(h.compiled() for h in layer.hours))
            for layer in self.layers
        )
        overrides = (Override(self._at(o.begins), self._at(o.ends), o.person) for o in self.overrides)
        return Rotation(self.zone, (base, *above), tuple(overrides))

    def as_dict(self) -> dict[str, Any]:
        return self.model_dump(mode="json")

    def _at(self, written: str) -> datetime:
        moment = datetime.fromisoformat(written)
        return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(self.zone))).astimezone(UTC)


def parse(source: str | bytes | dict[str, Any]) -> RotationDocument:
    """Reads a rotation from YAML or JSON text or from a dictionary; raises Invalid, with a pointer to each fault."""
    try:
        return RotationDocument.model_validate(read(source, "rotation: office"))
    except Unreadable as error:
        raise Invalid(
            f"The rotation cannot be read: {error.detail}", faults=[Fault(error.pointer, error.detail)]
        ) from None
    except ValidationError as error:
        because = InvalidDocument.because(error)
        raise Invalid(f"The rotation is not valid: {because.detail}", faults=because.faults) from None


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)
