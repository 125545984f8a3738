"""Refusals in the words of the page: labels and titles, where the API names pointers and codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..errors import Fault
from ..queues.routing import Policy
from .output_form import Field

LABELS = {"/text": "The comment", "/to": ""}


def told_faults(
    faults: Iterable[Fault], fields: Sequence[Field] = (), policy: Policy | None = None, verdict: str = ""
) -> list[str]:
    """Each fault as a sentence that begins with what the person knows the field as."""
    return [_told(fault, fields, policy, verdict) for fault in faults]


def without_control(faults: Iterable[Fault], fields: Sequence[Field]) -> list[Fault]:
    """The faults that no control of the form shows beside itself."""
    labels = labels_of(fields)
    return [fault for fault in faults if fault.pointer not in labels]


def labels_of(fields: Sequence[Field]) -> Mapping[str, str]:
    """The label of each control by the pointer that faults name it by."""
    found: dict[str, str] = {}
    for field in fields:
        found[f"/{field.name}"] = field.label
        found.update(labels_of(field.children))
    return found


def _told(fault: Fault, fields: Sequence[Field], policy: Policy | None, verdict: str) -> str:
    if fault.pointer == "/reason" and policy is not None and policy.reasons:
        titles = [reason.title for reason in policy.reasons if verdict in reason.verdicts]
        return (
            f"Choose a reason: {', '.join(titles)}." if titles else f"There is no reason to {verdict} here."
        )
    if fault.pointer == "/output":
        return f"The output {fault.detail}."
    last = fault.pointer.rpartition("/")[2].replace("_", " ").capitalize()
    label = {**LABELS, **labels_of(fields)}.get(fault.pointer, last)
    return f"{label} {fault.detail}".strip() + "."
