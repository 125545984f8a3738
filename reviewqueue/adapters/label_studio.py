"""Label Studio's JSON: tasks with predictions become enqueue bodies, decided items become tasks with annotations."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ..errors import Fault, Invalid, Refusal

EXTERNAL_ID = re.compile(r"label-studio-(?:(?P<project>\d+)-)?(?P<task>\d+)")
PLAIN = {"from_name": "output", "to_name": "input", "type": "textarea"}
"""What a region says that stands for an output which was not made of Label Studio's regions."""


def body_of(task: Any, model_version: str | None = None) -> dict[str, Any] | Refusal:
    """The task as an enqueue body without its queue, or why there is none.

    The task's data is the input, a prediction's `result` the output and its `score` the confidence: the prediction of
    `model_version`, else the first one. A task that is its own data alone has no output.
    """
    if not isinstance(task, dict):
        return Invalid("The task is not an object.", faults=[Fault("", "must be an object")])
    data = task.get("data", task)
    predictions = task.get("predictions") or []
    if not isinstance(data, dict) or not isinstance(predictions, list):
        fault = Fault("/data", "must be an object, and predictions a list")
        return Invalid("This is no task of Label Studio.", faults=[fault])
    body: dict[str, Any] = {"input": data}
    if data is not task and _is_id(task.get("id")):
        project = f"{task['project']}-" if _is_id(task.get("project")) else ""
        body["external_id"] = f"label-studio-{project}{task['id']}"
    found = _chosen([p for p in predictions if isinstance(p, dict)], model_version)
    if found is not None:
        body.update(_suggestion(found))
    return body


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _chosen(predictions: list[dict[str, Any]], model_version: str | None) -> dict[str, Any] | None:
    fitting = (p for p in predictions if model_version is None or p.get("model_version") == model_version)
    return next(fitting, None)


def _suggestion(prediction: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"output": prediction.get("result")}
    score, version = prediction.get("score"), prediction.get("model_version")
    if isinstance(score, int | float) and not isinstance(score, bool) and 0 <= score <= 1:
        told["confidence"] = score
    if isinstance(version, str) and version:
        told["model"] = {"name": version[:200]}
    return told


def task_of(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item, as the API shows it with its evidence, as a task: suggestion and outcome.

    The suggestion is a prediction, the outcome an annotation; where it was rejected, one that was cancelled, which
    Label Studio calls skipped.
    """
    evidence, outcome = item["evidence"], item["outcome"]
    data = evidence["input"] if isinstance(evidence["input"], dict) else {"input": evidence["input"]}
    task: dict[str, Any] = {
        "data": data,
        "meta": {"reviewqueue": {"item": item["id"], "queue": item["queue"], "url": item["url"]}},
        "predictions": [],
        "annotations": [],
    }
    if known := EXTERNAL_ID.fullmatch(item["external_id"] or ""):
        task.update({name: int(value) for name, value in _named(known).items()})
    if evidence["output"] is not None:
        version = (item["model"] or {}).get("name")
        task["predictions"].append(
            {
                "result": _regions(evidence["output"]),
                "score": item["confidence"],
                "model_version": version,
                "created_at": item["created_at"],
            }
        )
    if outcome is not None and outcome["verdict"] != "withdrawn":
        task["annotations"].append(_annotation(item["id"], outcome))
    return task


def _named(known: re.Match[str]) -> dict[str, str]:
    given = {"id": known["task"], "project": known["project"]}
    return {name: value for name, value in given.items() if value is not None}


def _annotation(item_id: str, outcome: Mapping[str, Any]) -> dict[str, Any]:
    rejected = outcome["verdict"] == "reject"
    return {
        "unique_id": item_id,
        "result": [] if rejected else _regions(outcome["output"]),
        "was_cancelled": rejected,
        "ground_truth": False,
        "created_at": outcome["decided_at"],
        "updated_at": outcome["decided_at"],
        "meta": {name: outcome[name] for name in ("verdict", "by", "reason", "comment", "revision")},
    }


def _regions(output: Any) -> list[Any]:
    """Label Studio's own regions as they are; anything else as one region of text."""
    if isinstance(output, list) and all(isinstance(one, dict) and "from_name" in one for one in output):
        return output
    text = output if isinstance(output, str) else json.dumps(output, ensure_ascii=False)
    return [{**PLAIN, "value": {"text": [text]}}]
