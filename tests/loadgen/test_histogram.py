"""Percentiles against an exact sort and against the reference implementation (HdrHistogram for Python)."""
import math

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as st

from loadgen.histogram import LatencyHistogram

HOUR = 3_600_000_000_000
SAMPLES = 1_000_000
QUANTILES = (0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999)


def filled(values: "np.ndarray") -> LatencyHistogram:
    histogram = LatencyHistogram()
    histogram.record_many(values.astype(np.uint64))
    return histogram


def distribution(name: str) -> "np.ndarray":
    """A million latencies in ns from 1 us to an hour."""
    random = np.random.default_rng(7)
    drawn = {
        "uniform": lambda: random.uniform(1e3, HOUR, SAMPLES),
        "exponential": lambda: random.exponential(5e6, SAMPLES),
        "lognormal": lambda: random.lognormal(14, 2, SAMPLES),
        "bimodal": lambda: np.concatenate((random.normal(2e5, 1e4, SAMPLES * 9 // 10),
                                           random.normal(1e9, 5e7, SAMPLES // 10))),
    }[name]()
    return np.clip(drawn, 1_000, HOUR).astype(np.uint64)


@pytest.mark.parametrize("name", ["uniform", "exponential", "lognormal", "bimodal"])
def test_percentiles_of_a_million_samples_are_true_to_a_thousandth(name: str) -> None:
    values = distribution(name)
    histogram, exact = filled(values), np.sort(values)
    assert histogram.total == SAMPLES
    assert (histogram.lowest, histogram.highest) == (exact[0], exact[-1])
    for quantile in QUANTILES:
        rank = math.ceil(quantile * SAMPLES)
        true, found = int(exact[rank - 1]), histogram.value_at(rank)
        assert found is not None
        assert 0 <= found - true <= true * 0.001, (name, quantile)


def test_the_counters_are_those_of_hdrhistogram() -> None:
    values = np.unique(np.concatenate((np.arange(5_000), np.geomspace(5_000, HOUR, 20_000)))).astype(np.uint64)
    reference = HdrHistogram(1, HOUR, 3)
    for value in values.tolist():
        reference.record_value(value)
    ours = filled(values)
    assert ours.counts().tolist() == list(reference.counts)
    for percentile in (1, 10, 50, 90, 99, 99.9):
        rank = int(percentile / 100 * ours.total + 0.5)
        assert ours.value_at(rank) == reference.get_value_at_percentile(percentile)


@given(st.lists(st.integers(0, 2**63), min_size=1, max_size=50), st.lists(st.integers(0, 2**45), max_size=50))
def test_merging_is_recording_both(some: list[int], more: list[int]) -> None:
    left, right, both = LatencyHistogram(), LatencyHistogram(), LatencyHistogram()
    left.record_many(np.array(some, np.uint64))
    right.record_many(np.array(more, np.uint64))
    for value in some + more:
        both.record(value)
    left.merge(right)
    assert (left.counts() == both.counts()).all()
    assert (left.total, left.clipped, left.lowest, left.highest) == (both.total, both.clipped, min(some + more),
                                                                     max(some + more))


@given(st.lists(st.integers(0, 2**41), min_size=1, max_size=60), st.integers(0, 2**41))
def test_count_above_is_exact_to_a_bucket(values: list[int], limit: int) -> None:
    histogram = LatencyHistogram()
    for value in values:
        histogram.record(value)
    above = histogram.count_above(limit)
    assert sum(v > limit * 1.001 + 1 for v in values) <= above <= sum(v > limit for v in values)


def test_a_value_beyond_the_last_bucket_is_clipped_counted_and_still_the_maximum() -> None:
    histogram = LatencyHistogram()
    histogram.record(2**42 - 1)
    assert histogram.clipped == 0
    histogram.record(2**42)
    histogram.record(2**64 - 1)
    assert (histogram.clipped, histogram.total, histogram.highest) == (2, 3, 2**64 - 1)
    assert histogram.value_at(3) == 2**64 - 1


def test_an_empty_histogram_has_no_values() -> None:
    histogram = LatencyHistogram()
    assert (histogram.highest, histogram.lowest, histogram.value_at(1), histogram.total) == (None, None, None, 0)
    histogram.record(5)
    assert histogram.value_at(0) is None
    assert histogram.value_at(2) is None
    histogram.clear()
    assert (histogram.highest, histogram.total, int(histogram.counts().sum())) == (None, 0, 0)
