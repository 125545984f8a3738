"""Configured channels, such as a team's chat, through Apprise: an extra, and for schemes that the operator allows."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from ..errors import Fault, Invalid
from ..outbound.guard import Guard, Unreachable
from . import wording
from .outbox import NotSent, Parcel, Refused

MISSING = "channels need the extra: pip install 'reviewqueue[channels]'"


@dataclass(frozen=True, slots=True)
class Chats:
    """Sends parcels to the channels' addresses."""

    schemes: frozenset[str]
    base_url: str
    guard: Guard

    def send(self, parcel: Parcel) -> None:
        """Raises NotSent, or Refused where the channel is no longer there or not allowed."""
        if parcel.address is None:
            raise Refused(f"there is no channel {parcel.channel}")
        if scheme_of(parcel.address) not in self.schemes:
            raise Refused(
                f"the scheme {scheme_of(parcel.address)} is not allowed: REVIEWQUEUE_CHANNEL_SCHEMES"
            )
        try:
            import apprise
        except ImportError:
            raise NotSent(MISSING) from None
        # What Apprise logs holds addresses, which are passwords.
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
        # It brings its own HTTP: all that it can be told is not to follow redirects.
        target = apprise.Apprise(asset=apprise.AppriseAsset(http_redirects=False))
        if not target.add(parcel.address):
            raise Refused("the channel's address cannot be used")
        try:
            _require_reachable(target[0], self.guard)
        except Unreachable as error:
            raise NotSent(str(error)) from None
        title, body = wording.subject(parcel.notices), wording.body(parcel.notices, self.base_url)
        if not target.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT):
            raise NotSent("the channel did not take it")


def require_usable(address: str, schemes: Collection[str], guard: Guard) -> None:
    """Raises Invalid for an address that Apprise cannot use or that may not be reached, or a scheme not on the list."""
    scheme = scheme_of(address)
    if scheme not in schemes:
        allowed = ", ".join(sorted(schemes)) or "none"
        raise Invalid(
            "The channel's scheme is not allowed here; the operator allows others with REVIEWQUEUE_CHANNEL_SCHEMES.",
            faults=[Fault("/address", f"must begin with one of: {allowed}")],
        )
    try:
        import apprise
    except ImportError:
        raise Invalid(MISSING) from None
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    target = apprise.Apprise.instantiate(address, suppress_exceptions=True)
    if target is None:
        raise Invalid(
            "The channel's address cannot be used.",
            faults=[Fault("/address", f"is no address of {scheme}://")],
        )
    try:
        _require_reachable(target, guard)
    except Unreachable as error:
        raise Invalid(
            "The channel's address cannot be used.", faults=[Fault("/address", str(error))]
        ) from None


def _require_reachable(target: Any, guard: Guard) -> None:
    """Asks the guard about the host of an address that names one; elsewhere what looks like a host is a token.

    Apprise resolves the name once more by itself, so that a name which changes in between is not caught: that is why
    schemes with hosts of one's own are not allowed by default. Raises Unreachable.
    """
    names_a_host = any("{host}" in template for template in target.templates)
    if names_a_host and target.host and getattr(target, "mode", None) != "cloud":
        guard.address_of(str(target.host), target.port or (443 if target.secure else 80))


def scheme_of(address: str) -> str:
    scheme, separator, _ = address.strip().partition("://")
    return scheme.lower() if separator else ""
