"""`up` stays, says where its servers are, and leaves nothing; `load` joins it."""
import json
import os
import signal
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from loadgen import result as document
from loadgen.result import Result
from servers.control import ask
from tests.e2e.processes import MIPSTORM, Running, eventually, mipstorm, nothing_left, refusal

NODES = 300


@contextmanager
def up(folder: Path, *arguments: str) -> Iterator[tuple[Running, dict[str, Any]]]:
    """A testbed that runs, and its document."""
    with Running(folder, [*MIPSTORM, "up", "-n", str(NODES), "--testbed", "tb.json", *arguments]) as run:
        assert run.process.stdout is not None
        line = run.process.stdout.readline()
        assert line, run.end()
        run.descendants()
        yield run, json.loads(line)


def load(folder: Path, *arguments: str) -> Result:
    done = mipstorm(folder, "load", "--testbed", "tb.json", "--json", "-", *arguments)
    assert done.returncode in (0, 3), done.stderr                    # 3: others kept the machine busy
    return document.decode(done.stdout.encode())


def test_up_says_where_everything_is_and_leaves_nothing(tmp_path: Path) -> None:
    with up(tmp_path) as (run, testbed):
        file = tmp_path / "tb.json"
        assert json.loads(file.read_text()) == testbed
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert (testbed["schema"], testbed["pid"], testbed["vendor"]) == ("mipstorm.testbed/1", run.pid, 32473)
        assert testbed["servers"]["aaah"]["pids"] == [run.server("aaah")]
        assert testbed["servers"]["fha"]["pids"] == [run.server("fha")]
        assert testbed["subscribers"]["count"] == NODES
        assert stat.S_IMODE(Path(testbed["subscribers"]["csv"]).stat().st_mode) == 0o600
        assert (testbed["pools"], testbed["care_of_networks"]) == ([{"network": "198.18.0.0/16"}], ["127.64.0.0/10"])
        assert testbed["radius_clients"][0]["network"] == "127.0.0.0/9"
        run.interrupt()
        code, out, _ = run.end()
        assert (code, out) == (0, "")
        nothing_left(run, tmp_path)
        assert not file.exists()


def test_load_bootstraps_against_it_and_the_counters_agree(tmp_path: Path) -> None:
    with up(tmp_path) as (run, testbed):
        result = load(tmp_path, "-r", "200")
        assert (result.bootstraps.attempted, result.bootstraps.succeeded) == (NODES, NODES)
        assert result.relaxed == ["no reject delay"]
        fha, aaah = (ask(Path(testbed["servers"][role]["control"])) for role in ("fha", "aaah"))
        assert (fha["role"], fha["pid"]) == ("fha", run.server("fha"))
        assert fha["gauges"]["bindings"]["now"] == fha["gauges"]["pool_leased"]["now"] == NODES
        pool = sum(fha["gauges"][f"pool_{state}"]["now"] for state in ("free", "leased", "cooling", "reserved"))
        assert pool == fha["gauges"]["pool_free"]["most"] == 65_536
        assert fha["gauges"]["requests_under_way"]["now"] == 0
        assert fha["replies"]["accepted"] >= NODES
        assert aaah["gauges"]["subscribers"]["now"] == NODES
        assert aaah["replies"]["accepted"] >= 2 * NODES
        done = mipstorm(tmp_path, "stats", testbed["servers"]["fha"]["control"])
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(f"fha on {testbed['servers']['fha']['mip4']}, pid {fha['pid']}, up ")
        assert [line.split() for line in done.stdout.splitlines() if line.startswith("bindings")] == [
            ["bindings", str(NODES), "of", "69632"]]
        as_json = mipstorm(tmp_path, "stats", testbed["servers"]["fha"]["control"], "--json")
        assert json.loads(as_json.stdout).keys() == fha.keys()


def test_registrations_alone(tmp_path: Path) -> None:
    """No access before: the AAAH takes any FHA of its policy for the asking one, and counts it (ruling 18)."""
    with up(tmp_path) as (_, testbed):
        result = load(tmp_path, "-r", "200", "--steps", "registration", "-n", "100")
        assert (result.bootstraps.succeeded, list(result.steps)) == (100, ["registration"])
        assert result.replies.mip4 == {"0": 100}
        assert result.replies.radius == {}
        assert ask(Path(testbed["servers"]["aaah"]["control"]))["events"]["fha_unbound"] == 100


def test_access_alone_and_a_closed_loop_that_ends_at_its_packets(tmp_path: Path) -> None:
    with up(tmp_path, "--volatile"):
        result = load(tmp_path, "-c", "4", "-d", "20", "--steps", "access", "--max-packets", "500")
        assert (result.bootstraps.attempted, result.packets.sent - result.packets.retransmitted) == (500, 500)
        assert result.relaxed == ["no fsync", "no reject delay"]


def test_stats_watch_goes_on(tmp_path: Path) -> None:
    with up(tmp_path) as (_, testbed):
        command = [*MIPSTORM, "stats", testbed["servers"]["aaah"]["control"], "--json", "--watch", "0.1"]
        with Running(tmp_path, command) as watching:
            assert watching.process.stdout is not None
            times = [json.loads(watching.process.stdout.readline())["uptime_s"] for _ in range(5)]
            assert times == sorted(times)
            watching.interrupt()
            assert watching.end()[0] == 0


def test_fixed_ports(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        refused = refusal(mipstorm(tmp_path, "up", "-n", "1", "--radius-port", str(port)))
        assert f"the aaah did not start: aaah: cannot listen on 127.0.0.1:{port}: the port is in use" in refused
    with up(tmp_path, "--mip4-port", str(port)) as (_, testbed):
        assert testbed["servers"]["fha"]["mip4"] == f"127.0.0.1:{port}"


@pytest.mark.parametrize("role", ["aaah", "fha"])
def test_a_server_that_dies_ends_it(tmp_path: Path, role: str) -> None:
    with up(tmp_path) as (run, testbed):
        pid = testbed["servers"][role]["pids"][0]
        os.kill(pid, signal.SIGKILL)
        code, _, err = run.end()
        assert code == 1
        assert f"mipstorm: the {role} (pid {pid}) died with signal SIGKILL" in err
        nothing_left(run, tmp_path)


def test_its_own_death_ends_the_servers(tmp_path: Path) -> None:
    with up(tmp_path) as (run, testbed):
        pids = testbed["servers"]["aaah"]["pids"] + testbed["servers"]["fha"]["pids"]
        run.process.kill()
        eventually(lambda: not any(Path(f"/proc/{pid}/exe").exists() for pid in pids), "the servers' end", 5.0)
