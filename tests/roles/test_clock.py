"""Identification as a timestamp (RFC 5944 5.7.1, rulings 3 and 4): a wrong clock costs one exchange, never a lock-out."""

import pytest
from desk import UNIX_IN_NTP, Desk
from world import SECOND, World

from servers.net.memory import START_NS, WALL_NS

YEARS = 10 * 365.25 * 86_400


@pytest.mark.parametrize("off", [7.5, -7.5, 3600, -3600, YEARS, -YEARS, 60 * YEARS / 10, -60 * YEARS / 10])
def test_outside_the_window_is_133_signed_with_our_seconds(off: float) -> None:
    desk = Desk()
    moment = desk.ntp(off)
    reply = desk.ask(identification=moment)
    assert (reply.code, reply.is_signed, reply.message.lifetime) == (133, True, 0)
    assert reply.message.identification & 0xffffffff == moment & 0xffffffff
    assert abs((reply.message.identification >> 32) - (desk.ntp() >> 32)) <= 1
    assert desk.fha.counters() == {"identification_refused": 1}
    assert desk.kept() == ({}, 0)
    assert desk.ask(identification=desk.ntp()).code == 0  # nothing was recorded that would stand in the way


@pytest.mark.parametrize("identification", [0, (1 << 64) - 1, 1 << 63, 0xffffffff])
def test_extreme_identifications(identification: int) -> None:
    desk = Desk()
    assert desk.ask(identification=identification).code == 133
    assert desk.kept() == ({}, 0)


@pytest.mark.parametrize("off", [6.9, -6.9, 0.0])
def test_inside_the_window(off: float) -> None:
    desk = Desk()
    assert desk.ask(identification=desk.ntp(off)).code == 0


def test_equal_or_older_than_the_last_accepted() -> None:
    """Other octets with the same Identification, or an older one, move nothing. The AAAH, which has seen the newer one,
    is the first to say so: bare."""
    desk = Desk()
    moment = desk.ntp()
    assert desk.ask(identification=moment).code == 0
    held = desk.fha.leases()
    for identification in (moment, moment - 1):
        reply = desk.ask(identification=identification, lifetime=1000)
        assert reply.code == 133
    assert desk.fha.leases() == held


def test_at_most_one_133_a_second_and_node() -> None:
    desk = Desk()
    desk.net.run(2 * SECOND)
    answered = [len(desk.send(desk.rrq(identification=desk.ntp(100 + k)))) for k in range(5)]
    assert answered == [1, 0, 0, 0, 0]
    assert desk.fha.counters() == {"identification_refused": 1, "reply_limit": 4}
    assert len(desk.send(desk.rrq(1, identification=desk.ntp(100)), node=1)) == 1
    desk.net.run(desk.net.now + SECOND)
    assert len(desk.send(desk.rrq(identification=desk.ntp(200)))) == 1
    assert desk.kept() == ({}, 0)


def test_wrong_clock_is_told_whatever_else_is_wrong() -> None:
    desk = Desk()
    reply = desk.ask(identification=desk.ntp(100), care_of="224.0.0.1")
    assert (reply.code, reply.is_signed) == (133, True)


@pytest.mark.parametrize("off", [10.0, -10.0, YEARS, -YEARS], ids=["+10 s", "-10 s", "+10 years", "-10 years"])
def test_fleet_recovers_in_one_more_exchange(off: float) -> None:
    """Between fleet and FHA the clock is off; ten years ahead is era 1 of NTP (ruling 4). The node starts alone: its 133
    corrects the clock of all."""
    world = World(20, fha_clock_s=off, rate=10.0)
    world.run(5)
    assert world.tally() == {"attempted": 20, "succeeded": 20, "failed": 0, "timed_out": 0}
    codes, _ = world.fleet.codes()
    assert codes == {0: 20, 133: 1}
    assert world.fleet.packets()["retransmitted"] == 1
    assert world.fleet.packets()["sent"] == 2 * 20 + 1
    assert world.fleet.violations() == ([], {})
    assert len(world.fha.leases()) == 20


def test_a_crowd_that_starts_with_a_wrong_clock() -> None:
    """Every one of them is told before the first can correct the clock; each needs one more exchange."""
    world = World(20, fha_clock_s=1000, rate=1e6)
    world.run(5)
    assert world.tally()["succeeded"] == 20
    assert world.fleet.codes()[0] == {0: 20, 133: 20}


@pytest.mark.parametrize("both", [YEARS, -YEARS])
def test_all_clocks_in_another_era(both: float) -> None:
    world = World(10)
    for host in world.net._hosts.values():
        host.wall_offset_ns = int(both * SECOND)
    world.run(3)
    assert world.tally()["succeeded"] == 10
    assert world.fleet.codes()[0] == {0: 10}
    identification = next(int.from_bytes(t.data[16:24], "big") for t in world.net.tap if t.destination[1] == 434)
    seconds = (WALL_NS + world.net.now - START_NS) // SECOND + int(both) + UNIX_IN_NTP
    assert abs((identification >> 32) - seconds % (1 << 32)) <= 4
    assert (seconds >> 32) == (1 if both > 0 else 0)


def test_slow_aaah_makes_no_clock_wrong() -> None:
    """The request is judged by when it came: its exchange may take longer than the window."""
    desk = Desk()
    desk.fha.set_aaah(b"\x7f\x00\x00\x01", 1812, b"not yet the secret of the AAAH")
    assert desk.send(desk.rrq(), seconds=10) == []
    desk.aaah.add_client(b"\x7f\x00\x00\x02", 32, b"not yet the secret of the AAAH")
    replies = [desk.read(o) for o in desk.send(b"", seconds=10)]
    assert [(r.code, r.is_signed) for r in replies] == [(0, True)]
