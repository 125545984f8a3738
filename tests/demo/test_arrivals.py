"""When the demo's items arrive: all in the past at first, and then without end and without a repeat."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

from reviewqueue.demo.arrivals import SOURCES, after, before, read

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_time_only_moves_forward_and_ends_now() -> None:
    moments = [tick.at for tick in before(NOW)]
    assert all(earlier < later for earlier, later in pairwise(moments))
    assert moments[-1] == NOW
    assert moments[0] > NOW - timedelta(hours=26)


def test_before_and_after_together_bring_every_output_once() -> None:
    earlier = [body["external_id"] for tick in before(NOW) for body in tick.bodies]
    total = sum(len(read(source.file)) for source in SOURCES)
    later = [body["external_id"] for body in islice(after(), total - len(earlier))]
    assert len(earlier) == sum(source.at_start for source in SOURCES)
    assert set(earlier) | set(later) == {b["external_id"] for source in SOURCES for b in read(source.file)}
    assert not set(earlier) & set(later)


def test_the_second_round_brings_the_outputs_again_as_new_items() -> None:
    sent = [body["external_id"] for body in islice(after(), 3_000)]
    assert len(set(sent)) == len(sent)


def test_the_three_queues_take_turns() -> None:
    first = [body["queue"] for body in islice(after(), 20)]
    assert set(first) == {"receipt-extraction", "file-type", "support-replies"}
