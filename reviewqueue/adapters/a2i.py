"""Amazon A2I's human loop activation conditions, as the review rules of a policy.

Reads what `CreateFlowDefinition` was given: `Conditions` that nest `And`, `Or` and `Not` around checks of Textract's
form keys, of Rekognition's moderation labels, and samples. Where a policy can say no such thing, it says so in a note;
what is not exactly the same asks people about more items, never about fewer.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from ..errors import Fault, Invalid
from ..queues.fields import escape

Condition = dict[str, Any]
"""Of a policy: a comparison, or `all`, `any`, `not` of some."""
Limit = tuple[str, str, float]
"""Of which confidence (KeyValueBlock or WordBlock), the operator, and percent."""
Alternative = tuple[list[Condition], float]
"""Conditions that must all hold, and the share of what fulfils them that people see."""

OPERATORS = {
    "Equals": "eq", "LessThan": "lt", "LessThanEquals": "le", "GreaterThan": "gt", "GreaterThanEquals": "ge",
}  # fmt: skip
ANY = "*"
MOST_ALTERNATIVES = 200
EVERYTHING: Condition = {"field": "queue", "op": "exists", "value": True}


@dataclass(frozen=True, slots=True)
class Fields:
    """Where an enqueued item has what A2I found in the service's answer; `{key}` is the form key or the label."""

    key: str = "output.{key}"
    confidence: str = "output.{key}.confidence"
    word: str = "output.{key}.word_confidence"
    percent: bool = True
    """Whether these confidences go to 100, as Textract's and Rekognition's do, or to 1."""

    def of(self, template: str, key: str) -> str:
        return template.replace("{key}", escape(key))

    def limit(self, percent: float) -> float:
        return percent if self.percent else round(percent / 100, 10)


@dataclass(slots=True)
class Carried:
    """What became of the conditions."""

    review_when: list[Condition] = field(default_factory=list)
    audit_sample: float = 0.0
    notes: list[str] = field(default_factory=list)
    """What is not the same, each with its place."""
    left_out: list[str] = field(default_factory=list)
    """What a policy cannot say. Nobody knows whom it would have stopped, so then nothing passes without a human."""

    def policy(self) -> dict[str, Any]:
        """The key `policy` of a queue's document. What no condition matches, A2I releases."""
        return {
            "lanes": {"autonomous_at": None if self.left_out else 0, "assist_at": 0},
            "review_when": self.review_when,
            "audit_sample": self.audit_sample,
        }


class _CannotSay(Exception):
    """A policy has no words for this."""


def carry_over(document: Any, fields: Fields | None = None) -> Carried:
    """The conditions as review rules. Raises Invalid for what is no such document."""
    reading = _Reading(fields or Fields())
    conditions = _conditions(document)
    for index, condition in enumerate(conditions):
        reading.take(condition, f"/Conditions/{index}")
    return reading.carried


def _conditions(document: Any) -> list[Any]:
    """Of the conditions themselves, or of a flow definition that holds them as text."""
    found = document
    for name in (
        "HumanLoopActivationConfig",
        "HumanLoopActivationConditionsConfig",
        "HumanLoopActivationConditions",
    ):
        if isinstance(found, dict) and name in found:
            found = found[name]
    if isinstance(found, str):
        try:
            found = json.loads(found)
        except json.JSONDecodeError as error:
            raise Invalid(f"HumanLoopActivationConditions is not JSON: {error}") from None
    if isinstance(found, dict) and "Conditions" not in found and _kind(found):
        return [found]
    conditions = found.get("Conditions") if isinstance(found, dict) else None
    if not isinstance(conditions, list) or not conditions:
        raise Invalid('There are no conditions: {"Conditions": [...]} is looked for.')
    return conditions


def _kind(condition: dict[str, Any]) -> str | None:
    return next((name for name in ("And", "Or", "Not", "ConditionType") if name in condition), None)


@dataclass(slots=True)
class _Reading:
    fields: Fields
    carried: Carried = field(default_factory=Carried)

    def take(self, condition: Any, at: str) -> None:
        """Takes one of the conditions at the top, each of which A2I asks people for by itself."""
        try:
            alternatives = self.alternatives(condition, at)
        except _CannotSay as why:
            self.carried.left_out.append(f"{at}: {why}")
            return
        for conditions, share in alternatives:
            if share < 1:
                self._sample(share, bool(conditions), at)
            else:
                self.carried.review_when.append(_together("all", conditions))

    def _sample(self, share: float, of_some: bool, at: str) -> None:
        # Drawn apart from each other: a share of what the others leave.
        together = 1 - (1 - self.carried.audit_sample) * (1 - share)
        self.carried.audit_sample = round(together, 10)
        told = f"{at}: {share * 100:g} % are audited after their release, where A2I asks before"
        if of_some:
            told += ", and drawn from all that is released, not only from what the other conditions match"
        self.carried.notes.append(told)

    def alternatives(self, condition: Any, at: str, *, inside_not: bool = False) -> list[Alternative]:
        """What fulfils the condition: any of these."""
        if not isinstance(condition, dict) or (kind := _kind(condition)) is None:
            detail = "is none of And, Or, Not and a ConditionType"
            raise Invalid("This is no A2I condition.", faults=[Fault(at, detail)])
        if kind == "Not":
            return self._opposite(condition["Not"], f"{at}/Not")
        if kind == "ConditionType":
            return [self._simple(condition, at, inside_not)]
        inner = condition[kind]
        if not isinstance(inner, list) or not inner:
            raise Invalid("This is no A2I condition.", faults=[Fault(f"{at}/{kind}", "must be a list")])
        parts = list(self._parts(kind, inner, at, inside_not))
        if not parts:
            raise _CannotSay(f"nothing of the {kind} is left")
        return _any_of(parts) if kind == "Or" else _all_of(parts)

    def _parts(self, kind: str, inner: list[Any], at: str, inside_not: bool) -> Iterator[list[Alternative]]:
        """The parts that a policy can say. Without one of an And, it asks people about more items."""
        for index, one in enumerate(inner):
            place = f"{at}/{kind}/{index}"
            try:
                yield self.alternatives(one, place, inside_not=inside_not)
            except _CannotSay as why:
                if inside_not:
                    raise
                if kind == "Or":
                    self.carried.left_out.append(f"{place}: {why}")
                else:
                    self.carried.notes.append(f"{place}: not asked for, so that more items match: {why}")

    def _opposite(self, inner: Any, at: str) -> list[Alternative]:
        if isinstance(inner, list) and len(inner) == 1:
            inner = inner[0]
        alternatives = self.alternatives(inner, at, inside_not=True)
        if any(share < 1 for _, share in alternatives):
            if len(alternatives) == 1 and not alternatives[0][0]:
                return [([], 1 - alternatives[0][1])]
            raise _CannotSay("the opposite of a sample that is joined with conditions")
        joined = _together("any", [_together("all", conditions) for conditions, _ in alternatives])
        return [([{"not": joined}], 1.0)]

    def _simple(self, condition: dict[str, Any], at: str, inside_not: bool) -> Alternative:
        parameters = condition.get("ConditionParameters", {})
        if not isinstance(parameters, dict):
            raise Invalid(
                "This is no A2I condition.", faults=[Fault(f"{at}/ConditionParameters", "must be an object")]
            )
        kind = condition["ConditionType"]
        if kind == "Sampling":
            return [], _number(parameters.get("RandomSamplingPercentage"), at, 0.01) / 100
        if kind == "MissingImportantFormKey":
            return [self._missing(parameters, at)], 1.0
        checks: dict[str, Callable[[dict[str, Any], str, bool], Condition]] = {
            "ImportantFormKeyConfidenceCheck": self._form_key,
            "ModerationLabelConfidenceCheck": self._label,
        }
        if kind not in checks:
            raise _CannotSay(f"the ConditionType {kind!r} is not known")
        return [checks[kind](parameters, at, inside_not)], 1.0

    def _missing(self, parameters: dict[str, Any], at: str) -> Condition:
        keys = _keys(parameters, "ImportantFormKey", at)
        if ANY in keys:
            raise _CannotSay("that no key at all was found; have the app send a flag, and review by that")
        absent = [
            {"field": self.fields.of(self.fields.key, key), "op": "exists", "value": False} for key in keys
        ]
        return _together("all", absent)

    def _form_key(self, parameters: dict[str, Any], at: str, inside_not: bool) -> Condition:
        keys = _keys(parameters, "ImportantFormKey", at)
        limits = [
            *(("KeyValueBlock", *limit) for limit in _limits(parameters, "KeyValueBlockConfidence", at)),
            *(("WordBlock", *limit) for limit in _limits(parameters, "WordBlockConfidence", at)),
        ]
        if ANY in keys:
            return self._any_key(limits, at, inside_not)
        return _together("any", [self._found(key, limits) for key in keys])

    def _label(self, parameters: dict[str, Any], at: str, inside_not: bool) -> Condition:
        (label,) = _keys(parameters, "ModerationLabelName", at)
        limits = [("KeyValueBlock", *limit) for limit in _limits(parameters, "Confidence", at)]
        if label == ANY:
            return self._any_key(limits, at, inside_not)
        return self._found(label, limits)

    def _found(self, key: str, limits: list[Limit]) -> Condition:
        """That the key is there, within all of the limits."""
        if not limits:
            return {"field": self.fields.of(self.fields.key, key), "op": "exists", "value": True}
        templates = {"KeyValueBlock": self.fields.confidence, "WordBlock": self.fields.word}
        return _together(
            "all",
            [
                {"field": self.fields.of(templates[what], key), "op": op, "value": self.fields.limit(value)}
                for what, op, value in limits
            ],
        )

    def _any_key(self, limits: list[Limit], at: str, inside_not: bool) -> Condition:
        """`*`: a policy has no "any key", but the item's confidence, if the app sends the lowest of its keys."""
        if all(op in ("gt", "ge") and value == 0 for _, op, value in limits):
            self.carried.notes.append(f"{at}: any key whatever: every item goes to people")
            return EVERYTHING
        lowest = [(op, value) for what, op, value in limits if what == "KeyValueBlock"]
        if inside_not or not lowest or any(op not in ("lt", "le") for op, _ in lowest):
            raise _CannotSay("any key (*), other than with a confidence below a limit")
        told = f"{at}: any key (*): the app has to send the lowest confidence of all keys as the item's"
        if len(lowest) < len(limits):
            told += "; the words' confidence is not looked at, which asks people about more items"
        self.carried.notes.append(told)
        comparisons = [
            {"field": "confidence", "op": op, "value": round(value / 100, 10)} for op, value in lowest
        ]
        return _together("all", comparisons)


def _any_of(parts: list[list[Alternative]]) -> list[Alternative]:
    """Those without a sample become one, so that the rule stays as it was written."""
    flat = [alternative for part in parts for alternative in part]
    certain = [_together("all", conditions) for conditions, share in flat if share == 1]
    sampled = [(conditions, share) for conditions, share in flat if share < 1]
    return ([([_together("any", certain)], 1.0)] if certain else []) + sampled


def _all_of(parts: list[list[Alternative]]) -> list[Alternative]:
    if math.prod(map(len, parts)) > MOST_ALTERNATIVES:
        raise _CannotSay(f"samples and conditions that are joined in more than {MOST_ALTERNATIVES} ways")
    return [
        ([condition for conditions, _ in chosen for condition in conditions], math.prod(s for _, s in chosen))
        for chosen in product(*parts)
    ]


def _together(how: str, conditions: list[Condition]) -> Condition:
    if not conditions:
        return EVERYTHING
    return conditions[0] if len(conditions) == 1 else {how: conditions}


def _keys(parameters: dict[str, Any], name: str, at: str) -> list[str]:
    aliases = parameters.get(f"{name}Aliases") or []
    keys = [parameters.get(name), *(aliases if isinstance(aliases, list) else [aliases])]
    if not all(isinstance(key, str) and key for key in keys):
        fault = Fault(f"{at}/ConditionParameters/{name}", "must be a name, and its aliases a list of names")
        raise Invalid("This is no A2I condition.", faults=[fault])
    return list(dict.fromkeys(keys))


def _limits(parameters: dict[str, Any], prefix: str, at: str) -> Iterator[tuple[str, float]]:
    for name, op in OPERATORS.items():
        if prefix + name in parameters:
            yield op, _number(parameters[prefix + name], f"{at}/ConditionParameters/{prefix}{name}", 0)


def _number(value: Any, at: str, least: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= 100:
        raise Invalid(
            "This is no A2I condition.", faults=[Fault(at, f"must be a number from {least:g} to 100")]
        )
    return value
