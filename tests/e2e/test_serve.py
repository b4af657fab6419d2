"""`mipstorm serve`: the example configurations work together as they are printed."""
from __future__ import annotations

import os
import re
import signal
import socket
import time
from pathlib import Path

import pytest

from fastcodec import RadiusPacket
from loadgen import result as document
from servers.config import load_aaah, load_fha
from servers.tables import subscribers_csv
from tests.e2e.places import SECRET, Place, free_port
from tests.e2e.processes import MIPSTORM, Running, mipstorm, nothing_left


def save_examples(folder: Path) -> None:
    """As a reader of `--help` would: both examples, the policy out of the first one, a generated CSV."""
    for role in ("aaah", "fha"):
        done = mipstorm(folder, "serve", role, "--example-config")
        assert (done.returncode, done.stderr) == (0, "")
        (folder / f"{role}.toml").write_text(done.stdout)
        (folder / f"{role}.toml").chmod(0o600)
    _, _, policy = (folder / "aaah.toml").read_text().partition("# policy.toml:\n")
    (folder / "policy.toml").write_text(re.sub("(?m)^# ?", "", policy))
    subscribers_csv.write(subscribers_csv.generate(200), folder / "subscribers.csv")


def replace(folder: Path, name: str, *changes: tuple[str, str]) -> None:
    text = (folder / name).read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / name).write_text(text)


def test_the_examples_serve_a_load_together(tmp_path: Path) -> None:
    """Only the ports are changed, so that they are free here."""
    save_examples(tmp_path)
    aaah, fha = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    replace(tmp_path, "aaah.toml", ("127.0.0.1:1812", aaah))
    replace(tmp_path, "fha.toml", ("127.0.0.1:1812", aaah), ("127.0.0.1:434", fha))
    (tmp_path / "secret").write_text("change-me-16-octets-at-least\n")
    (tmp_path / "secret").chmod(0o600)
    with Running(tmp_path, [*MIPSTORM, "serve", "aaah", "--config", "aaah.toml"]) as first, \
            Running(tmp_path, [*MIPSTORM, "serve", "fha", "--config", "fha.toml"]) as second:
        assert first.wait_for("listens") == f"mipstorm: aaah: listens on {aaah} (pid {first.pid}); Ctrl-C stops it\n"
        assert second.wait_for("listens") == f"mipstorm: fha: listens on {fha} (pid {second.pid}); Ctrl-C stops it\n"
        done = mipstorm(tmp_path, "load", "--radius", aaah, "--mip4", fha, "--secret-file", "secret", "--subscribers",
                        "subscribers.csv", "-c", "8", "--json", "-")
        assert done.returncode == 0, done.stderr
        result = document.decode(done.stdout.encode())
        assert (result.bootstraps.succeeded, result.violations, result.relaxed) == (200, [], [])
        for run in (first, second):
            run.interrupt(signal.SIGINT)
            code, out, _ = run.end(10)
            assert (code, out) == (0, "")
            nothing_left(run, tmp_path)
    assert list((tmp_path / "fha-state").glob("journal.*"))              # beside its configuration


def test_every_key_of_the_configuration_stands_in_the_example(tmp_path: Path) -> None:
    save_examples(tmp_path)
    for role, loaded in (("aaah", load_aaah(tmp_path / "aaah.toml")), ("fha", load_fha(tmp_path / "fha.toml"))):
        text = (tmp_path / f"{role}.toml").read_text()
        missing = [name for name in loaded.__struct_fields__ if not re.search(rf"(?m)^(# )?(\[+{role}\.)?{name}\b", text)]
        assert missing == []


@pytest.mark.parametrize("role", ["aaah", "fha"])
def test_a_served_role_ends_with_0_on_sigterm(tmp_path: Path, role: str) -> None:
    place = Place.with_nodes(tmp_path, 5)
    config = place.aaah() if role == "aaah" else place.fha()
    with Running(tmp_path, [*MIPSTORM, "serve", role, "--config", str(config)]) as run:
        run.wait_for("listens")
        run.process.terminate()
        assert run.end(10)[0] == 0


def test_sigterm_lets_a_reply_that_waits_leave_first(tmp_path: Path) -> None:
    """A Reject that its NAS is to wait for; the server does not take longer than that either."""
    place, port = Place.with_nodes(tmp_path, 5), free_port()
    config = place.aaah(f"127.0.0.1:{port}")
    replace(tmp_path, "aaah.toml", ("reject_delay_s = 0", "reject_delay_s = 1"))
    request = RadiusPacket(1, 9, os.urandom(16), [("User-Name", place.subscribers.nai[0].decode()), ("User-Password", "wrong"),
                                                  ("NAS-Identifier", "nas-1")]).encode(SECRET.encode())
    with (Running(tmp_path, [*MIPSTORM, "serve", "aaah", "--config", str(config)]) as run,
          socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nas):
        run.wait_for("listens")
        nas.connect(("127.0.0.1", port))
        nas.settimeout(5)
        nas.send(request)
        began = time.monotonic()
        time.sleep(0.3)
        run.process.terminate()
        assert nas.recv(4096)[:2] == b"\x03\x09"
        assert 0.9 < time.monotonic() - began < 3
        assert run.end(10)[0] == 0


def test_a_weak_secret_is_served_but_told(tmp_path: Path) -> None:
    place = Place.with_nodes(tmp_path, 5)
    with Running(tmp_path, [*MIPSTORM, "serve", "aaah", "--config", str(place.aaah(secret='secret = "short"'))]) as run:
        assert "a shared secret of 5 octets" in run.wait_for("is easily guessed")
        run.wait_for("listens")
    assert len(SECRET) >= 16


def test_nothing_of_a_secret_is_ever_printed(tmp_path: Path) -> None:
    """Neither of a good configuration, nor of one with a fault beside the secret."""
    place = Place.with_nodes(tmp_path, 5)
    for more in ("", "nonsense = 1"):
        with Running(tmp_path, [*MIPSTORM, "serve", "aaah", "--config", str(place.aaah(more=more))]) as run:
            if more:
                code, out, err = run.end(10)
                assert code == 2
            else:
                run.wait_for("listens")
                run.interrupt()
                code, out, err = run.end(10)
                assert "listens" in err
            assert SECRET not in out + err
