"""A queue's document is accepted whole, or refused with every fault named by its place."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from reviewqueue.queues.document import POLICY_KEYS, QUEUE_KEYS, InvalidDocument, assemble, parse
from reviewqueue.queues.policy import compile_policy

from .examples import CONTRACT_DOCUMENT


def faults(**keys: Any) -> dict[str, str]:
    """What is refused in a document with these keys, by place."""
    with pytest.raises(InvalidDocument) as refusal:
        parse({"queue": "receipts", **keys})
    return dict(refusal.value.errors)


def policy_faults(**rules: Any) -> dict[str, str]:
    return {place.removeprefix("/policy"): detail for place, detail in faults(policy=rules).items()}


def test_the_contracts_document_is_accepted_and_says_what_it_says() -> None:
    written = parse(CONTRACT_DOCUMENT).as_dict()
    assert tuple(written) == (*QUEUE_KEYS, *POLICY_KEYS)
    assert written["members"] == {
        "reviewer": ["team:clerks"], "lead": ["lead@example.org"], "manager": ["boss@example.org"], "auditor": [],
    }  # fmt: skip
    rules = written["policy"]
    assert rules["lanes"] == {"autonomous_at": 0.98, "assist_at": 0.4}
    assert rules["priority_when"] == [{"if": {"field": "flags", "op": "contains", "value": "vip"}, "set": 80}]
    assert rules["escalation"][1] == {
        "after": "4h", "to": "owner:escalation", "notify": ["ops-slack"], "priority": 90,
        "repeat": {"every": "1h", "times": 3},
    }  # fmt: skip
    assert rules["deadline"] == {
        "after": "24h",
        "fallback": {"verdict": "reject", "reason": "nobody-decided"},
    }
    assert rules["retention"] == {"evidence": "365d", "redact": ["/input/customer/name"]}


def test_what_is_written_out_is_read_back_the_same() -> None:
    written = parse(CONTRACT_DOCUMENT).as_dict()
    assert parse(written).as_dict() == written
    assert parse(json.dumps(written)).as_dict() == written


def test_reading_changes_nothing_of_what_was_given() -> None:
    given: dict[str, Any] = {"queue": "receipts", "policy": {"escalation": [{"after": "1h", "to": "lead"}]}}
    before = copy.deepcopy(given)
    parse(given)
    assert given == before


def test_a_name_is_enough_and_then_everything_goes_to_a_person_with_the_suggestion() -> None:
    written = parse("queue: receipt-extraction").as_dict()
    assert written["title"] == "Receipt extraction"
    assert written["stage"] == "mvp"
    assert written["policy"] == {
        "lanes": {"autonomous_at": None, "assist_at": 0.0},
        "review_when": [],
        "priority_when": [],
        "audit_sample": 0.0,
        "reviews": {"needed": 1, "blind": True, "adjudicate": "lead"},
        "lease": "10m",
        "escalation": [],
        "retention": {"redact": []},
    }


def test_the_two_parts_together_are_the_document() -> None:
    document = parse(CONTRACT_DOCUMENT)
    assert assemble(document.queue_part(), document.policy_part()) == document.as_dict()
    assert set(document.policy_part()) == {"policy", "output_schema", "reasons"}


def test_people_and_stage_make_no_new_policy() -> None:
    one = parse({"queue": "receipts", "members": {"lead": ["a@example.org"]}, "stage": "prototype"})
    other = parse({"queue": "receipts", "members": {"lead": ["b@example.org"]}, "stage": "production"})
    assert one.policy_part() == other.policy_part()
    assert one.queue_part() != other.queue_part()


def test_the_name_may_come_from_the_url_and_must_not_contradict_it() -> None:
    assert parse({"title": "Receipts"}, queue="receipts").queue == "receipts"
    with pytest.raises(InvalidDocument, match="/queue: must be receipts"):
        parse({"queue": "invoices"}, queue="receipts")


def test_an_unknown_key_is_named_and_the_likely_one_proposed() -> None:
    assert policy_faults(audit_smaple=0.1) == {
        "/audit_smaple": "is an unknown key: audit_smaple; did you mean audit_sample?"
    }
    assert faults(zzzzz=1) == {"/zzzzz": "is an unknown key: zzzzz"}


@pytest.mark.parametrize(
    "where",
    [
        ("owners",), ("guidance",), ("members",), ("policy",), ("policy", "lanes"), ("policy", "reviews"),
        ("policy", "due"), ("policy", "deadline"), ("policy", "deadline", "fallback"), ("policy", "retention"),
        ("policy", "escalation", 0), ("policy", "escalation", 1, "repeat"), ("policy", "priority_when", 0),
        ("policy", "priority_when", 0, "if"), ("policy", "review_when", 0), ("policy", "review_when", 1),
        ("policy", "review_when", 1, "all", 0), ("reasons", 0), (),
    ],
)  # fmt: skip
def test_an_unknown_key_is_refused_at_every_depth(where: tuple[str | int, ...]) -> None:
    written: Any = parse(CONTRACT_DOCUMENT).as_dict()
    inside = written
    for key in where:
        inside = inside[key]
    inside["surprise"] = 1
    with pytest.raises(InvalidDocument) as refusal:
        parse(written)
    assert refusal.value.errors == [
        ("".join(f"/{key}" for key in (*where, "surprise")), "is an unknown key: surprise")
    ]


def test_all_faults_are_told_at_once_and_counted_in_the_one_line() -> None:
    with pytest.raises(InvalidDocument, match=r"\(and 2 more\)") as refusal:
        parse({"queue": "Receipts!", "stage": "beta", "risk": "none"})
    assert [place for place, _ in refusal.value.errors] == ["/queue", "/stage", "/risk"]
    assert [fault.pointer for fault in refusal.value.faults] == ["/queue", "/stage", "/risk"]
    assert refusal.value.status == 422


@pytest.mark.parametrize("name", ["", "A", "a_b", "a" * 65, "ä", "a b", 5, None])
def test_a_queues_name_is_a_slug(name: object) -> None:
    with pytest.raises(InvalidDocument):
        parse({"queue": name})


@pytest.mark.parametrize("holder", ["bob", "team:", "team:A", "@", "a@", "a@b@c", "team:a@b", "a b@c", 7])
def test_a_member_or_owner_is_a_person_or_a_team(holder: object) -> None:
    assert "/members/lead/0" in faults(members={"lead": [holder]})
    assert "/owners/model" in faults(owners={"model": holder})


def test_an_address_is_kept_in_lower_case_and_once() -> None:
    assert parse({"queue": "q", "members": {"lead": ["Ann@Example.ORG"]}}).members.lead == ["ann@example.org"]
    assert "twice" in faults(members={"lead": ["ann@example.org", "Ann@example.org"]})["/members/lead"]


def test_lanes_are_shares_in_order() -> None:
    assert (
        "must not be above autonomous_at (0.5)"
        in (policy_faults(lanes={"autonomous_at": 0.5, "assist_at": 0.6})["/lanes/assist_at"])
    )
    assert "/lanes/autonomous_at" in policy_faults(lanes={"autonomous_at": 1.5})
    assert "/lanes/autonomous_at" in policy_faults(lanes={"autonomous_at": True})
    assert "/lanes/autonomous_at" in policy_faults(lanes={"autonomous_at": "0.5"})
    assert parse({"queue": "q", "policy": {"lanes": {"autonomous_at": 1, "assist_at": 1}}})
    assert parse({"queue": "q", "policy": {"lanes": {"autonomous_at": None, "assist_at": None}}})


@pytest.mark.parametrize(
    ("rules", "place"),
    [
        ({"reviews": {"needed": 0}}, "/reviews/needed"),
        ({"reviews": {"needed": 10}}, "/reviews/needed"),
        ({"reviews": {"adjudicate": "reviewer"}}, "/reviews/adjudicate"),
        ({"audit_sample": 1.01}, "/audit_sample"),
        ({"lease": "5s"}, "/lease"),
        ({"lease": 600}, "/lease"),
        ({"due": {"after": "soon"}}, "/due/after"),
        ({"due": {"after": "4h", "calendar": "Office Hours"}}, "/due/calendar"),
        ({"priority_when": [{"if": {"field": "flags", "op": "exists"}, "set": 101}]}, "/priority_when/0/set"),
        ({"escalation": [{"after": "1h"}]}, "/escalation/0/to"),
        ({"escalation": [{"after": "1h", "to": "bob"}]}, "/escalation/0/to/0"),
        ({"escalation": [{"after": "1h", "to": "owner:boss"}]}, "/escalation/0/to/0"),
        ({"escalation": [{"after": "1h", "to": []}]}, "/escalation/0/to"),
        (
            {"escalation": [{"after": "2h", "to": "lead"}, {"after": "120m", "to": "lead"}]},
            "/escalation/1/after",
        ),
        (
            {"escalation": [{"after": "2h", "to": "lead", "repeat": {"every": "1h", "times": 0}}]},
            "/escalation/0/repeat/times",
        ),
        ({"deadline": {"after": "1d"}}, "/deadline/fallback"),
        ({"deadline": {"after": "1d", "fallback": {"verdict": "edit"}}}, "/deadline/fallback/output"),
        (
            {"deadline": {"after": "1d", "fallback": {"verdict": "accept", "output": 1}}},
            "/deadline/fallback/output",
        ),
        ({"retention": {"redact": ["input/name"]}}, "/retention/redact/0"),
        ({"retention": {"redact": ["/inputs/name"]}}, "/retention/redact/0"),
        ({"review_when": {"field": "flags", "op": "exists"}}, "/review_when"),
        ({"review_when": [{"field": "flag", "op": "exists"}]}, "/review_when/0/field"),
        ({"review_when": [{"all": []}]}, "/review_when/0/all"),
        (
            {"review_when": [{"not": {"any": [{"field": "flags", "op": "is"}]}}]},
            "/review_when/0/not/any/0/op",
        ),
    ],
)
def test_a_rule_that_cannot_work_is_refused_where_it_stands(rules: dict[str, Any], place: str) -> None:
    assert place in policy_faults(**rules)


def test_an_escalation_to_an_owner_needs_that_owner() -> None:
    rules = {"escalation": [{"after": "1h", "to": "owner:model"}]}
    assert faults(policy=rules) == {"/policy/escalation/0/to": "names owner:model, but owners has no model"}
    assert parse({"queue": "q", "policy": rules, "owners": {"model": "team:ml"}})


@pytest.mark.parametrize(
    "to", ["ann@example.org", "team:ops", "rotation:nights", "lead", "manager", ["lead", "team:ops"]]
)
def test_an_escalation_reaches_persons_teams_rotations_and_roles(to: str | list[str]) -> None:
    document = parse({"queue": "q", "policy": {"escalation": [{"after": "1h", "to": to}]}})
    assert document.as_dict()["policy"]["escalation"][0]["to"] == to
    assert compile_policy(document.policy_part(), 1).steps[0].to == (
        (to,) if isinstance(to, str) else tuple(to)
    )


def test_the_output_schema_is_a_schema_and_the_fallback_fits_it() -> None:
    assert "/output_schema/properties/a~1b/type" in faults(
        output_schema={"properties": {"a/b": {"type": "strin"}}}
    )
    assert "/output_schema" in faults(output_schema=True)
    deadline = {"after": "1d", "fallback": {"verdict": "edit", "output": {"total": 3}}}
    schema = {"type": "object", "properties": {"total": {"type": "string"}}}
    assert (
        "breaks output_schema"
        in (faults(output_schema=schema, policy={"deadline": deadline})["/policy/deadline/fallback/output"])
    )


def test_a_schema_keeps_its_nulls() -> None:
    schema = {"type": "object", "properties": {"a": {"enum": ["x", None], "default": None}}}
    assert parse({"queue": "q", "output_schema": schema}).as_dict()["output_schema"] == schema


def test_no_schema_fetches_anything_or_backtracks() -> None:
    assert "not fetched" in faults(output_schema={"$ref": "http://127.0.0.1:1/schema.json"})["/output_schema"]
    assert "not fetched" in faults(output_schema={"$ref": "file:///etc/hostname"})["/output_schema"]
    assert "look-around" in faults(output_schema={"pattern": "(?=a)b"})["/output_schema/pattern"]


def test_a_reason_has_one_code_and_is_offered_for_its_verdicts() -> None:
    assert faults(reasons=[{"code": "a", "title": "A"}, {"code": "a", "title": "B"}]) == {
        "/reasons": "names a twice"
    }
    assert "/reasons/0/for/0" in faults(reasons=[{"code": "a", "title": "A", "for": ["approve"]}])
    reasons = [
        {"code": "blurred", "title": "Cannot be read", "for": ["reject"]},
        {"code": "wrong-total", "title": "The total is wrong", "for": ["edit", "reject"]},
    ]
    policy = compile_policy(parse({"queue": "q", "reasons": reasons}).policy_part(), 1)
    assert policy.reason_codes_for("reject") == ("blurred", "wrong-total")
    assert policy.reason_codes_for("edit") == ("wrong-total",)
    assert policy.reason_codes_for("accept") == ()
