"""The main job on real input: enqueued, routed, decided by people who know the truth, and answered to the app."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING

import orjson
import pytest
import sqlalchemy as sa

from reviewqueue.audit.models import Event, EventContent
from reviewqueue.audit.ordering import order_events
from reviewqueue.audit.replay import Replayed, replay
from reviewqueue.audit.verify import Checked, verify
from reviewqueue.db import Database
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.people.models import Scope
from reviewqueue.queues.operations import apply

from .support.api import Api, Item
from .support.lanes_by_hand import POLICIES, TriedPolicy
from .support.making import make_person
from .support.real_outputs import Decision, Sample, decision_on, document, samples

if TYPE_CHECKING:
    from flask import Flask

APP = (Scope.ITEMS_WRITE, Scope.ITEMS_READ, Scope.EVENTS_READ)
REVIEWER = (Scope.ITEMS_READ, Scope.DECISIONS_WRITE)
STATES = {"accept": "accepted", "edit": "edited", "reject": "rejected"}


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_every_item_gets_its_right_outcome(app: Flask, db: Database, policy: TriedPolicy) -> None:
    known = {(sample.queue, sample.external_id): sample for sample in samples()}
    queues = sorted({sample.queue for sample in known.values()})
    open_queues(db, queues, policy)
    shop = Api.open(app, db, APP)
    enqueue(shop, known.values())
    people_decide(app, db, queues, policy, known)

    items = list(shop.every_item())
    assert {(item["queue"], item["external_id"]) for item in items} == known.keys()
    pairs = [(item, known[item["queue"], item["external_id"]]) for item in items]
    assert_lanes_are_those_of_the_file(pairs, policy)
    for item, sample in pairs:
        assert_outcome_is_right(item, sample, policy)
    assert_trails_replay(db, items)
    assert_reviews_are_those_that_were_needed(db, pairs, policy)
    assert_feed_has_everything_once(db, shop)


def test_the_three_policies_leave_something_to_each_lane() -> None:
    """Else the proof above would prove less than it seems to."""
    lanes = {policy.name: Counter(map(policy.lane_of, samples())) for policy in POLICIES}
    assert all(counts["autonomous"] > 100 for counts in lanes.values())
    assert lanes["trusting"].keys() == {"autonomous", "step_aside"}
    assert all(len(lanes[name]) == 3 for name in ("cautious", "four eyes"))
    assert {sample.decision["verdict"] for sample in samples()} == {"accept", "edit", "reject"}


def open_queues(db: Database, queues: Iterable[str], policy: TriedPolicy) -> None:
    for email in ("careful@example.org", "hasty@example.org", "lead@example.org"):
        make_person(db, email)
    members = {"reviewer": ["careful@example.org", "hasty@example.org"], "lead": ["lead@example.org"]}
    for queue in queues:
        apply(db, SYSTEM_CALLER, document(queue, members, policy.document_of(queue)))


def enqueue(shop: Api, sent: Iterable[Sample]) -> None:
    lines = b"\n".join(orjson.dumps(sample.body) for sample in sent)
    first = shop.post("/items/batch", lines, "application/x-ndjson")
    assert (first["accepted"], first["replayed"], first["refused"]) == (len(first["results"]), 0, 0)
    again = shop.post("/items/batch", lines, "application/x-ndjson")
    assert (again["accepted"], again["replayed"]) == (0, len(first["results"]))
    assert [result["id"] for result in again["results"]] == [result["id"] for result in first["results"]]


def people_decide(
    app: Flask, db: Database, queues: Iterable[str], policy: TriedPolicy, known: dict[tuple[str, str], Sample]
) -> None:
    """Two reviewers take turns until nothing is left for them; then the lead settles what they disagree about."""

    def desk(person: str) -> Api:
        return Api.open(app, db, REVIEWER, person)

    def by_truth(item: Item) -> Decision:
        evidence = item["evidence"]
        truth = known[item["queue"], item["external_id"]].truth
        return decision_on(item["queue"], evidence["input"], evidence["output"], truth)

    def hastily(item: Item) -> Decision:
        is_waved_through = policy.reviews["needed"] == 2 and waves_through(item["external_id"])
        return {"verdict": "accept", "despite_schema": True} if is_waved_through else by_truth(item)

    reviewers = [(desk("careful@example.org"), by_truth), (desk("hasty@example.org"), hastily)]
    lead = desk("lead@example.org")
    for queue in queues:
        left = list(reviewers)
        while left:
            left = [(api, decides) for api, decides in left if decide_next(api, queue, decides)]
        while decide_next(lead, queue, by_truth):
            pass


def waves_through(external_id: str) -> bool:
    """The hasty reviewer accepts every third output unread, where somebody else looks too."""
    return zlib.crc32(external_id.encode()) % 3 == 0


def decide_next(api: Api, queue: str, decides: Callable[[Item], Decision]) -> bool:
    claimed = api.post(f"/queues/{queue}/claims", b"")
    if claimed is None:
        return False
    decision = {**decides(claimed["item"]), "claim_token": claimed["token"]}
    api.post(f"/items/{claimed['item']['id']}/decision", orjson.dumps(decision))
    return True


def assert_lanes_are_those_of_the_file(pairs: list[tuple[Item, Sample]], policy: TriedPolicy) -> None:
    told = Counter((item["queue"], item["lane"], item["purpose"]) for item, _ in pairs)
    computed = Counter(
        (
            sample.queue,
            policy.lane_of(sample),
            "audit" if policy.is_audited(sample, item["id"]) else "gate",
        )
        for item, sample in pairs
    )
    assert told == computed


def assert_outcome_is_right(item: Item, sample: Sample, policy: TriedPolicy) -> None:
    asked, audited = policy.asks_people(sample, item["id"]), policy.is_audited(sample, item["id"])
    assert item["state"] == (STATES[sample.decision["verdict"]] if asked else "auto_accepted")
    if not asked or (audited and sample.decision["verdict"] == "accept"):
        right = {**sample.outcome, "verdict": "accept", "by": "policy", "reason": None}
        right["output"] = sample.body["output"]
    else:
        right = {**sample.outcome, "revision": 2 if audited else 1}
    assert {name: item["outcome"][name] for name in right} == right


def assert_trails_replay(db: Database, items: list[Item]) -> None:
    shown = {item["id"]: item for item in items}
    for item_id, bodies in trails(db):
        item = shown.pop(item_id)
        outcome = {name: item["outcome"][name] for name in ("verdict", "by", "reason", "revision")}
        if outcome["verdict"] == "edit":
            outcome["output"] = item["outcome"]["output"]
        assert replay(bodies) == Replayed(item["state"], item["level"], None, outcome)
    assert shown == {}


def assert_reviews_are_those_that_were_needed(
    db: Database, pairs: list[tuple[Item, Sample]], policy: TriedPolicy
) -> None:
    """Each asked for as many as the policy says, and for the lead's word exactly where the two disagree."""
    told, computed = Counter[str](), Counter[str]()
    for _, bodies in trails(db):
        events = [orjson.loads(body) for body in bodies]
        told.update(
            e["type"] for e in events if e["type"] in {"item.claimed", "item.reviewed", "item.disputed"}
        )
    for item, sample in pairs:
        if not policy.asks_people(sample, item["id"]):
            continue
        disputed = (
            policy.reviews["needed"] == 2
            and waves_through(sample.external_id)
            and sample.decision["verdict"] != "accept"
        )
        reviews = policy.reviews["needed"] + disputed
        computed.update({"item.claimed": reviews, "item.reviewed": reviews})
        computed.update({"item.disputed": 1} if disputed else {})
    assert told == computed
    assert ("item.disputed" in told) == (policy.reviews["needed"] == 2)


def trails(db: Database) -> Iterator[tuple[str, list[str]]]:
    with db.reading() as session:
        rows = session.execute(
            sa.select(Event.item_id, EventContent.body)
            .join(EventContent, EventContent.event_id == Event.id)
            .where(Event.item_id.is_not(None))
            .order_by(Event.item_id, Event.item_seq)
        ).all()
    for item_id, events in groupby(rows, key=lambda row: row.item_id):
        yield str(item_id), [event.body for event in events]


def assert_feed_has_everything_once(db: Database, shop: Api) -> None:
    order_events(db)
    checked = Checked()
    assert list(verify(db, checked)) == []
    positions: list[int] = []
    page = shop.get("/events", limit=200)
    while page["items"]:
        positions.extend(event["position"] for event in page["items"])
        page = shop.get("/events", limit=200, after=page["next"])
    assert positions == list(range(1, checked.events + 1))
