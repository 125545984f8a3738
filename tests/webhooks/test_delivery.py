"""Deliveries from the commit to the receiver: staged with their events, signed, retried, disabled, sent again."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from reviewqueue.audit.models import Event, EventContent
from reviewqueue.audit.queries import trail_of
from reviewqueue.clock import MovableClock
from reviewqueue.config import Settings
from reviewqueue.db import Database
from reviewqueue.errors import Conflict, Invalid, TooLateToUndo
from reviewqueue.items import operations as items
from reviewqueue.notifications.models import Message, Notice, Notification
from reviewqueue.outbound.client import Client
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.people.forms import NewPerson
from reviewqueue.people.operations import add_person
from reviewqueue.webhooks import claiming, delivery, operations, queries, replaying, settling
from reviewqueue.webhooks.forms import ChangedSubscription, Replay, Rotation
from reviewqueue.webhooks.models import Announcement, Delivery, DeliveryAttempt
from reviewqueue.webhooks.schedule import MOST_ATTEMPTS, PAUSES
from reviewqueue.webhooks.settling import Result
from reviewqueue.webhooks.signing import Seal
from reviewqueue.worker import jobs
from tests.items.office import APP, Office, open_office

from ..support.making import make_queue
from .receivers import LOOPBACK, SEAL, Receiver, receiving, send, sender, subscribe, subscription_of


@pytest.fixture
def office(db: Database) -> Office:
    return open_office(db)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def deliveries(db: Database) -> list[Delivery]:
    with db.reading() as session:
        return list(session.scalars(sa.select(Delivery).order_by(Delivery.id)))


def attempts(db: Database) -> list[DeliveryAttempt]:
    with db.reading() as session:
        return list(session.scalars(sa.select(DeliveryAttempt).order_by(DeliveryAttempt.id)))


def count(db: Database, table: Any) -> int:
    with db.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def test_a_decision_reaches_its_subscriber_with_the_item_as_it_was_at_the_commit(
    office: Office, receiver: Receiver
) -> None:
    subscribe(office.db, receiver.url, ["item.accepted"], queues=["receipts"])
    item_id = office.enqueue(external_id="r-1")
    office.decide("ann", item_id)
    shown = office.item(item_id)
    items.reopen(office.db, office.caller("lea"), item_id, "look again")
    assert send(office.db) == 1
    [got] = receiver.got
    with office.db.reading() as session:
        [event] = [e for e in trail_of(session, item_id) if e["type"] == "item.accepted"]
    assert list(got.told) == ["type", "timestamp", "data"]
    assert got.told == {
        "type": "item.accepted",
        "timestamp": event["at"],
        "data": {"event": event, "item": shown},
    }
    assert got.headers["content-type"] == "application/json"
    assert uuid.UUID(got.id) == uuid.UUID(event["id"])
    [attempt] = attempts(office.db)
    assert (attempt.status, attempt.answer, attempt.error) == (200, "thanks", None)
    assert [delivery.state for delivery in deliveries(office.db)] == ["arrived"]


def test_only_the_queues_and_types_that_were_asked_for_are_staged(db: Database, receiver: Receiver) -> None:
    office, other = open_office(db), make_queue(db, "other")
    subscribe(db, receiver.url, ["item.enqueued", "item.auto_accepted"], queues=["receipts"])
    office.enqueue(confidence=0.99)
    items.enqueue(db, APP, {"queue": other.name, "input": 1})
    send(db)
    assert sorted(receiver.types) == ["item.auto_accepted", "item.enqueued"]
    assert {got.told["data"]["item"]["queue"] for got in receiver.got} == {"receipts"}
    assert count(db, Announcement) == 2


def test_without_a_subscription_nothing_is_kept_and_none_is_looked_up(office: Office) -> None:
    statements: list[str] = []
    sa.event.listen(office.db.engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    office.enqueue()
    assert count(office.db, Announcement) == count(office.db, Delivery) == 0
    reads = [
        s for s in statements if "subscription" in s and not s.startswith("INSERT INTO unordered_events")
    ]
    assert reads == []


def test_a_batch_is_staged_for_each_of_its_subscribers_and_its_bytes_once(
    office: Office, receiver: Receiver
) -> None:
    for name in ("books", "store"):
        subscribe(office.db, receiver.url, ["item.enqueued"], name=name)
    items.enqueue_batch(office.db, APP, [office.body(external_id=f"r-{n}") for n in range(60)])
    assert (count(office.db, Announcement), count(office.db, Delivery)) == (60, 120)
    assert send(office.db) == 120
    assert len({got.id for got in receiver.got}) == 60
    assert {got.told["data"]["item"]["external_id"] for got in receiver.got} == {f"r-{n}" for n in range(60)}


def test_another_process_learns_of_a_subscription_with_its_next_write(
    office: Office, receiver: Receiver
) -> None:
    office.enqueue()
    elsewhere = Database(office.db.url.render_as_string(hide_password=False), office.db.clock)
    made = subscribe(elsewhere, receiver.url, ["item.enqueued"])
    office.enqueue()
    assert count(office.db, Delivery) == 1
    operations.revoke(elsewhere, SYSTEM_CALLER, made.id)
    office.enqueue()
    assert count(office.db, Delivery) == 1
    elsewhere.dispose()


def test_failures_are_tried_again_by_the_schedule_with_the_same_id_and_bytes(
    office: Office, receiver: Receiver, clock: MovableClock
) -> None:
    subscribe(office.db, receiver.url, ["item.enqueued"])
    office.enqueue()
    receiver.will_answer(*[500] * MOST_ATTEMPTS, body=b"<b>busy</b>")
    for number, pause in enumerate(PAUSES, start=1):
        assert send(office.db) == 1
        assert send(office.db) == 0
        [delivery] = deliveries(office.db)
        assert (delivery.state, delivery.attempts) == ("waiting", number)
        assert 0.9 * pause <= delivery.planned_at - clock.now() <= 1.1 * pause
        clock.set(delivery.planned_at)
    assert send(office.db) == 1
    [delivery] = deliveries(office.db)
    assert (delivery.state, delivery.attempts) == ("failed", MOST_ATTEMPTS)
    assert len({(got.id, got.body) for got in receiver.got}) == 1
    kept = attempts(office.db)
    assert [(a.status, a.answer) for a in kept] == [(500, "<b>busy</b>")] * MOST_ATTEMPTS
    assert [a.planned_at for a in kept] == [a.started_at for a in kept]
    assert len({got.headers["webhook-timestamp"] for got in receiver.got}) == MOST_ATTEMPTS


def test_retry_after_puts_the_next_attempt_off(
    office: Office, receiver: Receiver, clock: MovableClock
) -> None:
    subscribe(office.db, receiver.url, ["item.enqueued"])
    office.enqueue()
    receiver.will_answer(429, headers={"Retry-After": "600"})
    receiver.will_answer(
        503, headers={"Retry-After": format_datetime(clock.now() + timedelta(hours=2), True)}
    )
    send(office.db)
    [delivery] = deliveries(office.db)
    assert delivery.planned_at == clock.now() + timedelta(minutes=10)
    clock.set(delivery.planned_at)
    send(office.db)
    [delivery] = deliveries(office.db)
    assert delivery.planned_at - clock.now() == timedelta(minutes=110)


def test_410_disables_at_once_and_the_admins_are_told(
    office: Office, receiver: Receiver, clock: MovableClock
) -> None:
    add_person(office.db, SYSTEM_CALLER, NewPerson(email="ada@example.org", name="Ada", is_admin=True))
    made = subscribe(office.db, receiver.url, ["item.enqueued"])
    office.enqueue()
    receiver.will_answer(410)
    send(office.db)
    to = subscription_of(office.db, made)
    assert (to.state, to.why) == ("disabled", "The receiver answered 410: it is gone for good.")
    office.enqueue()
    assert [delivery.state for delivery in deliveries(office.db)] == ["failed", "failed"]
    with office.db.reading() as session:
        notice = session.scalars(sa.select(Notice)).one()
        assert (notice.path, notice.item_id) == (f"/admin/subscriptions/{made.id}", None)
        assert session.scalars(sa.select(Message.receiver)).all() == ["ada@example.org"]
        assert count(office.db, Notification) == 1
        assert session.scalar(sa.select(Event.type).where(Event.type == "subscription.disabled"))
    with pytest.raises(Conflict, match="resume it first"):
        replaying.replay(office.db, SYSTEM_CALLER, made.id, Replay())
    operations.resume(office.db, SYSTEM_CALLER, made.id)
    assert replaying.replay(office.db, SYSTEM_CALLER, made.id, Replay()) == 2
    assert send(office.db) == 2
    assert {delivery.state for delivery in deliveries(office.db)} == {"arrived"}


def test_five_days_of_failure_alone_disable(office: Office, receiver: Receiver, clock: MovableClock) -> None:
    made = subscribe(office.db, receiver.url, ["item.enqueued"])
    receiver.will_answer(*[500] * 100)
    for _ in range(5):
        office.enqueue()
        send(office.db)
        assert subscription_of(office.db, made).state == "active"
        clock.move(days=1)
    send(office.db)
    to = subscription_of(office.db, made)
    assert to.state == "disabled" and "Nothing has arrived for 5 days" in to.why


def test_what_arrives_in_between_starts_the_five_days_anew(
    office: Office, receiver: Receiver, clock: MovableClock
) -> None:
    made = subscribe(office.db, receiver.url, ["item.enqueued"])
    for answers in ([500] * 3, [200], [500] * 3):
        office.enqueue()
        receiver.will_answer(*answers)
        for _ in answers:
            send(office.db)
            clock.move(days=1)
    to = subscription_of(office.db, made)
    assert to.state == "active" and clock.now() - to.failing_since == timedelta(days=3)


def test_a_paused_subscription_keeps_what_happens_and_sends_it_when_it_is_resumed(
    office: Office, receiver: Receiver
) -> None:
    made = subscribe(office.db, receiver.url, ["item.enqueued"])
    operations.pause(office.db, SYSTEM_CALLER, made.id)
    office.enqueue()
    assert send(office.db) == 0
    operations.resume(office.db, SYSTEM_CALLER, made.id)
    assert send(office.db) == 1


def test_only_the_leases_holder_says_what_became_of_it(
    office: Office, receiver: Receiver, clock: MovableClock
) -> None:
    made = subscribe(office.db, receiver.url, ["item.enqueued"])
    office.enqueue()
    first = claiming.claim(office.db, made.id)
    assert first is not None
    assert claiming.claim(office.db, made.id) is None, "it is on its way"
    clock.move(seconds=claiming.LEASE.total_seconds())
    second = claiming.claim(office.db, made.id)
    assert second is not None and second.deliveries[0].body == first.deliveries[0].body
    arrived = {due.id: Result(clock.now(), 0.1, 200) for due in first.deliveries}
    assert not settling.settle(office.db, first, arrived), "its lease ran out, and another has it"
    assert attempts(office.db) == []
    assert settling.settle(office.db, second, arrived)
    assert [delivery.state for delivery in deliveries(office.db)] == ["arrived"]


def test_at_most_four_batches_of_a_subscription_are_under_way_and_one_while_it_fails(
    office: Office, receiver: Receiver, clock: MovableClock
) -> None:
    made = subscribe(office.db, receiver.url, ["item.enqueued"])
    items.enqueue_batch(office.db, APP, [office.body() for _ in range(5 * claiming.BATCH)])
    batches = [claiming.claim(office.db, made.id) for _ in range(5)]
    assert [batch is not None for batch in batches] == [True] * 4 + [False]
    for batch in batches[:4]:
        assert batch is not None
        failed = {batch.deliveries[0].id: Result(clock.now(), 0.1, 500)}
        settling.settle(office.db, batch, failed)
    waiting = [delivery for delivery in deliveries(office.db) if delivery.attempts == 0]
    assert len(waiting) == 5 * claiming.BATCH - 4, "what a batch had no time for was never tried"
    one = claiming.claim(office.db, made.id)
    assert one is not None and len(one.deliveries) == 1
    assert claiming.claim(office.db, made.id) is None


def test_several_workers_send_each_delivery_once(db: Database, receiver: Receiver) -> None:
    office = open_office(db)
    subscribe(db, receiver.url, ["item.enqueued"])
    items.enqueue_batch(db, APP, [office.body() for _ in range(100)])
    threads = [threading.Thread(target=send, args=(db,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(receiver.got) == len({got.id for got in receiver.got}) == 100


def test_the_worker_is_woken_by_a_commit_of_its_own_process(
    office: Office, receiver: Receiver, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "LOOK_EVERY", 60.0)
    subscribe(office.db, receiver.url, ["item.enqueued"])
    arrived, waits, woken = threading.Event(), threading.Event(), list[bool]()
    receiver.on_request = lambda _: arrived.set()

    class Watched(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.set()
            woken.append(super().wait(timeout if woken else 10))
            return woken[-1]

    office.db.to_send = Watched()
    allowed = settings.model_copy(update={"allowed_networks": "127.0.0.0/8"})
    [job] = [job for job in jobs(allowed) if job.name == "send deliveries"]
    thread = threading.Thread(target=job.run, args=(office.db, 0.2), daemon=True)
    thread.start()
    assert waits.wait(10), "it found nothing to do"
    office.enqueue()
    assert arrived.wait(10)
    thread.join(10)
    assert woken[0], "the commit woke it"


def test_what_breaks_unexpectedly_is_an_attempt_like_others(
    office: Office, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Client, "post", broken)
    subscribe(office.db, receiver.url, ["item.enqueued"])
    office.enqueue()
    send(office.db)
    assert [attempt.error for attempt in attempts(office.db)] == ["unexpected ZeroDivisionError"]


def test_both_secrets_sign_while_a_rotation_overlaps(
    office: Office, receiver: Receiver, clock: MovableClock
) -> None:
    made = subscribe(office.db, receiver.url, ["item.enqueued"])
    operations.rotate(office.db, SYSTEM_CALLER, made.id, Rotation(overlap_hours=2), SEAL)
    office.enqueue()
    send(office.db)
    clock.move(hours=2)
    office.enqueue()
    send(office.db)
    assert [len(got.headers["webhook-signature"].split(" ")) for got in receiver.got] == [2, 1]


def test_a_secret_under_another_key_is_told_and_nothing_leaves_unsigned(
    office: Office, receiver: Receiver
) -> None:
    subscribe(office.db, receiver.url, ["item.enqueued"])
    office.enqueue()
    stranger = sender()
    stranger.seal = Seal("another key")
    stranger.run(office.db, linger=0)
    [attempt] = attempts(office.db)
    assert "REVIEWQUEUE_SECRET_KEY" in (attempt.error or "") and receiver.got == []


def test_the_secret_is_in_no_event_and_sealed_in_the_database(office: Office, receiver: Receiver) -> None:
    made = subscribe(office.db, receiver.url)
    rotated = operations.rotate(office.db, SYSTEM_CALLER, made.id, Rotation(), SEAL)
    with office.db.reading() as session:
        events = orjson.dumps(session.scalars(sa.text("SELECT body FROM event_content")).all()).decode()
        kept = str(session.execute(sa.text("SELECT * FROM subscription")).all())
    for secret in (made.secret, rotated.secret):
        assert secret.startswith("whsec_")
        assert secret not in events + kept
    assert SEAL.open(subscription_of(office.db, made).old_secret) == made.secret


def test_a_decision_on_its_way_can_no_longer_be_undone(office: Office, receiver: Receiver) -> None:
    subscribe(office.db, receiver.url, ["item.accepted"])
    item_id = office.enqueue()
    office.decide("ann", item_id)
    receiver.on_request = lambda _: _undo_is_too_late(office, item_id)
    send(office.db)
    assert receiver.types == ["item.accepted"]


def _undo_is_too_late(office: Office, item_id: uuid.UUID) -> None:
    with pytest.raises(TooLateToUndo, match="an app has the outcome"):
        items.undo(office.db, office.caller("ann"), item_id)


def test_a_decision_that_was_undone_first_never_leaves(office: Office, receiver: Receiver) -> None:
    subscribe(office.db, receiver.url, ["item.accepted", "item.undone"])
    item_id = office.enqueue()
    office.decide("ann", item_id)
    items.undo(office.db, office.caller("ann"), item_id)
    send(office.db)
    assert receiver.types == ["item.undone"]
    assert sorted(delivery.state for delivery in deliveries(office.db)) == ["arrived", "undone"]


def test_who_waits_for_the_undo_gets_a_decision_when_it_is_for_good(
    office: Office, receiver: Receiver, clock: MovableClock
) -> None:
    subscribe(office.db, receiver.url, ["item.enqueued", "item.accepted"], waits_for_undo=True)
    first, second = office.enqueue(), office.enqueue()
    office.decide("ann", first)
    office.decide("ann", second)
    send(office.db)
    assert receiver.types == ["item.enqueued"] * 2
    clock.move(seconds=29)
    items.undo(office.db, office.caller("ann"), second)
    clock.move(seconds=2)
    send(office.db)
    assert receiver.types == ["item.enqueued"] * 2 + ["item.accepted"]
    assert receiver.got[-1].told["data"]["item"]["id"] == str(first)


def test_a_test_event_is_sent_at_once_whatever_was_subscribed_to(office: Office, receiver: Receiver) -> None:
    made = subscribe(office.db, receiver.url, ["item.rejected"])
    operations.pause(office.db, SYSTEM_CALLER, made.id)
    receiver.will_answer(418, body=b"teapot")
    attempt = operations.send_test(office.db, SYSTEM_CALLER, made.id, sender())
    assert (attempt.status, attempt.answer) == (418, "teapot")
    assert receiver.types == ["subscription.tested"]
    assert receiver.got[0].told["data"]["item"] is None


def test_replaying_a_range_one_or_all_sends_the_same_bytes_again(
    office: Office, receiver: Receiver, clock: MovableClock
) -> None:
    made = subscribe(office.db, receiver.url, ["item.enqueued"])
    for _ in range(3):
        office.enqueue()
        send(office.db)
        clock.move(hours=1)
    first, second, _ = deliveries(office.db)

    def replay(**given: Any) -> int:
        return replaying.replay(office.db, SYSTEM_CALLER, made.id, Replay(**given))

    assert replay() == 0, "nothing failed"
    assert replay(deliveries=[first.id]) == 1
    assert replay(since=second.created_at, until=second.created_at + timedelta(hours=1), state="any") == 1
    assert send(office.db) == 2
    assert [got.id for got in receiver.got[3:]] == [str(first.event_id), str(second.event_id)]
    assert [got.body for got in receiver.got[3:]] == [got.body for got in receiver.got[:2]]
    assert len(attempts(office.db)) == 5


def test_a_changed_subscription_sends_by_its_new_wishes(office: Office, receiver: Receiver) -> None:
    made = subscribe(office.db, receiver.url, ["item.enqueued"], queues=["receipts"])
    form = ChangedSubscription(types=["item.claimed"], queues=None)
    operations.change(office.db, SYSTEM_CALLER, made.id, form, LOOPBACK)
    office.claim("ann", office.enqueue())
    send(office.db)
    assert receiver.types == ["item.claimed"]


def test_a_queue_or_url_that_cannot_be_is_refused(office: Office, receiver: Receiver) -> None:
    with pytest.raises(Invalid, match="no such queue"):
        subscribe(office.db, receiver.url, queues=["nowhere"])
    with pytest.raises(Invalid) as refused:
        subscribe(office.db, "http://10.0.0.1/hook")
    assert refused.value.faults[0].pointer == "/url"


def test_the_trail_does_not_keep_what_an_address_asks_with(office: Office, receiver: Receiver) -> None:
    made = subscribe(office.db, f"{receiver.url}?token=hush")
    change = ChangedSubscription(url=f"{receiver.url}?token=hush-hush")
    operations.change(office.db, SYSTEM_CALLER, made.id, change, LOOPBACK)
    with office.db.reading() as session:
        bodies = session.scalars(
            sa.select(EventContent.body)
            .join(Event, Event.id == EventContent.event_id)
            .where(Event.type.in_(["subscription.added", "subscription.changed"]))
            .order_by(Event.id)
        ).all()
    assert [orjson.loads(body)["data"]["url"] for body in bodies] == [f"{receiver.url}?…"] * 2
    assert subscription_of(office.db, made).url.endswith("?token=hush-hush")


def test_an_item_tells_what_became_of_its_outcomes(office: Office, receiver: Receiver) -> None:
    subscribe(office.db, receiver.url, name="books")
    waiting, decided = office.enqueue(), office.enqueue()
    send(office.db)
    office.decide("ann", decided)
    receiver.on_request = lambda got: receiver.will_answer(
        503 if got.told["type"] == "item.accepted" else 200
    )
    send(office.db)
    [told] = queries.of_item(office.db, decided)
    assert (told.type, told.to, told.state) == ("item.accepted", "books", "waiting")
    assert [attempt.status for attempt in told.attempts] == [503]
    assert str(told.event) in {event["id"] for event in office.trail(decided)}
    assert queries.of_item(office.db, waiting) == []
