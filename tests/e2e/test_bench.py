"""`mipstorm bench` as a user runs it: its result adds up, and every way to look at it is there."""
import os
import pty
import re
import select
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from loadgen import result as document
from loadgen.result import Result
from tests.e2e.processes import MIPSTORM, ORDINARY, PYTHON, bench, environment, mipstorm, undisturbed

CAPPED = ("--receive-buffer", "212992")  # what an ordinary user gets where net.core.rmem_max is at its default
QUICK = ("bench", "-n", "500", "-c", "8")


def all_is_well(result: Result, nodes: int) -> None:
    """Every sum that can be made of a run without a fault."""
    assert (result.verdict, result.reasons, result.hint, result.partial) == ("ok", [], None, False)
    assert document.arithmetic_faults(result) == []
    for tally in (result.bootstraps, *result.steps.values()):
        assert (tally.attempted, tally.succeeded, tally.failed, tally.timed_out, tally.in_flight) == (nodes, nodes, 0, 0, 0)
    packets = result.packets
    assert packets.sent == 2 * nodes + packets.retransmitted
    assert (packets.unmatched, packets.malformed, packets.bad_authenticator, packets.kernel_drops) == (0, 0, 0, 0)
    assert packets.received == 2 * nodes + packets.late + packets.duplicate
    assert (result.replies.radius, result.replies.mip4, result.violations) == ({"2": nodes}, {"0": nodes}, [])
    assert list(result.steps) == ["access", "registration"]
    assert result.rate_per_s.achieved == pytest.approx(nodes / result.duration_s, rel=1e-3)
    for latency in result.latency_ms.values():
        assert latency.p50 is not None
        assert latency.max is not None
        assert 0 < latency.p50 <= latency.max


def test_a_small_bench(tmp_path: Path) -> None:
    done = undisturbed(tmp_path, *QUICK, "--json", "result.json")
    assert (done.returncode, list(tmp_path.glob("mipstorm-*"))) == (0, [])
    result = document.decode((tmp_path / "result.json").read_bytes())
    all_is_well(result, 500)
    assert result.command == ["mipstorm", *QUICK, "--json", "result.json"]
    assert (result.nodes, result.seed, result.scenario, result.rate_per_s.offered) == (500, 1, "integrated-colocated", None)
    assert result.relaxed == ["no reject delay"]
    assert list(result.servers) == ["aaah", "fha"]
    for use in result.servers.values():                       # one request in, one answer out, of both roles twice
        assert use.packets_in == use.packets_out
        assert use.packets_in >= 1000
        assert (use.processes, use.dropped) == (1, {})
        assert use.cpu_s >= 0
        assert use.max_rss_bytes > 2**20
    assert result.generator.bytes_per_node <= 128
    assert re.fullmatch("[0-9a-f]{64}", result.generator.schedule_sha256)
    lines = done.stdout.splitlines()
    assert re.match(r"mipstorm on \d+ cores?: integrated-colocated, 500 nodes, seed 1", lines[0])
    assert "(500 of 500 succeeded)" in done.stdout
    assert lines[-1] == "verdict  ok"


def test_status_is_plain_lines_where_there_is_no_terminal(tmp_path: Path) -> None:
    done = mipstorm(tmp_path, "bench", "-n", "300", "-r", "200")
    assert done.returncode in (0, 3)
    lines = done.stderr.splitlines()
    assert len(lines) >= 2
    for line in lines:
        assert re.fullmatch(r"\d+ s  \d+/300 done  \d+/s  0 failed  0 timed out  \d+ in flight  p99 .*  ETA (-|\d+ s)", line)
    assert "\x1b" not in done.stdout + done.stderr


def test_the_document_alone_on_standard_output(tmp_path: Path) -> None:
    done, result = bench(tmp_path, *QUICK[1:])
    assert done.returncode == 0
    all_is_well(result, 500)
    assert "verdict  ok" in done.stderr


def test_quiet_says_nothing(tmp_path: Path) -> None:
    done = undisturbed(tmp_path, *QUICK, "--quiet", "--json", "r.json")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    all_is_well(document.decode((tmp_path / "r.json").read_bytes()), 500)


def test_live_status_on_a_terminal(tmp_path: Path) -> None:
    shown = on_a_terminal(tmp_path, "bench", "-n", "500", "-r", "400")
    assert "\x1b[" in shown                                     # drawn, not printed line by line
    assert re.search(r"\d+/500 done", shown)
    assert "500 of 500 succeeded" in shown
    assert "verdict  " in shown.splitlines()[-1]
    assert "\x1b[?25l" in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")  # the cursor is given back


def on_a_terminal(folder: Path, *arguments: str) -> str:
    """What appears on a terminal of its own; the exit code is 0."""
    ours, theirs = pty.openpty()
    env = {**environment(folder), "TERM": "xterm-256color"}
    process = subprocess.Popen([*MIPSTORM, *arguments], cwd=folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs,
                               start_new_session=True)
    os.close(theirs)
    shown, deadline = b"", time.monotonic() + 30
    while time.monotonic() < deadline:
        if not select.select([ours], [], [], 0.2)[0]:
            continue
        try:
            piece = os.read(ours, 65536)
        except OSError:                                          # the last process on it has closed it
            break
        shown += piece
    os.close(ours)
    assert process.wait(10) in (0, 3)                            # 3: others kept this machine busy
    return shown.decode()


def test_same_seed_same_load(tmp_path: Path) -> None:
    digests = []
    for seed in ("7", "7", "8"):
        done = mipstorm(tmp_path, "bench", "-n", "200", "-r", "2000", "-s", seed, "--json", "-")
        digests.append(document.decode(done.stdout.encode()).generator.schedule_sha256)
    assert digests[0] == digests[1]
    assert digests[2] != digests[0]


def test_closed_loop_warm_up_and_duration(tmp_path: Path) -> None:
    """Nodes start over until the time is over; what began in the warm-up is not counted."""
    done, result = bench(tmp_path, "-n", "200", "-c", "8", "-d", "2", "--warm-up", "0.5", "--max-failures", "100%")
    assert done.returncode in (0, 3), done.stderr
    assert document.arithmetic_faults(result) == []
    assert 1.0 < result.duration_s < 10  # a node that comes again too soon waits out its budget
    assert result.bootstraps.succeeded > 200
    assert result.bootstraps.in_flight == 0
    assert result.rate_per_s.offered is None


def test_servers_are_not_charged_with_their_start(tmp_path: Path) -> None:
    """An interpreter and its modules cost more CPU time than thousands of bootstraps."""
    _, result = bench(tmp_path, "-n", "20", "-c", "1", "--volatile")
    assert result.bootstraps.succeeded == 20
    assert {role: use.cpu_s < 0.1 for role, use in result.servers.items()} == {"aaah": True, "fha": True}


def test_a_lease_that_is_over_before_the_run_is_no_violation(tmp_path: Path) -> None:
    done, result = bench(tmp_path, "-n", "250", "-r", "100", "--max-lifetime", "1")
    assert (done.returncode in (0, 3), result.violations) == (True, []), done.stderr
    assert result.bootstraps.succeeded == 250


def test_a_duration_ends_a_run_whose_next_start_is_far_away(tmp_path: Path) -> None:
    began = time.monotonic()
    done, result = bench(tmp_path, "-n", "10", "-r", "0.02", "-d", "4")
    assert (done.returncode in (0, 3), result.bootstraps.succeeded) == (True, 1), done.stderr
    assert time.monotonic() - began < 30


def test_access_alone(tmp_path: Path) -> None:
    done, result = bench(tmp_path, "-n", "500", "-c", "8", "--steps", "access")
    assert done.returncode == 0
    assert list(result.steps) == ["access"]
    assert (result.bootstraps.succeeded, result.packets.sent, result.replies.mip4) == (500, 500, {})


def test_volatile_is_told(tmp_path: Path) -> None:
    done, result = bench(tmp_path, "-n", "100", "-c", "8", "--volatile")
    assert (done.returncode, result.relaxed) == (0, ["no fsync", "no reject delay"])
    assert "no fsync" in done.stderr


def test_a_state_folder_is_kept_and_used_again(tmp_path: Path) -> None:
    for _ in range(2):
        done, result = bench(tmp_path, "-n", "100", "-c", "8", "--state", "kept")
        assert done.returncode == 0, done.stderr
        all_is_well(result, 100)
    assert {path.suffix for path in (tmp_path / "kept").iterdir()} >= {".1"} or list((tmp_path / "kept").glob("journal.*"))
    assert not list(tmp_path.glob("mipstorm-*"))


@pytest.mark.xdist_group("heavy")
def test_the_demo_with_the_buffers_of_an_ordinary_user(tmp_path: Path) -> None:
    """20 000 nodes at 2000/s through receive buffers of 208 KiB: not one bootstrap fails."""
    done = mipstorm(tmp_path, "bench", "-n", "20000", "-r", "2000", *CAPPED, "--json", "-")
    result = document.decode(done.stdout.encode())
    assert done.returncode in (0, 3), done.stderr                # a busy machine may be late, but nothing may fail
    assert (result.bootstraps.succeeded, result.bootstraps.failed, result.bootstraps.timed_out) == (20_000, 0, 0)
    assert result.violations == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become an ordinary user; an ordinary user tests it anyway")
@pytest.mark.parametrize("who", ["nobody", "root without privileges"])
def test_an_ordinary_user(tmp_path: Path, who: str) -> None:
    if not shutil.which("setpriv"):
        pytest.skip("needs setpriv (util-linux)")
    before = ORDINARY
    if who == "nobody":
        before = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        os.chown(tmp_path, 65534, 65534)
        if not readable(before, tmp_path):
            pytest.skip("user 65534 may not read the Python, the packages or the folder of this test")
    done, result = bench(tmp_path, "-n", "2000", "-c", "16", *CAPPED, before=before)
    assert done.returncode == 0, done.stderr
    assert (result.bootstraps.succeeded, result.bootstraps.failed, result.bootstraps.timed_out) == (2000, 0, 0)


def readable(before: tuple[str, ...], folder: Path) -> bool:
    program = f"import subprocess, loadgen.run; open('x', 'w'); subprocess.run([{PYTHON!r}, '-c', ''], check=True)"
    return not subprocess.run([*before, PYTHON, "-c", program], cwd=folder, env=environment(folder), capture_output=True,
                              check=False).returncode


def test_packages_of_the_same_name_in_the_working_folder_do_no_harm(tmp_path: Path) -> None:
    """A user's own folder may hold `servers`; the servers that are started are ours all the same."""
    (tmp_path / "servers").mkdir()
    (tmp_path / "servers" / "__init__.py").write_text("raise SystemExit('not this one')")
    (tmp_path / "servers" / "app.py").write_text("raise SystemExit('not this one')")
    script = "import sys; sys.path.pop(0); from loadgen.cli.main import run; run()"
    done = subprocess.run([PYTHON, "-c", script, "bench", "-n", "50", "-c", "4", "-q"], cwd=tmp_path,
                          env=environment(tmp_path), capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
