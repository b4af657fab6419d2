"""RFC 5080 2.2.2: the same request gets the same octets for five seconds, a changed one is new, memory is bounded."""
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from servers.tables.replies import ReplyCache, Seen, churn

A, B = b"a" * 16, b"b" * 16
PEER = (0x7F000001, 1812)


def test_a_request_is_pending_then_done_with_the_same_octets():
    cache = ReplyCache()
    assert cache.find(*PEER, 7, A, 0.0) == (Seen.MISS, b"")
    handle = cache.begin(*PEER, 7, A, 0.0)
    assert cache.find(*PEER, 7, A, 0.1) == (Seen.PENDING, b"")
    assert cache.finish(handle, b"reply octets")
    for now in (0.2, 4.9):
        assert cache.find(*PEER, 7, A, now) == (Seen.DONE, b"reply octets")
    assert not cache.finish(handle, b"another")        # the first answer stays
    assert cache.find(*PEER, 7, A, 4.9) == (Seen.DONE, b"reply octets")


@pytest.mark.parametrize("other", [(0x7F000002, 1812, 7), (0x7F000001, 1813, 7), (0x7F000001, 1812, 8)])
def test_address_port_and_identifier_are_the_key(other):
    cache = ReplyCache()
    cache.begin(*PEER, 7, A, 0.0)
    assert cache.find(*other, A, 0.0) == (Seen.MISS, b"")


def test_another_authenticator_purges_and_is_new():
    cache = ReplyCache()
    old = cache.begin(*PEER, 7, A, 0.0)
    assert cache.find(*PEER, 7, B, 1.0) == (Seen.CHANGED, b"")
    assert cache.find(*PEER, 7, B, 1.0) == (Seen.MISS, b"")
    new = cache.begin(*PEER, 7, B, 1.0)
    assert not cache.finish(old, b"late")              # the old work has nowhere to go
    assert cache.finish(new, b"fresh")
    assert cache.find(*PEER, 7, B, 1.0) == (Seen.DONE, b"fresh")
    assert cache.find(*PEER, 7, A, 1.0) == (Seen.CHANGED, b"")


def test_an_entry_lives_five_seconds_from_its_first_request_whatever_arrives():
    cache = ReplyCache()
    cache.finish(cache.begin(*PEER, 7, A, 10.0), b"reply")
    for tenth in range(50):
        assert cache.find(*PEER, 7, A, 10 + tenth / 10)[0] == Seen.DONE
    assert cache.find(*PEER, 7, A, 15.01)[0] == Seen.MISS
    cache.begin(*PEER, 8, A, 20.0)                     # no answer ever comes: not for ever either
    assert cache.find(*PEER, 8, A, 24.99)[0] == Seen.PENDING
    assert cache.find(*PEER, 8, A, 25.01)[0] == Seen.MISS


def test_the_capacity_is_exact_refusals_are_counted_and_places_come_back():
    cache = ReplyCache(capacity=100, large=1)
    handles = [cache.begin(*PEER, k, A, 0.0) for k in range(100)]
    assert all(handles)
    assert cache.begin(*PEER, 200, A, 4.9) == 0
    assert not cache.finish(0, b"x")
    assert cache.counters()["refused"] == 1
    assert cache.begin(*PEER, 200, A, 5.1)
    assert cache.counters()["held"] == 1
    assert not any(cache.finish(handle, b"late") for handle in handles)


def test_a_handle_of_an_earlier_use_of_the_place_is_refused():
    cache = ReplyCache(capacity=1, large=0)
    old = cache.begin(*PEER, 1, A, 0.0)
    new = cache.begin(*PEER, 2, A, 6.0)
    assert not cache.finish(old, b"old")
    assert cache.finish(new, b"new")
    assert cache.find(*PEER, 2, A, 6.0) == (Seen.DONE, b"new")


def test_cancelled_work_makes_the_next_request_new():
    cache = ReplyCache()
    handle = cache.begin(*PEER, 1, A, 0.0)
    cache.cancel(handle)
    cache.cancel(handle)
    assert cache.find(*PEER, 1, A, 0.0)[0] == Seen.MISS
    assert not cache.finish(handle, b"x")


def test_long_replies_have_places_of_their_own_that_come_back():
    cache = ReplyCache(capacity=10, inline_size=64, large=2)
    for round_ in range(5):
        now = round_ * 10.0
        kept = [cache.finish(cache.begin(*PEER, k, A, now), bytes([k]) * (65 + 1000 * k)) for k in range(3)]
        assert kept == [True, True, False]
        assert [cache.find(*PEER, k, A, now) for k in range(2)] == [
            (Seen.DONE, bytes([k]) * (65 + 1000 * k)) for k in range(2)]
        assert cache.find(*PEER, 2, A, now)[0] == Seen.MISS
    assert cache.counters()["refused_large"] == 5
    cache = ReplyCache(inline_size=64)
    assert cache.finish(cache.begin(*PEER, 1, A, 0.0), bytes(4096))
    assert not cache.finish(cache.begin(*PEER, 2, A, 0.0), bytes(4097))
    assert cache.finish(cache.begin(*PEER, 3, A, 0.0), bytes(64))


def test_200_000_requests_a_second_for_twenty_seconds_stay_in_bounds():
    cache = ReplyCache(capacity=1_050_000, inline_size=64, large=0)
    assert churn(cache, 4_000_000, 60, 200_000) == 4_000_000
    assert cache.counters() == {"live": 1_000_000, "held": 1_000_000, "large": 0, "refused": 0, "refused_large": 0}


@pytest.mark.parametrize("wrong", [{"capacity": 0}, {"capacity": 2 ** 24 + 1}, {"inline_size": 19},
                                   {"inline_size": 5000}, {"large": 2 ** 21}, {"life_s": 0.0},
                                   {"life_s": float("nan")}])
def test_sizes_that_do_not_fit_are_refused(wrong):
    with pytest.raises(ValueError):
        ReplyCache(**wrong)


@pytest.mark.parametrize("length", [0, 15, 17])
def test_an_authenticator_has_sixteen_octets(length):
    with pytest.raises(ValueError):
        ReplyCache().find(*PEER, 1, bytes(length), 0.0)
    with pytest.raises(ValueError):
        ReplyCache().begin(*PEER, 1, bytes(length), 0.0)


class CacheModel(RuleBasedStateMachine):
    """Against a dictionary, with few keys, few places and time that passes."""

    KEYS = st.tuples(st.integers(1, 2), st.integers(1, 2), st.integers(0, 2))

    def __init__(self):
        super().__init__()
        self.cache = ReplyCache(capacity=6, inline_size=32, large=1)
        self.model, self.places, self.now = {}, [], 0.0
        self.handles = {}

    def expire(self):
        self.model = {k: v for k, v in self.model.items() if v["ends"] > self.now}
        self.places = [ends for ends in self.places if ends > self.now]

    @rule(key=KEYS, authenticator=st.sampled_from([A, B]))
    def request(self, key, authenticator):
        self.expire()
        entry = self.model.get(key)
        seen, octets = self.cache.find(*key, authenticator, self.now)
        if entry is None:
            assert seen == Seen.MISS
        elif entry["authenticator"] != authenticator:
            assert seen == Seen.CHANGED
            del self.model[key]
        else:
            assert (seen, octets) == ((Seen.PENDING, b"") if entry["reply"] is None else (Seen.DONE, entry["reply"]))
            return
        handle = self.cache.begin(*key, authenticator, self.now)
        assert bool(handle) == (len(self.places) < 6)
        if handle:
            assert handle not in self.handles
            self.places.append(self.now + 5)
            self.model[key] = entry = {"authenticator": authenticator, "ends": self.now + 5, "reply": None}
            self.handles[handle] = key, entry

    @rule(data=st.data(), reply=st.binary(min_size=1, max_size=40))
    def finish(self, data, reply):
        if not self.handles:
            return
        handle = data.draw(st.sampled_from(sorted(self.handles)))
        key, entry = self.handles[handle]
        live = self.model.get(key) is entry and entry["reply"] is None
        large = sum(len(e["reply"] or b"") > 32 for e in self.model.values())
        kept = self.cache.finish(handle, reply)
        assert kept == (live and (len(reply) <= 32 or large < 1))
        if kept:
            entry["reply"] = reply
        elif live:
            del self.model[key]

    @rule(seconds=st.sampled_from([0.5, 2.0, 5.0]))
    def wait(self, seconds):
        self.now += seconds
        self.expire()
        self.cache.expire(self.now)

    @invariant()
    def agrees(self):
        seen = self.cache.counters()
        assert (seen["live"], seen["held"]) == (len(self.model), len(self.places))


CacheModel.TestCase.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
TestCacheModel = CacheModel.TestCase
