"""The backlog page: is anything late, and who is on it. It refreshes itself and costs a 304 when nothing changed."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from flask import Blueprint, Response, request

from ..errors import Invalid
from ..web.pages import show, wants_fragment
from ..web.requests import caller, database
from . import operations
from .backlog import AGES, OLDER
from .operations import Watched

blueprint = Blueprint("insights", __name__)

LEVELS = (1, 2, 3)
AGE_NAMES = {"1h": "up to 1 h", "4h": "to 4 h", "1d": "to 1 day", "7d": "to 7 days", OLDER: "older"}


@blueprint.get("/backlog")
def show_backlog() -> Response:
    queue, level = request.args.get("queue") or None, _level()
    watched = operations.watch_backlog(database(), caller(), queue, level_min=level)
    tag = _tag(watched)
    if wants_fragment() and tag in request.if_none_match:
        return _tagged(Response(status=304), tag)
    response = show(
        "insights/backlog.html",
        "live",
        watched=watched,
        backlog=watched.backlog,
        etag=f'"{tag}"',
        chosen={"queue": queue, "level": level},
        levels=LEVELS,
        ages=(*AGES, OLDER),
        age_names=AGE_NAMES,
        bar=_bar,
    )
    # The whole page also has notices, which are shown once: it is never answered from a cache.
    return _tagged(response, tag) if wants_fragment() else response


def _level() -> int:
    level = request.args.get("level", "1") or "1"
    if not level.isdecimal() or not 1 <= int(level) <= 32767:
        raise Invalid("The level is a number from 1.")
    return int(level)


def _tag(watched: Watched) -> str:
    """Stands for all that is shown but the hour: times are written relative to now by the browser."""
    backlog, timers = watched.backlog, watched.timers
    shown = (
        (backlog.total, backlog.queues, backlog.escalated_items, watched.workload, watched.queues),
        [(one.who, one.through, one.state) for told in watched.told.values() for one in told.reached],
        (timers.late, timers.failing, timers.last_error, sorted(watched.tended), caller().actor.id),
    )
    return hashlib.sha256(orjson.dumps(shown)).hexdigest()[:32]


def _tagged(response: Response, tag: str) -> Response:
    response.set_etag(tag)
    return response


def _bar(by_age: dict[str, int]) -> list[dict[str, Any]]:
    """The parts of a bar that is 100 wide, left out where there is nothing."""
    whole, start, parts = sum(by_age.values()), 0.0, []
    for number, (name, count) in enumerate(by_age.items(), start=1):
        if count:
            width = 100 * count / whole
            parts.append({"number": number, "name": name, "count": count, "x": start, "width": width})
            start += width
    return parts
