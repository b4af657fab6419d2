"""The timer wheel against a dictionary, at every place where its numbers wrap."""

from random import Random

import pytest

from servers.engine.wheel import Timers

TICK = 1 << 21  # ns
TURN = 4096  # ticks
SLACK = 2  # ticks that a timer may be late, when it is asked for at every one


def test_cancelled_timer_does_not_fire_when_the_tick_number_wraps() -> None:
    """After 104 days of uptime a tick's number modulo 2^32 is the one that says "not armed"."""
    last = (1 << 32) - 1
    timers = Timers(4, (last - 10) * TICK)
    timers.arm(0, last * TICK)
    timers.arm(1, (last + 1) * TICK)
    timers.cancel(0)
    fired = [index for tick in range(last - 10, last + 2 * TURN) for index in timers.expired(tick * TICK)]
    assert fired == [1]
    assert timers.armed == 0


@pytest.mark.parametrize("start", [0, TURN - 5, (1 << 32) - 300, (1 << 33) - TURN - 7])
def test_fires_what_is_armed_when_it_is_due(start: int) -> None:
    random, timers, due = Random(start), Timers(64, start * TICK), dict[int, int]()
    for tick in range(start, start + 3 * TURN):
        for index in timers.expired(tick * TICK):
            assert due.pop(index) <= tick
        assert all(tick - SLACK < when for when in due.values())
        assert timers.armed == len(due)
        index = random.randrange(64)
        if random.random() < 0.3:
            timers.cancel(index)
            due.pop(index, None)
        else:
            due[index] = tick + random.choice((1, 2, random.randrange(1, 600), random.randrange(1, 2 * TURN)))
            timers.arm(index, due[index] * TICK)
