"""Life after the bootstrap as a user runs it: nodes stay, renew, and leave; what they hold is what the FHA has leased."""
import re
from pathlib import Path

import pytest

from loadgen import result as document
from loadgen.result import Result, Tally
from tests.e2e.processes import MIPSTORM, Running, mipstorm, nothing_left

LONG_STAY = ("bench", "-n", "300", "-r", "1000", "--hold", "600", "--json", "result.json")


def result_of(folder: Path) -> Result:
    result = document.decode((folder / "result.json").read_bytes())
    assert document.arithmetic_faults(result) == []
    return result


def all_of(nodes: int) -> Tally:
    return Tally(attempted=nodes, succeeded=nodes)


def test_bootstrap_stay_renew_and_leave(tmp_path: Path) -> None:
    """A lifetime of 2 s is renewed at 1.5 to 1.7 s, once in a stay of 2.5 s."""
    done = mipstorm(tmp_path, "bench", "-n", "300", "-r", "1000", "--hold", "2.5", "--renew", "--max-lifetime", "2", "--release",
                    "--json", "result.json")
    assert done.returncode in (0, 3), done.stderr
    result = result_of(tmp_path)
    assert (result.violations, result.partial) == ([], False)
    assert result.bootstraps == result.steps["registration"] == result.steps["renewal"] == result.steps["release"] == all_of(300)
    assert list(result.steps) == ["access", "registration", "renewal", "release"]
    assert list(result.latency_ms) == ["bootstrap", *result.steps]
    events = result.servers["fha"].events
    assert (events["renewed"], events["given_back"], events.get("expired", 0)) == (300, 300, 0)
    assert result.replies.mip4 == {"0": 900}
    assert result.duration_s < 2                              # of the bootstraps: the stay is none of it
    assert re.search(r"^renewal +300 +300 +0 +0 +0$", done.stdout, re.MULTILINE)
    assert " us a bootstrap" not in done.stdout
    assert re.search(r" 300 holding  p99", done.stderr)


def test_the_lifetime_that_is_asked_for(tmp_path: Path) -> None:
    """2 s of the 1800 that the FHA would grant: renewed once in a stay of 2.5 s."""
    done = mipstorm(tmp_path, "bench", "-n", "100", "-r", "1000", "--hold", "2.5", "--renew", "--lifetime", "2", "--json", "result.json")
    assert done.returncode in (0, 3), done.stderr
    result = result_of(tmp_path)
    assert result.bootstraps == result.steps["renewal"] == all_of(100)
    assert (result.violations, result.replies.lifetimes_clipped) == ([], 0)


def test_renewals_follow_the_lifetime_that_was_granted(tmp_path: Path) -> None:
    """Asked for 40 s, which need no renewal in this stay, the FHA grants 2."""
    done = mipstorm(tmp_path, "bench", "-n", "100", "-r", "1000", "--hold", "2.5", "--renew", "--lifetime", "40", "--max-lifetime", "2",
                    "--json", "result.json")
    assert done.returncode in (0, 3), done.stderr
    assert result_of(tmp_path).steps["renewal"] == all_of(100)


def test_release_without_a_stay_and_nodes_that_come_again(tmp_path: Path) -> None:
    done = mipstorm(tmp_path, "bench", "-n", "50", "-c", "8", "-d", "1", "--release", "--volatile", "--cool-down", "0",
                    "--pool", "198.18.0.0/26", "--json", "result.json", "-q")
    assert done.returncode in (0, 3), done.stderr
    result = result_of(tmp_path)
    assert result.violations == []
    assert result.bootstraps.succeeded == result.steps["release"].succeeded > 100
    assert "renewal" not in result.steps


@pytest.mark.parametrize("release", [False, True])
def test_an_interrupt_of_those_who_stay(tmp_path: Path, release: bool) -> None:
    """They give back what they hold only if they were asked to; the servers see them go."""
    with Running(tmp_path, [*MIPSTORM, *LONG_STAY, *(["--release"] if release else [])]) as run:
        run.wait_for_line(lambda line: "300/300 done" in line and "300 holding" in line)
        run.interrupt()
        code, _, _ = run.end()
        assert code == 130
        nothing_left(run, tmp_path)
    result = result_of(tmp_path)
    assert (result.verdict, result.partial, result.violations) == ("interrupted", True, [])
    assert result.bootstraps == all_of(300)
    assert result.steps.get("release") == (all_of(300) if release else None)
    assert result.servers["fha"].events.get("given_back", 0) == (300 if release else 0)


@pytest.mark.parametrize(("options", "message"), [
    (["--renew"], "--renew is for nodes that stay: give --hold S"),
    (["--steps", "access", "--release"], "--steps access leaves nothing to hold, renew or release"),
    (["--hold", "0"], "'0' is not a number above 0")])
def test_what_makes_no_sense_is_refused(tmp_path: Path, options: list[str], message: str) -> None:
    done = mipstorm(tmp_path, "bench", *options)
    assert (done.returncode, message in done.stderr) == (2, True)
