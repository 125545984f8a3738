"""The demo's outputs and queue documents fit together, and say what their guidance claims about them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from reviewqueue.demo.arrivals import DATA, Body, read
from reviewqueue.items.forms import EnqueueForm
from reviewqueue.queues.document import QueueDocument
from reviewqueue.queues.loading import read as read_document
from reviewqueue.queues.policy import Policy, compile_policy
from reviewqueue.queues.routing import route
from reviewqueue.queues.schemas import fits

QUEUES = DATA.parent / "queues"
PROSE = Path(__file__).parents[2] / "tools" / "demo_prose"
FILES = {
    "receipt-extraction": "receipts.jsonl",
    "file-type": "files.jsonl",
    "support-replies": "replies.jsonl",
}


def document(queue: str) -> QueueDocument:
    return QueueDocument.model_validate(read_document((QUEUES / f"{queue}.yaml").read_bytes()))


def policy(queue: str) -> Policy:
    return compile_policy(document(queue).policy_part(), 1)


def truth() -> dict[str, Any]:
    lines = (DATA / "truth.jsonl").read_text("utf-8").splitlines()
    return {entry["external_id"]: entry["truth"] for entry in map(json.loads, lines)}


def lanes(queue: str) -> Counter[str]:
    compiled, stage = policy(queue), document(queue).stage
    return Counter(str(route(compiled, body, UUID(int=0), stage).lane) for body in read(FILES[queue]))


def wrong(bodies: list[Body]) -> int:
    known = truth()
    return sum(body["output"] != known[body["external_id"]] for body in bodies)


@pytest.mark.parametrize(
    ("queue", "count"), [("receipt-extraction", 160), ("file-type", 900), ("support-replies", 66)]
)
def test_every_output_is_an_enqueue_body_of_its_queue(queue: str, count: int) -> None:
    bodies = read(FILES[queue])
    assert len({EnqueueForm.model_validate(body).external_id for body in bodies}) == len(bodies) == count
    assert {body["queue"] for body in bodies} == {document(queue).queue} == {queue}


@pytest.mark.parametrize("queue", ["receipt-extraction", "file-type"])
def test_every_truth_fits_the_queue_s_schema(queue: str) -> None:
    known, validator = truth(), policy(queue).validator
    assert validator is not None
    assert all(fits(validator, known[body["external_id"]]) for body in read(FILES[queue]))


def test_no_receipt_passes_without_a_human() -> None:
    low = sum(body["confidence"] < 0.80 for body in read("receipts.jsonl"))
    assert lanes("receipt-extraction") == {"assist": 160 - low, "step_aside": low}


def test_files_pass_at_the_error_rate_that_their_guidance_names() -> None:
    types = set(document("file-type").output_schema["properties"]["label"]["enum"])  # type: ignore[index]
    passes = [
        body
        for body in read("files.jsonl")
        if body["confidence"] >= 0.95 and not body["flags"] and body["output"]["label"] in types
    ]
    low = sum(body["confidence"] < 0.40 for body in read("files.jsonl"))
    assert lanes("file-type") == {
        "autonomous": len(passes),
        "assist": 900 - len(passes) - low,
        "step_aside": low,
    }
    assert f"{wrong(passes)} of {len(passes)} such files were wrong" in (
        document("file-type").guidance.trust or ""
    )


def test_ten_types_are_named_by_one_digit_and_cover_most_of_what_people_decide() -> None:
    first = document("file-type").output_schema["properties"]["label"]["enum"][:10]  # type: ignore[index]
    compiled, known = policy("file-type"), truth()
    asked = [
        known[body["external_id"]]["label"]
        for body in read("files.jsonl")
        if route(compiled, body, UUID(int=0), "production").to_human
    ]
    assert sum(label in first for label in asked) > 0.6 * len(asked)


def test_replies_quote_the_handbook_word_by_word() -> None:
    handbook = [entry["text"] for entry in json.loads((PROSE / "handbook.json").read_text("utf-8"))]
    for body in read("replies.jsonl"):
        quoted = [text for text in handbook if body["output"] and text in body["output"]]
        assert len(quoted) == (0 if body["output"] is None else 1 + ("two-questions" in body["flags"]))


def test_replies_are_right_as_often_as_guidance_and_readme_say() -> None:
    handbook = {
        entry["id"]: entry["text"] for entry in json.loads((PROSE / "handbook.json").read_text("utf-8"))
    }
    messages = map(json.loads, (PROSE / "messages.jsonl").read_text("utf-8").splitlines())
    right = [
        {name for name, text in handbook.items() if text in body["output"]} == set(message["answers"])
        for message, body in zip(messages, read("replies.jsonl"), strict=True)
        if (body["confidence"] or 0) >= 0.80
    ]
    assert f"in {sum(right)} of {len(right)} messages" in " ".join(
        (document("support-replies").guidance.trust or "").split()
    )
    assert f"| 0.80 and above | {right.count(False)} of {len(right)} |" in (PROSE / "README.md").read_text(
        "utf-8"
    )
