"""Configured channels, such as a team's chat, through Apprise: an extra, and for schemes that the operator allows."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass

from ..errors import Fault, Invalid
from . import wording
from .outbox import NotSent, Parcel, Refused

MISSING = "channels need the extra: pip install 'reviewqueue[channels]'"


@dataclass(frozen=True, slots=True)
class Chats:
    """Sends parcels to the channels' addresses."""

    schemes: frozenset[str]
    base_url: str

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
        target = apprise.Apprise()
        if not target.add(parcel.address):
            raise Refused("the channel's address cannot be used")
        title, body = wording.subject(parcel.notices), wording.body(parcel.notices, self.base_url)
        if not target.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT):
            raise NotSent("the channel did not take it")


def require_usable(address: str, schemes: Collection[str]) -> None:
    """Raises Invalid for an address that Apprise cannot use, or whose scheme is not on the list."""
    scheme = scheme_of(address)
    if scheme not in schemes:
        allowed = ", ".join(sorted(schemes)) or "none"
        raise Invalid(
            "The channel's scheme is not allowed here.",
            faults=[Fault("/address", f"must begin with one of: {allowed}")],
        )
    try:
        import apprise
    except ImportError:
        raise Invalid(MISSING) from None
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    if apprise.Apprise.instantiate(address, suppress_exceptions=True) is None:
        raise Invalid(
            "The channel's address cannot be used.",
            faults=[Fault("/address", f"is no address of {scheme}://")],
        )


def scheme_of(address: str) -> str:
    scheme, separator, _ = address.strip().partition("://")
    return scheme.lower() if separator else ""
