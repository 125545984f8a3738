"""Why an item came to a person, each thing said once: a rule about flags and the flags that met it are one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Why:
    """One chip of the page's strip: what is said, and the whole of it where that is more."""

    text: str
    whole: str = ""


def whys(reasons: Sequence[Mapping[str, str]], flags: Sequence[str]) -> list[Why]:
    """The reasons of routing, then the flags that none of them named. Texts come from policy and app: untrusted.

    Of a rule that asks for one of several flags, those that the item has are said: "flag missing:total" instead of
    "flag missing:total or flag missing:date". What was the case elsewhere is told as the policy puts it.
    """
    own = {f"flag {flag}" for flag in flags}
    told: dict[str, Why] = {}
    for reason in reasons:
        if reason["code"] == "gold":
            continue
        detail = reason["detail"]
        whole = f"{detail} ({reason['code']})"
        parts = detail.split(" or ")
        met = [part for part in parts if part in own]
        alike = all(part.startswith("flag ") for part in parts)
        for text in met if met and alike else [detail]:
            told.setdefault(text, Why(text, whole))
    # "flag a and flag b" names both; of "flag a or total over 5" one cannot tell which it was.
    named = {part for text in told for part in [text, *text.split(" and ")]}
    return [*told.values(), *(Why(text) for text in (f"flag {flag}" for flag in flags) if text not in named)]
