"""The pool under several processes: nothing twice, nothing lost, also when one of them is killed."""
import mmap
import multiprocessing
import os
import signal
import time

import numpy as np
import pytest

from servers.pool.bitmap import SharedPool
from servers.pool.churn import churn

FORK = multiprocessing.get_context("fork")


def witness_for(size):
    return np.frombuffer(mmap.mmap(-1, size * 8), dtype=np.uint64)


def worker(fd, number, witness, seconds, hold, results):
    results.put(churn(SharedPool.attach(fd, number), witness, seconds, 77 + number, hold))


def hammer(pool, processes, seconds, hold):
    """(grants, violations, exhausted) summed over the processes."""
    witness, results = witness_for(pool.size), FORK.Queue()
    children = [FORK.Process(target=worker, args=(pool.fd, k, witness, seconds, hold, results))
                for k in range(processes)]
    for child in children:
        child.start()
    rows = [results.get(timeout=60) for _ in children]
    for child in children:
        child.join()
    return [sum(column) for column in list(zip(*rows, strict=True))[:3]]


@pytest.mark.parametrize("size", [1, 2, 7, 64, 256, 65_536])
def test_no_address_is_held_twice(size):
    bits = (size - 1).bit_length()
    spare = [f"198.18.0.{k}" for k in range(size, 2 ** bits)]
    pool = SharedPool(f"198.18.0.0/{32 - bits}", reserved=spare, ends=False)
    grants, violations, exhausted = hammer(pool, 3, 0.7, hold=max(1, size // 2))
    seen = pool.snapshot()
    assert violations == 0
    assert grants > 10_000
    assert exhausted > 0                                  # three processes want half of it each
    assert (seen["leased"], seen["free"], seen["refused"]) == (0, size, 0)
    assert len(list(iter(lambda: pool.take(1, 0.0), None))) == size   # no bit was left behind


def test_with_a_cool_down_nothing_is_held_twice_and_all_comes_back():
    pool = SharedPool("198.18.0.0/24", cool_down_s=1)
    _, violations, _ = hammer(pool, 3, 2.5, hold=80)
    assert violations == 0
    assert pool.snapshot()["leased"] == 0
    pool.sweep(time.monotonic() + 3)
    assert pool.snapshot()["free"] == 254


def take_share(fd, number, results):
    pool = SharedPool.attach(fd, number)
    results.put(list(iter(lambda: pool.take(number + 1, 0.0), None)))


def test_processes_take_65536_of_65536():
    pool, results = SharedPool("198.18.0.0/16", ends=False), FORK.Queue()
    children = [FORK.Process(target=take_share, args=(pool.fd, k, results)) for k in range(3)]
    for child in children:
        child.start()
    shares = [results.get(timeout=60) for _ in children]
    for child in children:
        child.join()
    assert len({a for share in shares for a in share}) == sum(map(len, shares)) == 65_536


def test_snapshots_under_load_always_add_up():
    pool, results = SharedPool("198.18.0.0/20"), FORK.Queue()
    children = [FORK.Process(target=worker, args=(pool.fd, k, witness_for(pool.size), 1.0, 1500, results))
                for k in range(2)]
    for child in children:
        child.start()
    for _ in range(200):
        seen = pool.snapshot()
        assert seen["free"] + seen["leased"] + seen["cooling"] + seen["reserved"] == 4096
    for child in children:
        results.get(timeout=60)
        child.join()


def test_killed_processes_leave_nothing_that_reconciling_does_not_bring_back():
    pool = SharedPool("198.18.0.0/26", ends=False)
    for round_ in range(30):
        child = FORK.Process(target=worker, args=(pool.fd, 3, witness_for(64), 30.0, 40, FORK.Queue()))
        child.start()
        time.sleep(0.02 + round_ * 0.001)
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        again = SharedPool.attach(pool.fd, 3)
        again.reconcile([], 0.0)
        again.sweep(0.0)
        taken = list(iter(lambda: again.take(9, 0.0), None))  # noqa: B023
        assert len(set(taken)) == 64
        for address in taken:
            assert again.give(address, 9, 0.0)
