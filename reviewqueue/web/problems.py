"""The page behind each problem's `type`: what the refusal means and what to do about it."""

from __future__ import annotations

from flask import Flask, render_template

from reviewqueue.errors import NotFound, Refusal
from reviewqueue.web import errors  # its types of refusal count too
from reviewqueue.web.requests import public

EXPLAINED = {
    "refused": "The request was refused for a reason that has no page of its own; its detail says which.",
    "not-json": (
        "Bodies are UTF-8 JSON that can be read in one way only. NaN, Infinity, integers beyond 64 bit, duplicate "
        "keys, lone surrogates, NUL characters and more than 64 levels are refused. Numbers that must stay exact "
        "are best sent as strings."
    ),
    "bad-request": "The request itself is malformed: a header, a parameter or the way the body was sent.",
    "unauthenticated": (
        "Apps send a key, `Authorization: Bearer rq_…`; an admin makes one with `reviewqueue key create`. People "
        "sign in. A key that was revoked, or whose person was disabled, no longer works."
    ),
    "sign-in-failed": (
        "The email address or the password is wrong; which one is not told. An admin can make a link that lets you "
        "choose a new password."
    ),
    "forbidden": (
        "You are known, but your role in this queue, or the key's scopes, do not include this. A manager of the "
        "queue grants roles; an admin makes keys."
    ),
    "foreign-origin": (
        "What changes something must be sent from a page of this site, so that no other site can act in your name. "
        "Open the page here and send it again. Behind a proxy, the operator sets REVIEWQUEUE_BASE_URL."
    ),
    "not-found": "There is nothing at this address, or it is out of your reach, which reads the same on purpose.",
    "no-such-queue": "No queue of that name exists, you have no role in it, or the key does not serve it.",
    "no-such-item": "No item of that id exists, or it belongs to a queue that is out of your reach.",
    "method-not-allowed": "The address exists, but answers other methods; the Allow header lists them.",
    "not-acceptable": "The Accept header leaves no form that the answer could take.",
    "conflict": "The thing is in a state that does not allow this. Look at it again and decide anew.",
    "external-id-taken": (
        "An external id names one item of its queue for good. The same content again answers with that item; other "
        "content needs another external id, or supersedes the first item."
    ),
    "claimed-by-another": "Somebody else holds the item; `until` says how long. Take the next one meanwhile.",
    "already-decided": "A decision stands. A lead can reopen the item, with a reason.",
    "wrong-state": "The item's state does not allow this step; its page shows what is possible.",
    "already-reviewed": "You have reviewed this item in this round; further reviews are for other people.",
    "too-late-to-undo": (
        "A decision can be undone by whoever made it, within 30 seconds and before an app has got the outcome. "
        "After that, a lead can reopen the item."
    ),
    "stale": "The item changed after you saw it. Get it again, look at what changed, and send your decision anew.",
    "claim-lost": "Your claim ran out and somebody else took the item. What you typed is kept as your draft.",
    "too-large": "The body is over the limit: 1 MiB, or 32 MiB for a batch, unless the operator chose otherwise.",
    "unsupported-media-type": "Send `Content-Type: application/json`; a batch may also be `application/x-ndjson`.",
    "invalid": "The body was understood, but something in it does not fit; `errors` says where and what.",
    "invalid-document": "The queue's document does not fit; `errors` names each key and what is wrong with it.",
    "invalid-calendar": "The calendar's document does not fit; `errors` names each key and what is wrong with it.",
    "idempotency-key-reused": (
        "An Idempotency-Key stands for one body for 72 hours. Repeat exactly the same body, or use a new key."
    ),
    "precondition-required": (
        "A decision says what it was based on: send the claim's `claim_token`, or `If-Match` with the item's ETag."
    ),
    "too-many-requests": "Too many attempts in a short time. `Retry-After` says how many seconds to wait.",
    "unavailable": "Something that is needed cannot be reached just now. Try again in a moment.",
    "internal-error": "Something broke on our side and is in the log, under the request's id. Nothing was changed.",
}


def register(app: Flask) -> None:
    app.add_url_rule("/problems/<slug>", "problem", public(problem))


def problem(slug: str) -> str:
    """Explains one type of problem.

    Raises NotFound for a slug that no refusal has.
    """
    kind = next((kind for kind in all_kinds() if kind.slug == slug), None)
    if kind is None:
        raise NotFound("There is no such problem.")
    return render_template("web/problem.html", kind=kind, explanation=EXPLAINED.get(slug, kind.title))


def all_kinds(kind: type[Refusal] = Refusal) -> list[type[Refusal]]:
    """Every type of refusal that has been loaded."""
    return [kind, *(found for below in kind.__subclasses__() for found in all_kinds(below))]


__all__ = ["EXPLAINED", "all_kinds", "errors", "problem", "register"]
