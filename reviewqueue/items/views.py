"""An item as the contract shows it: plain values for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from ..audit.trail import rfc3339
from ..db import Json
from .models import Evidence, Item, Outcome
from .reopening import UNDO_SECONDS

FRESH: dict[str, Any] = {
    "level": 0,
    "version": 1,
    "assigned_to": None,
    "snoozed_until": None,
    "acknowledged_at": None,
    "acknowledged_name": None,
    "claim_until": None,
    "claim_name": None,
    "claim_by": None,
    "claim_since": None,
    "decided_at": None,
}
"""What an item has at its arrival, where the rows to be written leave it to the database."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An item read for showing: column values, its outcome if it stands, and the evidence where it was asked for."""

    item: Mapping[str, Any]
    outcome: Mapping[str, Any] | None
    output: Json = None
    """Of the outcome."""
    evidence: Evidence | None = None
    arrived_input: str | None = None
    """The input's JSON, where the item has just arrived."""

    @classmethod
    def of(
        cls, item: Item, outcome: Outcome | None, output_json: str | None, evidence: Evidence | None = None
    ) -> Shown:
        told = vars(outcome) if outcome is not None and item.has_outcome else None
        return cls(vars(item), told, _output(told, output_json), evidence)

    @classmethod
    def arrived(
        cls, item: Mapping[str, Any], outcome: Mapping[str, Any] | None, evidence: Mapping[str, str]
    ) -> Shown:
        output = _output(outcome, evidence["output_json"])
        return cls({**FRESH, **item}, outcome, output, arrived_input=evidence["input_json"])

    @property
    def version(self) -> int:
        version: int = self.item["version"]
        return version

    @property
    def title(self) -> str:
        """What people call it."""
        return self.item["external_id"] or f"…{self.item['id'].hex[-8:]}"

    @property
    def input_json(self) -> str | None:
        """What the app sent, if it was read."""
        return self.arrived_input if self.evidence is None else self.evidence.input_json

    def may_be_undone(self, now: datetime) -> bool:
        """Whether whoever decided may still take it back: soon after, and while no app has it."""
        outcome = self.outcome
        return (
            outcome is not None
            and outcome["by"] == "person"
            and outcome["delivered_at"] is None
            and now - outcome["decided_at"] <= timedelta(seconds=UNDO_SECONDS)
        )

    def as_json(self, base_url: str, now: datetime, receipt: str | None = None) -> dict[str, Any]:
        """`receipt`: of the outcome, see receipts.py."""
        item = self.item
        shown = {
            "id": str(item["id"]),
            "queue": item["queue"],
            "external_id": item["external_id"],
            "state": item["state"],
            "lane": item["lane"],
            "purpose": item["purpose"],
            "reasons": item["reasons"],
            "policy_version": item["policy_version"],
            "priority": item["priority"],
            "level": item["level"],
            "version": item["version"],
            "confidence": item["confidence"],
            "flags": item["flags"],
            "tags": item["tags"],
            "model": _named(item, "model"),
            "prompt": _named(item, "prompt"),
            "created_at": rfc3339(item["created_at"]),
            "due_at": _time(item["due_at"]),
            "deadline_at": _time(item["deadline_at"]),
            "valid_until": _time(item["valid_until"]),
            "decided_at": _time(item["decided_at"]),
            "claim": _claim(item, now),
            "assigned_to": item["assigned_to"],
            "snoozed_until": _time(item["snoozed_until"]),
            "acknowledged": _acknowledged(item),
            "supersedes": str(item["supersedes"]) if item["supersedes"] else None,
            "outcome": self.outcome_json(receipt),
            "url": f"{base_url}/items/{item['id']}",
        }
        if self.evidence is not None:
            shown["evidence"] = evidence_json(self.evidence)
        return shown

    def outcome_json(self, receipt: str | None = None) -> dict[str, Any] | None:
        if self.outcome is None:
            return None
        return {
            "verdict": self.outcome["verdict"],
            "by": self.outcome["by"],
            "output": self.output,
            "reason": self.outcome["reason"],
            "comment": self.outcome["comment"],
            "decided_at": rfc3339(self.outcome["decided_at"]),
            "revision": self.outcome["revision"],
            "receipt": receipt,
        }


def evidence_json(evidence: Evidence) -> dict[str, Any]:
    """The evidence by the names that the enqueue body had."""
    return {"input": evidence.input, "output": evidence.output, **evidence.details}


def _output(outcome: Mapping[str, Any] | None, suggested: str | None) -> Json:
    if outcome is None:
        return None
    if outcome["verdict"] == "accept":
        return None if suggested is None else orjson.loads(suggested)
    own = outcome["output_json"]
    return None if own is None else orjson.loads(own)


def _named(item: Mapping[str, Any], what: str) -> dict[str, str | None] | None:
    name, version = item[f"{what}_name"], item[f"{what}_version"]
    return None if name is None and version is None else {"name": name, "version": version}


def _claim(item: Mapping[str, Any], now: datetime) -> dict[str, Any] | None:
    until = item["claim_until"]
    if until is None or until <= now:
        return None
    return {"by": item["claim_name"], "since": rfc3339(item["claim_since"]), "until": rfc3339(until)}


def _acknowledged(item: Mapping[str, Any]) -> dict[str, Any] | None:
    at = item["acknowledged_at"]
    return None if at is None else {"by": item["acknowledged_name"], "at": rfc3339(at)}


def _time(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)
