"""The pool in one process: every size, exact exhaustion, cool-downs, restart, and a model."""
import os
from ipaddress import IPv4Network

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from servers.pool.bitmap import AddressState, SharedPool

FIRST = int(IPv4Network("198.18.0.0/16").network_address)


def conserved(pool: SharedPool) -> dict[str, int]:
    seen = pool.snapshot()
    assert seen["free"] + seen["leased"] + seen["cooling"] + seen["reserved"] == seen["size"] == pool.size
    return seen


def take_all(pool: SharedPool, now: float = 0.0) -> list[int]:
    taken = []
    while (address := pool.take(len(taken) + 1, now)) is not None:
        taken.append(address)
    return taken


@pytest.mark.parametrize("prefix", range(16, 33))
def test_all_addresses_of_every_size_and_not_one_more(prefix):
    pool = SharedPool(f"198.18.0.0/{prefix}", ends=False)
    taken = take_all(pool)
    assert sorted(taken) == list(range(FIRST, FIRST + 2 ** (32 - prefix)))
    assert conserved(pool)["free"] == 0
    assert pool.take(1, 0.0) is None
    assert pool.snapshot()["exhausted"] == 2
    assert pool.give(taken[-1], len(taken), 0.0)
    assert pool.take(7, 0.0) == taken[-1]


def test_network_and_broadcast_are_reserved_except_where_there_are_none():
    assert SharedPool("198.18.0.0/24").snapshot()["reserved"] == 2
    assert SharedPool("198.18.0.0/30").snapshot()["reserved"] == 2
    assert SharedPool("198.18.0.0/31").snapshot()["reserved"] == 0
    assert SharedPool("198.18.0.9/32").snapshot()["reserved"] == 0


def test_seven_addresses_by_reserving_one_of_eight():
    pool = SharedPool("198.18.0.0/29", reserved=["198.18.0.3"], ends=False)
    taken = take_all(pool)
    assert len(taken) == 7
    assert FIRST + 3 not in taken
    assert pool.take(1, 0.0, wanted=FIRST + 3) is None
    assert not pool.claim(FIRST + 3, 1)
    assert not pool.give(FIRST + 3, 1, 0.0)
    assert not pool.cool(FIRST + 3, 1, 9.0)
    assert pool.state(FIRST + 3) == AddressState.RESERVED
    assert conserved(pool)["reserved"] == 1


def test_a_wish_is_granted_where_it_can_be_and_is_no_condition():
    pool = SharedPool("198.18.0.0/28")
    assert pool.take(1, 0.0, wanted=FIRST + 9) == FIRST + 9
    other = pool.take(2, 0.0, wanted=FIRST + 9)
    assert other not in (None, FIRST + 9)
    outside = pool.take(3, 0.0, wanted=FIRST + 999)
    assert outside in range(FIRST + 1, FIRST + 15)


def test_only_the_owner_gives_back_and_only_once():
    pool = SharedPool("198.18.0.0/28")
    address = pool.take(5, 0.0)
    assert not pool.give(address, 6, 0.0)
    assert not pool.give(FIRST + 1000, 5, 0.0)
    assert pool.give(address, 5, 0.0)
    assert not pool.give(address, 5, 0.0)
    seen = conserved(pool)
    assert (seen["refused"], seen["leased"]) == (3, 0)


def test_owners_that_differ_in_either_half_of_the_hash_are_told_apart():
    pool = SharedPool("198.18.0.0/28")
    address = pool.take(0x1111_2222_3333_4444, 0.0)
    assert not pool.give(address, 0x1111_2222_3333_4445, 0.0)
    assert not pool.give(address, 0x1111_2223_3333_4444, 0.0)
    assert pool.give(address, 0x1111_2222_3333_4444, 0.0)


def test_a_released_address_rests_for_others_and_not_for_its_last_owner():
    pool = SharedPool("198.18.0.8/32", cool_down_s=30)
    address = pool.take(1, 100.0)
    assert pool.give(address, 1, 100.5)
    assert conserved(pool)["cooling"] == 1
    assert pool.take(2, 100.6) is None
    assert pool.take(2, 130.5) is None                    # the instant itself belongs to the rest
    assert pool.take(1, 110.0, wanted=address) == address
    assert pool.give(address, 1, 111.0)
    assert pool.take(2, 130.6) is None                    # the rest counts from the last release
    assert pool.take(2, 142.0) == address


def test_a_rest_never_ends_early_and_at_most_one_second_late():
    for tenth in range(10):
        pool = SharedPool("198.18.0.8/32", cool_down_s=3)
        begun = 50 + tenth / 10
        pool.give(pool.take(1, begun), 1, begun)
        ended = next(begun + k / 10 for k in range(100) if pool.take(2, begun + k / 10) is not None)
        assert begun + 3 <= ended + 1e-6 <= begun + 4.1


def test_a_sweep_ends_rests():
    pool = SharedPool("198.18.0.0/24", cool_down_s=5)
    taken = take_all(pool)
    for owner, address in enumerate(taken, 1):
        pool.give(address, owner, 10.0)
    assert pool.sweep(15.0) == 0
    assert pool.sweep(16.0) == 254
    assert conserved(pool)["free"] == 254


def test_restart_claims_leases_and_rests():
    pool = SharedPool("198.18.0.0/24", cool_down_s=30)
    assert pool.claim(FIRST + 7, 70)
    assert pool.claim(FIRST + 7, 70)
    assert not pool.claim(FIRST + 7, 71)
    assert pool.cool(FIRST + 8, 80, 50.0)
    assert pool.take(1, 20.0, wanted=FIRST + 8) not in (None, FIRST + 8)
    assert pool.take(80, 20.0, wanted=FIRST + 8) == FIRST + 8
    assert pool.give(FIRST + 7, 70, 20.0)


def test_reconcile_gives_back_what_was_never_acknowledged_of_this_worker_only():
    pool = SharedPool("198.18.0.0/24", workers=3)
    other = SharedPool.attach(pool.fd, 1)
    mine = [pool.take(owner, 0.0) for owner in range(10)]
    theirs = [other.take(100 + owner, 0.0) for owner in range(10)]
    known = [(mine[k], k) for k in range(4)]
    lost, given_back = pool.reconcile([*known, (theirs[0], 5)], 1.0)
    assert lost == [(theirs[0], 5)]
    assert given_back == 6
    assert {address for address, _, _ in pool.leases()} == {*mine[:4], *theirs}
    assert {worker for address, worker, _ in pool.leases() if address in theirs} == {1}
    conserved(pool)


def test_what_another_process_does_is_seen_and_its_worker_number_checked():
    pool = SharedPool("198.18.0.0/28", cool_down_s=7, workers=2)
    other = SharedPool.attach(pool.fd, 1)
    assert (other.size, other.network, other.cool_down_s) == (16, "198.18.0.0/28", 7)
    address = other.take(1, 0.0)
    assert pool.state(address) == AddressState.LEASED
    with pytest.raises(ValueError, match="worker 2"):
        SharedPool.attach(pool.fd, 2)
    empty = os.memfd_create("empty")
    with pytest.raises(ValueError, match="no address pool"):
        SharedPool.attach(empty, 0)
    os.truncate(empty, 8192)
    with pytest.raises(ValueError, match="no address pool"):
        SharedPool.attach(empty, 0)
    os.close(empty)
    with pytest.raises(PermissionError):                  # sealed: nobody pulls the memory from under the others
        os.ftruncate(pool.fd, 0)


@pytest.mark.parametrize("wrong", [
    {"network": "10.0.0.0/7"}, {"network": "198.18.0.1/24"}, {"network": "::/64"},
    {"network": "198.18.0.0/24", "reserved": ["198.18.1.0"]}, {"network": "198.18.0.0/24", "cool_down_s": -1},
    {"network": "198.18.0.0/24", "cool_down_s": 86_401}, {"network": "198.18.0.0/24", "workers": 0},
    {"network": "198.18.0.0/24", "workers": 257}, {"network": "198.18.0.0/24", "workers": 2, "worker": 2}])
def test_what_does_not_fit_is_refused(wrong):
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(ValueError):
        SharedPool(**wrong)
    assert len(os.listdir("/proc/self/fd")) == before


class PoolModel(RuleBasedStateMachine):
    """Against dictionaries: who holds what, what rests for whom until when."""

    COOL = 4

    def __init__(self):
        super().__init__()
        self.pool = SharedPool("198.18.0.0/29", reserved=["198.18.0.5"], cool_down_s=self.COOL)
        self.other = SharedPool.attach(self.pool.fd, 1)
        self.usable = {FIRST + k for k in range(1, 7)} - {FIRST + 5}
        self.held: dict[int, int] = {}
        self.resting: dict[int, tuple[int, int]] = {}
        self.now = 1000

    def may_have(self, address, owner):
        if address not in self.usable or address in self.held:
            return False
        last, until = self.resting.get(address, (owner, 0))
        return last == owner or self.now > until

    @rule(owner=st.integers(1, 9), wanted=st.integers(0, 9), second=st.booleans())
    def take(self, owner, wanted, second):
        wanted = wanted and FIRST + wanted
        anybody = {a for a in self.usable if self.may_have(a, -1)}
        got = (self.other if second else self.pool).take(owner, self.now, wanted)
        if wanted and self.may_have(wanted, owner):
            assert got == wanted
        elif anybody:
            assert got in anybody
        else:
            assert got is None
            return
        self.resting.pop(got, None)
        self.held[got] = owner

    @rule(owner=st.integers(1, 9), address=st.integers(0, 9), second=st.booleans())
    def give(self, owner, address, second):
        address += FIRST
        done = (self.other if second else self.pool).give(address, owner, self.now)
        assert done == (self.held.get(address) == owner)
        if done:
            del self.held[address]
            self.resting[address] = (owner, self.now + self.COOL)

    @rule(owner=st.integers(1, 9), address=st.integers(0, 9))
    def claim(self, owner, address):
        address += FIRST
        done = self.pool.claim(address, owner)
        assert done == (address in self.usable and self.held.get(address, owner) == owner)
        if done:
            self.resting.pop(address, None)
            self.held[address] = owner

    @rule(seconds=st.integers(1, 6))
    def wait(self, seconds):
        self.now += seconds

    @rule()
    def sweep(self):
        over = [a for a, (_, until) in self.resting.items() if self.now > until]
        assert self.pool.sweep(self.now) <= len(over)     # some may have been ended by a full pool
        for address in over:
            del self.resting[address]

    @invariant()
    def agrees(self):
        seen = conserved(self.pool)
        assert seen["leased"] == len(self.held)
        assert seen["reserved"] == 3
        assert seen["cooling"] <= len(self.resting)
        assert {a for a, _, _ in self.pool.leases()} == set(self.held)


PoolModel.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestPoolModel = PoolModel.TestCase
