"""The pages behind each problem's `type`: what the refusal means, what to do about it, an example; and their list."""

from __future__ import annotations

import json

from flask import Flask, render_template

from reviewqueue.errors import NotFound, Refusal
from reviewqueue.web import errors  # its types of refusal count too
from reviewqueue.web.explanations import EXPLAINED, Explanation
from reviewqueue.web.requests import public
from reviewqueue.web.untrusted import markdown

REQUEST_ID = "0198c0de5eed7000"
"""Of the examples."""


def register(app: Flask) -> None:
    app.add_url_rule("/problems/", "problems", public(problems))
    app.add_url_rule("/problems/<slug>", "problem", public(problem))


def problems() -> str:
    """Every type of problem, by its status."""
    kinds = sorted(kinds_by_slug().values(), key=lambda kind: (kind.status, kind.slug))
    told = [(kind, markdown(EXPLAINED[kind.slug].happened)) for kind in kinds]
    return render_template("web/problems.html", told=told)


def problem(slug: str) -> str:
    """Explains one type of problem.

    Raises NotFound for a slug that no refusal has.
    """
    kind = kinds_by_slug().get(slug)
    if kind is None:
        raise NotFound("There is no such problem.")
    explanation = EXPLAINED[slug]
    return render_template(
        "web/problem.html",
        kind=kind,
        happened=markdown(explanation.happened),
        advice=markdown(explanation.advice),
        example=example(kind, explanation),
    )


def example(kind: type[Refusal], explanation: Explanation) -> str:
    """The problem document as a program gets it."""
    told = Refusal(explanation.detail, faults=explanation.faults, **explanation.members).problem(REQUEST_ID)
    told |= {"type": f"/problems/{kind.slug}", "title": kind.title, "status": kind.status}
    return json.dumps(told, indent=2, ensure_ascii=False)


def kinds_by_slug() -> dict[str, type[Refusal]]:
    """Every type of refusal that has been loaded; of several with one slug the most general."""
    return {kind.slug: kind for kind in reversed(_all_kinds(Refusal))}


def _all_kinds(kind: type[Refusal]) -> list[type[Refusal]]:
    return [kind, *(found for below in kind.__subclasses__() for found in _all_kinds(below))]


__all__ = ["EXPLAINED", "errors", "kinds_by_slug", "problem", "problems", "register"]
