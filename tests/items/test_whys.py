"""Why an item came to a person, said once."""

from __future__ import annotations

import pytest

from reviewqueue.items.whys import whys

ONE_OF_SEVERAL = "flag missing:total or flag missing:date or flag missing:currency"


@pytest.mark.parametrize(
    ("details", "flags", "told"),
    [
        (["confidence 0.93 is below 0.98"], ["vip"], ["confidence 0.93 is below 0.98", "flag vip"]),
        (["flag upset"], ["upset"], ["flag upset"]),
        ([ONE_OF_SEVERAL], ["missing:date", "blurred"], ["flag missing:date", "flag blurred"]),
        (
            [ONE_OF_SEVERAL, "flag missing:total"],
            ["missing:total", "missing:date"],
            ["flag missing:total", "flag missing:date"],
        ),
        (["flag a and flag b"], ["a", "b"], ["flag a and flag b"]),
        (["flag a or total is over 5"], ["a"], ["flag a or total is over 5", "flag a"]),
        (["odd dates"], ["a or flag b"], ["odd dates", "flag a or flag b"]),
    ],
)
def test_each_thing_is_said_once(details: list[str], flags: list[str], told: list[str]) -> None:
    reasons = [{"code": f"rule:{n}", "detail": detail} for n, detail in enumerate(details)]
    assert [why.text for why in whys(reasons, flags)] == told


def test_the_rule_stays_to_be_read_whole() -> None:
    (why,) = whys([{"code": "rule:1", "detail": ONE_OF_SEVERAL}], ["missing:total"])
    assert why.whole == f"{ONE_OF_SEVERAL} (rule:1)"


def test_that_an_item_is_gold_is_never_said() -> None:
    assert whys([{"code": "gold", "detail": "the answer is known"}], []) == []
