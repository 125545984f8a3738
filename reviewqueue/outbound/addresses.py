"""Which addresses are plainly public: everything else is somebody's inside, perhaps our own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

# IANA's registries of special-purpose addresses. Written out, since what `is_global` says differs by Python version.
NOT_PUBLIC_4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # carriers' own NAT
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, and the clouds' metadata
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",
    )
)
PUBLIC_6 = IPv6Network("2000::/3")
"""All that is given out as global. IPv4 inside IPv6 (mapped, compatible, NAT64) lies outside of it."""
NOT_PUBLIC_6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # Teredo, ORCHID, benchmarks
        "2001:db8::/32",
        "2002::/16",  # 6to4: an IPv4 address inside
        "3fff::/20",
    )
)
ISATAP = (0x00005EFE, 0x02005EFE)
"""The first half of an interface id that carries an IPv4 address in its second."""

_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)


def is_public(address: Address) -> bool:
    """Whether the address is one of the internet's, and nothing else."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in NOT_PUBLIC_4)
    if address.scope_id is not None or address not in PUBLIC_6:
        return False
    if (int(address) >> 32) & 0xFFFFFFFF in ISATAP:
        return False
    return not any(address in network for network in NOT_PUBLIC_6)


def is_within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def literal(host: str) -> Address | None:
    """The address that the host is, written as it should be; None for a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def is_odd(host: str) -> bool:
    """Whether the host is an address in one of the spellings that systems read each in their own way.

    Such as 2130706433, 0x7f.1, 127.1, 0177.0.0.1, and names that end in a dot or a number.
    """
    if not host or host.endswith(".") or not host.isascii() or "%" in host:
        return True
    return literal(host) is None and _NUMBER.fullmatch(host.rpartition(".")[2]) is not None


def networks_of(text: str) -> tuple[Network, ...]:
    """The networks that a setting names, by commas. Raises ValueError."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
