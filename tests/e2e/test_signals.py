"""Ctrl-C, SIGTERM and death in the middle of a run: it ends soon, says what it has, and leaves nothing behind."""
import os
import re
import signal
import time
from pathlib import Path

import pytest

from loadgen import result as document
from loadgen.result import Result
from tests.e2e.processes import MIPSTORM, PYTHON, Running, eventually, is_alive, nothing_left, under_way

pytestmark = pytest.mark.xdist_group("signals")
LONG = ("bench", "-n", "20000", "-r", "300")


def started(folder: Path, *arguments: str) -> Running:
    """A long bench, its load under way."""
    run = Running(folder, [*MIPSTORM, *LONG, "--json", "result.json", *arguments])
    try:
        run.wait_for_line(under_way)
        assert len(run.descendants()) == 2
    except BaseException:
        run.__exit__(None, None, None)
        raise
    return run


def partial(folder: Path) -> Result:
    """The document of an interrupted run, which adds up like any other."""
    result = document.decode((folder / "result.json").read_bytes())
    assert result.partial
    assert document.arithmetic_faults(result) == []
    assert 0 < result.bootstraps.succeeded <= result.bootstraps.attempted < 20_000
    return result


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_stops_drains_and_writes_what_there_is(tmp_path: Path, number: signal.Signals) -> None:
    with started(tmp_path) as run:
        run.interrupt(number)
        began = time.monotonic()
        code, out, _ = run.end()
        assert (code, time.monotonic() - began < 8) == (130, True)
        nothing_left(run, tmp_path)
    result = partial(tmp_path)
    assert (result.verdict, result.reasons[0], result.violations) == ("interrupted", "stopped before its end", [])
    assert (result.bootstraps.in_flight, result.bootstraps.failed) == (0, 0)         # drained
    assert {role: use.packets_in > 0 for role, use in result.servers.items()} == {"aaah": True, "fha": True}
    assert "PARTIAL" in out
    assert "verdict  interrupted" in out


def test_a_second_ctrl_c_does_not_wait(tmp_path: Path) -> None:
    """The FHA stands still, so that there is something to wait for."""
    with started(tmp_path) as run:
        os.kill(run.server("fha"), signal.SIGSTOP)
        time.sleep(0.3)
        run.interrupt()
        time.sleep(0.5)
        assert run.process.poll() is None
        run.interrupt()
        began = time.monotonic()
        code, _, err = run.end()
        assert (code, time.monotonic() - began < 5) == (130, True), err
        assert "Traceback" not in err
        nothing_left(run, tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("after_s", [0.15, 0.4, 0.7])
def test_an_interrupt_while_the_servers_start(tmp_path: Path, number: signal.Signals, after_s: float) -> None:
    with Running(tmp_path, [*MIPSTORM, *LONG]) as run:
        if after_s > 0.15:
            eventually(lambda: list(tmp_path.glob("mipstorm-*")), "the folder of the testbed")
        time.sleep(after_s - 0.15)
        run.interrupt(number)
        code, _, err = run.end(10)
        # killed by it, or its own words for it: Python itself was still starting
        assert code in (130, -signal.SIGTERM, -signal.SIGINT) or (code == 1 and "KeyboardInterrupt" in err), err
        assert code == 130 or after_s == 0.15
        assert "Traceback" not in err or after_s == 0.15
        nothing_left(run, tmp_path)


def test_an_interrupt_while_the_command_is_imported(tmp_path: Path) -> None:
    """What is heavy comes after the package itself; Python ends by the signal, which a shell sees as 130."""
    code = "import loadgen.cli, os, signal; os.kill(os.getpid(), signal.SIGINT); import loadgen.cli.main"
    with Running(tmp_path, [PYTHON, "-c", f"import signal; signal.signal(2, signal.default_int_handler); {code}"]) as run:
        assert run.end() == (-signal.SIGINT, "", "mipstorm: interrupted\n")


def test_servers_die_with_a_killed_parent(tmp_path: Path) -> None:
    with started(tmp_path) as run:
        os.kill(run.pid, signal.SIGKILL)
        eventually(lambda: not [pid for pid in run.family if is_alive(pid)], "the end of the servers", 3.0)


@pytest.mark.parametrize("role", ["fha", "aaah"])
def test_a_killed_server_is_named_and_ends_the_run(tmp_path: Path, role: str) -> None:
    with started(tmp_path) as run:
        pid = run.server(role)
        os.kill(pid, signal.SIGKILL)
        code, out, _ = run.end()
        nothing_left(run, tmp_path)
    assert code == 1
    result = partial(tmp_path)
    assert result.verdict == "child-died"
    assert result.reasons[0] == f"the {role} (pid {pid}) died with signal SIGKILL: it said nothing"
    assert result.reasons[0] in " ".join(out.split())


def in_warm_up(folder: Path) -> Running:
    run = Running(folder, [*MIPSTORM, *LONG, "-d", "60", "--warm-up", "40", "--json", "result.json"])
    try:
        eventually(lambda: run.server("fha"), "the FHA")
        time.sleep(2)
    except BaseException:
        run.__exit__(None, None, None)
        raise
    return run


def test_a_server_killed_in_the_warm_up(tmp_path: Path) -> None:
    with in_warm_up(tmp_path) as run:
        pid = run.server("aaah")
        os.kill(pid, signal.SIGKILL)
        code, out, err = run.end()
        nothing_left(run, tmp_path)
    assert (code, "Traceback" in err) == (1, False), err
    assert f"the aaah (pid {pid}) died with signal SIGKILL" in " ".join(out.split())


def test_an_interrupt_in_the_warm_up_while_a_server_stands_still(tmp_path: Path) -> None:
    """What is under way then does not end, so that no figure can be set to zero."""
    with in_warm_up(tmp_path) as run:
        os.kill(run.server("aaah"), signal.SIGSTOP)
        time.sleep(0.3)
        run.interrupt()
        code, out, err = run.end(60)
        nothing_left(run, tmp_path)
    assert (code, "Traceback" in err) == (130, False), err
    assert "PARTIAL" in out


def test_the_last_log_line_of_a_dead_server_is_shown(tmp_path: Path) -> None:
    """A datagram that no server knows makes it say something; then it is killed."""
    with started(tmp_path) as run:
        pid = run.server("fha")
        log = next(tmp_path.glob("mipstorm-*")) / "fha.log"
        provoke(pid)
        eventually(lambda: "too_short" in log.read_text(), "a line in the log", 5.0)
        os.kill(pid, signal.SIGKILL)
        code, _, _ = run.end()
    assert code == 1
    reason = partial(tmp_path).reasons[0]
    assert re.match(rf"the fha \(pid {pid}\) died with signal SIGKILL: (warning: )?fha: too_short: \d+ \(\d+ in all\); the last from "
                    r"127\.0\.0\.1:\d+, 1 octets: 3f$", reason)


def provoke(pid: int) -> None:
    """One octet to every UDP port on which the process listens on loopback."""
    import socket

    inodes = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")
              if os.path.islink(f"/proc/{pid}/fd/{fd}")}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for line in Path(f"/proc/{pid}/net/udp").read_text().splitlines()[1:]:
            fields = line.split()
            if f"socket:[{fields[9]}]" in inodes:
                sender.sendto(b"?", ("127.0.0.1", int(fields[1].rpartition(":")[2], 16)))


def test_a_server_that_pauses_shows_in_the_latency(tmp_path: Path) -> None:
    """Stopped for a second, the FHA loses nothing; the nodes that came meanwhile waited up to that second."""
    with Running(tmp_path, [*MIPSTORM, "bench", "-n", "1500", "-r", "300", "--json", "result.json"]) as run:
        run.wait_for_line(under_way)
        pid = run.server("fha")
        os.kill(pid, signal.SIGSTOP)
        time.sleep(1.0)
        os.kill(pid, signal.SIGCONT)
        code, _, err = run.end()
    result = document.decode((tmp_path / "result.json").read_bytes())
    assert code in (0, 3), err
    assert (result.bootstraps.succeeded, result.violations) == (1500, [])
    registration = result.latency_ms["registration"]
    assert registration.p99 is not None
    assert registration.max is not None
    assert registration.p50 is not None
    assert 700 < registration.p99 <= registration.max < 3000   # 300 of 1500 waited, evenly from 0 to 1 s
    assert registration.p50 < 300
    access = result.latency_ms["access"]
    assert access.max is not None
    assert access.max < registration.p99                       # the AAAH did not pause
