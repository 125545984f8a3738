"""Settings, read from REVIEWQUEUE_* environment variables; a name with _FILE reads its value from that file."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field, PrivateAttr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from .errors import Fault, Invalid
from .outbound.addresses import networks_of
from .outbound.guard import Guard

PREFIX = "REVIEWQUEUE_"
DEFAULT_ADDRESS = "http://127.0.0.1:8000"
"""Of links, where the operator names none."""


class Settings(BaseSettings):
    """What an operator may set. The documentation's page of settings is generated from this class."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore")

    data_dir: Annotated[
        Path, Field(description="Folder of the embedded database and the made secret key.")
    ] = Path("data")
    database_url: Annotated[
        str, Field(description="`sqlite:///file` or `postgresql://…`. Empty: SQLite in the data folder.")
    ] = ""
    secret_key: Annotated[
        str,
        Field(
            repr=False,
            description=(
                "Signs the session cookie, seals the secrets of webhooks and of receipts. "
                "Made and kept in the data folder if absent; required with PostgreSQL."
            ),
        ),
    ] = ""
    base_url: Annotated[
        str,
        Field(
            description="The address that people and apps reach, for links; empty: taken from the request."
        ),
    ] = ""
    trusted_proxies: Annotated[
        int, Field(ge=0, le=8, description="How many proxies in front may be believed.")
    ] = 0
    metrics_token: Annotated[
        str, Field(repr=False, description="Bearer token for /metrics; empty turns the page off.")
    ] = ""
    max_body: Annotated[int, Field(ge=1024, description="Largest body of a request, in bytes.")] = 1024 * 1024
    max_batch_body: Annotated[int, Field(ge=1024, description="Largest body of a batch, in bytes.")] = (
        32 * 1024 * 1024
    )
    rate_limit: Annotated[
        int,
        Field(
            ge=0,
            le=1_000_000,
            description=(
                "Calls of the API a minute for each key, counted by each process by itself: `N` processes allow `N` "
                "times as many. 0: no limit."
            ),
        ),
    ] = 0
    session_hours: Annotated[
        int,
        Field(ge=1, le=24 * 90, description="Hours after which a sign-in ends, counted from its last use."),
    ] = 12
    receipt_hours: Annotated[
        int,
        Field(
            ge=0,
            le=24 * 3660,
            description="Hours after a decision for which its receipt is an order; 0: as long as the item is valid.",
        ),
    ] = 0
    smtp_url: Annotated[
        str,
        Field(
            repr=False,
            description="`smtp://[user:password@]host[:port]` or `smtps://…`, for mails; empty: none are sent.",
        ),
    ] = ""
    mail_from: Annotated[str, Field(description="The sender of mails.")] = "reviewqueue@localhost"
    channel_schemes: Annotated[
        str,
        Field(
            description=(
                "The Apprise schemes that an admin may set up channels for, by commas. Those of services with "
                "hosts of their own are there; add `jsons` or `mmosts` for a host that you name."
            )
        ),
    ] = "discord,gchat,msteams,ntfys,opsgenie,pagerduty,pover,slack,tgram,workflows"
    allowed_networks: Annotated[
        str,
        Field(
            description=(
                "Networks inside your house that webhooks and channels may reach, by commas: `10.1.2.0/24`. "
                "Empty: nothing but the public internet."
            )
        ),
    ] = ""
    log_format: Annotated[
        str, Field(pattern="^(json|text)$", description="`json` or `text` lines on stderr.")
    ] = "text"

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str) -> str:
        if url and not url.startswith(("sqlite://", "postgresql://", "postgres://", "postgresql+psycopg://")):
            raise ValueError("must start with sqlite:/// or postgresql://")
        return url

    @field_validator("smtp_url")
    @classmethod
    def _known_mail_server(cls, url: str) -> str:
        if url and not url.startswith(("smtp://", "smtps://")):
            raise ValueError("must start with smtp:// or smtps://")
        return url

    @field_validator("allowed_networks")
    @classmethod
    def _known_networks(cls, text: str) -> str:
        try:
            networks_of(text)
        except ValueError as error:
            raise ValueError(f"must be networks such as 10.1.2.0/24: {error}") from None
        return text

    @property
    def guard(self) -> Guard:
        """What may be reached from here."""
        return Guard(networks_of(self.allowed_networks))

    @property
    def allowed_channel_schemes(self) -> frozenset[str]:
        return frozenset(
            scheme.strip().lower() for scheme in self.channel_schemes.split(",") if scheme.strip()
        )

    _listens_at: str = PrivateAttr(DEFAULT_ADDRESS)

    @property
    def address(self) -> str:
        """Where people reach the pages, without a slash at its end."""
        return (self.base_url or self._listens_at).rstrip("/")

    def listen_at(self, address: str) -> None:
        """Where this process serves: the address by default."""
        self._listens_at = address

    @property
    def url(self) -> str:
        """The database's address with SQLAlchemy's driver name."""
        if not self.database_url:
            return f"sqlite:///{(self.data_dir / 'reviewqueue.sqlite3').resolve()}"
        for plain in ("postgresql://", "postgres://"):
            if self.database_url.startswith(plain):
                return "postgresql+psycopg://" + self.database_url.removeprefix(plain)
        return self.database_url

    @property
    def embedded(self) -> bool:
        return self.url.startswith("sqlite")


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Reads the settings and completes the secret key.

    Raises Invalid, naming the variable, when a value does not fit or a _FILE cannot be read.
    """
    environment = os.environ if environment is None else environment
    given: dict[str, str] = {}
    for name in Settings.model_fields:
        variable = PREFIX + name.upper()
        if path := environment.get(f"{variable}_FILE"):
            given[name] = _read(variable, path)
        elif variable in environment:
            given[name] = environment[variable]
    try:
        settings = Settings.model_validate({**given})
    except ValidationError as error:
        faults = [
            Fault(PREFIX + str(e["loc"][0]).upper() if e["loc"] else PREFIX, e["msg"]) for e in error.errors()
        ]
        raise Invalid("; ".join(f"{f.pointer}: {f.detail}" for f in faults), faults=faults) from None
    if not settings.secret_key:
        settings.secret_key = _made_secret(settings)
    return settings


def _read(variable: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Invalid(f"{variable}_FILE names {path}, which cannot be read: {error.strerror}") from None


def _made_secret(settings: Settings) -> str:
    if not settings.embedded:
        raise Invalid(
            "REVIEWQUEUE_SECRET_KEY is required with PostgreSQL, so that all processes share it. "
            "Make one with: python -c 'import secrets; print(secrets.token_hex(32))'"
        )
    kept = settings.data_dir / "secret_key"
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(secrets.token_hex(32))
    except FileExistsError:
        pass
    return kept.read_text(encoding="utf-8").strip()
