"""Waiting requests wake when the bell rings, and leave room for everybody else."""

from __future__ import annotations

import threading

from reviewqueue.waiting import Bell


def test_who_waits_looks_again_when_the_bell_rings() -> None:
    bell, seen, looked = Bell(), [1], threading.Event()

    def look() -> int:
        looked.set()
        return len(seen)

    found: list[int] = []
    waiter = threading.Thread(
        target=lambda: found.append(bell.wait_for(look, done=lambda n: n > 1, seconds=30))
    )
    waiter.start()
    assert looked.wait(5)
    seen.append(2)
    bell.ring()
    waiter.join(5)
    assert found == [2]


def test_beyond_the_places_one_look_has_to_do() -> None:
    bell, held = Bell(places=1), threading.Event()
    release = threading.Event()

    def first() -> bool:
        held.set()
        return release.is_set()

    waiter = threading.Thread(target=bell.wait_for, args=(first,), kwargs={"done": bool, "seconds": 30})
    waiter.start()
    looks = 0
    while looks < 2:  # the first waiter takes its place after its first look
        held.wait(5)
        held.clear()
        looks += 1
        bell.ring()
    asked: list[int] = []
    assert bell.wait_for(lambda: asked.append(1), done=bool, seconds=30) is None
    assert asked == [1]
    release.set()
    bell.ring()
    waiter.join(5)
    assert not waiter.is_alive()
