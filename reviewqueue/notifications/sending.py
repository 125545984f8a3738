"""Where a parcel goes: mail, or a configured channel, by the operator's settings."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ..config import Settings
from ..db import Database
from .chats import Chats
from .mail import Mailer
from .outbox import Parcel, send_due
from .telling import MAIL


def sender_of(settings: Settings) -> Callable[[Parcel], None]:
    base_url = settings.address
    mailer = Mailer(settings.smtp_url, settings.mail_from, base_url)
    chats = Chats(settings.allowed_channel_schemes, base_url, settings.guard)

    def send(parcel: Parcel) -> None:
        (mailer if parcel.channel == MAIL else chats).send(parcel)

    return send


def sending(settings: Settings) -> Callable[[Database], int]:
    """The recurring job."""
    return partial(send_due, send=sender_of(settings))
