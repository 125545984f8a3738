"""Reviews as the pages tell them: who judged how, and what they changed."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from . import differences
from .differences import Change, Op
from .dossiers import Dossier
from .models import Review


@dataclass(frozen=True, slots=True)
class ToldReview:
    """A review with what it changed: word by word for a text, value by value for all else."""

    review: Review
    by: str
    pieces: list[tuple[Op, str]]
    changes: list[Change]


def told_reviews(seen: Dossier) -> list[ToldReview]:
    """The reviews that the viewer may see, the oldest first."""
    return [_told(seen, review) for review in seen.reviews]


def _told(seen: Dossier, review: Review) -> ToldReview:
    by = seen.names.get(review.person_id, "a person")
    if review.output_json is None or seen.hides_suggestion:
        return ToldReview(review, by, [], [])
    before, after = seen.evidence.output, orjson.loads(review.output_json)
    if isinstance(before, str) and isinstance(after, str):
        return ToldReview(review, by, differences.words(before, after), [])
    return ToldReview(review, by, [], differences.changes(before, after))
