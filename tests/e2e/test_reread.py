"""SIGHUP to a running AAAH: subscribers and policy are re-read beside the traffic; a bad file changes nothing."""
from __future__ import annotations

import signal
from pathlib import Path

from loadgen import result as document
from servers.tables import subscribers_csv, subscribers_lmdb
from tests.e2e.places import Place, free_port
from tests.e2e.processes import MIPSTORM, Running, mipstorm


def access(place: Place, aaah: str, nodes: int) -> tuple[int, int]:
    """(accepted, rejected) of the access step of the first nodes of the file."""
    done = mipstorm(place.folder, "load", "--steps", "access", "--radius", aaah, "--secret-file", "secret", "--subscribers",
                    "subscribers.csv", "-n", str(nodes), "-c", "8", "--max-failures", "100%", "--json", "-")
    assert done.returncode == 0, done.stderr
    codes = document.decode(done.stdout.encode()).replies.radius
    return codes.get("2", 0), codes.get("3", 0)


def test_subscribers_change_while_the_server_runs(tmp_path: Path) -> None:
    place, aaah = Place.with_nodes(tmp_path, 40), f"127.0.0.1:{free_port()}"
    with Running(tmp_path, [*MIPSTORM, "serve", "aaah", "--config", str(place.aaah(aaah))]) as run:
        run.wait_for("listens")
        assert access(place, aaah, 40) == (40, 0)
        more = subscribers_csv.generate(60)
        subscribers_csv.write(more, tmp_path / "subscribers.csv")
        accepted, rejected = access(place, aaah, 60)
        assert (accepted, rejected > 0) == (0, True), "all have new passwords, and nobody has told it"
        run.process.send_signal(signal.SIGHUP)
        assert "60 subscribers" in run.wait_for("SIGHUP")
        assert access(place, aaah, 60) == (60, 0)
        place.private("policy.toml", "nonsense")
        run.process.send_signal(signal.SIGHUP)
        assert "policy.toml: is not TOML" in run.wait_for("the old one stays in use")
        assert access(place, aaah, 60) == (60, 0)


def test_a_new_secret_of_both_servers(tmp_path: Path) -> None:
    """The AAAH is started again with another secret, the FHA is only told."""
    place, aaah, fha = Place.with_nodes(tmp_path, 30), f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    place.aaah(aaah)
    config = place.fha(aaah, fha)

    def registered() -> int:
        done = mipstorm(tmp_path, *place.load(aaah, fha, "-n", "30", "-c", "4", "--json", "-"))
        assert done.returncode in (0, 3), done.stderr
        return document.decode(done.stdout.encode()).steps["registration"].succeeded

    with Running(tmp_path, [*MIPSTORM, "serve", "fha", "--config", str(config)]) as run:
        run.wait_for("listens")
        with Running(tmp_path, [*MIPSTORM, "serve", "aaah", "--config", "aaah.toml"]) as home:
            home.wait_for("listens")
            assert registered() == 30
        new = "a secret that is new to both sides"
        place.private("secret", new + "\n")
        place.aaah(aaah, f'secret = "{new}"')
        place.fha(aaah, fha, f'secret = "{new}"')
        with Running(tmp_path, [*MIPSTORM, "serve", "aaah", "--config", "aaah.toml"]) as home:
            home.wait_for("listens")
            run.process.send_signal(signal.SIGHUP)
            run.wait_for("secrets of 1 servers")
            assert registered() == 30


def test_an_import_and_a_signal(tmp_path: Path) -> None:
    """What `mipstorm subscribers import` does to the file of a running server."""
    place, aaah = Place.with_nodes(tmp_path, 40), f"127.0.0.1:{free_port()}"
    path = tmp_path / "subscribers.lmdb"
    subscribers_lmdb.import_csv(tmp_path / "subscribers.csv", path)
    config = place.aaah(aaah)
    config.write_text(config.read_text().replace("subscribers.csv", "subscribers.lmdb"))
    with Running(tmp_path, [*MIPSTORM, "serve", "aaah", "--config", str(config)]) as run:
        run.wait_for("listens")
        assert access(place, aaah, 40) == (40, 0)
        some = subscribers_lmdb.read(path)
        subscribers_csv.write(subscribers_lmdb.picked(some, subscribers_lmdb.present(some)[10:]), tmp_path / "new.csv")
        assert subscribers_lmdb.import_csv(tmp_path / "new.csv", path) == 30
        run.process.send_signal(signal.SIGHUP)
        run.wait_for("SIGHUP")
        accepted, rejected = access(place, aaah, 40)
        assert (accepted, rejected > 0) == (30, True)
