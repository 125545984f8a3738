"""The guard before every outgoing request: it resolves a host once, and tells the one address to connect to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from .addresses import Address, Network, is_odd, is_public, is_within, literal

Resolve: TypeAlias = Callable[[str, int], Sequence[str]]
"""Every address of a host and port, as text. Raises OSError."""

LONGEST_URL = 2000
RESOLVING = 5.0
"""Seconds until a resolver that does not answer is given up."""


class Unreachable(OSError):
    """The host may not be reached, or has no address. The sentence may be shown."""


@dataclass(frozen=True, slots=True)
class Guard:
    """What may be reached from here: plainly public addresses, and the networks that the operator names."""

    allowed: tuple[Network, ...] = ()
    resolve: Resolve | None = None
    """None: the system's resolver."""

    def address_of(self, host: str, port: int, seconds: float = RESOLVING, *, plain: bool = False) -> Address:
        """The address to connect to, of a host whose addresses all may be reached. Raises Unreachable.

        `plain`: without TLS, which is for networks that the operator named: elsewhere anybody on the way reads along.
        """
        if is_odd(host):
            raise Unreachable(f"{host} is no host name, or an address in an odd spelling")
        own = literal(host)
        found = [own] if own is not None else self._resolved(host, port, seconds)
        for address in found:
            if not self.allows(address):
                raise Unreachable(f"{host} is not on the public internet ({address})")
            if plain and not is_within(address, self.allowed):
                raise Unreachable("it must begin with https://")
        return found[0]

    def allows(self, address: Address) -> bool:
        return is_public(address) or is_within(address, self.allowed)

    def require_url(self, url: str) -> None:
        """Raises Unreachable for a URL that nothing may be sent to."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            raise Unreachable("it is no URL") from None
        if parts.scheme not in ("https", "http") or not host or len(url) > LONGEST_URL or not _is_plain(url):
            raise Unreachable("it must be a URL that begins with https://")
        if parts.username is not None or parts.password is not None or "@" in parts.netloc:
            raise Unreachable("it must not hold a user or a password")
        if parts.fragment:
            raise Unreachable("it must not have a fragment")
        self.address_of(host, port, plain=parts.scheme == "http")

    def _resolved(self, host: str, port: int, seconds: float) -> list[Address]:
        texts = _in_time(lambda: (self.resolve or system_addresses)(host, port), host, seconds)
        if not texts:
            raise Unreachable(f"{host} has no address")
        return [ip_address(text) for text in texts]


def _is_plain(url: str) -> bool:
    """Whether every reader of the URL reads the same: ASCII, with nothing that one of them might skip."""
    return url.isascii() and url.isprintable() and not set(url) & set(" \\")


def system_addresses(host: str, port: int) -> list[str]:
    """What the system's resolver says, each address once, in its order."""
    found: list[tuple[Any, ...]] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _in_time(look: Callable[[], Sequence[str]], host: str, seconds: float) -> Sequence[str]:
    """The system's resolver cannot be told when to stop, so it is asked in a thread that is left behind."""
    answer: list[Sequence[str]] = []
    errors: list[OSError | UnicodeError] = []

    def ask() -> None:
        try:
            answer.append(look())
        except (OSError, UnicodeError) as error:
            errors.append(error)

    thread = threading.Thread(target=ask, name="resolver", daemon=True)
    thread.start()
    thread.join(max(0.0, seconds))
    if answer:
        return answer[0]
    raise Unreachable(f"{host} cannot be resolved" if errors else f"{host} was not resolved in time")
