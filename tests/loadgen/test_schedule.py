"""The schedule: a permutation from the seed, even spacing from the rate, and the digest of both."""
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.pacer import Pacer
from loadgen.schedule import schedule_sha256

NAIS = [b"mn%06d@home.example" % i for i in range(1000)]


@given(st.integers(1, 3000), st.integers(0, 2**64 - 1))
def test_every_node_comes_once_a_turn(nodes: int, seed: int) -> None:
    pacer = Pacer(nodes, seed)
    order = pacer.nodes(0, nodes).tolist()
    assert sorted(order) == list(range(nodes))
    assert pacer.nodes(nodes, nodes).tolist() == order
    assert pacer.node(3 * nodes + nodes // 2) == order[nodes // 2]


def test_the_order_looks_random_and_is_the_seed_s() -> None:
    order = Pacer(100_000, 1).nodes(0, 100_000).astype(float)
    assert abs(np.corrcoef(order[:-1], order[1:])[0, 1]) < 0.02
    assert abs(np.corrcoef(order, np.arange(order.size))[0, 1]) < 0.02
    assert (np.diff(order) == 1).sum() < 20
    assert (Pacer(100_000, 2).nodes(0, 100_000) == order).sum() < 20
    assert (Pacer(100_000, 1).nodes(0, 100_000) == order).all()


def test_any_number_of_nodes_up_to_the_widest() -> None:
    pacer = Pacer(2**32 - 1, 5)
    assert len(set(pacer.nodes(2**31, 1000).tolist())) == 1000


def test_arrivals_are_evenly_spaced_without_drift() -> None:
    pacer = Pacer(10, 0, 3000)
    times = pacer.times_ns(0, 9001).astype(np.int64)
    assert (times[0], times[3000], times[9000]) == (0, 10**9, 3 * 10**9)
    assert set(np.diff(times).tolist()) <= {333_333, 333_334}
    assert pacer.time_ns(3000 * 86_400 * 365) == 86_400 * 365 * 10**9
    assert (pacer.times_ns(500, 10) == times[500:510]).all()
    assert Pacer(1, 0, 0.5).time_ns(3) == 6 * 10**9


def test_a_closed_loop_has_no_arrival_times() -> None:
    assert Pacer(10, 0).times_ns(0, 10).tolist() == [0] * 10


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf")])
def test_an_impossible_rate_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="rate"):
        Pacer(10, 0, rate)


def test_no_nodes_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one node"):
        Pacer(0, 0)


def test_the_digest_tells_loads_apart_and_is_stable() -> None:
    digest = schedule_sha256(Pacer(1000, 1, 100.0), NAIS)
    assert digest == schedule_sha256(Pacer(1000, 1, 100), list(NAIS))
    assert digest == "6aea855b0fe25aa272d16a0bfa50f844b9b314a62433c8f88ef72d6db72653f0"
    others = [schedule_sha256(Pacer(1000, 2, 100), NAIS), schedule_sha256(Pacer(1000, 1, 101), NAIS),
              schedule_sha256(Pacer(1000, 1), NAIS), schedule_sha256(Pacer(999, 1, 100), NAIS[:999]),
              schedule_sha256(Pacer(1000, 1, 100), [*NAIS[:-1], b"other@home.example"])]
    assert len({digest, *others}) == 6
