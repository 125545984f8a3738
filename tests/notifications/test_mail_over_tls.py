"""Mail over a real, encrypted SMTP: turned to TLS on the way or begun with it, and to nobody unknown."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from reviewqueue.notifications.mail import Mailer
from reviewqueue.notifications.models import Notice
from reviewqueue.notifications.outbox import NotSent, Parcel
from reviewqueue.notifications.telling import MAIL

USER, PASSWORD = b"desk", b"a p@ss/word"
LOGIN = "desk:a%20p%40ss%2Fword"
PARCEL = Parcel(
    MAIL,
    "lead@example.org",
    None,
    "lease",
    (uuid.UUID(int=1),),
    (Notice(item_id=uuid.UUID(int=2), queue="q", queue_title="Receipts", title="r-1", why="Escalated."),),
    datetime(2026, 3, 2, 9, tzinfo=UTC),
)


class Mailbox:
    """Notes what came, by whom, and whether the line was encrypted."""

    def __init__(self) -> None:
        self.got: list[tuple[list[str], bool]] = []
        self.logins: list[tuple[bytes, bytes]] = []

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        encrypted = server.transport.get_extra_info("ssl_object") is not None
        self.got.append((envelope.rcpt_tos, encrypted))
        return "250 OK"

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _how: str, given: Any) -> AuthResult:
        assert isinstance(given, LoginPassword)
        self.logins.append((given.login, given.password))
        right = (given.login, given.password) == (USER, PASSWORD)
        return AuthResult(success=right, handled=False)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of this machine by nobody but itself, with its key, made for these tests."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.example.org")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "mail.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an operator would have the machine trust a mail server of the house."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


@pytest.fixture(params=["smtp", "smtps"])
def server(request: pytest.FixtureRequest, certificate: Path) -> Iterator[tuple[Mailbox, str]]:
    """Its mailbox and address: `smtp` insists on STARTTLS, `smtps` begins with TLS. Both take a password."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    tls: dict[str, Any] = {"ssl_context": context}
    if request.param == "smtp":
        tls = {"tls_context": context, "require_starttls": True}
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(
        box,
        hostname="127.0.0.1",
        port=port,
        authenticator=box.authenticate,
        auth_require_tls=request.param == "smtp",  # it knows of no TLS but STARTTLS
        **tls,
    )
    controller.start()
    try:
        yield box, f"{request.param}://{{login}}127.0.0.1:{port}"
    finally:
        controller.stop()


@pytest.mark.usefixtures("trusted")
def test_password_and_mail_go_encrypted(server: tuple[Mailbox, str]) -> None:
    box, url = server
    Mailer(url.format(login=f"{LOGIN}@"), "desk@example.org", "https://desk.example.org").send(PARCEL)
    assert box.got == [(["lead@example.org"], True)]
    assert box.logins == [(USER, PASSWORD)]


@pytest.mark.usefixtures("trusted")
def test_a_wrong_password_is_told_without_it(server: tuple[Mailbox, str]) -> None:
    box, url = server
    with pytest.raises(NotSent, match="answered 535") as told:
        Mailer(url.format(login="desk:wrong-4711@"), "desk@example.org", "https://x").send(PARCEL)
    assert "4711" not in str(told.value)
    assert box.got == []


def test_a_server_that_nobody_vouches_for_gets_neither_password_nor_mail(server: tuple[Mailbox, str]) -> None:
    box, url = server
    with pytest.raises(NotSent, match="SSLCertVerificationError"):
        Mailer(url.format(login=f"{LOGIN}@"), "desk@example.org", "https://desk.example.org").send(PARCEL)
    assert (box.got, box.logins) == ([], [])
