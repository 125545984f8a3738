"""Mail by SMTP: encrypted wherever the server can, and never a password in the clear to another machine."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

from . import wording
from .outbox import NotSent, Parcel, Refused

TIMEOUT = 15.0
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Mailer:
    """Sends parcels as mails through one server."""

    url: str
    """`smtp://[user:password@]host[:port]`, which turns to TLS where the server can; `smtps://` begins with it."""
    sender: str
    base_url: str

    def __repr__(self) -> str:
        return f"Mailer({urlsplit(self.url).hostname!r})"

    def send(self, parcel: Parcel) -> None:
        """Raises NotSent, or Refused where the server will never take it."""
        if not self.url:
            raise Refused("mail is not set up: REVIEWQUEUE_SMTP_URL is empty")
        try:
            with self._connected() as server:
                server.send_message(self._mail(parcel))
        except smtplib.SMTPRecipientsRefused as error:
            code = max(code for code, _ in error.recipients.values())
            raise (Refused if code >= 500 else NotSent)(
                f"the mail server refused the receiver ({code})"
            ) from None
        except smtplib.SMTPResponseException as error:
            raise NotSent(f"the mail server answered {error.smtp_code}") from None
        except (smtplib.SMTPException, OSError) as error:
            raise NotSent(f"the mail server cannot be used: {type(error).__name__}") from None

    def _connected(self) -> smtplib.SMTP:
        parts, context = urlsplit(self.url), ssl.create_default_context()
        host = parts.hostname or "localhost"
        if parts.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT, context=context)
        else:
            server = smtplib.SMTP(host, parts.port or 25, timeout=TIMEOUT)
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=context)
        try:
            if parts.username:
                _require_private(server, host)
                server.login(unquote(parts.username), unquote(parts.password or ""))
        except BaseException:
            server.close()
            raise
        return server

    def _mail(self, parcel: Parcel) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"] = self.sender, parcel.receiver
        mail["Date"] = format_datetime(parcel.at)
        mail["Subject"] = wording.subject(parcel.notices)
        # The same at each attempt, so that a receiver who got it twice can tell.
        mail["Message-ID"] = f"<{parcel.message_ids[0]}@{self.sender.rpartition('@')[2] or 'reviewqueue'}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(wording.body(parcel.notices, self.base_url))
        return mail


def _require_private(server: smtplib.SMTP, host: str) -> None:
    if not isinstance(server.sock, ssl.SSLSocket) and host not in LOCAL:
        raise NotSent("the mail server offers no TLS, and the password is not sent without it")
