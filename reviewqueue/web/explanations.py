"""What each type of problem means: what happened, what to do about it, and what an answer with it looks like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reviewqueue.errors import Fault


@dataclass(frozen=True, slots=True)
class Explanation:
    happened: str
    advice: str
    detail: str
    """Of the example."""
    faults: tuple[Fault, ...] = ()
    members: Mapping[str, Any] = field(default_factory=dict)


EXPLAINED = {
    "refused": Explanation(
        "The request was refused for a reason that has no page of its own.",
        "Read the detail, which says why. Where it does not help, the request's id finds the call in the log.",
        "The server refuses this method of transfer.",
    ),
    "not-json": Explanation(
        "The body is not JSON that can be read in one way only. NaN, Infinity, integers beyond 64 bit, duplicate keys, "
        "lone surrogates, NUL characters and more than 64 levels are refused, since two readers could differ on them.",
        "Write the body with a JSON library, as UTF-8. Send null for a number that is missing, and a string for one "
        "that must stay exact.",
        "/output/total: NaN is not JSON.",
        (Fault("/output/total", "NaN is not JSON."),),
    ),
    "bad-request": Explanation(
        "The request itself is malformed: a header, a parameter of the address, or the way the body was sent.",
        "Compare the call with the one at /api/docs. A proxy that rewrites requests may be to blame as well.",
        "The request cannot be understood.",
    ),
    "unauthenticated": Explanation(
        "The request carries no key and no session, or one that is no longer good: the key was revoked, its person was "
        "disabled, the session has ended.",
        "Apps send `Authorization: Bearer rq_…`; an admin makes a key with `reviewqueue key create`, which shows it "
        "once. People sign in again.",
        "Send a key: Authorization: Bearer rq_…",
    ),
    "sign-in-failed": Explanation(
        "The email address or the password is wrong. Which one is not told, so that nobody can find out who has an "
        "account.",
        "Try again. An admin can make a link that lets you choose a new password: `reviewqueue person link ADDRESS`.",
        "The email address or the password is wrong.",
    ),
    "forbidden": Explanation(
        "You are known, but your role in this queue, or the scopes of the key, do not include this.",
        "A manager of the queue grants roles, in its document under `members`. Scopes belong to a key for good: make "
        "one that has what the call needs. A decision needs a key that belongs to a person.",
        "The key lacks the scope items:write.",
    ),
    "foreign-origin": Explanation(
        "What changes something must be sent from a page of this site, so that no other site can act in your name. "
        "This request came from elsewhere, or from an address that the server does not know to be its own.",
        "Open the page here and send it again. Where that is what you did, the detail names the address that you "
        "opened and the one that is set: open that, or, as the operator, set `REVIEWQUEUE_BASE_URL` to the address "
        "that people use, behind a proxy `REVIEWQUEUE_TRUSTED_PROXIES` too. With an `https` address, plain `http` is "
        "refused, since the browser would not keep the sign-in.",
        "The page was opened at http://desk.internal, the server is reached at http://127.0.0.1:8000, and "
        "REVIEWQUEUE_BASE_URL says https://review.example.org.",
    ),
    "not-found": Explanation(
        "There is nothing at this address, or it is out of your reach, which reads the same on purpose.",
        "Check the address and its spelling; /api/docs lists all. If it should be within your reach, ask a manager of "
        "the queue for a role, or an admin for a key that serves the queue.",
        "There is nothing at this address.",
    ),
    "no-such-queue": Explanation(
        "No queue of that name exists, you have no role in it, or the key does not serve it.",
        "`GET /api/v1/queues` lists those within your reach. `reviewqueue queue apply FILE` creates one; "
        "`reviewqueue key create --queue NAME` makes a key that serves it.",
        "There is no queue 'receipt-extraktion'.",
    ),
    "no-such-item": Explanation(
        "No item of that id exists, or it belongs to a queue that is out of your reach.",
        "Use the `id` that enqueueing answered. By your own external id an item is found with "
        "`GET /api/v1/items?queue=…&external_id=…`.",
        "There is no item 0198c0de-0000-7000-8000-000000000000.",
    ),
    "method-not-allowed": Explanation(
        "The address exists, but answers other methods.",
        "The header `Allow` lists them. A redirect may have turned a POST into a GET: call the final address.",
        "This address does not answer that method.",
    ),
    "not-acceptable": Explanation(
        "The header `Accept` leaves no form that the answer could take.",
        "Send `Accept: application/json`, or leave the header out.",
        "The answer has no form that the Accept header allows.",
    ),
    "conflict": Explanation(
        "The thing is in a state that does not allow this, often because somebody else was faster.",
        "Look at it again and decide anew. The same request again gives the same answer.",
        "Somebody else has changed it meanwhile.",
    ),
    "external-id-taken": Explanation(
        "An external id names one item of its queue for good. This one came before with other content; any difference "
        "counts, a confidence too.",
        "The same content again answers with the first item. For a corrected output use another external id, with "
        "`supersedes` naming the first. An app that runs its model again after a crash asks for its item first: "
        "`GET /api/v1/items?external_id=…`.",
        "The external id 'receipt-0001' came before with other content; send the change under a new one.",
    ),
    "claimed-by-another": Explanation(
        "Somebody else holds the item, and works on it.",
        "`until` says how long their claim lasts unless they renew it. Take the next item meanwhile; a lead can "
        "release the claim.",
        "Ann holds the item until 2026-03-02T09:10:00Z.",
        members={"until": "2026-03-02T09:10:00Z"},
    ),
    "given-to-another": Explanation(
        "The item is assigned to a person or team that you are not: by a lead, or since it escalated.",
        "`assigned_to` says to whom. Take the next item; a lead can give this one to you, or take it themselves.",
        "The item is given to team:leads.",
        members={"assigned_to": "team:leads"},
    ),
    "already-decided": Explanation(
        "A decision stands for this item, so it takes no other and cannot be withdrawn.",
        "Read the item: its `outcome` is what the app may act on. A lead can reopen it, with a reason.",
        "The item is accepted already.",
    ),
    "wrong-state": Explanation(
        "The step is not possible in the item's state: only what policy released can be recalled, only what is waiting "
        "can be snoozed, and what is withdrawn stays so.",
        "Read the item's `state`. Its page offers the steps that are possible.",
        "An item that is withdrawn cannot be escalated.",
    ),
    "already-reviewed": Explanation(
        "The queue needs several independent reviews of an item, and yours of this round is in.",
        "Take the next item; the further reviews are for other people.",
        "You have reviewed this item in this round.",
    ),
    "too-late-to-undo": Explanation(
        "A decision can be undone by whoever made it, for 30 seconds, and only until an app has got the outcome. That "
        "is over.",
        "Ask a lead to reopen the item, with a reason. The app then gets a corrected outcome.",
        "The outcome was delivered already; ask a lead to reopen the item.",
    ),
    "stale": Explanation(
        "The item changed after you saw it: its version is no longer the one in `If-Match`.",
        "Get it again, look at what changed, and send the decision anew with the new ETag. A claim spares you this.",
        "The item is at version 4; you saw version 3.",
    ),
    "claim-lost": Explanation(
        "Your claim ran out, or was released, and the item has changed hands since.",
        "What you typed is kept as your draft. Claim the item again once it is free, or go on with the next.",
        "Somebody else has claimed the item since.",
    ),
    "too-large": Explanation(
        "The body is over the limit: 1 MiB, or 32 MiB for a batch, unless the operator chose otherwise.",
        "Send a batch as several. Send large images smaller, or as a link for people to open. The operator raises the "
        "limits with `REVIEWQUEUE_MAX_BODY` and `REVIEWQUEUE_MAX_BATCH_BODY`.",
        "The body is larger than the limit.",
    ),
    "unsupported-media-type": Explanation(
        "The header `Content-Type` names something that is not read here.",
        "Send `Content-Type: application/json`. A batch may also be `application/x-ndjson`, one item a line.",
        "The body's type is not accepted here. Send application/json.",
    ),
    "invalid": Explanation(
        "The body was understood, but something in it does not fit: a field is missing, unknown or out of range, or an "
        "output breaks the queue's schema. Nothing was kept.",
        "Each of `errors` names the place, as a JSON pointer into what you sent, and what is wrong there. Mend that; "
        "the same request again gives the same answer.",
        "The input does not fit: see /confidence.",
        (Fault("/confidence", "must be at most 1"),),
    ),
    "invalid-document": Explanation(
        "The queue's document does not fit. Nothing of it was applied.",
        "Each of `errors` names a key and what is wrong with it. docs/policy.md explains every key; "
        "`reviewqueue queue apply FILE` prints the same on the command line.",
        "The document does not fit: see /policy/lanes.",
        (Fault("/policy/lanes/assist_at", "must not be above autonomous_at"),),
    ),
    "invalid-calendar": Explanation(
        "The calendar's document does not fit: it names an unknown zone, overlapping hours, or never opens.",
        "Each of `errors` names a key and what is wrong with it. docs/calendars.md explains every key.",
        "The calendar does not fit: see /zone.",
        (Fault("/zone", "is not a known time zone"),),
    ),
    "idempotency-key-reused": Explanation(
        "An Idempotency-Key stands for one body for 72 hours, and this one came before with another.",
        "Repeat exactly the same body, or use a new key for new content. A key that is made of a counter or a time is "
        "soon used twice; a random one is not.",
        "This Idempotency-Key came before with another body; use a new key for new content.",
    ),
    "precondition-required": Explanation(
        "A decision must say what it was based on, so that nobody decides on something that they have not seen.",
        "Send the claim's `claim_token`, or the header `If-Match` with the ETag of the item that you read.",
        "Send claim_token, or If-Match with the item's ETag.",
    ),
    "too-many-requests": Explanation(
        "Too many attempts to sign in, or to change a password, came in a short time: for one address of mail, or from "
        "one network.",
        "Wait as many seconds as the header `Retry-After` says, then try again. Whoever forgot their password gets a "
        "new link from an admin: `reviewqueue person link ADDRESS`.",
        "Too many attempts. Try again in 15 minutes.",
        members={"retry_after": 870},
    ),
    "rate-limited": Explanation(
        "The key has called as often as the operator lets one key call in a minute. Nothing was done.",
        "Wait as many seconds as the header `Retry-After` says, then send the same again; `reviewqueue.client` does so "
        "by itself. `RateLimit` tells on every answer how many calls are left. Waiting with `?wait=60` needs fewer of "
        "them than asking again and again, and a batch fewer than single items. The operator sets "
        "`REVIEWQUEUE_RATE_LIMIT`.",
        "This key may call 600 times a minute. Go on in 42 seconds.",
        members={"retry_after": 42},
    ),
    "unavailable": Explanation(
        "Something that is needed cannot be reached just now, such as the database. Nothing was changed.",
        "Try again after the seconds in `Retry-After`, then after growing pauses; an external id or an Idempotency-Key "
        "makes the repeat safe. The operator sees why at /readyz.",
        "The database cannot be reached just now. Try again in a moment.",
        members={"retry_after": 5},
    ),
    "internal-error": Explanation(
        "Something broke on our side. Nothing was changed.",
        "Try again; an external id or an Idempotency-Key makes the repeat safe. If it stays, give the operator the "
        "`request_id`: it finds the error in the log.",
        "Something broke on our side. The request's id finds it in the log.",
    ),
}
