"""People read what an apply changes, line by line."""

from __future__ import annotations

from reviewqueue.queues.difference import diff

from .examples import document


def test_equal_documents_have_no_difference() -> None:
    assert diff(document(), document()) == []


def test_a_changed_value_shows_both() -> None:
    old = document(policy={"lanes": {"assist_at": 0.4}})
    new = document(policy={"lanes": {"assist_at": 0.5}})
    assert diff(old, new) == ["policy.lanes.assist_at: 0.4 → 0.5"]


def test_a_rule_put_in_front_is_one_added_rule() -> None:
    rules = [{"field": "flags", "op": "contains", "value": flag} for flag in ("a", "b", "c")]
    lines = diff(document(policy={"review_when": rules[1:]}), document(policy={"review_when": rules}))
    assert lines == ['policy.review_when[1]: added {"field": "flags", "op": "contains", "value": "a"}']


def test_a_change_inside_a_rule_names_the_place() -> None:
    old = document(policy={"escalation": [{"after": "1h", "to": "lead"}]})
    new = document(policy={"escalation": [{"after": "2h", "to": "lead"}]})
    assert diff(old, new) == ['policy.escalation[1].after: "1h" → "2h"']


def test_added_and_removed_keys_say_so() -> None:
    lines = diff(document(purpose="Old"), document(risk="high", policy={"due": {"after": "4h"}}))
    assert lines == [
        'purpose: removed "Old"',
        'risk: "medium" → "high"',
        'policy.due: added {"after": "4h"}',
    ]


def test_true_and_one_differ() -> None:
    assert diff({"a": 1}, {"a": True}) == ["a: 1 → true"]


def test_a_long_value_is_cut() -> None:
    (line,) = diff({"a": "x" * 1_000}, {"a": "y"})
    assert len(line) < 150


def test_a_new_queue_shows_all_its_keys() -> None:
    lines = diff({}, document())
    assert lines[:2] == ['queue: added "receipts"', 'title: added "Receipts"']
