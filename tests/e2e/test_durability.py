"""kill -9 of the FHA under load: what a node was told is there after the restart, and nobody else gets it."""
from __future__ import annotations

import asyncio
import random
import shutil
import socket
import time
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest
import uvloop

from loadgen.cli import load
from loadgen.cli.main import build_parser
from loadgen.engine import FOREVER, Engine
from loadgen.status import Status
from servers.tables import subscribers_csv
from tests.e2e.by_hand import registered_by_hand
from tests.e2e.places import Place
from tests.e2e.processes import Server, server, small_disk

KILLS, FLEET, FILLERS = 6, 300, 400
POOL = "198.18.0.0/20"
RATE = ("--rate", "400")


def fleet(place: Place, name: str, nodes: int) -> Path:
    """A fleet of its own realm, known to the AAAH as well once `known` has collected them."""
    path = place.folder / f"{name}.csv"
    subscribers_csv.write(subscribers_csv.generate(nodes, realm=f"{name}.example"), path)
    return path


def known(place: Place, files: list[Path]) -> None:
    """The AAAH's subscribers: all of these."""
    lines = [file.read_text().splitlines(keepends=True) for file in files]
    place.private("subscribers.csv", "".join([lines[0][0], *(line for part in lines for line in part[1:])]))


def registered(place: Place, csv: Path, aaah: str, fha: str, look: Callable[[Engine], None] = lambda engine: None,
               load_options: tuple[str, ...] = RATE) -> tuple[dict[str, str], dict[int, int], list[object]]:
    """Runs the fleet against the servers, in this process: {NAI: lease, both in hex} that nodes were told, reply codes,
    violations. `look` is called ten times a second."""
    arguments = place.load(aaah, fha, *load_options, "--timeout", "0.4", "--tries", "1", "-q")
    arguments[arguments.index("--secret-file") + 1] = str(place.folder / "secret")
    arguments[arguments.index("--subscribers") + 1] = str(csv)
    plan = load.plan_of(build_parser().parse_args(arguments))
    assert plan.target is not None
    with Engine(plan, plan.target) as engine, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        async def run() -> None:
            engine.attach()
            bootstraps = FOREVER if plan.duration_s else plan.nodes
            await engine.run(bootstraps, plan.duration_s or 0.0, 0, Status(quiet=True), lambda: look(engine))
        runner.run(run())
        nai = plan.target.subscribers.nai
        leases = {nai[node].hex(): address.hex() for node, address in engine.fleet.leases().items()}
        return leases, engine.fleet.codes()[0], engine.fleet.violations()[0]


class Killer:
    """Kills the server with SIGKILL once so many nodes are registered, and stops the load."""

    def __init__(self, victim: Server, after: int) -> None:
        self.victim, self.after = victim, after
        self.began, self.rate = time.monotonic(), 0.0

    def __call__(self, engine: Engine) -> None:
        done = engine.fleet.tallies()["registration"][1]
        if self.rate or done < self.after:
            return
        self.rate = done / (time.monotonic() - self.began)
        self.victim.kill()
        engine.fleet.stop()


@pytest.mark.xdist_group("heavy")
def test_nothing_acknowledged_is_lost_by_kill_9_under_load(tmp_path: Path) -> None:
    """Six times on the same folder, each time at another moment and with nodes of its own; in the end a fleet of strangers."""
    place = Place.with_nodes(tmp_path, 1, POOL)
    fleets = [fleet(place, f"fleet{k}", FLEET) for k in range(KILLS)]
    strangers = fleet(place, "strangers", FILLERS)
    known(place, [*fleets, strangers])
    moments = random.Random(7)
    held: dict[str, str] = {}
    with server(tmp_path, "aaah", place.aaah()) as aaah:
        config = place.fha(aaah.address)
        for csv in fleets:
            with server(tmp_path, "fha", config) as fha:
                killer = Killer(fha, moments.randrange(30, 170))
                told, codes, faults = registered(place, csv, aaah.address, fha.address, killer)
            assert killer.rate > 100
            assert killer.after <= len(told) < FLEET
            assert (codes, faults) == ({0: len(told)}, [])
            assert not set(told.values()) & set(held.values())          # nobody got what another was told
            held |= told
        with server(tmp_path, "fha", config) as fha:                    # after the last kill
            told, codes, faults = registered(place, strangers, aaah.address, fha.address)
            assert (len(told), codes, faults) == (FILLERS, {0: FILLERS}, [])
            leases = fha.stop()["leases"]
    assert not set(told.values()) & set(held.values())
    assert {nai: leases.get(nai) for nai in held | told} == held | told
    assert len(set(leases.values())) == len(leases)                     # one owner an address
    assert all(IPv4Address(bytes.fromhex(a)) in IPv4Network(POOL) for a in leases.values())


@pytest.mark.xdist_group("heavy")
def test_a_full_pool_stays_full_after_kill_9(tmp_path: Path) -> None:
    """Every address is leased and acknowledged; after the crash strangers get none, and the old owners theirs again."""
    place = Place.with_nodes(tmp_path, 1, "198.18.0.0/26")
    owners, strangers = fleet(place, "owners", 62), fleet(place, "strangers", 30)
    known(place, [owners, strangers])
    with server(tmp_path, "aaah", place.aaah()) as aaah:
        config = place.fha(aaah.address)
        with server(tmp_path, "fha", config) as fha:
            held, _, _ = registered(place, owners, aaah.address, fha.address)
            assert len(held) == 62
            fha.kill()
        with server(tmp_path, "fha", config) as fha:
            told, codes, _ = registered(place, strangers, aaah.address, fha.address)
            assert (told, codes) == ({}, {130: 30})
            again, _, faults = registered(place, owners, aaah.address, fha.address)
            assert (again, faults) == (held, [])
            assert fha.stop()["leases"] == held


@pytest.mark.xdist_group("heavy")
def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """The FHA refuses what it cannot write down, ends with one clear line, and every lease it granted is on that disk."""
    place = Place.with_nodes(tmp_path, 1)
    first, then = fleet(place, "first", 500), fleet(place, "then", 8000)
    known(place, [first, then])

    def stop_with(fha: Server) -> Callable[[Engine], None]:
        return lambda engine: engine.fleet.stop() if fha.process.poll() is not None else None

    with server(tmp_path, "aaah", place.aaah()) as aaah:
        config = place.fha(aaah.address, state=tmp_path / "disk" / "state")
        with server(tmp_path, "fha", config, small_disk(tmp_path, 16_500, "cp -a disk/state kept")) as fha:
            held, _, _ = registered(place, first, aaah.address, fha.address)
            assert len(held) == 500
            fill(Path(f"/proc/{fha.pid}/root{tmp_path}/disk/filler"))    # what it has set aside already is left
            told, codes, faults = registered(place, then, aaah.address, fha.address, stop_with(fha), ("-c", "64", "-d", "60"))
            assert fha.process.wait(10) == 1
            assert (list(codes), faults) == ([0, 130], [])
        log = fha.log.read_text().splitlines()
        assert log[-1] == (f"mipstorm: fha: the disk of {tmp_path}/disk/state is full: the journal cannot grow; "
                           "nothing more is granted")
        assert [line for line in log[:-1] if ": journal_failed: " not in line and ": node_budget: " not in line] == []
        with server(tmp_path, "fha", place.fha(aaah.address, state="kept")) as fha:
            leases = fha.stop()["leases"]
    assert {nai: leases.get(nai) for nai in held | told} == held | told


def fill(path: Path) -> None:
    """Takes whatever the file system has left."""
    with path.open("wb", buffering=0) as file:
        while shutil.disk_usage(path).free:
            file.write(bytes(4096))


def test_a_request_from_before_the_crash_is_refused_after_it(tmp_path: Path) -> None:
    """The same octets got the same reply before; after the restart they get 133 (RFC 5944 section 5.7.1)."""
    place = Place.with_nodes(tmp_path, 3)
    with server(tmp_path, "aaah", place.aaah()) as aaah:
        config = place.fha(aaah.address)
        with server(tmp_path, "fha", config) as fha:
            seen = registered_by_hand(place, aaah.address, fha.address)
            request = next(m for m in seen if m.data[0] == 1 and m.destination == fha.endpoint)
            reply = next(m for m in seen if m.data[0] == 3 and m.destination == request.source)
            assert reply.data[1] == 0
            assert ask(request.source, fha.endpoint, request.data) == reply.data
            fha.kill()
        with server(tmp_path, "fha", config) as fha:
            again = ask(request.source, fha.endpoint, request.data)
            assert (again[0], again[1]) == (3, 133)
            assert fha.stop()["use"]["dropped"] == {"identification_refused": 1}


def ask(source: tuple[str, int], destination: tuple[str, int], data: bytes, seconds: float = 5) -> bytes:
    """Sends from the node's own address and port; the reply."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as node:
        node.bind(source)
        node.settimeout(seconds)
        node.sendto(data, destination)
        return node.recv(4096)
