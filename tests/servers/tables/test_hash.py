"""The index against a dictionary, with hashes chosen to collide, wrap around and be removed from within a run."""
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from servers.tables.hash import HashTable, hash_of


def test_rows_of_equal_hash_are_all_found():
    table = HashTable(10)
    for row in (5, 6, 7):
        assert table.insert(99, row)
    assert table.insert(99 + 32, 8)                    # the same slot, another hash
    assert sorted(table.find(99)) == [5, 6, 7]
    assert table.remove(99, 6)
    assert not table.remove(99, 6)
    assert sorted(table.find(99)) == [5, 7]
    assert table.find(99 + 32) == [8]
    assert table.find(98) == []


@pytest.mark.parametrize("cap", [1, 2, 3, 7, 1000])
def test_the_cap_is_exact_and_refusals_are_counted(cap):
    table = HashTable(cap)
    assert all(table.insert(k * 0x9E3779B97F4A7C15 % 2 ** 64, k) for k in range(cap))
    assert not table.insert(1, 1)
    assert (len(table), table.refused) == (cap, 1)
    assert table.remove(0, 0)
    assert table.insert(1, 1)


@pytest.mark.parametrize("cap", [0, 2 ** 30 + 1])
def test_a_cap_out_of_range_is_refused(cap):
    with pytest.raises(ValueError):
        HashTable(cap)


def test_the_number_that_means_no_row_is_refused():
    with pytest.raises(ValueError):
        HashTable(1).insert(1, 0xFFFFFFFF)


def test_a_long_history_at_the_cap_matches_a_dictionary():
    chance, table, model = random.Random(5), HashTable(500), {}
    for row in range(200_000):
        if len(model) == 500:
            gone = chance.choice(list(model)) if row % 50 == 0 else next(iter(model))
            assert table.remove(model.pop(gone), gone)
        model[row] = chance.getrandbits(64)
        assert table.insert(model[row], row)
    for row, hash_ in model.items():
        assert table.find(hash_) == [row]
    assert len(table) == 500


class TableModel(RuleBasedStateMachine):
    """Eight homes around the end of a table of 16 slots: runs that wrap, merge and split."""

    HASHES = st.sampled_from([home + high * 16 for home in (0, 1, 2, 13, 14, 15) for high in (0, 1, 2 ** 59)])

    def __init__(self):
        super().__init__()
        self.table, self.model, self.row = HashTable(8), {}, 0

    @rule(hash_=HASHES)
    def insert(self, hash_):
        self.row += 1
        assert self.table.insert(hash_, self.row) == (len(self.model) < 8)
        if len(self.model) < 8:
            self.model[self.row] = hash_

    @rule(data=st.data())
    def remove(self, data):
        if self.model:
            row = data.draw(st.sampled_from(sorted(self.model)))
            assert self.table.remove(self.model.pop(row), row)

    @rule(hash_=HASHES, row=st.integers(10 ** 6, 10 ** 6 + 3))
    def remove_what_is_not_there(self, hash_, row):
        assert not self.table.remove(hash_, row)

    @invariant()
    def agrees(self):
        assert len(self.table) == len(self.model)
        for hash_ in set(self.model.values()):
            assert sorted(self.table.find(hash_)) == sorted(r for r, h in self.model.items() if h == hash_)


TableModel.TestCase.settings = settings(max_examples=100, stateful_step_count=60, deadline=None)
TestTableModel = TableModel.TestCase


@given(octets=st.binary(max_size=80), seed=st.integers(0, 2 ** 64 - 1))
def test_a_hash_depends_on_every_octet_the_length_and_the_seed(octets, seed):
    own = hash_of(octets, seed)
    assert own == hash_of(bytes(octets), seed)
    assert own != hash_of(octets + b"\0", seed)
    assert own != hash_of(octets, seed ^ 1)
    for at in range(len(octets)):
        assert own != hash_of(octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1:], seed)


@pytest.mark.parametrize("bits", [slice(0, 16), slice(24, 40), slice(48, 64)])
def test_names_that_differ_in_a_number_spread_evenly(bits):
    """Chi square over 65 536 buckets: within 5 standard deviations of chance."""
    buckets = [0] * 65_536
    for k in range(262_144):
        buckets[hash_of(b"mn%07d@example.net" % k, 0x1234567) >> bits.start & 0xFFFF] += 1
    chi = sum((n - 4) ** 2 / 4 for n in buckets)
    assert abs(chi - 65_535) < 5 * (2 * 65_535) ** 0.5
