"""What cannot work is told in one line on standard error with the right exit code, and what can still be done is done."""
from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from loadgen import result as document
from loadgen.result import Result
from tests.e2e.places import Place, free_port
from tests.e2e.processes import ORDINARY, mipstorm, refusal, server, small_disk

LOAD = ["load", "--radius", "127.0.0.1:9", "--secret-file", "secret", "--subscribers", "subscribers.csv", "--steps", "access",
        "-c", "1"]
AAAH, FHA = ["serve", "aaah", "--config", "aaah.toml"], ["serve", "fha", "--config", "fha.toml"]
QUICK = ("--timeout", "0.2", "--tries", "2")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Everything that a server or a load needs, in order."""
    place = Place.with_nodes(tmp_path, 20)
    place.aaah()
    place.fha()
    return place


def edit(name: str, old: str, new: str) -> Callable[[Place], None]:
    def change(place: Place) -> None:
        text = (place.folder / name).read_text()
        assert old in text
        place.private(name, text.replace(old, new, 1))
    return change


def mode(name: str, bits: int) -> Callable[[Place], None]:
    return lambda place: (place.folder / name).chmod(bits)


def twice(name: str, line: int) -> Callable[[Place], None]:
    """Repeats a line of a file at its end."""
    def change(place: Place) -> None:
        lines = (place.folder / name).read_text().splitlines()
        place.private(name, "\n".join([*lines, lines[line - 1]]) + "\n")
    return change


def nothing(place: Place) -> None:
    """The fault is in the arguments."""


FAULTS = {
    "unknown scenario": (nothing, ["bench", "--scenario", "nowhere"],
                         "argument --scenario: there is no scenario 'nowhere'; there is: integrated-colocated"),
    "unknown option": (nothing, ["bench", "--fast"], "unrecognized arguments: --fast (see mipstorm --help)"),
    "unknown key": (edit("fha.toml", "cool_down_s", "cooldown_s"), FHA,
                    "fha.toml:10: fha.pool.cooldown_s: unknown key (did you mean 'cool_down_s'?)"),
    "unknown key of a list": (edit("aaah.toml", "network", "net"), AAAH, "aaah.toml:8: aaah.client[0].net: unknown key"),
    "key of another table": (edit("aaah.toml", "policy =", "cool_down_s = 1\npolicy ="), AAAH,
                             "aaah.toml:4: aaah.cool_down_s: unknown key"),
    "no TOML": (edit("fha.toml", "[fha]", "[fha"), FHA, "fha.toml: is not TOML: "),
    "secret missing": (lambda place: (place.folder / "secret").unlink(), LOAD,
                       "secret: cannot be read: No such file or directory"),
    "secret for all to read": (mode("secret", 0o644), LOAD,
                               "secret: holds secrets but everyone may read it; run: chmod 600 secret"),
    "secret empty": (lambda place: place.private("secret", ""), LOAD,
                     "secret: is empty; it must hold the shared secret on one line"),
    "secret doubled": (twice("secret", 1), LOAD, "secret:2: a second line; the file must hold the shared secret alone"),
    "configuration for all to read": (mode("aaah.toml", 0o644), AAAH,
                                      "aaah.toml: holds secrets but everyone may read it; run: chmod 600 aaah.toml"),
    "subscribers missing": (lambda place: (place.folder / "subscribers.csv").unlink(), AAAH,
                            "subscribers.csv: cannot be read: No such file or directory"),
    "subscribers for all to read": (mode("subscribers.csv", 0o644), AAAH,
                                    "subscribers.csv: holds secrets but everyone may read it"),
    "subscribers empty": (lambda place: place.private("subscribers.csv", ""), LOAD,
                          "subscribers.csv: is empty; its first line must be nai,mn_aaa_spi,"),
    "subscribers doubled": (twice("subscribers.csv", 3), AAAH,
                            "subscribers.csv:22: NAI 'mn000001@home.example' stands in line 3 already"),
    "pool with the agent's own address": (
        edit("fha.toml", "198.18.0.0/16", "127.0.0.0/24"), FHA,
        "fha.toml:9: fha.pool.network: 127.0.0.0/24 contains the FHA's own address 127.0.0.1"),
    "pool of bench with the agent's own address": (nothing, ["bench", "--pool", "127.0.0.0/16"],
                                                   "--pool 127.0.0.0/16 contains the FHA's own address"),
    "target off loopback": (nothing, [*LOAD, "--radius", "192.0.2.1:1812"],
                            "192.0.2.1:1812 is not on loopback; if that network is yours, add --i-own-this-network"),
    "result in no folder": (nothing, ["bench", "--json", "no/r.json"],
                            "--json no/r.json: cannot be written: No such file or directory"),
    "result is a folder": (nothing, ["bench", "--json", "."], "--json .: cannot be written: Is a directory"),
    "address of another machine": (edit("aaah.toml", "127.0.0.1:0", "192.0.2.1:1812"), AAAH,
                                   "cannot listen on 192.0.2.1:1812: this machine does not have the address"),
    "state folder is a file": (lambda place: place.private("fha-state", "x"), FHA, "fha-state: File exists"),
    "policy without FHA": (lambda place: place.private("policy.toml", ""), AAAH, "policy.toml: names no healthy FHA"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_it_is_refused(place: Place, name: str) -> None:
    spoil, arguments, message = FAULTS[name]
    spoil(place)
    line = refusal(mipstorm(place.folder, *arguments))
    assert line.startswith(message), line
    assert "Errno" not in line
    assert "did you mean 'cool_down_s'" not in line or "cooldown_s" in line


@pytest.mark.parametrize(("name", "arguments"), [
    ("secret", LOAD), ("subscribers.csv", AAAH), ("aaah.toml", AAAH), ("fha.toml", FHA)])
def test_an_unreadable_file(place: Place, name: str, arguments: list[str]) -> None:
    mode(name, 0)(place)
    line = refusal(mipstorm(place.folder, *arguments, before=ordinary()))
    assert line.startswith(f"{name}: cannot be read: Permission denied")


def test_a_result_that_may_not_be_written(place: Place) -> None:
    (place.folder / "r.json").write_text("kept")
    (place.folder / "r.json").chmod(0o400)
    done = mipstorm(place.folder, "bench", "-n", "10", "-c", "1", "--json", "r.json", before=ordinary())
    assert refusal(done) == "--json r.json: cannot be written: Permission denied"
    assert (place.folder / "r.json").read_text() == "kept"


def ordinary() -> tuple[str, ...]:
    """Permissions mean nothing to root."""
    if os.geteuid() != 0:
        return ()
    if not shutil.which("setpriv"):
        pytest.skip("needs setpriv (util-linux)")
    return ORDINARY


@pytest.mark.parametrize("role", ["aaah", "fha"])
def test_a_port_in_use(place: Place, role: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        edit(f"{role}.toml", "127.0.0.1:0", f"127.0.0.1:{port}")(place)
        done = mipstorm(place.folder, "serve", role, "--config", f"{role}.toml")
    assert refusal(done) == f"cannot listen on 127.0.0.1:{port}: the port is in use"


def test_a_port_that_needs_privileges(place: Place) -> None:
    edit("fha.toml", "127.0.0.1:0", "127.0.0.1:434")(place)
    if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 434:
        pytest.skip("everyone may use port 434 here")
    line = refusal(mipstorm(place.folder, *FHA, before=ordinary()))
    assert line == "cannot listen on 127.0.0.1:434: ports below 1024 need root or CAP_NET_BIND_SERVICE"


def test_a_state_folder_in_use(place: Place) -> None:
    with server(place.folder, "fha", place.fha()) as first:
        line = refusal(mipstorm(place.folder, *FHA))
        assert line == f"fha-state: in use by process {first.pid}"


def test_a_state_folder_of_another_server(place: Place) -> None:
    with server(place.folder, "fha", place.fha()) as first:
        first.stop()
    edit("aaah.toml", "reject_delay_s = 0", 'reject_delay_s = 0\nstate = "fha-state"')(place)
    assert "belongs to 'fha', not to 'aaah'" in refusal(mipstorm(place.folder, "serve", "aaah", "--config", "aaah.toml"))
    place.pool = "198.18.0.0/24"                                    # another pool is no other server (reliability A48)
    with server(place.folder, "fha", place.fha()) as second:
        second.stop()


# ---- runs that go on ---------------------------------------------------------------------------------------------------

def run_to_end(place: Place, *arguments: str) -> tuple[subprocess.CompletedProcess[str], Result]:
    done = mipstorm(place.folder, *arguments, "--json", "-")
    assert "Traceback" not in done.stderr
    assert done.stdout, done.stderr
    result = document.decode(done.stdout.encode())
    assert document.arithmetic_faults(result) == []
    return done, result


def test_a_pool_smaller_than_the_fleet(place: Place) -> None:
    """How many will fail is said before; the others are served; so many have failed."""
    done, result = run_to_end(place, "bench", "-n", "100", "-c", "8", "--pool", "10.9.0.0/26", *QUICK)
    assert done.stderr.startswith(
        "mipstorm: warning: the pool 10.9.0.0/26 has 62 addresses for 100 nodes: 38 bootstraps will fail\n")
    assert (done.returncode, result.verdict) == (4, "goal-missed")
    assert (result.bootstraps.succeeded, result.bootstraps.failed + result.bootstraps.timed_out) == (62, 38)
    assert result.replies.mip4["0"] == 62
    assert result.replies.mip4["130"] >= 38
    assert result.violations == []
    assert result.hint is not None
    assert result.hint.startswith("the FHA had no address left to lease: enlarge the pool, or load fewer nodes")
    ended = result.bootstraps
    assert result.reasons == [f"{ended.failed} bootstraps failed and {ended.timed_out} timed out (0 allowed)"]


def test_a_wrong_secret_of_the_load(place: Place) -> None:
    """The server is silent (RFC 3579 section 3.2), so the cause is a likely one."""
    place.private("secret", "another secret, not the same\n")
    with server(place.folder, "aaah", place.aaah()) as aaah:
        done, result = run_to_end(place, *place.load(aaah.address, None, "-c", "10", *QUICK))
        dropped = aaah.stop()["use"]["dropped"]
    assert dropped["bad_message_authenticator"] == 40
    assert (done.returncode, result.bootstraps.timed_out) == (4, 20)
    assert result.hint is not None
    assert "bad authenticator" in result.hint
    assert "is the shared secret the same on both sides?" in result.hint
    assert "bad authenticator" in " ".join(done.stderr.split())


def test_a_wrong_secret_of_the_fha(place: Place) -> None:
    with server(place.folder, "aaah", place.aaah()) as aaah, server(
            place.folder, "fha", place.fha(aaah.address, secret='secret = "not the same at all"')) as fha:
        done, result = run_to_end(place, *place.load(aaah.address, fha.address, "-c", "20", "--timeout", "1.5", "--tries", "1"))
    assert done.returncode == 4
    assert result.steps["access"].succeeded == 20
    assert result.bootstraps.succeeded == 0
    assert result.hint is not None
    assert "the FHA answered no registration" in result.hint
    assert "do their secrets match" in result.hint


def test_no_server_there(place: Place) -> None:
    done, result = run_to_end(place, *place.load(f"127.0.0.1:{free_port()}", None, "-c", "10", *QUICK))
    assert (done.returncode, result.verdict, result.bootstraps.timed_out) == (4, "goal-missed", 20)
    assert result.hint is not None
    assert result.hint.startswith("nothing listens at 127.0.0.1:")


def test_no_server_there_for_an_open_loop_of_more_than_can_wait(tmp_path: Path) -> None:
    """The verdict is about the server, though there is room for no more than 8192 at once."""
    place = Place.with_nodes(tmp_path, 9000)
    done, result = run_to_end(place, *place.load(f"127.0.0.1:{free_port()}", None, "-r", "6000", "--timeout", "2", "--tries", "1"))
    assert (done.returncode, result.verdict) == (4, "goal-missed")
    whole, not_begun = result.bootstraps, sum(result.not_begun.values())
    assert (whole.attempted, whole.succeeded, whole.in_flight) == (9000, 0, 0)
    assert (whole.failed, whole.timed_out) == (not_begun, 9000 - not_begun)
    assert 0 < not_begun <= 9000 - 8192
    assert set(result.not_begun) == {"no_room"}
    assert (result.hint or "").startswith("nothing listens at 127.0.0.1:")
    assert result.reasons[-1] == f"{not_begun} of the failed could not even begin while others waited for an answer"


def test_no_fha_there(place: Place) -> None:
    with server(place.folder, "aaah", place.aaah()) as aaah:
        done, result = run_to_end(place, *place.load(aaah.address, f"127.0.0.1:{free_port()}", "-c", "10", *QUICK))
    assert done.returncode == 4
    assert (result.steps["access"].succeeded, result.steps["registration"].timed_out) == (20, 20)
    assert result.hint is not None
    assert result.hint.startswith("nothing listens at 127.0.0.1:")


def test_other_subscribers_than_the_servers(place: Place) -> None:
    """The AAAH has the same names, but other secrets."""
    (place.folder / "other").mkdir()
    other = Place.with_nodes(place.folder / "other", 20)
    with server(place.folder, "aaah", place.aaah()) as aaah:
        done, result = run_to_end(other, *other.load(aaah.address, None, "-c", "10", *QUICK))
    assert (done.returncode, result.replies.radius) == (4, {"3": 20})
    assert result.hint is not None
    assert "the AAAH rejected the access" in result.hint


def test_allowed_failures_are_no_failure(place: Place) -> None:
    done, result = run_to_end(place, "bench", "-n", "100", "-c", "8", "--pool", "10.9.0.0/26", *QUICK, "--max-failures", "38%")
    assert (done.returncode, result.verdict, result.bootstraps.succeeded) == (0, "ok", 62)


# ---- a full disk -------------------------------------------------------------------------------------------------------

def test_a_disk_too_small_for_the_state_at_the_start(place: Place) -> None:
    edit("fha.toml", '"fha-state"', '"disk/state"')(place)
    line = refusal(mipstorm(place.folder, *FHA, before=small_disk(place.folder, 1024)))
    assert line == "disk/state: No space left on device"


def test_a_disk_too_small_for_the_testbed(place: Place) -> None:
    before = (*small_disk(place.folder, 100), "env", f"TMPDIR={place.folder}/disk")
    line = refusal(mipstorm(place.folder, "bench", "-n", "5000", "-c", "1", before=before))
    assert line == f"no testbed can be set up in {place.folder}/disk (see TMPDIR): No space left on device"


def test_too_few_files_may_be_open(place: Place) -> None:
    line = refusal(mipstorm(place.folder, *FHA, before=("sh", "-c", 'ulimit -n 30 && exec "$@"', "sh")))
    assert line == "Too many open files"


def test_a_disk_that_fills_up_ends_a_bench(place: Place) -> None:
    """The FHA says so and ends; what it had granted until then was on the disk."""
    done = mipstorm(place.folder, "bench", "-n", "10000", "-c", "64", "-d", "100", "--state", "disk/state", "--json",
                    "result.json", *QUICK, before=small_disk(place.folder, 16_500))
    assert done.returncode == 1, done.stderr
    result = document.decode((place.folder / "result.json").read_bytes())
    assert result.verdict == "child-died"
    assert result.reasons[0].endswith(f"died with exit code 1: fha: the disk of {place.folder}/disk/state is full: the journal "
                                      "cannot grow; nothing more is granted")
    assert "the journal cannot grow" in " ".join(done.stdout.split())
