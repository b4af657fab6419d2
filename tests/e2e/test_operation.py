"""A server as an operator runs it: signals, logs for machines, control socket, metrics, an ordinary user, its unit."""
from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from servers.control import ask
from servers.tables import subscribers_csv
from tests.e2e.places import Place, free_port
from tests.e2e.processes import MIPSTORM, Running, eventually, mipstorm, server

WATCHED = '[log]\nformat = "json"\n[control]\nsocket = "{role}.control"\n'


def watched(place: Place, role: str, more: str = "") -> Path:
    config = place.aaah() if role == "aaah" else place.fha()
    with config.open("a") as file:
        file.write(WATCHED.format(role=role) + more)
    return config


def serve(place: Place, role: str, *options: str) -> Running:
    return Running(place.folder, [*MIPSTORM, "serve", role, "--config", str(place.folder / f"{role}.toml"), *options])


def event(run: Running, name: str) -> dict[str, Any]:
    """The next event of that name; every line before it is JSON, too."""
    told: dict[str, Any] = json.loads(run.wait_for_line(lambda line: json.loads(line)["event"] == name))
    return told


@pytest.mark.parametrize("role", ["aaah", "fha"])
def test_its_life_in_json(tmp_path: Path, role: str) -> None:
    place = Place.with_nodes(tmp_path, 5)
    watched(place, role)
    with serve(place, role) as run:
        ready = event(run, "ready")
        assert (ready["role"], ready["pid"], ready["level"]) == (role, run.pid, "info")
        host, _, port = ready["address"].partition(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for _ in range(50):
                stranger.sendto(b"?", (host, int(port)))
        dropped = event(run, "dropped")
        assert dropped["reason"] == "too_short"
        assert dropped["last"].startswith("the last from 127.0.0.1:")
        run.process.terminate()
        code, out, err = run.end(10)
        assert (code, out) == (0, "")
        assert [json.loads(line)["event"] for line in err.splitlines()][-1] == "ended"
    assert not (tmp_path / f"{role}.control").exists()


def test_however_many_are_dropped_a_reason_has_one_line_a_second(tmp_path: Path) -> None:
    place = Place.with_nodes(tmp_path, 5)
    watched(place, "aaah")
    with serve(place, "aaah") as run:
        host, _, port = event(run, "ready")["address"].partition(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for _ in range(20_000):
                stranger.sendto(b"?", (host, int(port)))
        total, lines, began = 0, 0, ask(tmp_path / "aaah.control")["uptime_s"]
        while total < 15_000:                                            # a few may be lost on a busy machine
            total, lines = event(run, "dropped")["total"], lines + 1
        assert lines <= ask(tmp_path / "aaah.control")["uptime_s"] - began + 3


def test_sighup_says_what_it_re_read_and_ends_nothing(tmp_path: Path) -> None:
    place, role = Place.with_nodes(tmp_path, 5), "fha"
    config = watched(place, role)
    with serve(place, role, "--log-format", "text") as run:
        run.wait_for("listens on")
        os.kill(run.pid, signal.SIGHUP)
        assert run.wait_for("SIGHUP") == (
            f"mipstorm: {role}: SIGHUP: {config}: secrets of 1 servers, 0 static keys, limits\n")
        config.write_text(config.read_text().replace("198.18.0.0/16", "198.18.0.0/15"))
        os.kill(run.pid, signal.SIGHUP)
        assert run.wait_for("SIGHUP").endswith("; needs a restart: fha.pool\n")
        config.write_text("[fha]\nnonsense = 1\n")
        os.kill(run.pid, signal.SIGHUP)
        assert run.wait_for("SIGHUP").startswith(f"mipstorm: {role}: SIGHUP: {config}:2: fha.nonsense: unknown key")
        assert ask(tmp_path / f"{role}.control")["pid"] == run.pid


def test_an_fha_s_servers_are_shown(tmp_path: Path) -> None:
    """One that is there and one that is not; `mipstorm stats` for people and for machines."""
    place, aaah, fha = Place.with_nodes(tmp_path, 20), f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    place.aaah(aaah)
    place.fha(aaah, fha)
    with (tmp_path / "fha.toml").open("a") as file:
        file.write('[[fha.aaah]]\naddress = "127.0.0.1:9"\nsecret = "a secret of enough octets"\n[control]\nsocket = "fha.control"\n')
    with serve(place, "aaah") as home, serve(place, "fha") as run:
        home.wait_for("listens")
        run.wait_for("listens on")
        done = mipstorm(tmp_path, *place.load(aaah, fha, "-n", "20", "-c", "4"))
        assert done.returncode in (0, 3), done.stderr
        first, second = json.loads(mipstorm(tmp_path, "stats", "fha.control", "--json").stdout)["upstreams"]
        assert (first["address"], first["alive"], first["asked"], first["answered"]) == (aaah, True, 20, 20)
        assert (first["outstanding"], first["timed_out"]) == (0, 0)
        assert (second["address"], second["asked"], second["answered"]) == ("127.0.0.1:9", 0, 0)
        shown = mipstorm(tmp_path, "stats", "fha.control").stdout.splitlines()
        assert shown[-3].split() == ["server", "is", "in", "flight", "sent", "answered", "timeouts", "moved", "suspected"]
        assert shown[-2].split() == [aaah, "alive", "0", "20", "20", "0", "0", "0"]


def test_sighup_re_reads_subscribers_and_policy_and_keeps_the_old_when_one_is_wrong(tmp_path: Path) -> None:
    place = Place.with_nodes(tmp_path, 5)
    watched(place, "aaah")
    with serve(place, "aaah") as run:
        event(run, "ready")
        subscribers_csv.write(subscribers_csv.generate(7), tmp_path / "subscribers.csv")
        os.kill(run.pid, signal.SIGHUP)
        assert "7 subscribers" in event(run, "reread")["text"]
        assert eventually(lambda: ask(tmp_path / "aaah.control")["gauges"]["subscribers"]["now"] == 7, "7 subscribers")
        place.private("policy.toml", "nonsense = 1\n")
        os.kill(run.pid, signal.SIGHUP)
        failed = event(run, "reread_failed")
        assert re.search(r"policy\.toml:1: nonsense: unknown key.*; the old one stays in use$", failed["text"])
        assert ask(tmp_path / "aaah.control")["gauges"]["policy_fhas"]["now"] == 1
        run.process.terminate()
        assert run.end(10)[0] == 0


def test_the_control_socket_is_the_owner_s_and_only_one_server_has_it(tmp_path: Path) -> None:
    place = Place.with_nodes(tmp_path, 5)
    watched(place, "aaah")
    with serve(place, "aaah") as run:
        event(run, "ready")
        path = tmp_path / "aaah.control"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        (tmp_path / "aaah-state").rename(tmp_path / "first-state")      # else the folder would stop the second, too
        second = mipstorm(tmp_path, "serve", "aaah", "--config", "aaah.toml")
        assert second.returncode == 2
        assert "control.socket: aaah.control: another server listens there" in second.stderr
        assert ask(path)["gauges"]["subscribers"] == {"now": 5, "most": 5}
        run.process.kill()
        run.process.wait()
    with serve(place, "aaah") as again:                                  # what a killed server left is no obstacle
        event(again, "ready")
        assert ask(path)["pid"] == again.pid


def test_metrics_are_scraped_on_loopback(tmp_path: Path) -> None:
    parser = pytest.importorskip("prometheus_client.parser")
    place = Place.with_nodes(tmp_path, 5)
    watched(place, "fha", '[metrics]\nlisten = "127.0.0.1:0"\n')
    with serve(place, "fha") as run:
        url = re.search(r"http://127\.0\.0\.1:\d+/metrics", event(run, "listens")["text"])
        assert url
        with urllib.request.urlopen(url[0], timeout=5) as answer:
            text = answer.read().decode()
    names = {family.name for family in parser.text_string_to_metric_families(text)}
    assert names >= {"mipstorm_packets_in", "mipstorm_pool_free", "mipstorm_bindings", "mipstorm_resident_memory_bytes",
                     "mipstorm_upstream_alive", "mipstorm_upstream_outstanding", "mipstorm_upstream_asked", "mipstorm_upstream_timed_out"}
    assert "mn000000" not in text


def test_an_ordinary_user_may_run_it(tmp_path: Path) -> None:
    """The modules are loaded before the user changes: the interpreter may stand where others cannot read."""
    if os.geteuid() != 0:
        pytest.skip("this user is an ordinary one; all other tests show it")
    folder = Path("/tmp") / f"mipstorm-test-{os.getpid()}"
    folder.mkdir(mode=0o700)
    try:
        place = Place.with_nodes(folder, 5)
        config = watched(place, "fha")
        for path in (folder, *folder.iterdir()):
            os.chown(path, 65534, 65534)
        program = ("import os, sys, servers.app, loadgen.cli.main as main\nimport encodings.idna\nmain.build_parser()\n"
                   "os.setgroups([]); os.setgid(65534); os.setuid(65534)\nsys.exit(main.main(sys.argv[1:]))")
        with Running(folder, [sys.executable, "-c", program, "serve", "fha", "--config", str(config)]) as run:
            event(run, "ready")
            assert Path(f"/proc/{run.pid}").stat().st_uid == 65534
            journal = next((folder / "fha-state").glob("journal.*"))
            assert (journal.stat().st_uid, stat.S_IMODE(journal.stat().st_mode)) == (65534, 0o600)
            assert (folder / "fha.control").stat().st_uid == 65534
            run.process.terminate()
            assert run.end(10)[0] == 0
    finally:
        shutil.rmtree(folder)


def test_no_core_is_ever_dumped(tmp_path: Path) -> None:
    place = Place.with_nodes(tmp_path, 5)
    with server(tmp_path, "aaah", place.aaah()) as run:
        limits = Path(f"/proc/{run.pid}/limits").read_text()
        assert re.search(r"Max core file size\s+0\s", limits)
        run.process.send_signal(11)
        assert run.process.wait(10) == -11
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("core")]


@pytest.mark.parametrize("role", ["aaah", "fha"])
def test_the_unit_is_one_and_is_tight(tmp_path: Path, role: str) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    done = mipstorm(tmp_path, "serve", role, "--example-unit")
    assert done.returncode == 0, done.stderr
    unit = tmp_path / f"mipstorm-{role}.service"
    unit.write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", done.stdout))
    checked = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert unit.name not in checked.stderr                               # other units of the machine may be faulty
    command = ["systemd-analyze", "security", "--offline=true", str(unit)]
    graded = subprocess.run(command, capture_output=True, text=True, check=False)
    if "exposure level" not in graded.stdout:
        pytest.skip("this systemd-analyze does not look at units off line")
    level = re.search(r"exposure level for \S+: ([\d.]+)", graded.stdout)
    assert level
    assert float(level[1]) < 2.0
