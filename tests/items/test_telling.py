"""The trail in sentences."""

from __future__ import annotations

from reviewqueue.items.telling import _text


def test_a_reminder_reads_as_a_reminder_and_a_step_as_an_escalation() -> None:
    told = {"level": 2, "step": 2, "occurrence": 0, "assigned_to": "lea@example.org"}
    assert _text("item.escalated", "timer", told) == "Escalated to level 2, to lea@example.org"
    assert _text("item.escalated", "timer", {**told, "occurrence": 3}) == "Reminder 3 on level 2"
