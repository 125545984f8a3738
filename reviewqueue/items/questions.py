"""The questions that everyone asks about an item, answered from its trail and evidence, or named as open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..queues.lanes import Lane, Purpose
from ..queues.routing import Routing
from ..web.filters import confidence, exact, percent, span
from .deliveries import Delivery
from .dossiers import Dossier
from .telling import Told

KEPT_DAYS = 30
"""As long as deliveries are."""
DECIDED_BY_PEOPLE = ("item.accepted", "item.edited", "item.rejected")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer in words, and the event or the part of the page that it comes from."""

    question: str
    answer: str
    event: str | None = None
    anchor: str | None = None
    steps: tuple[str, ...] = ()
    """What happened one after the other, instead of an answer in one piece."""
    deliveries: Sequence[Delivery] = ()
    """Each told on a line of its own."""


def answers(seen: Dossier, deliveries: Sequence[Delivery]) -> list[Answer]:
    return [*_about_the_model(seen), *_about_people(seen), _delivered(seen, deliveries)]


def _about_the_model(seen: Dossier) -> Iterator[Answer]:
    details, item = seen.evidence.details, seen.item
    enqueued = _event(seen, "item.enqueued")
    why = str(details["explanation"]) if details.get("explanation") else "The app sent no explanation."
    yield Answer("Why did the AI answer so?", why[:400], enqueued, "evidence")
    yield Answer("What input did it get?", "Under Evidence, as it was sent.", enqueued, "evidence")
    yield Answer("Which prompt and configuration?", _prompt(seen), enqueued, "evidence")
    yield Answer("How sure was it, and what has that meant here?", _meaning(seen), enqueued)
    latency = details.get("latency_ms")
    told = span(float(latency) / 1000) if isinstance(latency, int | float) else "The app sent no latency."
    retries = details.get("retries")
    yield Answer(
        "Which latency did people see?", told + (f", after {retries} retries" if retries else ""), enqueued
    )
    came = "; ".join(str(reason["detail"]) for reason in item.reasons if reason.get("code") != "gold")
    yield Answer("Why did it come to a human?", came or "Policy named no reason.", enqueued)
    yield Answer("Would today's policy route it the same?", _today(seen), enqueued)


def _about_people(seen: Dossier) -> Iterator[Answer]:
    decision = _last_that_stands(seen)
    if decision is None:
        yield Answer("What did the reviewer override?", "Nothing is decided yet.")
    else:
        overrode = (
            "Nothing: the suggestion was accepted."
            if decision.type == "item.accepted"
            else decision.text + "."
        )
        yield Answer("What did the reviewer override?", overrode, decision.id, "reviews")
    escalated = [told for told in seen.trail if told.type == "item.escalated"]
    steps = tuple(f"{told.text}, {exact(told.at)}" for told in escalated)
    last = escalated[-1].id if escalated else None
    yield Answer(
        "To whom did it escalate, and when?", "" if steps else "It has not escalated.", last, steps=steps
    )
    if seen.outcome is None:
        yield Answer("Which outcome did the app get?", "There is no outcome yet.")
    else:
        told = f"{seen.outcome.verdict} by {seen.outcome.by}, {exact(seen.outcome.decided_at)}"
        yield Answer("Which outcome did the app get?", told, None, "outcome")


def _delivered(seen: Dossier, deliveries: Sequence[Delivery]) -> Answer:
    question = "Was the outcome delivered and acknowledged?"
    if deliveries:
        arrived = sum(one.state == "arrived" for one in deliveries)
        return Answer(question, f"{arrived} of {len(deliveries)} arrived:", deliveries=deliveries)
    if seen.outcome is None:
        return Answer(question, "There is no outcome yet.")
    return Answer(
        question,
        f"No subscription was sent it, or more than {KEPT_DAYS} days ago. An app that asks for the item gets it.",
    )


def _today(seen: Dossier) -> str:
    item, today = seen.item, seen.today
    purpose = Purpose.GATE if item.purpose == Purpose.GOLD else item.purpose
    same = (today.lane, today.purpose) == (item.lane, purpose)
    came = "; ".join(reason.detail for reason in today.reasons)
    version = f"policy {seen.queue.policy_version}"
    return f"{'Yes' if same else 'No'}: by {version}, now in force, {_way(today)} ({came})."


def _way(routing: Routing) -> str:
    if not routing.to_human:
        return "it would be released without a human"
    if routing.released:
        return "it would be released, and audited after"
    answered_first = routing.lane == Lane.STEP_ASIDE
    return "a human would answer first" if answered_first else "a human would review the suggestion"


def _prompt(seen: Dossier) -> str:
    item = seen.item
    prompt = " ".join(part for part in (item.prompt_name, item.prompt_version) if part)
    model = " ".join(part for part in (item.model_name, item.model_version) if part)
    return f"Prompt {prompt or 'not named'}; model {model or 'not named'}."


def _meaning(seen: Dossier) -> str:
    if seen.item.confidence is None:
        return "The model gave no confidence."
    told = f"Confidence {confidence(seen.item.confidence)}."
    if seen.meaning is None or not seen.meaning.says_something:
        return f"{told} People have decided too little at this confidence here to say more."
    band = f"{seen.meaning.low:.2f}–{seen.meaning.high:.2f}"
    return f"{told} At {band} people changed {percent(seen.meaning.share)} of {seen.meaning.decided} here."


def _event(seen: Dossier, type: str) -> str | None:
    return next((told.id for told in seen.trail if told.type == type), None)


def _last_that_stands(seen: Dossier) -> Told | None:
    """The last decision by a review that was not taken back."""
    review, standing = None, dict[object, Told]()
    for told in seen.trail:
        if told.type == "item.reviewed":
            review = (told.data or {}).get("review")
        elif told.type in DECIDED_BY_PEOPLE:
            standing[review] = told
        elif told.type == "item.undone":
            standing.pop((told.data or {}).get("review"), None)
    return list(standing.values())[-1] if standing else None
