"""How a person wants to be told: kept among their preferences."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, ValidationError

from ..db import Json
from ..oncall.document import zones
from ..oncall.rotation import first_instant
from ..people.forms import Form

PREFERENCE = "notifications"


def _zone(text: str) -> str:
    if text not in zones():
        raise ValueError("is not a time zone such as Europe/Berlin")
    return text


class Wishes(Form):
    """In-app always tells at once. `mail`: at once, once a day, or never."""

    mail: Literal["now", "daily", "never"] = "now"
    digest_hour: Annotated[int, Field(ge=0, le=23)] = 8
    """When the daily mail comes, in the person's zone."""
    zone: Annotated[str, AfterValidator(_zone)] = "UTC"

    @classmethod
    def of(cls, preferences: dict[str, Json] | None) -> Wishes:
        """As the person chose; the defaults where nothing was chosen, or what was chosen is known no more."""
        try:
            return cls.model_validate((preferences or {}).get(PREFERENCE) or {})
        except ValidationError:
            return cls()

    def mail_at(self, now: datetime) -> datetime | None:
        """When a mail of now should go; None: never."""
        if self.mail == "never":
            return None
        return now if self.mail == "now" else self._next_digest(now)

    def _next_digest(self, now: datetime) -> datetime:
        zone = ZoneInfo(self.zone)
        today = now.astimezone(zone).date()
        coming = (
            first_instant(datetime.combine(today + timedelta(days=n), time(self.digest_hour)), zone)
            for n in range(4)
        )
        return next(at for at in coming if at > now).astimezone(UTC)
