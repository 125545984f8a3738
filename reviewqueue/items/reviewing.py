"""What the review page needs around a decision: what its person holds, and what a posted form is read against."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..db import Database, Json
from ..errors import Invalid
from ..people.access import Action, Caller, access_of
from ..queues.lanes import Lane
from ..queues.models import Queue
from ..queues.policies import policy_of, queue_named
from ..queues.routing import Policy
from ..queues.schemas import faults_of
from . import output_form, page_queries, queries
from .deciding import Judgement, unfit_to_accept
from .differences import patch
from .loaded import no_such_item
from .models import Evidence, Item
from .refusals import told_faults
from .states import State, Verdict
from .suggestion import Typed, answer_of


@dataclass(frozen=True, slots=True)
class Held:
    item_id: uuid.UUID
    token: str
    until: datetime


class Doubtful(Invalid):
    """An accept that drops what was typed, or releases what breaks the schema; sent again as `sure`, it passes."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What a posted form is read against."""

    queue: str
    schema: dict[str, Any] | None
    policy: Policy
    suggested: Json
    hidden: bool
    """The suggestion has not been shown yet: step_aside, and no answer given."""
    answered: bool
    """In step_aside: the person's own answer stands in the form, and accepting leaves it out on purpose."""
    draft_edits: int

    @property
    def shown(self) -> Json:
        """What the controls began with."""
        return blank(self.suggested) if self.hidden else self.suggested

    def answer(self, typed: Typed) -> Json:
        """In step_aside the person's own. Raises Invalid for one that could not be the outcome, or is none."""
        answer = answer_of(self.schema, self.shown, typed)
        faults = faults_of(self.policy.validator, answer) if self.policy.validator is not None else ()
        if faults or answer in (None, ""):
            raise Invalid("Answer first: the suggestion is shown after an answer of your own.", faults=faults)
        return answer

    def judgement(self, verdict: str, typed: Typed, edits: int, *, sure: bool = False) -> Judgement:
        """The posted form as a judgement. Raises Invalid where it makes none."""
        try:
            said = Verdict(verdict)
        except ValueError:
            raise Invalid("Choose to accept, edit or reject.") from None
        if self.hidden and said is Verdict.ACCEPT:
            raise Invalid(
                "Answer first: the suggestion is shown after your own answer, and can be accepted then."
            )
        if said is Verdict.ACCEPT and not sure and (doubts := self._doubts(typed)):
            raise Doubtful(" ".join(doubts))
        output = None
        if said is Verdict.EDIT:
            output = answer_of(self.schema, self.shown, typed)
            if not patch(self.suggested, output):
                raise Invalid("Nothing is changed: accept the suggestion as it is, or change it first.")
        reason = typed.reason if said is not Verdict.ACCEPT else ""
        return Judgement(
            verdict=said,
            output=output,
            reason=reason or None,
            comment=typed.comment.strip() or None,
            suggestion_visible=not self.hidden,
            draft_edits=self.draft_edits + edits,
            despite_schema=said is Verdict.ACCEPT
            and sure
            and bool(unfit_to_accept(self.suggested, self.policy)),
        )

    def says_something(self, typed: Typed) -> bool:
        """Whether anything was typed that is worth keeping: words, or what differs from the controls' beginning."""
        words = typed.reason or typed.comment.strip() or typed.text.strip()
        return bool(words) or self._is_changed(typed)

    def _doubts(self, typed: Typed) -> list[str]:
        """Why an accept is asked for once more."""
        doubts = []
        if not self.answered and self._is_changed(typed):
            doubts.append(
                "You have changed the suggestion. Save the edit, or accept once more to leave your changes out."
            )
        if wrong := what_is_wrong(self.policy, self.suggested, self.schema):
            doubts.append(f"{wrong} Correct it, or accept once more to release it as it is.")
        return doubts

    def _is_changed(self, typed: Typed) -> bool:
        try:
            return bool(patch(self.shown, answer_of(self.schema, self.shown, typed)))
        except Invalid:
            return True


def what_is_wrong(policy: Policy, suggested: Json, schema: dict[str, Any] | None) -> str:
    """What speaks against releasing a suggestion unread: it is missing, or breaks the queue's schema."""
    faults = unfit_to_accept(suggested, policy)
    if not faults:
        return ""
    if suggested is None:
        return "The model gave no output."
    told = told_faults(faults[:3], output_form.fields(schema, suggested))
    return f"The suggestion does not fit the queue's schema: {' '.join(told)}"


@dataclass(frozen=True, slots=True)
class Around:
    """The figures at the edge of the review page."""

    queue: Queue
    decided_today: int
    waiting: int
    with_others: int
    """Of these, given to somebody else, and so not offered to the person."""
    other: str | None
    """Who they are, if they are all given to one."""
    undo_id: uuid.UUID | None
    undo_title: str | None
    undo_at: datetime | None


def held(db: Database, caller: Caller, queue: str, wanted: uuid.UUID | None = None) -> Held | None:
    """What the caller holds in the queue, the wanted item first; None when nothing. Raises like a claim."""
    with db.reading() as session:
        access = access_of(session, caller)
        desk = queue_named(session, queue)
        access.require(Action.CLAIM, desk.id, desk.name)
        if access.person_id is None:
            return None
        found = queries.held_by(session, access.person_id, db.clock.now(), desk.id)
    item = next((item for item in found if item.id == wanted), found[0] if found else None)
    if item is None or item.claim_token is None or item.claim_until is None:
        return None
    return Held(item.id, item.claim_token, item.claim_until)


def basis_of(db: Database, caller: Caller, item_id: uuid.UUID) -> Basis:
    """Raises NoSuchItem for one that is not there or out of the caller's reach."""
    with db.reading() as session:
        item = session.get(Item, item_id)
        access = access_of(session, caller)
        if item is None or access.person_id is None or not access.may(Action.SEE, item.queue_id):
            raise no_such_item(item_id)
        suggested = session.get_one(Evidence, item_id).output
        draft = page_queries.draft_of(session, item_id, access.person_id)
        waits = item.lane == Lane.STEP_ASIDE and item.state == State.PENDING and suggested is not None
        return Basis(
            queue=item.queue,
            schema=page_queries.schema_of(session, item.policy_id),
            policy=policy_of(session, item.policy_id),
            suggested=suggested,
            hidden=waits and not (draft and draft.answered_at),
            answered=bool(draft and draft.answered_at),
            draft_edits=draft.edits if draft else 0,
        )


def draft_of(db: Database, caller: Caller, item_id: uuid.UUID) -> Typed:
    """What the caller typed on the item, as it was kept."""
    basis = basis_of(db, caller, item_id)
    with db.reading() as session:
        me = access_of(session, caller).person_id
        draft = page_queries.draft_of(session, item_id, me) if me else None
        return Typed.of_draft(draft, basis.schema, basis.shown)


def around(db: Database, caller: Caller, queue: str) -> Around:
    """What the person has done today and what is left. Raises NoSuchQueue or Forbidden."""
    now = db.clock.now()
    with db.reading() as session:
        access = access_of(session, caller)
        desk = queue_named(session, queue)
        access.require(Action.CLAIM, desk.id, desk.name)
        me = access.person_id
        last = page_queries.undoable(session, me, now) if me else None
        waiting = page_queries.open_counts(session, desk.id)
        others = {to: count for to, count in waiting.items() if to and to not in access.assignees}
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return Around(
            queue=desk,
            decided_today=queries.reviews_since(session, me, midnight) if me else 0,
            waiting=sum(waiting.values()),
            with_others=sum(others.values()),
            other=next(iter(others)) if len(others) == 1 else None,
            undo_id=last[1].id if last else None,
            undo_title=last[1].title if last else None,
            undo_at=last[0].at if last else None,
        )


def blank(suggested: Json) -> Json:
    """An empty output of the suggestion's kind, for an answer that is given before it is seen."""
    return "" if isinstance(suggested, str) else None
