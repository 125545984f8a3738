"""Real model outputs with what would have been right, and what a person who knows it says to each."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from reviewqueue.demo.arrivals import DATA, read
from reviewqueue.queues.loading import read as read_document

REAL_DATA = "REVIEWQUEUE_REAL_DATA"
"""Names a folder with items.jsonl and truth.jsonl: the receipts and files again, and 1,600 messages."""

RECEIPTS, FILES, MESSAGES = "receipt-extraction", "file-type", "message-language"
LANGUAGES = "ca cs da de es et fi fr hr hu id it lt lv nb nl pl pt ro sk sl sv tr".split()

Body = dict[str, Any]
Decision = dict[str, Any]
"""The fields of a decision: verdict, and with it output or reason."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One model output as the app sends it, and the output that would have been right."""

    body: Body
    truth: Any

    @property
    def queue(self) -> str:
        return str(self.body["queue"])

    @property
    def external_id(self) -> str:
        return str(self.body["external_id"])

    @property
    def decision(self) -> Decision:
        return decision_on(self.queue, self.body["input"], self.body["output"], self.truth)

    @property
    def outcome(self) -> dict[str, Any]:
        """What the app is told once a person who knows the truth has decided."""
        decision = self.decision
        output = {"accept": self.body["output"], "edit": self.truth, "reject": None}[decision["verdict"]]
        told = {"verdict": decision["verdict"], "by": "person", "output": output, "revision": 1}
        return {**told, "reason": decision.get("reason")}


def samples() -> list[Sample]:
    """The 1,060 that belong to this project, or all 2,660 where REVIEWQUEUE_REAL_DATA names their folder."""
    bodies, known = list(_bodies()), _truth()
    return [Sample(body, known[body["queue"], body["external_id"]]) for body in bodies]


def document(queue: str, members: dict[str, list[str]], policy: dict[str, Any]) -> dict[str, Any]:
    """A queue for one kind of these outputs, with the schema and reasons that it really has, under any policy."""
    base = _MESSAGES if queue == MESSAGES else _demo_document(queue)
    kept = {key: base[key] for key in ("queue", "title", "output_schema", "reasons")}
    return {**kept, "stage": "production", "members": members, "policy": policy}


def decision_on(queue: str, input: Any, output: Any, truth: Any) -> Decision:
    """Right outputs are accepted, wrong ones put right, and where the input is too poor to do so, rejected."""
    if output == truth:
        return {"verdict": "accept"}
    reason = _beyond_repair(queue, input, output)
    return {"verdict": "reject", "reason": reason} if reason else {"verdict": "edit", "output": truth}


def _beyond_repair(queue: str, input: Any, output: Any) -> str | None:
    if queue == RECEIPTS:
        return "unreadable" if output["total"] is None else None
    length = input["bytes"] if queue == FILES else len(input["text"])
    return "too-short" if length < (40 if queue == FILES else 10) else None


def _bodies() -> Iterator[Body]:
    if folder := os.environ.get(REAL_DATA):
        yield from _lines(Path(folder) / "items.jsonl")
    else:
        yield from (*read("receipts.jsonl"), *read("files.jsonl"))


def _truth() -> dict[tuple[str, str], Any]:
    folder = os.environ.get(REAL_DATA)
    entries = _lines((Path(folder) if folder else DATA) / "truth.jsonl")
    return {(entry["queue"], entry["external_id"]): entry["truth"] for entry in entries}


def _lines(file: Path) -> Sequence[Any]:
    return [orjson.loads(line) for line in file.read_bytes().splitlines()]


def _demo_document(queue: str) -> dict[str, Any]:
    return read_document((DATA.parent / "queues" / f"{queue}.yaml").read_bytes())


_MESSAGES: dict[str, Any] = {
    "queue": MESSAGES,
    "title": "Message language",
    "output_schema": {
        "type": "object",
        "additionalProperties": False,
        "required": ["language"],
        "properties": {"language": {"type": "string", "enum": LANGUAGES}},
    },
    "reasons": [
        {"code": "other-language", "title": "It is another language", "for": ["edit"]},
        {"code": "too-short", "title": "Too short to tell", "for": ["edit", "reject"]},
    ],
}
