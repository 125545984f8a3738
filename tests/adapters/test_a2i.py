"""A2I's activation conditions as review rules: those that AWS documents, and random ones against an evaluator."""

from __future__ import annotations

import json
import operator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from reviewqueue.adapters.a2i import EVERYTHING, Carried, Fields, carry_over
from reviewqueue.cli import main
from reviewqueue.errors import Invalid
from reviewqueue.queues.document import parse
from reviewqueue.queues.routing import compile_policy

PAY_DATE = {
    "ConditionType": "ImportantFormKeyConfidenceCheck",
    "ConditionParameters": {
        "ImportantFormKey": "Pay Date",
        "ImportantFormKeyAliases": ["PayDate", "pay.date"],
        "KeyValueBlockConfidenceLessThan": 65,
        "WordBlockConfidenceLessThan": 85,
    },
}


def sampling(percent: float) -> dict[str, Any]:
    return {"ConditionType": "Sampling", "ConditionParameters": {"RandomSamplingPercentage": percent}}


def check(key: str, **limits: float) -> dict[str, Any]:
    parameters = {"ImportantFormKey": key, **limits}
    return {"ConditionType": "ImportantFormKeyConfidenceCheck", "ConditionParameters": parameters}


def carried(*conditions: dict[str, Any]) -> Carried:
    return carry_over({"Conditions": list(conditions)})


def asks(document: Carried, output: Any, confidence: float | None = 1.0) -> bool:
    """Whether the policy, compiled as the server does, has a review rule that matches."""
    policy = compile_policy(parse({"queue": "forms", "policy": document.policy()}).policy_part(), 1)
    body = {"queue": "forms", "input": "a page", "output": output, "confidence": confidence}
    return any(test(body) for test, _ in policy.review_rules)


def test_a_form_key_and_its_aliases_within_limits() -> None:
    document = carried(PAY_DATE)
    assert document.notes == document.left_out == []
    for key in ("Pay Date", "PayDate", "pay.date"):
        assert asks(document, {key: {"confidence": 64.9, "word_confidence": 84}})
        assert not asks(document, {key: {"confidence": 64.9, "word_confidence": 85}})
        assert not asks(document, {key: {"confidence": 65, "word_confidence": 84}})
    assert not asks(document, {"Other": {"confidence": 1, "word_confidence": 1}})


def test_a_missing_form_key() -> None:
    parameters = {"ImportantFormKey": "Mail", "ImportantFormKeyAliases": ["Mail:"]}
    document = carried({"ConditionType": "MissingImportantFormKey", "ConditionParameters": parameters})
    assert asks(document, {"Phone": {}})
    assert not asks(document, {"Mail:": {"confidence": 3}})


@pytest.mark.parametrize(
    "limit", ["Equals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"]
)
def test_every_limit_of_a_moderation_label(limit: str) -> None:
    parameters = {"ModerationLabelName": "Suggestive", f"Confidence{limit}": 98}
    document = carried({"ConditionType": "ModerationLabelConfidenceCheck", "ConditionParameters": parameters})
    expected = {
        "Equals": [98], "LessThan": [97], "LessThanEquals": [97, 98], "GreaterThan": [99],
        "GreaterThanEquals": [98, 99],
    }[limit]  # fmt: skip
    assert [n for n in (97, 98, 99) if asks(document, {"Suggestive": {"confidence": n}})] == expected


def test_a_sample_is_audited() -> None:
    document = carried(sampling(5), {"Or": [sampling(10), PAY_DATE]})
    assert document.audit_sample == pytest.approx(1 - 0.95 * 0.9)
    assert len(document.review_when) == 1
    assert "audited after their release" in document.notes[0]


def test_a_sample_of_some_is_drawn_from_all_and_said_so() -> None:
    document = carried({"Or": [PAY_DATE, {"And": [sampling(5), PAY_DATE]}]})
    assert (document.audit_sample, len(document.review_when)) == (0.05, 1)
    assert "drawn from all that is released" in document.notes[0]


def test_a_sample_of_everything_is_a_rule_for_everything() -> None:
    assert carried(sampling(100)).review_when == [EVERYTHING]
    assert carried(check("*", KeyValueBlockConfidenceGreaterThan=0)).review_when == [EVERYTHING]
    assert carried({"And": [sampling(100), PAY_DATE]}).review_when == carried(PAY_DATE).review_when


def test_any_key_is_the_items_own_confidence() -> None:
    document = carried(check("*", KeyValueBlockConfidenceLessThan=60, WordBlockConfidenceLessThan=90))
    assert document.review_when == [{"field": "confidence", "op": "lt", "value": 0.6}]
    assert "lowest confidence of all keys" in document.notes[0]
    assert "more items" in document.notes[0]


@pytest.mark.parametrize(
    "condition",
    [
        check("*", KeyValueBlockConfidenceGreaterThan=50),
        {"Not": check("*", KeyValueBlockConfidenceLessThan=50)},
        {"Not": {"And": [sampling(5), PAY_DATE]}},
        {"ConditionType": "MissingImportantFormKey", "ConditionParameters": {"ImportantFormKey": "*"}},
        {"ConditionType": "MoonPhase"},
    ],
)
def test_what_a_policy_cannot_say_is_left_out_and_said_so(condition: dict[str, Any]) -> None:
    alone = carried(condition)
    assert (alone.review_when, len(alone.left_out)) == ([], 1)
    assert alone.policy()["lanes"]["autonomous_at"] is None, "nothing passes unseen for want of a rule"
    one_of_two = carried({"Or": [condition, PAY_DATE]})
    assert one_of_two.review_when == carried(PAY_DATE).review_when
    assert one_of_two.left_out[0].startswith("/Conditions/0/Or/0: ")
    joined = carried({"And": [condition, PAY_DATE]})
    assert joined.review_when == carried(PAY_DATE).review_when
    assert "more items match" in joined.notes[0]


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"Conditions": []},
        {"Conditions": ["x"]},
        {"Conditions": [{"And": {}}]},
        {"Conditions": [sampling(0)]},
        {"Conditions": [check("", KeyValueBlockConfidenceLessThan=3)]},
        {"Conditions": [check("a", KeyValueBlockConfidenceLessThan=101)]},
        {"HumanLoopActivationConditions": "{"},
    ],
)
def test_what_is_no_such_document_is_refused(document: Any) -> None:
    with pytest.raises(Invalid):
        carry_over(document)


LIMITS = {
    f"{block}Confidence{name}": (field, test)
    for block, field in (("KeyValueBlock", "confidence"), ("WordBlock", "word_confidence"))
    for name, test in (
        ("Equals", operator.eq),
        ("LessThan", operator.lt),
        ("LessThanEquals", operator.le),
        ("GreaterThan", operator.gt),
        ("GreaterThanEquals", operator.ge),
    )
}
KEYS = st.sampled_from(["a", "b.c", "d\\e"])
FEW = st.integers(0, 3)
SIMPLE = st.one_of(
    st.builds(
        lambda key, limits: check(key, **limits),
        KEYS,
        st.dictionaries(st.sampled_from(sorted(LIMITS)), FEW, min_size=1, max_size=2),
    ),
    st.builds(
        lambda key, alias: {
            "ConditionType": "MissingImportantFormKey",
            "ConditionParameters": {"ImportantFormKey": key, "ImportantFormKeyAliases": [alias]},
        },
        KEYS,
        KEYS,
    ),
)
CONDITIONS = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        st.builds(lambda parts: {"And": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: {"Or": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda part: {"Not": part}, inner),
    ),
    max_leaves=4,
)
FOUND = st.fixed_dictionaries({"confidence": FEW, "word_confidence": FEW})


def holds(condition: dict[str, Any], found: dict[str, dict[str, int]]) -> bool:
    """What A2I's words say, told by their own evaluator."""
    if "And" in condition:
        return all(holds(one, found) for one in condition["And"])
    if "Or" in condition:
        return any(holds(one, found) for one in condition["Or"])
    if "Not" in condition:
        return not holds(condition["Not"], found)
    given_ = dict(condition["ConditionParameters"])
    keys = [given_.pop("ImportantFormKey"), *given_.pop("ImportantFormKeyAliases", [])]
    if condition["ConditionType"] == "MissingImportantFormKey":
        return not any(key in found for key in keys)
    return any(
        all(LIMITS[name][1](found[key][LIMITS[name][0]], limit) for name, limit in given_.items())
        for key in keys
        if key in found
    )


@given(CONDITIONS, st.lists(st.dictionaries(KEYS, FOUND), min_size=1, max_size=4))
def test_random_conditions_ask_about_the_same_items(
    condition: dict[str, Any], outputs: list[dict[str, dict[str, int]]]
) -> None:
    try:
        document = carried(condition)
        parse({"queue": "forms", "policy": document.policy()})
    except Invalid as refusal:
        assert "deep" in refusal.detail or any("deep" in fault.detail for fault in refusal.faults)
        return
    assert document.notes == document.left_out == []
    for output in outputs:
        assert asks(document, output) == holds(condition, output)


def test_the_command_prints_a_document_that_can_be_applied(tmp_path: Path) -> None:
    conditions = {"Conditions": [PAY_DATE, sampling(5), {"ConditionType": "MoonPhase"}]}
    config = {
        "HumanLoopActivationConditionsConfig": {"HumanLoopActivationConditions": json.dumps(conditions)}
    }
    file = tmp_path / "flow.json"
    flow = {"FlowDefinitionName": "forms", "HumanLoopActivationConfig": config}
    file.write_text(json.dumps(flow), "utf-8-sig")
    arguments = [
        "queue",
        "import-a2i",
        str(file),
        "--queue",
        "forms",
        "--fractions",
        "--key-field",
        "input.{key}",
    ]
    ran = CliRunner().invoke(main, arguments)
    assert ran.exit_code == 0, ran.output
    assert "left out: /Conditions/2: the ConditionType 'MoonPhase' is not known" in ran.stderr
    document = yaml.safe_load(ran.stdout)
    parse(document)
    assert document["policy"]["audit_sample"] == 0.05
    first = document["policy"]["review_when"][0]["any"][0]["all"][0]
    assert first == {"field": "output.Pay Date.confidence", "op": "lt", "value": 0.65}


def test_fields_escape_the_keys() -> None:
    assert Fields().of("output.{key}.x", "a.b") == "output.a\\.b.x"
