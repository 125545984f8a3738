"""Routing trusts the AI exactly as far as the policy says, and never where something is unknown."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewqueue.queues.document import parse
from reviewqueue.queues.lanes import Lane, Purpose
from reviewqueue.queues.policy import Policy, compile_policy
from reviewqueue.queues.routing import Routing, drawn_for_audit, route

from .examples import CONTRACT_DOCUMENT, body, policy

ITEM = uuid.UUID("01980000-0000-7000-8000-000000000000")
SCHEMA = {"type": "object", "properties": {"total": {"type": "string"}}, "required": ["total"]}


def routed(rules: Policy, stage: str = "production", **fields: Any) -> Routing:
    return route(rules, body(**fields), ITEM, stage)


def why(routing: Routing) -> list[tuple[str, str]]:
    return [(reason.code, reason.detail) for reason in routing.reasons]


@pytest.mark.parametrize(
    ("confidence", "lane", "reason"),
    [
        (1, Lane.AUTONOMOUS, ("autonomous", "confidence 1 is at or above 0.9")),
        (0.9, Lane.AUTONOMOUS, ("autonomous", "confidence 0.9 is at or above 0.9")),
        (0.8999, Lane.ASSIST, ("below-autonomous", "confidence 0.8999 is below 0.9")),
        (0.5, Lane.ASSIST, ("below-autonomous", "confidence 0.5 is below 0.9")),
        (0.4999, Lane.STEP_ASIDE, ("below-assist", "confidence 0.4999 is below 0.5")),
        (0, Lane.STEP_ASIDE, ("below-assist", "confidence 0 is below 0.5")),
    ],
)
def test_confidence_chooses_the_lane(confidence: float, lane: Lane, reason: tuple[str, str]) -> None:
    routing = routed(policy(), confidence=confidence)
    assert routing.lane is lane
    assert why(routing) == [reason]
    assert routing.released is (lane is Lane.AUTONOMOUS)
    assert routing.to_human is (lane is not Lane.AUTONOMOUS)
    assert routing.purpose is Purpose.GATE


@pytest.mark.parametrize(
    ("lanes", "high", "low"),
    [
        ({"autonomous_at": None, "assist_at": 0.5}, Lane.ASSIST, Lane.STEP_ASIDE),
        ({"autonomous_at": 0.9, "assist_at": None}, Lane.AUTONOMOUS, Lane.STEP_ASIDE),
        ({"autonomous_at": None, "assist_at": None}, Lane.STEP_ASIDE, Lane.STEP_ASIDE),
        ({"autonomous_at": None}, Lane.ASSIST, Lane.ASSIST),
    ],
)
def test_a_lane_that_is_off_passes_its_items_on(lanes: dict[str, Any], high: Lane, low: Lane) -> None:
    rules = policy(lanes=lanes)
    assert routed(rules, confidence=1.0).lane is high
    assert routed(rules, confidence=0.1).lane is low


@pytest.mark.parametrize(
    ("fields", "lane", "codes"),
    [
        ({"confidence": None}, Lane.ASSIST, ["no-confidence"]),
        ({"error": "timeout"}, Lane.ASSIST, ["model-error"]),
        ({"error": ""}, Lane.ASSIST, ["model-error"]),
        ({"output": None}, Lane.STEP_ASIDE, ["no-output"]),
        ({"output": {"total": 12.9}}, Lane.ASSIST, ["schema-broken"]),
        ({"output": {"total": 12.9}, "confidence": 0.1}, Lane.STEP_ASIDE, ["schema-broken", "below-assist"]),
        (
            {"output": None, "error": "timeout", "confidence": None},
            Lane.STEP_ASIDE,
            ["model-error", "no-output", "no-confidence"],
        ),
    ],
)
def test_what_is_unknown_always_goes_to_a_human(fields: dict[str, Any], lane: Lane, codes: list[str]) -> None:
    routing = routed(policy(SCHEMA), **fields)
    assert (routing.to_human, routing.released, routing.purpose) == (True, False, Purpose.GATE)
    assert routing.lane is lane
    assert [code for code, _ in why(routing)] == codes


def test_a_suggestion_is_not_shown_where_the_assist_lane_is_off() -> None:
    rules = policy(lanes={"autonomous_at": 0.9, "assist_at": None})
    assert routed(rules, confidence=None).lane is Lane.STEP_ASIDE
    assert routed(rules, error="timeout").lane is Lane.STEP_ASIDE


def test_an_output_that_is_false_or_empty_is_an_output() -> None:
    outputs: list[Any] = [False, 0, "", [], {}]
    for output in outputs:
        assert routed(policy(), output=output).released


def test_every_rule_that_matches_is_kept_with_its_number_and_words() -> None:
    rules = policy(
        review_when=[
            {"field": "flags", "op": "contains", "value": "missing:total"},
            {"field": "flags", "op": "contains", "value": "late"},
            {"field": "output.total", "op": "gt", "value": 10},
        ]
    )
    routing = routed(rules, flags=["missing:total"])
    assert routing.lane is Lane.ASSIST
    assert why(routing) == [("rule:1", "flag missing:total"), ("rule:3", "output.total is above 10")]
    assert [code for code, _ in why(routed(rules, confidence=0.6))] == ["below-autonomous", "rule:3"]


def test_a_prototype_releases_nothing_by_itself() -> None:
    routing = routed(policy(audit_sample=1.0), stage="prototype")
    assert (routing.lane, routing.to_human, routing.released) == (Lane.ASSIST, True, False)
    assert why(routing) == [("stage:prototype", "a prototype releases nothing by itself")]
    assert routed(policy(), stage="mvp").released


def test_an_audited_item_is_released_and_looked_at() -> None:
    routing = routed(policy(audit_sample=1.0))
    assert (routing.lane, routing.released, routing.to_human) == (Lane.AUTONOMOUS, True, True)
    assert routing.purpose is Purpose.AUDIT
    assert why(routing)[1] == ("audit-sample", "drawn for audit, as 100 % are")
    assert routed(policy(audit_sample=1.0), confidence=0.6).purpose is Purpose.GATE


def test_the_audit_draw_is_fixed_for_all_time() -> None:
    ids = [uuid.UUID(int=number) for number in range(40)]
    # Written down once: who re-computes a draw years later must get the same.
    assert [item.int for item in ids if drawn_for_audit(item, 0.1)] == [5, 11, 25, 32, 37]
    assert not any(drawn_for_audit(item, 0.0) for item in ids)
    assert all(drawn_for_audit(item, 1.0) for item in ids)


@pytest.mark.parametrize("share", [0.01, 0.05, 0.5])
def test_the_audited_share_is_the_promised_one(share: float) -> None:
    count = 20_000
    drawn = sum(drawn_for_audit(uuid.UUID(int=number), share) for number in range(count))
    assert abs(drawn - share * count) < 4 * (share * (1 - share) * count) ** 0.5


def test_a_larger_sample_contains_the_smaller() -> None:
    ids = [uuid.UUID(int=number) for number in range(2_000)]
    assert {item for item in ids if drawn_for_audit(item, 0.05)} <= {
        item for item in ids if drawn_for_audit(item, 0.1)
    }


def test_the_last_matching_rule_sets_the_priority() -> None:
    rules = policy(
        priority_when=[
            {"if": {"field": "flags", "op": "contains", "value": "vip"}, "set": 80},
            {"if": {"field": "flags", "op": "contains", "value": "test"}, "set": 10},
        ]
    )
    assert routed(rules).priority == 50
    assert routed(rules, priority=30).priority == 30
    assert routed(rules, priority=0).priority == 0
    assert routed(rules, priority=None).priority == 50
    assert routed(rules, priority=30, flags=["vip"]).priority == 80
    assert routed(rules, flags=["test", "vip"]).priority == 10


def test_no_reason_repeats_a_value_of_the_evidence() -> None:
    routing = routed(policy(SCHEMA), output={"total": ["4111-secret"]}, error="secret for 4111")
    assert [code for code, _ in why(routing)] == ["model-error", "schema-broken"]
    assert not any("4111" in detail or "secret" in detail for _, detail in why(routing))


def test_the_contracts_policy_routes_as_it_reads() -> None:
    rules = compile_policy(parse(CONTRACT_DOCUMENT).policy_part(), 3)
    assert rules.version == 3
    assert routed(rules, confidence=0.93, flags=["missing:date"]).lane is Lane.ASSIST
    assert why(routed(rules, confidence=0.93)) == [("below-autonomous", "confidence 0.93 is below 0.98")]
    assert why(
        routed(rules, confidence=0.99, output={"total": "1500.00"}, tags={"department": "finance-eu"})
    ) == [("rule:2", "tags.department is one of finance-eu and output.total is above 1000")]
    assert routed(
        rules, confidence=0.99, output={"total": "999.99"}, tags={"department": "finance-eu"}
    ).released


@given(
    confidence=st.none() | st.floats() | st.integers() | st.booleans() | st.text(),
    output=st.none()
    | st.just({"total": "12.90"})
    | st.dictionaries(st.text(), st.integers(), max_size=2)
    | st.text(),
    error=st.none() | st.text(),
    flags=st.lists(st.sampled_from(["vip", "stop"]), max_size=2),
    share=st.floats(0, 1),
    stage=st.sampled_from(["prototype", "mvp", "production"]),
    item_id=st.uuids(),
)
def test_nothing_is_ever_released_while_anything_is_unknown(
    confidence: Any, output: Any, error: Any, flags: list[str], share: float, stage: str, item_id: uuid.UUID
) -> None:
    rules = policy(
        SCHEMA, audit_sample=share, review_when=[{"field": "flags", "op": "contains", "value": "stop"}]
    )
    facts = body(confidence=confidence, output=output, error=error, flags=flags)
    routing = route(rules, facts, item_id, stage)
    may_pass = (
        isinstance(confidence, int | float)
        and not isinstance(confidence, bool)
        and 0.9 <= confidence <= 1
        and isinstance(output, dict)
        and isinstance(output.get("total"), str)
        and error is None
        and "stop" not in flags
        and stage != "prototype"
    )
    assert routing.released is may_pass
    assert routing.to_human is (not may_pass or drawn_for_audit(item_id, share))
    assert (routing.lane is Lane.AUTONOMOUS) is routing.released
    assert routing.reasons
    assert route(rules, json.loads(json.dumps(facts)), item_id, stage) == routing or confidence != confidence
