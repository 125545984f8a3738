"""The backlog page: is anything late, and who is on it. It refreshes itself and costs a 304 when nothing changed."""

from __future__ import annotations

import hashlib
from dataclasses import astuple, dataclass
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from flask import Blueprint, Response, request, url_for

from ..errors import Invalid
from ..items.snoozing import choices
from ..notifications.pages import viewer_zone
from ..web.pages import show, wants_fragment
from ..web.requests import caller, database, polls
from . import operations
from .charts import bar, flow
from .escalated import Narrowed
from .operations import Watched
from .tally import AGES, OLDER
from .workload import Load

blueprint = Blueprint("insights", __name__)

LEVELS = (1, 2, 3)
AGE_NAMES = {"1h": "up to 1 h", "4h": "to 4 h", "1d": "to 1 day", "7d": "to 7 days", OLDER: "older"}


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters of the address; an empty one is none."""

    queue: str | None
    department: str | None
    level: int
    reviewer: str | None
    cursor: str | None

    @property
    def narrowed(self) -> Narrowed:
        return Narrowed(self.department, self.level, self.reviewer)

    @property
    def any(self) -> bool:
        return bool(self.queue or self.department or self.level > 1 or self.reviewer)

    def address(self, **changed: Any) -> str:
        """The page with these filters."""
        level = self.level if self.level > 1 else None
        kept = {
            "queue": self.queue, "department": self.department, "level": level,
            "reviewer": self.reviewer, "cursor": self.cursor,
        }  # fmt: skip
        return url_for("insights.show_backlog", **{k: v for k, v in {**kept, **changed}.items() if v})


@blueprint.get("/backlog")
def show_backlog() -> Response:
    if wants_fragment():
        polls()
    asked = _asked()
    zone = viewer_zone()
    watched = operations.watch_backlog(
        database(), caller(), asked.queue, asked.narrowed, cursor=asked.cursor, zone=ZoneInfo(zone)
    )
    tag = _tag(watched)
    if wants_fragment() and tag in request.if_none_match:
        return _tagged(Response(status=304), tag)
    response = show(
        "insights/backlog.html",
        "live",
        watched=watched,
        backlog=watched.backlog,
        etag=f'"{tag}"',
        asked=asked,
        levels=LEVELS,
        reviewers=_reviewers(watched, asked.reviewer),
        ages=(*AGES, OLDER),
        age_names=AGE_NAMES,
        snoozes=choices,
        bar=bar,
        flow=flow(watched.hours),
        me=caller(),
        zone=zone,
    )
    # The whole page also has notices, which are shown once: it is never answered from a cache.
    return _tagged(response, tag) if wants_fragment() else response


def _asked() -> Asked:
    def text(name: str) -> str | None:
        return request.args.get(name, "").strip() or None

    level = text("level") or "1"
    if not level.isdecimal() or not 1 <= int(level) <= 32767:
        raise Invalid("The level is a number from 1.")
    return Asked(text("queue"), text("department"), int(level), text("reviewer"), text("cursor"))


def _reviewers(watched: Watched, chosen: str | None) -> list[Load]:
    """Whom to filter by: everybody with work, and whoever is chosen."""
    found = sorted(watched.workload or (), key=lambda load: load.name.casefold())
    if chosen and all(load.who != chosen for load in found):
        found.append(Load(chosen, chosen, 0, 0, 0))
    return found


def _tag(watched: Watched) -> str:
    """Stands for all that is shown but the hour: times are written relative to now by the browser."""
    backlog, timers = watched.backlog, watched.timers
    counted_before = backlog.as_of if watched.kept else None
    shown = (
        (backlog.total, backlog.queues, backlog.escalated_items, backlog.next, backlog.departments),
        (watched.workload, watched.queues, watched.trend, watched.hours, counted_before),
        [(ahead.falls_due, ahead.overdue) for ahead in watched.forecast or ()],
        [astuple(attainment) for attainment in watched.attainment.values()],
        [(one.who, one.through, one.state) for told in watched.told.values() for one in told.reached],
        (timers.unfired, timers.failing, timers.failed),
        (sorted(watched.tended), sorted(watched.decided_by_many), sorted(map(str, watched.awaits_me))),
        caller().actor.id,
    )
    return hashlib.sha256(orjson.dumps(shown)).hexdigest()[:32]


def _tagged(response: Response, tag: str) -> Response:
    response.set_etag(tag)
    return response
