"""The bodies that are enqueued: about 2 KiB of JSON each, different from one another, the same in every run."""

from __future__ import annotations

import random
from typing import Any

QUEUE = "bench"

_WORDS = (
    "we have looked at your order and found that parcel was handed over to carrier on monday so please allow two "
    "more days before writing again if nothing has arrived by then tell us number on label in case amount was "
    "charged twice bank returns second payment within week account remains open until last invoice is settled"
).split()
_LABELS = ("refund", "delivery", "account", "complaint", "other")
_DEPARTMENTS = ("support", "sales", "finance", "returns")


def body(run: str, n: int) -> dict[str, Any]:
    """The enqueue body of one item of a run; policy releases none of them without a human."""
    return {
        "queue": QUEUE,
        "external_id": f"{run}-{n}",
        "input": {"message": _TEXTS[n % 64][:700], "customer": {"id": n, "since": 2000 + n % 25}},
        "output": {"answer": _TEXTS[(n * 7) % 64], "label": _LABELS[n % 5], "amount": n % 900},
        "confidence": 0.40 + (n % 57) / 100,
        "flags": (["vip"] if n % 10 == 0 else []) + (["angry"] if n % 7 == 0 else []),
        "tags": {"department": _DEPARTMENTS[n % 4], "language": "en"},
        "model": {"name": "answerer", "version": "2.1"},
        "prompt": {"name": "answer-customer", "version": "14"},
        "latency_ms": 400 + n % 300,
        "trace_id": f"{n:032x}",
    }


def _texts() -> list[str]:
    source = random.Random(20)
    return [_text(source, 1_000) for _ in range(64)]


def _text(source: random.Random, size: int) -> str:
    words: list[str] = []
    while sum(map(len, words)) + len(words) < size:
        words.append(source.choice(_WORDS))
    return " ".join(words)[:size]


_TEXTS = _texts()
