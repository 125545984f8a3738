"""A policy in words says what routing does: each case of the lanes against what `route` decides."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from reviewqueue.queues.document import parse
from reviewqueue.queues.policy import compile_policy
from reviewqueue.queues.routing import route
from reviewqueue.queues.wording import policy_in_words
from tests.queues.examples import CONTRACT_DOCUMENT, body, office

NOBODY = UUID(int=0)


def words(stage: str = "production", **document: Any) -> str:
    part = parse({"queue": "receipts", **document}).policy_part()
    return " ".join(
        sentence for paragraph in policy_in_words(part, stage) for sentence in paragraph.sentences
    )


def lane(confidence: float, lanes: dict[str, Any], stage: str = "production") -> str:
    policy = compile_policy(parse({"queue": "receipts", "policy": {"lanes": lanes}}).policy_part(), 1)
    return route(policy, body(confidence=confidence), NOBODY, stage).lane


@pytest.mark.parametrize(
    ("lanes", "says", "lanes_at_1_half_and_0"),
    [
        (
            {"autonomous_at": 0.9, "assist_at": 0.4},
            ["0.9 or more the output is released", "From 0.4 on", "Below 0.4 the reviewer answers first"],
            ["autonomous", "assist", "step_aside"],
        ),
        (
            {"autonomous_at": 0.9, "assist_at": 0},
            ["0.9 or more the output is released", "A reviewer checks the suggestion."],
            ["autonomous", "assist", "assist"],
        ),
        (
            {"autonomous_at": 0.9, "assist_at": None},
            ["0.9 or more the output is released", "Below that the reviewer answers first"],
            ["autonomous", "step_aside", "step_aside"],
        ),
        (
            {"autonomous_at": None, "assist_at": 0.4},
            ["Nothing is released without a human.", "From 0.4 on", "Below 0.4 the reviewer answers first"],
            ["assist", "assist", "step_aside"],
        ),
        (
            {"autonomous_at": None, "assist_at": None},
            ["Nothing is released without a human.", "Always the reviewer answers first"],
            ["step_aside", "step_aside", "step_aside"],
        ),
    ],
)
def test_the_lanes_in_words_are_those_that_routing_takes(
    lanes: dict[str, Any], says: list[str], lanes_at_1_half_and_0: list[str]
) -> None:
    told = words(policy={"lanes": lanes})
    assert [sentence for sentence in says if sentence not in told] == []
    assert [lane(confidence, lanes) for confidence in (1.0, 0.5, 0.0)] == lanes_at_1_half_and_0


def test_a_prototype_says_that_it_releases_nothing() -> None:
    lanes = {"autonomous_at": 0.9, "assist_at": 0.4}
    assert "The queue is a prototype" in words("prototype", policy={"lanes": lanes})
    assert "prototype" not in words("production", policy={"lanes": lanes})
    assert lane(1.0, lanes, "prototype") == "assist"


def test_what_the_document_leaves_out_is_not_talked_about() -> None:
    titles = [paragraph.title for paragraph in policy_in_words(parse({"queue": "bare"}).policy_part(), "mvp")]
    assert titles == ["Who sees an item", "What always comes to people", "How people decide"]


def test_the_contracts_example_is_told_whole() -> None:
    part = {**parse(CONTRACT_DOCUMENT).policy_part(), "calendar": office(version=3)}
    told = {paragraph.title: list(paragraph.sentences) for paragraph in policy_in_words(part, "production")}
    assert told["When nobody decides"] == [
        "Due 4 hours after arrival by the calendar office, version 3 (Europe/Berlin), by which escalation counts too.",
        "After 2 hours it escalates to team:leads.",
        "After 4 hours it escalates to owner:escalation with priority 90, then again every 1 hour, 3 times.",
        "After 24 hours the deadline passes and the item is rejected (nobody-decided).",
    ]
    assert told["How people decide"] == [
        "One person's verdict decides.",
        "A claim holds for 10 minutes and is renewed while one works.",
    ]
    assert told["How long evidence is kept"] == [
        "Evidence is to be kept for 365 days; this version erases none.",
        "Hidden from training data: /input/customer/name.",
    ]
    assert told["What comes first"] == ["Priority 80 if flag vip."]


def test_a_calendar_that_an_old_version_never_had_counts_round_the_clock_and_says_so() -> None:
    [told] = [
        p for p in policy_in_words(parse(CONTRACT_DOCUMENT).policy_part(), "mvp") if "nobody" in p.title
    ]
    assert told.sentences[0] == (
        "Due 4 hours after arrival, round the clock: there was no calendar office when this version was published."
    )


def test_own_hours_are_told() -> None:
    hours = {"zone": "Asia/Kathmandu", "weekly": {"mon": ["09:00-17:00"]}}
    told = words(policy={"due": {"after": "1h", "hours": hours}})
    assert "in the queue's own hours (Asia/Kathmandu), in which escalation counts too." in told


def test_several_reviews_say_who_settles_a_dispute() -> None:
    told = words(policy={"reviews": {"needed": 3, "blind": True, "adjudicate": "manager"}})
    assert (
        "3 people look, without seeing each other's verdicts. Where they disagree, a manager decides." in told
    )
