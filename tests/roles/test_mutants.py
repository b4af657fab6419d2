"""200 000 damaged copies of good packets: no crash, no lease, no success, and an end in bounded time."""

import time
from collections.abc import Iterator
from random import Random

from desk import Desk
from world import AAAH, FHA, NAS, SECOND, World

from servers.net.impair import Profile

BATCH = 250
COVERED = 40  # octets from the first on that every authenticator of the corpus covers, or is


def mutant(random: Random, corpus: list[bytes]) -> bytes:
    """Cut, spliced, lengthened or as it was, and then with an octet changed that an authenticator covers."""
    octets = bytearray(random.choice(corpus))
    way = random.randrange(8)
    if way == 0:
        del octets[random.randrange(len(octets)):]
    elif way == 1:
        at = random.randrange(len(octets))
        octets[at:] = random.choice(corpus)[at:]
    elif way == 2:
        octets += random.randbytes(random.randrange(1, 400))
    elif way == 3:
        octets[random.randrange(len(octets)):] = random.randbytes(random.randrange(1, 200))
    elif way == 4:
        octets[2:4] = random.randbytes(2)
    elif way == 5:
        return random.randbytes(random.randrange(0, 1500))
    if octets:
        octets[random.randrange(min(len(octets), COVERED))] ^= random.randrange(1, 256)
    return bytes(octets)


def mutants(seed: int, corpus: list[bytes], count: int) -> Iterator[list[bytes]]:
    random = Random(seed)
    for _ in range(count // BATCH):
        yield [mutant(random, corpus) for _ in range(BATCH)]


def captured() -> tuple[World, dict[str, list[bytes]]]:
    """A fleet whose every registration is under way: the replies never arrive. Its packets are the corpus."""
    world = World(64, rate=10_000, tries=16)
    world.net.impair(Profile(loss=1.0), source=f"{FHA}:434")
    world.run(0.1)
    kinds: dict[str, list[bytes]] = {"rrq": [], "rrp": [], "to_aaah": [], "to_fha": [], "to_nas": []}
    for t in world.net.tap:
        kind = ("rrq" if t.destination == (FHA, 434) else "rrp" if t.source == (FHA, 434) else
                "to_aaah" if t.destination == (AAAH, 1812) else "to_fha" if t.destination[0] == FHA else "to_nas")
        kinds[kind].append(t.data)
    assert all(len(v) >= 64 for v in kinds.values())
    return world, kinds


def test_mutants_at_the_registration_port() -> None:
    desk = Desk(64)
    corpus = [desk.rrq(node) for node in range(64)]
    started = time.monotonic()
    for batch in mutants(1, corpus, 50_000):
        rows = [(desk.care_of(k % 64), 5001, FHA, octets) for k, octets in enumerate(batch)]
        desk.net.run(desk.net.now + SECOND // 50)
        desk.fha.feed(0, rows, desk.net.now, desk.wall())
    desk.net.run(desk.net.now + 60 * SECOND)
    assert desk.kept() == ({}, 0)
    assert desk.fha.replies_sent[0] == 0
    assert time.monotonic() - started < 30
    assert desk.ask(1).code == 0


def test_mutants_at_the_aaah() -> None:
    world, kinds = captured()
    before = world.aaah.replies_sent
    started = time.monotonic()
    for batch in mutants(2, kinds["to_aaah"], 50_000):
        world.aaah.feed(0, [(NAS, 41000 + k, AAAH, octets) for k, octets in enumerate(batch)], world.net.now, world.wall())
        assert world.aaah.drain() == []
    assert world.aaah.replies_sent == before
    assert sum(world.aaah.counters().values()) == 50_000
    assert time.monotonic() - started < 30


def test_mutants_at_the_fha_s_radius_ports() -> None:
    """With 64 questions under way."""
    desk = Desk(64, secret=b"a secret that the AAAH does not share")
    for node in range(64):
        desk.net.inject((desk.care_of(node), 5001), (FHA, 434), desk.rrq(node))
    desk.net.run(desk.net.now + SECOND // 100)
    assert desk.fha.under_way == 64
    _, kinds = captured()
    started = time.monotonic()
    for k, batch in enumerate(mutants(3, kinds["to_fha"], 50_000)):
        desk.fha.feed(1 + k % 4, [(AAAH, 1812, FHA, octets) for octets in batch], desk.net.now, desk.wall())
        assert desk.fha.drain() == []
    assert desk.kept() == ({}, 64)
    assert time.monotonic() - started < 30


def test_mutants_at_the_fleet() -> None:
    """Half of them to the nodes, half to the NAS, while all 64 nodes wait for the reply that they are mutants of."""
    world, kinds = captured()
    assert world.tally() == {"attempted": 64, "succeeded": 0, "failed": 0, "timed_out": 0}
    packets = world.fleet.packets()
    started = time.monotonic()
    for batch in mutants(4, kinds["rrp"], 25_000):
        world.fleet.feed(8, [(FHA, 434, f"127.64.0.{1 + k % 64}", o) for k, o in enumerate(batch)], world.net.now, world.wall())
    for k, batch in enumerate(mutants(5, kinds["to_nas"], 25_000)):
        world.fleet.feed(k % 8, [(AAAH, 1812, NAS, octets) for octets in batch], world.net.now, world.wall())
    world.fleet.drain()
    assert world.tally() == {"attempted": 64, "succeeded": 0, "failed": 0, "timed_out": 0}
    assert world.fleet.violations() == ([], {})
    after = world.fleet.packets()
    assert after["received"] - packets["received"] == 50_000
    assert time.monotonic() - started < 30
    for k, octets in enumerate(kinds["rrp"]):  # and the real ones still count
        world.fleet.feed(8, [(FHA, 434, f"127.64.0.{1 + k}", octets)], world.net.now, world.wall())
    assert world.tally()["succeeded"] == 64
