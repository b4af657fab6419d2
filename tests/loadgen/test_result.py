"""The result document: its names, its arithmetic, and when a percentile is worth printing."""
import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from loadgen import result as document
from loadgen.histogram import LatencyHistogram
from loadgen.result import Latency, Packets, Result, Tally
from servers.errors import ConfigurationError

Make = Callable[..., Result]


def spread(samples: int) -> LatencyHistogram:
    """1 ms, 2 ms, ... one sample each."""
    histogram = LatencyHistogram()
    histogram.record_many(np.arange(1, samples + 1, dtype=np.uint64) * 1_000_000)
    return histogram


def test_the_names_are_those_of_the_design(make_result: Make) -> None:
    names = json.loads(document.encode(make_result()))
    assert names["schema"] == "mipstorm.result/1"
    assert set(names) >= {"verdict", "partial", "scenario", "nodes", "seed", "duration_s", "cores", "bootstraps",
                          "steps", "rate_per_s", "latency_ms", "packets", "replies", "violations", "relaxed", "servers",
                          "generator"}
    assert list(names["bootstraps"]) == ["attempted", "succeeded", "failed", "timed_out", "in_flight"]
    assert names["steps"]["access"].keys() == names["bootstraps"].keys()
    assert list(names["rate_per_s"]) == ["offered", "achieved"]
    assert list(names["latency_ms"]["bootstrap"]) == ["p50", "p90", "p99", "p99_9", "max"]
    assert list(names["packets"]) == ["sent", "received", "retransmitted", "late", "duplicate", "unmatched",
                                      "malformed", "bad_authenticator", "kernel_drops"]
    assert list(names["replies"])[:3] == ["mip4", "radius", "mip6"]
    assert set(names["servers"]["aaah"]) >= {"processes", "cpu_s", "max_rss_bytes", "packets_in", "packets_out",
                                             "dropped"}
    assert list(names["generator"]) == ["cpu_s", "max_rss_bytes", "bytes_per_node", "schedule_sha256", "send_lag_ms"]
    assert list(names["generator"]["send_lag_ms"]) == ["p50", "p99", "max"]
    assert "capacity_per_s" not in names


def test_a_document_is_read_back_also_when_a_later_version_knows_more(make_result: Make) -> None:
    made = make_result(hint="why", reasons=["x"])
    assert document.decode(document.encode(made)) == made
    later = json.loads(document.encode(made)) | {"new": 1}
    assert document.decode(json.dumps(later).encode()) == made
    with pytest.raises(msgspec.ValidationError, match=r"mipstorm\.result/2"):
        document.decode(json.dumps(later | {"schema": "mipstorm.result/2"}).encode())


@pytest.mark.parametrize(("samples", "known"), [
    (0, []), (19, ["max"]), (20, ["p50", "max"]), (99, ["p50", "max"]), (100, ["p50", "p90", "max"]),
    (999, ["p50", "p90", "max"]), (1000, ["p50", "p90", "p99", "max"]), (9_999, ["p50", "p90", "p99", "max"]),
    (10_000, ["p50", "p90", "p99", "p99_9", "max"])])
def test_no_percentile_with_fewer_than_ten_samples_above(samples: int, known: list[str]) -> None:
    found = msgspec.structs.asdict(document.latency(spread(samples)))
    assert [name for name, value in found.items() if value is not None] == known


def test_percentiles_are_milliseconds() -> None:
    found = document.latency(spread(10_000))
    for value, true in ((found.p50, 5_000), (found.p90, 9_000), (found.p99, 9_900), (found.p99_9, 9_990)):
        assert value is not None
        assert true <= value <= true * 1.001
    assert found.max == 10_000
    lag = document.send_lag(spread(1000))
    assert lag.p50 is not None
    assert lag.p99 is not None
    assert lag.max == 1000


def test_sums_that_hold_and_sums_that_do_not(make_result: Make) -> None:
    assert document.arithmetic_faults(make_result()) == []
    one_lost = Tally(attempted=1000, succeeded=990, failed=4, timed_out=4, in_flight=1)
    assert document.arithmetic_faults(make_result(bootstraps=one_lost)) == [
        "bootstraps: 1000 attempted, but 999 ended or are in flight"]
    wrong_step = make_result(steps={"access": one_lost, "registration": Tally(attempted=1000, succeeded=1000)})
    assert document.arithmetic_faults(wrong_step) == ["steps.access: 1000 attempted, but 999 ended or are in flight"]
    assert document.arithmetic_faults(make_result(packets=Packets(sent=2002, retransmitted=3))) == [
        "packets: 2002 sent, but 2000 attempts and 3 retransmissions"]


def test_writing(make_result: Make, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    made = make_result(latency_ms={"bootstrap": Latency()})
    document.write(made, str(tmp_path / "r.json"))
    assert document.decode((tmp_path / "r.json").read_bytes()) == made
    assert json.loads((tmp_path / "r.json").read_bytes())["latency_ms"]["bootstrap"]["p99"] is None
    document.write(made, "-")
    assert document.decode(capsysbinary.readouterr().out) == made
    with pytest.raises(ConfigurationError, match="the result cannot be written: Is a directory"):
        document.write(made, str(tmp_path))
    with pytest.raises(ConfigurationError, match="/dev/full: the result cannot be written: No space left on device"):
        document.write(made, "/dev/full")
