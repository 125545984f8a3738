"""How much the AI is trusted with an item, why a human looks at it, and how far its queue has come."""

from __future__ import annotations

from enum import StrEnum


class Lane(StrEnum):
    AUTONOMOUS = "autonomous"
    """Released without a human."""
    ASSIST = "assist"
    """A human reviews the suggestion."""
    STEP_ASIDE = "step_aside"
    """A human answers first, and sees the suggestion only after."""


class Purpose(StrEnum):
    GATE = "gate"
    """The app waits for the answer."""
    AUDIT = "audit"
    """Released already; the look measures the model."""
    GOLD = "gold"
    """The answer is known; the look measures the reviewer."""


class Stage(StrEnum):
    PROTOTYPE = "prototype"
    """Releases nothing by itself, whatever the policy says."""
    MVP = "mvp"
    PRODUCTION = "production"
