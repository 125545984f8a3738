"""The API's door to the dry run of a policy."""

from __future__ import annotations

from typing import Annotated, Any

from flask_openapi.blueprint import APIBlueprint
from pydantic import BaseModel, ConfigDict, Field

from ..queues.routing import Routing
from ..web.openapi import API
from ..web.requests import caller, database
from .dry_run import Difference, Tally, dry_run

api = APIBlueprint("dry_run_api", __name__, url_prefix=API, abp_tags=[{"name": "queues"}])


class DryRunPath(BaseModel):
    queue: str


class DryRunForm(BaseModel):
    """A policy to try. What is left out stays as it is in force."""

    model_config = ConfigDict(extra="forbid", strict=True)

    policy: dict[str, Any] = Field(description="The whole key `policy` of a queue's document.")
    output_schema: dict[str, Any] | None = None
    reasons: list[dict[str, Any]] | None = None
    days: Annotated[int, Field(ge=1, le=366)] = 30


class TallyDocument(BaseModel):
    to_people: int
    released: int
    lanes: dict[str, int]
    reasons: dict[str, int]


class RoutingDocument(BaseModel):
    lane: str
    to_people: bool
    reasons: list[dict[str, str]]


class DifferenceDocument(BaseModel):
    id: str
    external_id: str | None
    in_force: RoutingDocument
    proposed: RoutingDocument


class ChangesDocument(BaseModel):
    to_people: int = Field(description="Items that people would see and today do not.")
    released: int = Field(description="Items that people see today and then would not.")
    other_lane: int


class DryRunDocument(BaseModel):
    """The same items under the policy in force and under the proposed one."""

    queue: str
    days: int
    items: int
    complete: bool = Field(description="False: only the newest 20,000 items were routed.")
    in_force: TallyDocument
    proposed: TallyDocument
    changes: ChangesDocument
    examples: list[DifferenceDocument] = Field(description="The newest items that change, at most 20.")


@api.post(
    "/queues/<queue>/policies/dry-run",
    summary="Try a policy on the items of the last days",
    responses={200: DryRunDocument},
)
def try_policy(path: DryRunPath, body: DryRunForm) -> dict[str, Any]:
    proposal = body.model_dump(exclude_unset=True, exclude={"days"})
    run = dry_run(database(), caller(), path.queue, proposal, body.days)
    return {
        "queue": run.queue,
        "days": run.days,
        "items": run.items,
        "complete": run.complete,
        "in_force": _tally(run.in_force),
        "proposed": _tally(run.proposed),
        "changes": {
            "to_people": run.newly_to_people,
            "released": run.newly_released,
            "other_lane": run.other_lane,
        },
        "examples": [_difference(one) for one in run.examples],
    }


def _tally(tally: Tally) -> dict[str, Any]:
    return {
        "to_people": tally.to_people,
        "released": tally.released,
        "lanes": dict(sorted(tally.lanes.items())),
        "reasons": dict(sorted(tally.reasons.items())),
    }


def _difference(one: Difference) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "external_id": one.external_id,
        "in_force": _routing(one.in_force),
        "proposed": _routing(one.proposed),
    }


def _routing(routing: Routing) -> dict[str, Any]:
    return {
        "lane": routing.lane.value,
        "to_people": routing.to_human,
        "reasons": [{"code": reason.code, "detail": reason.detail} for reason in routing.reasons],
    }
