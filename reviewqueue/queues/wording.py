"""A policy in words, for people who read no YAML: what happens to an item, in the order in which it happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..escalation.calendars import FrozenCalendar
from .conditions import describe
from .policy_document import Deadline, Due, Lanes, PolicyRules, PublishedPolicy, Step

_UNITS = {"s": "second", "m": "minute", "h": "hour", "d": "day"}
_VERDICTS = {"accept": "accepted as it is", "edit": "replaced by a fixed output", "reject": "rejected"}


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A heading and the sentences under it."""

    title: str
    sentences: tuple[str, ...]


def policy_in_words(policy_part: dict[str, Any], stage: str) -> list[Paragraph]:
    """Takes what a policy version keeps. Values of the policy are repeated, so the text is untrusted."""
    part = PublishedPolicy.model_validate(policy_part)
    rules = part.policy
    paragraphs = [
        Paragraph("Who sees an item", tuple(_lanes(rules.lanes, rules.audit_sample, stage))),
        Paragraph("What always comes to people", tuple(_always(rules, part.output_schema is not None))),
        Paragraph("What comes first", tuple(_priorities(rules))),
        Paragraph("How people decide", tuple(_reviews(rules))),
        Paragraph("When nobody decides", tuple(_times(rules, part.calendar))),
        Paragraph("How long evidence is kept", tuple(_retention(rules))),
    ]
    return [paragraph for paragraph in paragraphs if paragraph.sentences]


def _lanes(lanes: Lanes, audit_sample: float, stage: str) -> list[str]:
    top, middle = lanes.autonomous_at, lanes.assist_at
    sentences = []
    if stage == "prototype":
        sentences.append(
            "The queue is a prototype: whatever the policy says, nothing is released without a human."
        )
    if top is not None:
        sentences.append(f"With a confidence of {top:g} or more the output is released without a human.")
        if audit_sample:
            sentences.append(f"People look at {audit_sample * 100:.6g} % of these afterwards, as an audit.")
    else:
        sentences.append("Nothing is released without a human.")
    if middle is not None:
        sentences.append(
            f"From {middle:g} on a reviewer checks the suggestion."
            if middle
            else "A reviewer checks the suggestion."
        )
    if middle is None or middle > 0:
        below = f"Below {middle:g}" if middle else "Below that" if top is not None else "Always"
        sentences.append(f"{below} the reviewer answers first and sees the suggestion only after.")
    return sentences


def _always(rules: PolicyRules, has_schema: bool) -> list[str]:
    schema = ", or an output that breaks the schema" if has_schema else ""
    sentences = [f"An item without a confidence or an output, with an error of the model{schema}."]
    return sentences + [
        f"Rule {number}: {describe(rule)}." for number, rule in enumerate(rules.review_when, start=1)
    ]


def _priorities(rules: PolicyRules) -> list[str]:
    return [f"Priority {rule.set} if {describe(rule.condition)}." for rule in rules.priority_when]


def _reviews(rules: PolicyRules) -> list[str]:
    needed, lease = (
        rules.reviews.needed,
        f"A claim holds for {_spelled(rules.lease)} and is renewed while one works.",
    )
    if needed == 1:
        return ["One person's verdict decides.", lease]
    blind = "without seeing each other's verdicts" if rules.reviews.blind else "seeing each other's verdicts"
    return [
        f"{needed} people look, {blind}. Where they disagree, a {rules.reviews.adjudicate} decides.",
        lease,
    ]


def _times(rules: PolicyRules, calendar: FrozenCalendar | None) -> list[str]:
    sentences = [_due(rules.due, calendar)] if rules.due else []
    sentences += [_step(step) for step in rules.escalation]
    return sentences + ([_deadline(rules.deadline)] if rules.deadline else [])


def _due(due: Due, calendar: FrozenCalendar | None) -> str:
    after = f"Due {_spelled(due.after)} after arrival"
    if due.hours is not None:
        return f"{after} in the queue's own hours ({due.hours.zone}), in which escalation counts too."
    if due.calendar is None:
        return f"{after}."
    if calendar is None:
        return (
            f"{after}, round the clock: there was no calendar {due.calendar} when this version was published."
        )
    return (
        f"{after} by the calendar {due.calendar}, version {calendar.version} ({calendar.hours.zone}), "
        "by which escalation counts too."
    )


def _step(step: Step) -> str:
    words = f"After {_spelled(step.after)} it escalates to {', '.join(step.to)}"
    if step.priority is not None:
        words += f" with priority {step.priority}"
    if step.repeat is not None:
        times = "once" if step.repeat.times == 1 else f"{step.repeat.times} times"
        words += f", then again every {_spelled(step.repeat.every)}, {times}"
    return f"{words}."


def _deadline(deadline: Deadline) -> str:
    reason = f" ({deadline.fallback.reason})" if deadline.fallback.reason else ""
    verdict = _VERDICTS[deadline.fallback.verdict]
    return f"After {_spelled(deadline.after)} the deadline passes and the item is {verdict}{reason}."


def _retention(rules: PolicyRules) -> list[str]:
    kept = rules.retention
    sentences = []
    if kept.evidence:
        sentences.append(f"Evidence is to be kept for {_spelled(kept.evidence)}; this version erases none.")
    if kept.redact:
        sentences.append(f"Hidden from training data: {', '.join(kept.redact)}.")
    return sentences


def _spelled(duration: str) -> str:
    """`4h` as "4 hours"."""
    count, unit = duration[:-1], _UNITS[duration[-1]]
    return f"{count} {unit}" if count == "1" else f"{count} {unit}s"
