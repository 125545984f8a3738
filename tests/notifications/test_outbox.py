"""The outbox: claimed with a lease, sent at least once, folded by the minute; and mail and chat for real."""

from __future__ import annotations

import json
import socket
import threading
import uuid
from collections.abc import Iterator
from datetime import timedelta
from email.message import Message as Mail
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from reviewqueue.clock import MovableClock
from reviewqueue.config import Settings
from reviewqueue.db import Database
from reviewqueue.errors import Conflict, Forbidden, Invalid
from reviewqueue.escalation.operations import fire_due
from reviewqueue.notifications import operations, outbox, queries
from reviewqueue.notifications.forms import NewChannel
from reviewqueue.notifications.models import Message, Notification
from reviewqueue.notifications.outbox import PAUSES, NotSent, Parcel, Refused
from reviewqueue.notifications.sending import sending
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.transaction import SYSTEM
from tests.items.office import Office, open_office
from tests.webhooks.receivers import LOOPBACK

ON_MAIL = [{"after": "1h", "to": "lead", "notify": ["mail"]}]


class Receiver:
    """Keeps what it is sent; fails as often as it is told to."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.got: list[Parcel] = []

    def __call__(self, parcel: Parcel) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.got.append(parcel)


@pytest.fixture
def office(db: Database) -> Office:
    return open_office(db, escalation=ON_MAIL)


def escalate(office: Office, clock: MovableClock, count: int = 1) -> None:
    for _ in range(count):
        office.enqueue(external_id=uuid.uuid4().hex)
    clock.move(hours=1)
    fire_due(office.db)


def rows(db: Database) -> list[Message]:
    with db.reading() as session:
        return list(session.scalars(sa.select(Message).order_by(Message.id)))


def test_a_burst_is_folded_into_one_parcel_a_minute(office: Office, clock: MovableClock) -> None:
    receiver = Receiver()
    escalate(office, clock, 5)
    assert outbox.send_due(office.db, receiver) == 1
    office.enqueue()
    escalate(office, clock, 2)
    assert [len(parcel.notices) for parcel in receiver.got] == [5]
    assert outbox.send_due(office.db, receiver) == 1
    clock.move(seconds=10)
    items = office.enqueue(external_id="soon after")
    from reviewqueue.items import operations as verbs

    verbs.assign(office.db, office.caller("max"), items, "lea@example.org")
    assert outbox.send_due(office.db, receiver) == 0, "the minute is not over"
    clock.move(seconds=50)
    assert outbox.send_due(office.db, receiver) == 1
    assert [len(parcel.notices) for parcel in receiver.got] == [5, 3, 1]
    assert {row.state for row in rows(office.db)} == {"sent"}


def test_after_a_downtime_everybody_gets_one_parcel_of_what_is_so_now(
    db: Database, clock: MovableClock
) -> None:
    """Three steps and nine reminders were missed: each item fires its last step once, and no storm of mails follows."""
    step = {"to": "lead", "notify": ["mail"], "repeat": {"every": "1h", "times": 3}}
    office = open_office(db, escalation=[{"after": f"{hours}h", **step} for hours in (1, 5, 9)])
    for _ in range(40):
        office.enqueue(external_id=uuid.uuid4().hex)
    clock.move(hours=12, minutes=30)
    assert [fire_due(db), fire_due(db)] == [40, 0]
    receiver = Receiver()
    assert [outbox.send_due(db, receiver), outbox.send_due(db, receiver)] == [1, 0]
    [parcel] = receiver.got
    assert {notice.why for notice in parcel.notices} == {"Nobody has decided: escalated to level 3."}
    assert len(parcel.notices) == 40
    clock.move(minutes=59)
    assert fire_due(db) == 0, "the next reminder is counted from now"


def test_a_clock_that_is_set_back_keeps_nobody_waiting_for_the_day_it_came_from(
    office: Office, clock: MovableClock
) -> None:
    receiver = Receiver()
    clock.move(days=1)
    escalate(office, clock)
    assert outbox.send_due(office.db, receiver) == 1
    clock.move(days=-1)
    escalate(office, clock)
    assert outbox.send_due(office.db, receiver) == 1
    assert len(receiver.got) == 2


def test_a_failure_is_tried_again_with_growing_pauses_and_given_up_at_last(
    office: Office, clock: MovableClock
) -> None:
    escalate(office, clock)
    receiver = Receiver(*[NotSent("busy") for _ in range(len(PAUSES) + 1)])
    for pause in PAUSES:
        assert outbox.send_due(office.db, receiver) == 1
        [row] = rows(office.db)
        assert (row.state, row.error, row.next_at) == ("waiting", "busy", clock.now() + pause)
        clock.set(row.next_at - timedelta(seconds=1))
        assert outbox.send_due(office.db, receiver) == 0
        clock.move(seconds=1)
    assert outbox.send_due(office.db, receiver) == 1
    [row] = rows(office.db)
    assert (row.state, row.attempts) == ("failed", len(PAUSES) + 1)
    clock.move(days=30)
    assert outbox.send_due(office.db, receiver) == 0


def test_a_refusal_for_good_is_not_tried_again(office: Office, clock: MovableClock) -> None:
    escalate(office, clock)
    outbox.send_due(office.db, Receiver(Refused("no such mailbox")))
    [row] = rows(office.db)
    assert (row.state, row.attempts, row.error) == ("failed", 1, "no such mailbox")


def test_a_mail_given_up_for_good_rings_the_bell_of_whom_nothing_else_told(
    office: Office, clock: MovableClock
) -> None:
    escalate(office, clock)
    with office.db.transaction(SYSTEM) as tx:
        tx.session.execute(sa.update(Notification).values(in_app=False))

    def unread() -> int:
        with office.db.reading() as session:
            return queries.unread(session, office.people["lea"].id)

    outbox.send_due(office.db, Receiver(NotSent("busy")))
    assert unread() == 0, "it is tried again"
    clock.move(seconds=10)
    outbox.send_due(office.db, Receiver(Refused("no such mailbox")))
    assert unread() == 1


def test_what_goes_wrong_unexpectedly_is_kept_without_its_words(office: Office, clock: MovableClock) -> None:
    escalate(office, clock)
    outbox.send_due(office.db, Receiver(ValueError("slack://the-secret")))
    [row] = rows(office.db)
    assert (row.state, row.error) == ("waiting", "unexpected ValueError")


def test_only_the_leases_holder_says_what_became_of_it(office: Office, clock: MovableClock) -> None:
    escalate(office, clock)
    first = outbox.claim(office.db)
    assert first is not None
    assert outbox.claim(office.db) is None, "it is on its way"
    clock.move(seconds=outbox.LEASE.total_seconds())
    second = outbox.claim(office.db)
    assert second is not None and second.message_ids == first.message_ids
    assert not outbox.complete(office.db, first), "its lease ran out, and another has it"
    outbox.fail(office.db, first, "late", for_good=True)
    assert rows(office.db)[0].state == "waiting"
    assert outbox.complete(office.db, second)
    assert rows(office.db)[0].state == "sent"


def test_what_comes_while_a_parcel_is_on_its_way_waits(office: Office, clock: MovableClock) -> None:
    escalate(office, clock)
    parcel = outbox.claim(office.db)
    assert parcel is not None
    from reviewqueue.items import operations as verbs

    verbs.assign(office.db, office.caller("max"), office.enqueue(), "lea@example.org")
    assert outbox.claim(office.db) is None
    outbox.complete(office.db, parcel)
    clock.move(minutes=1)
    following = outbox.claim(office.db)
    assert following is not None and len(following.message_ids) == 1


def test_many_workers_send_each_message_once(databases: Any, clock: MovableClock) -> None:
    """On PostgreSQL, where they really run at once."""
    db = databases.make("postgresql", clock)
    office = open_office(db, escalation=[{"after": "1h", "to": ["lead", "manager"], "notify": ["mail"]}])
    escalate(office, clock, 20)
    receivers = [Receiver() for _ in range(4)]
    threads = [threading.Thread(target=outbox.send_due, args=(db, receiver)) for receiver in receivers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    got = [parcel for receiver in receivers for parcel in receiver.got]
    sent = [message_id for parcel in got for message_id in parcel.message_ids]
    assert len(sent) == len(set(sent)) == 40
    assert sorted(parcel.receiver for parcel in got) == ["lea@example.org", "max@example.org"]
    databases.drop(db)


class Mailbox:
    """A real SMTP server in this process."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []

    async def handle_RCPT(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address.startswith("max"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        from email import message_from_bytes

        self.mails.append(message_from_bytes(envelope.content))
        return "250 OK"


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, str]]:
    from aiosmtpd.controller import Controller

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield box, f"smtp://127.0.0.1:{port}"
    finally:
        controller.stop()


def test_a_mail_says_queue_title_why_how_late_and_where(
    sqlite_db: Database, clock: MovableClock, mailbox: tuple[Mailbox, str]
) -> None:
    box, url = mailbox
    office = open_office(sqlite_db, escalation=ON_MAIL, due={"after": "30m"})
    item_id = office.enqueue(external_id="r-1\r\nBcc: evil@example.org")
    clock.move(hours=1)
    fire_due(sqlite_db)
    settings = Settings(smtp_url=url, mail_from="desk@example.org", base_url="https://desk.example.org/")
    assert sending(settings)(sqlite_db) == 1
    [mail] = box.mails
    title = "r-1\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}Bcc: evil@example.org"
    assert (mail["To"], mail["From"], mail["Bcc"]) == ("lea@example.org", "desk@example.org", None)
    body = mail.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert body.decode().splitlines() == [
        f"Receipts: {title} (30 min late)",
        "Nobody has decided: escalated to level 1.",
        f"https://desk.example.org/items/{item_id}",
    ]
    assert mail["Message-ID"] == f"<{rows(sqlite_db)[0].id}@example.org>"
    assert mail["Date"] == "Mon, 02 Mar 2026 10:00:00 +0000"
    assert rows(sqlite_db)[0].state == "sent"


def test_a_mailbox_that_does_not_exist_fails_for_good(
    sqlite_db: Database, clock: MovableClock, mailbox: tuple[Mailbox, str]
) -> None:
    office = open_office(sqlite_db, escalation=[{"after": "1h", "to": "manager", "notify": ["mail"]}])
    escalate(office, clock)
    sending(Settings(smtp_url=mailbox[1]))(sqlite_db)
    assert [(row.state, row.error) for row in rows(sqlite_db)] == [
        ("failed", "the mail server refused the receiver (550)")
    ]


def test_without_a_mail_server_the_log_says_so_and_with_a_dead_one_it_is_tried_again(
    sqlite_db: Database, clock: MovableClock
) -> None:
    office = open_office(sqlite_db, escalation=ON_MAIL)
    escalate(office, clock)
    sending(Settings(smtp_url=""))(sqlite_db)
    clock.move(minutes=2)
    escalate(office, clock)
    sending(Settings(smtp_url="smtp://127.0.0.1:1"))(sqlite_db)
    first, second = rows(sqlite_db)
    assert (first.state, first.error) == ("failed", "mail is not set up: REVIEWQUEUE_SMTP_URL is empty")
    assert (second.state, second.error) == (
        "waiting",
        "the mail server cannot be used: ConnectionRefusedError",
    )


@pytest.fixture
def chat() -> Iterator[tuple[list[dict[str, Any]], str]]:
    """A real HTTP receiver; answers 500 while it is told `fail`."""
    got: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(500 if "fail" in self.path else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield got, f"json://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def channel_office(db: Database, address: str) -> Office:
    operations.add_channel(
        db, SYSTEM_CALLER, NewChannel(name="ops-chat", address=address), {"json"}, LOOPBACK
    )
    return open_office(db, escalation=[{"after": "1h", "to": "lead", "notify": ["in-app", "ops-chat"]}])


def test_a_channel_gets_one_message_and_nobody_sees_its_address(
    sqlite_db: Database, clock: MovableClock, chat: tuple[list[dict[str, Any]], str],
    caplog: pytest.LogCaptureFixture, tmp_path: Path,
) -> None:  # fmt: skip
    got, address = chat
    secret = f"{address}/token-4711"
    office = channel_office(sqlite_db, secret)
    escalate(office, clock, 3)
    settings = Settings(channel_schemes="json", allowed_networks="127.0.0.0/8")
    assert sending(settings)(sqlite_db) == 1
    [sent] = got
    assert sent["message"].count("Nobody has decided: escalated to level 1.") == 3
    assert {(row.channel, row.receiver, row.state) for row in rows(sqlite_db)} == {
        ("ops-chat", "ops-chat", "sent")
    }
    with sqlite_db.reading() as session:
        told = "".join(session.scalars(sa.text("SELECT body FROM event_content")))
    assert '"channel":"ops-chat"' in told
    assert "token-4711" not in told + caplog.text


def test_a_channel_that_fails_is_tried_again_without_its_address_in_any_log(
    sqlite_db: Database, clock: MovableClock, chat: tuple[list[dict[str, Any]], str],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    got, address = chat
    office = channel_office(sqlite_db, f"{address}/fail-4711")
    escalate(office, clock)
    sending(Settings(channel_schemes="json", allowed_networks="127.0.0.0/8"))(sqlite_db)
    [row] = rows(sqlite_db)
    assert (len(got), row.state, row.error) == (1, "waiting", "the channel did not take it")
    assert "4711" not in caplog.text


def test_a_channel_that_is_gone_or_allowed_no_more_fails_for_good(
    sqlite_db: Database, clock: MovableClock, chat: tuple[list[dict[str, Any]], str]
) -> None:
    got, address = chat
    office = channel_office(sqlite_db, address)
    escalate(office, clock)
    sending(Settings())(sqlite_db)
    operations.remove_channel(sqlite_db, SYSTEM_CALLER, "ops-chat")
    clock.move(minutes=2)
    assert [row.error for row in rows(sqlite_db)] == [
        "the scheme json is not allowed: REVIEWQUEUE_CHANNEL_SCHEMES"
    ]
    assert got == []


@pytest.mark.parametrize("address", ["file:///etc/passwd", "json://127.0.0.1", "slack://", "no address"])
def test_an_address_that_is_not_on_the_list_or_no_address_is_refused(
    sqlite_db: Database, address: str
) -> None:
    form = NewChannel(name="ops-chat", address=address)
    with pytest.raises(Invalid):
        operations.add_channel(sqlite_db, SYSTEM_CALLER, form, Settings().allowed_channel_schemes, LOOPBACK)


def test_channels_are_for_admins_and_named_once(sqlite_db: Database) -> None:
    office = open_office(sqlite_db)
    form = NewChannel(name="ops-chat", address="json://127.0.0.1")
    with pytest.raises(Forbidden):
        operations.add_channel(sqlite_db, office.caller("max"), form, {"json"}, LOOPBACK)
    operations.add_channel(sqlite_db, SYSTEM_CALLER, form, {"json"}, LOOPBACK)
    with pytest.raises(Conflict):
        operations.add_channel(sqlite_db, SYSTEM_CALLER, form, {"json"}, LOOPBACK)
    with pytest.raises(Conflict):
        operations.add_channel(
            sqlite_db, SYSTEM_CALLER, NewChannel(name="mail", address="json://127.0.0.1"), {"json"}, LOOPBACK
        )
