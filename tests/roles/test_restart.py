"""An FHA that stops at any moment and starts again from its journal: what was acknowledged is there, and only the past
is refused."""

import os
import shutil
from pathlib import Path
from random import Random

import pytest
from desk import Desk
from world import FHA, SECOND, World

from fastcodec import RegistrationReply


def acknowledged(world: World) -> dict[bytes, bytes]:
    """{NAI: THOAv4} of every accepting reply that left."""
    replies = [RegistrationReply.decode(t.data) for t in world.net.tap if t.source == (FHA, 434)]
    return {(r.nai() or "").encode(): r.home_address.packed for r in replies if r.code == 0 and r.lifetime}


def answered_requests(world: World) -> list[tuple[tuple[str, int], bytes]]:
    """Sender and octets of each request that was accepted; what was never answered may still be new afterwards."""
    accepted = {t.data[12:20] for t in world.net.tap if t.source == (FHA, 434) and t.data[1] == 0}
    return [(t.source, t.data) for t in world.net.tap if t.destination == (FHA, 434) and t.data[16:24] in accepted]


def run_durably(world: World, seconds: float, random: Random) -> None:
    """In small steps; only now and then is the FHA told what has become durable, so that replies wait."""
    end = world.net.now + int(seconds * SECOND)
    while world.net.now < end:
        world.run(random.uniform(0.0001, 0.01))
        if random.random() < 0.3:
            world.settle()


def copied(world: World, to: Path) -> Path:
    assert world.state is not None
    shutil.copytree(world.state, to)
    return to


def restarted(world: World, copy: Path, after_s: float, **settings: object) -> World:
    """As a crash leaves the directory: what the process had not written is not there."""
    return World(len(world.columns), columns=world.columns, state=copied(world, copy), pool=world.pool_network,
                 wall_ns=world.wall() + int(after_s * SECOND), **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(("stop_s", "seed"), [(0.013, 1), (0.05, 2), (0.11, 3), (0.21, 4), (1.0, 5)])
def test_every_acknowledged_lease_survives(tmp_path: Path, stop_s: float, seed: int) -> None:
    world = World(150, state=tmp_path / "a", seed=seed)
    run_durably(world, stop_s, Random(seed))
    held = acknowledged(world)
    assert held or stop_s < 0.05
    again = restarted(world, tmp_path / "b", 1.5)
    world.store.close()
    leases = again.fha.leases()
    assert held.items() <= leases.items()
    assert len(set(leases.values())) == len(leases)

    for source, request in answered_requests(world):  # with the AAAH's blessing: it has forgotten them, too
        again.net.inject(source, (FHA, 434), request)
    again.net.run(again.net.now + SECOND // 2)
    again.settle()
    codes = [RegistrationReply.decode(t.data).code for t in again.net.tap if t.source == (FHA, 434)]
    assert codes == [133] * len(held)
    assert again.fha.leases() == leases

    again.run(1.2)
    again.settle()
    again.run(5)
    again.settle()
    again.run(1)
    now = {again.columns.nai[k]: address for k, address in again.fleet.leases().items()}
    assert leases.items() <= now.items(), "a node came back and got another address"
    assert len(set(now.values())) == len(now) == 150
    assert again.fleet.violations() == ([], {})
    again.store.close()


def test_leases_that_expired_meanwhile_are_gone(tmp_path: Path) -> None:
    world = World(30, state=tmp_path / "a", lifetime_s=20)
    run_durably(world, 0.2, Random(1))
    world.settle()
    held = acknowledged(world)
    assert len(held) == 30
    soon, late = restarted(world, tmp_path / "b", 15), restarted(world, tmp_path / "c", 21)
    assert soon.fha.leases() == held
    assert late.fha.leases() == {}
    soon.net.run(soon.net.now + 6 * SECOND)
    assert soon.fha.leases() == {}
    for each in (world, soon, late):
        each.store.close()


def durable_desk(tmp_path: Path, nodes: int = 8, **settings: object) -> Desk:
    return Desk(nodes, state=tmp_path / "state", **settings)  # type: ignore[arg-type]


def ask_durably(desk: Desk, request: bytes, node: int = 0) -> list[bytes]:
    mark = len(desk.net.tap)
    desk.send(request, node=node)
    desk.settle()
    return [t.data for t in desk.net.tap[mark:] if t.source == (FHA, 434)]


def test_reply_waits_for_the_journal(tmp_path: Path) -> None:
    desk = durable_desk(tmp_path)
    assert desk.send(desk.rrq()) == []  # nobody has told the FHA yet that it is durable
    assert desk.fha.under_way == 1
    mark = len(desk.net.tap)
    desk.settle()
    assert [t.source for t in desk.net.tap[mark:]] == [(FHA, 434)]
    assert desk.fha.under_way == 0
    desk.store.close()


def test_what_was_given_back_stays_given_back(tmp_path: Path) -> None:
    desk = durable_desk(tmp_path)
    assert len(ask_durably(desk, desk.rrq())) == 1
    assert len(ask_durably(desk, desk.rrq(1), 1)) == 1
    assert len(ask_durably(desk, desk.rrq(lifetime=0))) == 1
    again = restarted(desk, tmp_path / "b", 1)
    assert set(again.fha.leases()) == {desk.columns.nai[1]}
    for each in (desk, again):
        each.store.close()


def test_clock_of_one_node_ahead_keeps_no_other_node_out(tmp_path: Path) -> None:
    desk = durable_desk(tmp_path)
    ahead = desk.rrq(identification=desk.ntp(6.9))
    assert len(ask_durably(desk, ahead)) == 1
    again = Desk(8, columns=desk.columns, state=copied(desk, tmp_path / "b"), wall_ns=desk.wall() + SECOND)
    assert [again.read(o).code for o in ask_durably(again, ahead)] == [133]
    assert [again.read(o, 1).code for o in ask_durably(again, again.rrq(1), 1)] == [0]
    for each in (desk, again):
        each.store.close()


def test_restart_from_an_image(tmp_path: Path) -> None:
    desk = durable_desk(tmp_path)
    for node in range(5):
        assert len(ask_durably(desk, desk.rrq(node), node)) == 1
    desk.store.compact(desk.fha.records(desk.net.now, desk.wall()))
    assert len(ask_durably(desk, desk.rrq(6), 6)) == 1
    again = restarted(desk, tmp_path / "b", 1)
    assert again.fha.leases() == desk.fha.leases()
    assert len(again.fha.leases()) == 6
    for each in (desk, again):
        each.store.close()


def break_disk(desk: Desk) -> None:
    """From now on every write of the journal fails, as on a disk that is broken."""
    assert desk.store._file is not None
    descriptor = os.open("/dev/null", os.O_RDONLY)
    os.dup2(descriptor, desk.store._file.fileno())
    os.close(descriptor)


def broken_after_append(tmp_path: Path) -> tuple[Desk, bytes]:
    """A desk whose disk breaks between append and commit of this request. The journal's thread also writes zeros ahead,
    and may find the broken disk before the request comes: then another desk."""
    for attempt in range(20):
        desk = durable_desk(tmp_path / str(attempt))
        assert len(ask_durably(desk, desk.rrq(1), 1)) == 1
        request = desk.rrq()
        break_disk(desk)
        if not ask_durably(desk, request):
            return desk, request
    raise AssertionError("the journal never took a record that it then lost")


def test_reply_that_is_not_durable_never_leaves(tmp_path: Path) -> None:
    desk, request = broken_after_append(tmp_path)
    assert desk.fha.counters()["journal_failed"] == 1
    again = [desk.read(o) for o in ask_durably(desk, request)]
    assert [r.code for r in again] == [133], "a copy of the request drew out the reply"
    later = [desk.read(o) for o in ask_durably(desk, desk.rrq())]
    assert [(r.code, r.is_signed) for r in later] == [(130, True)]
    other = [desk.read(o, 2) for o in ask_durably(desk, desk.rrq(2), 2)]
    assert [(r.code, r.is_signed) for r in other] == [(130, True)]
    assert desk.columns.nai[2] not in desk.fha.leases()


def test_renewal_that_is_not_durable_leaves_the_old_lease(tmp_path: Path) -> None:
    desk = durable_desk(tmp_path)
    first = desk.rrq()
    (reply,) = ask_durably(desk, first)
    held = desk.read(reply).message.home_address.packed
    break_disk(desk)
    desk.net.run(desk.net.now + SECOND)
    codes = [desk.read(o).code for o in ask_durably(desk, desk.rrq())]
    assert codes in ([], [130])
    assert desk.fha.leases() == {desk.columns.nai[0]: held}




def test_a_clock_that_went_back_neither_ends_a_lease_nor_prolongs_it_for_ever(tmp_path: Path) -> None:
    """The time left by the wall clock is then months, beyond what a timer can wait for."""
    desk = durable_desk(tmp_path)
    assert len(ask_durably(desk, desk.rrq())) == 1
    again = restarted(desk, tmp_path / "b", -100 * 24 * 3600)
    again.net.run(again.net.now + 20 * SECOND)
    assert again.fha.leases() == desk.fha.leases()
    again.net.run(again.net.now + 0x10000 * SECOND)
    assert again.fha.leases() == {}
    for each in (desk, again):
        each.store.close()
