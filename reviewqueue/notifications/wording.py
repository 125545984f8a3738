"""What a message says: the queue, the item's title, why, how late, a link; and nothing that people or models wrote."""

from __future__ import annotations

from collections.abc import Sequence

from .models import Notice

LONGEST_TITLE = 120


def subject(notices: Sequence[Notice]) -> str:
    """One line."""
    if len(notices) == 1:
        notice = notices[0]
        return one_line(f"{notice.queue_title}: {notice.title}: {notice.why}")
    queues = list(dict.fromkeys(one_line(notice.queue_title) for notice in notices))
    named = ", ".join(queues[:3]) + (" and others" if len(queues) > 3 else "")
    return one_line(f"{len(notices)} notices: {named}")


def body(notices: Sequence[Notice], base_url: str) -> str:
    """Plain text: a few lines for each notice, oldest first."""
    return "\n\n".join(_told(notice, base_url) for notice in notices) + "\n"


def path_of(notice: Notice) -> str:
    """The page that a notice is about; nothing for a test, which is about none."""
    return f"/items/{notice.item_id}" if notice.item_id else notice.path or ""


def one_line(text: str, longest: int = 200) -> str:
    """Without line ends and hidden characters, which apps may have put into a title."""
    plain = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
    return plain if len(plain) <= longest else f"{plain[: longest - 1]}…"


def span(seconds: float) -> str:
    """As in "3 h 10 min"."""
    minutes = max(1, round(seconds / 60))
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    return " ".join(f"{amount} {unit}" for amount, unit in parts if amount) or "1 min"


def _told(notice: Notice, base_url: str) -> str:
    late = f" ({span(notice.late_by)} late)" if notice.late_by else ""
    return "\n".join(
        (
            f"{one_line(notice.queue_title)}: {one_line(notice.title, LONGEST_TITLE)}{late}",
            one_line(notice.why, 400),
            base_url + path_of(notice),
        )
    )
