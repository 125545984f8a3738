"""A tool call of an agent as an item, and an item's outcome as the answer to the agent: what all adapters share.

The suggestion that people see is the call's arguments; the tool's name and the conversation are the input. What cannot
be done as decided becomes the safe answer, a rejection, and never an approval.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from reviewqueue.client import Outcome

Kind = Literal["approve", "edit", "reject", "respond"]
RUN_OR_NOT: tuple[Kind, ...] = ("approve", "edit", "reject")

MOST_MESSAGES = 40
MOST_BYTES = 256 * 1024
"""How much of a conversation an item carries: enough to judge by, and far below the largest body."""

LONGEST_ID = 255


class NotAllowed(Exception):
    """The tool's configuration allows no answer that would keep a rejected call from running; it stays waiting."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """What an agent wants to do, and which answers its framework takes."""

    external_id: str
    """The same for the same call after a restart, and no other call's: see `external_id`."""

    tool: str
    args: Mapping[str, Any]
    conversation: Sequence[str] = ()
    """What was `said`, the oldest first, and the same each time that the call is submitted."""

    description: str | None = None
    allowed: Collection[Kind] = RUN_OR_NOT

    @property
    def asks_a_person(self) -> bool:
        """A tool that can only be answered: the person is its implementation, and there is nothing to suggest."""
        return "respond" in self.allowed and not {"approve", "edit"} & set(self.allowed)

    def as_item(self) -> dict[str, Any]:
        """The body to enqueue, without the queue."""
        told = {
            "tool": self.tool,
            "arguments": dict(self.args) if self.asks_a_person else None,
            "description": self.description,
            "answers": ", ".join(self.allowed),
            "conversation": _transcript(self.conversation) or None,
        }
        return {
            "external_id": self.external_id,
            "input": {name: value for name, value in told.items() if value is not None},
            "output": None if self.asks_a_person else dict(self.args),
            "tags": {"tool": self.tool[:LONGEST_ID]},
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """What becomes of a tool call. `args` go with an edit; `message` is for the model, or None for the framework's."""

    kind: Kind
    args: dict[str, Any] | None = None
    message: str | None = None


def said(by: str, content: Any, calls: Iterable[tuple[str, Any]] = ()) -> str:
    """One message as people read it: who, what, and the tools that it calls, by name and arguments."""
    text = "" if content is None else _as_text(content)
    lines = [f"{by}: {text}".rstrip(), *(f"→ {name} {_as_text(args)}" for name, args in calls)]
    # Only the first line of each stands at the margin: a page that a tool has read cannot speak as the user.
    return "\n".join("\n    ".join(line.splitlines()) for line in lines)


def _transcript(conversation: Sequence[str]) -> str:
    """The last messages, whole ones: a page that a tool has read may be larger than all that a body can hold."""
    kept: list[str] = []
    left = MOST_BYTES
    for message in reversed(conversation[-MOST_MESSAGES:]):
        left -= len(message.encode())
        if left < 0:
            break
        kept.append(message)
    return "\n\n".join(reversed(kept))


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def external_id(*parts: str | int) -> str:
    """The parts as one id; hashed where an item's external id could not hold them."""
    whole = ":".join(str(part) for part in parts)
    return whole if len(whole) <= LONGEST_ID else "sha256:" + hashlib.sha256(whole.encode()).hexdigest()


def answer_to(call: ToolCall, outcome: Outcome) -> Answer:
    """What the outcome means for the call. A released fallback counts as the verdict that it is.

    Raises NotAllowed where the call may only be run, and was not accepted.
    """
    answer = _as_decided(call, outcome)
    if answer.kind in call.allowed:
        return answer
    if answer.kind != "reject":
        answer = Answer("reject", message=f"Not run: this tool cannot be answered with {answer.kind}.")
    return refusal(call, answer.message)


def refusal(call: ToolCall, message: str | None) -> Answer:
    """The answer with which the call is surely not run. Raises NotAllowed where the tool's configuration has none."""
    if "reject" in call.allowed:
        return Answer("reject", message=message)
    if "respond" in call.allowed:
        return Answer("respond", message=message or "Not run: the request was rejected.")
    raise NotAllowed(
        f"the call of {call.tool} was rejected, which its configuration does not allow: allow reject for it"
    )


def _as_decided(call: ToolCall, outcome: Outcome) -> Answer:
    match outcome.verdict:
        case "accept" if not call.asks_a_person:
            return Answer("approve")
        case "accept":
            return Answer("reject", message="Not answered: it was accepted without an answer.")
        case "edit":
            return _edited(call, outcome.output)
        case "withdrawn":
            return Answer("reject", message="Not run: the review was withdrawn.")
        case _:
            return Answer("reject", message=_why(outcome))


def _edited(call: ToolCall, output: Any) -> Answer:
    """Arguments are an edit; anything else that a person wrote is their own answer in the tool's place."""
    if isinstance(output, dict) and not call.asks_a_person:
        return Answer("edit", args=output)
    return Answer("respond", message=_as_text(output))


def _why(outcome: Outcome) -> str | None:
    """The comment and the reason's code; the model is told too when no human spoke."""
    said = [outcome.comment] if outcome.comment else []
    if outcome.by == "fallback":
        said.insert(0, "Nobody decided in time.")
    if outcome.reason:
        said.append(f"({outcome.reason})")
    return " ".join(said) or None
