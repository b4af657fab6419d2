"""Keys end: their lifetime is enforced, the AAAH derives new ones, and the old one is good for a while (RFC 3957 3)."""

from pathlib import Path
from typing import Any

import pytest
from desk import D, T, nonce_request
from holder import Holder, Holding, cvse

from fastcodec import NonceReply, RegistrationReply


def rekeyed(desk: Holder, held: Holding, **changes: Any) -> Holding:
    return desk.taken(desk.one(desk.rekeying(held, **changes), held.node), held.node)


@pytest.mark.parametrize("with_mn_ha", [True, False], ids=["42, 32 and 36", "42 and 36"])
def test_new_key_replaces_the_old_one(with_mn_ha: bool) -> None:
    desk = Holder()
    held = desk.bootstrap()
    fresh = rekeyed(desk, held, with_mn_ha=with_mn_ha)
    assert (fresh.home, len(desk.fha.leases())) == (held.home, 1)
    assert fresh.key != held.key
    assert fresh.ha_spi != held.ha_spi
    assert len(desk.server.asked) == 2
    assert desk.fha.counters() == {"rekeyed": 1}
    assert desk.renew(fresh).code == 0


def test_old_key_is_good_for_30_seconds_then_gone() -> None:
    desk = Holder()
    held = desk.bootstrap()
    fresh = rekeyed(desk, held)
    desk.wait(29)
    assert desk.renew(held).code == 0, "the reply is signed under the key that the node has"
    desk.wait(2)
    assert desk.send(desk.renewal(held)) == []
    assert desk.fha.counters() == {"rekeyed": 1, "renewed": 1, "unknown_spi": 1}
    assert desk.renew(fresh).code == 0


def test_the_lease_ends_when_the_overlap_has() -> None:
    desk = Holder()
    rekeyed(desk, desk.bootstrap(), lifetime=60)
    desk.wait(45)
    assert len(desk.fha.leases()) == 1
    desk.wait(16)
    assert desk.fha.leases() == {}
    assert desk.count("expired") == 1


def test_wrong_authenticator_under_the_old_key_is_told_under_it() -> None:
    desk = Holder()
    held = desk.bootstrap()
    rekeyed(desk, held)
    assert desk.renew(held, key=None).code == 0
    assert desk.verified(desk.one(desk.renewal(held, key=bytes(20))), held).code == 131


def test_node_that_missed_its_new_key_asks_again_under_the_old_one() -> None:
    """The key that it has stays good, however often the reply is lost."""
    desk = Holder()
    held = desk.bootstrap()
    for _ in range(3):
        desk.one(desk.rekeying(held))
        desk.wait(1)
    assert desk.renew(held).code == 0
    fresh = rekeyed(desk, held)
    assert desk.renew(fresh).code == 0
    assert desk.renew(held).code == 0
    desk.wait(30)
    assert desk.send(desk.renewal(held)) == []
    assert desk.renew(fresh).code == 0


def test_only_the_last_two_keys_are_good() -> None:
    desk = Holder()
    first = desk.bootstrap()
    second = rekeyed(desk, first)
    third = rekeyed(desk, second)
    assert desk.send(desk.renewal(first)) == []
    assert desk.renew(second).code == 0
    assert desk.renew(third).code == 0


def test_key_lifetime_is_enforced() -> None:
    desk = Holder()
    desk.server.changes = {"Mipstorm_MN_FHA_Key_Lifetime": 60}
    held = desk.bootstrap()
    assert held.reply.message.find(NonceReply).lifetime == 60
    desk.wait(59)
    assert desk.renew(held).code == 0
    desk.wait(1.1)
    assert desk.send(desk.renewal(held)) == []
    assert desk.fha.counters() == {"renewed": 1, "key_expired": 1}
    assert len(desk.fha.leases()) == 1, "the lease is not the key's"
    fresh = rekeyed(desk, held)  # its 32 proves nothing any more; the AAAH vouches
    assert fresh.home == held.home
    assert desk.renew(fresh).code == 0


def test_old_key_does_not_outlive_itself() -> None:
    desk = Holder()
    desk.server.changes = {"Mipstorm_MN_FHA_Key_Lifetime": 60}
    held = desk.bootstrap()
    desk.wait(50)
    rekeyed(desk, held)
    desk.wait(9)
    assert desk.renew(held).code == 0
    desk.wait(1.5)
    assert desk.send(desk.renewal(held)) == []


def test_wrong_mn_ha_beside_a_right_mn_aaa() -> None:
    """RFC 5944 3.8.2.1 a: every authenticator is checked."""
    desk = Holder()
    held = desk.bootstrap()
    bad = Holding(0, held.home, bytes(20), held.ha_spi, held.mn_spi, held.reply)
    assert desk.verified(desk.one(desk.rekeying(bad)), held).code == 131
    assert len(desk.server.asked) == 1


def test_wrong_mn_aaa_beside_a_right_mn_ha() -> None:
    """There is a key to sign with, and it stays."""
    desk = Holder()
    held = desk.bootstrap()
    desk.server.reject = True
    assert desk.verified(desk.one(desk.rekeying(held)), held).code == 131
    assert desk.renew(held).code == 0
    assert desk.count("aaa_rejected") == 1


def test_no_answer_beside_a_right_mn_ha() -> None:
    desk = Holder()
    held = desk.bootstrap(lifetime=1800)
    desk.server.silent = True
    assert desk.send(desk.rekeying(held), seconds=30) == []
    mark = len(desk.net.tap)
    desk.wait(10)
    replies = [t.data for t in desk.net.tap[mark:] if t.source == ("127.0.0.2", 434)]
    assert [desk.verified(o, held).code for o in replies] == [128]
    assert desk.renew(held).code == 0


def test_refused_rekeying_keeps_the_key() -> None:
    """133 comes under the new key, which is then forgotten (ruling 3)."""
    desk = Holder()
    held = desk.bootstrap()
    octets = desk.one(desk.rekeying(held, identification=desk.ntp(100)))
    reply = desk.read(octets)
    assert (reply.code, reply.is_signed) == (133, True)
    nonce = reply.message.find(NonceReply)
    desk.wait(1.1)
    assert desk.send(desk.renewal(held, key=reply.key, spi=nonce.ha_spi)) == []
    assert desk.renew(held).code == 0


def test_both_authenticators_and_no_key_asked_for() -> None:
    """The AAAH vouches again; the key stays, and the reply has the IPv6 parameters."""
    desk = Holder()
    held = desk.bootstrap()
    reply = desk.verified(desk.one(desk.rekeying(held, nonce=b"")), held)
    assert (reply.code, reply.find(NonceReply)) == (0, None)
    assert "Mipstorm-Key-Request" not in desk.server.asked[1].attributes
    assert desk.renew(held).code == 0


@pytest.mark.parametrize("between", [nonce_request(5000), cvse()], ids=["42", "38"])
def test_what_stands_between_both_counts_for_mn_aaa(between: bytes) -> None:
    desk = Holder()
    held = desk.bootstrap()
    octets = desk.one(desk.rekeying(held, nonce=b"", between=between))
    reply = desk.read(octets)
    assert reply.code == (140 if between == cvse() else 0)
    if between != cvse():
        assert reply.is_signed
        assert reply.key != held.key


def test_new_key_survives_a_restart_and_so_does_its_end(tmp_path: Path) -> None:
    desk = Holder(state=tmp_path / "a")
    desk.server.changes = {"Mipstorm_MN_FHA_Key_Lifetime": 100}
    held = desk.bootstrap()
    fresh = rekeyed(desk, held)
    again = desk.restarted(tmp_path / "b", 50)
    assert again.send(again.renewal(held)) == [], "the older key is good for 30 s, not more"
    assert again.renew(fresh, flags=D | T).code == 0
    again.wait(51)
    assert again.send(again.renewal(fresh)) == []
    assert again.fha.counters()["key_expired"] == 1
    third = again.restarted(tmp_path / "c", 1)
    assert third.send(third.renewal(fresh)) == []
    assert third.fha.counters() == {"key_expired": 1}
    assert RegistrationReply.decode(third.one(third.rekeying(fresh))).code == 0
    for each in (desk, again, third):
        each.store.close()


@pytest.mark.parametrize("image", [False, True], ids=["journal", "image"])
def test_the_older_key_is_good_over_a_restart(tmp_path: Path, image: bool) -> None:
    """A node that has not heard of the new one goes on without the AAAH; the time is not counted anew."""
    desk = Holder(state=tmp_path / "a")
    held = desk.bootstrap()
    fresh = rekeyed(desk, held)
    if image:
        desk.store.compact(desk.fha.records(desk.net.now, desk.wall()))
    again = desk.restarted(tmp_path / "b", 5)
    again.server.silent = True
    assert again.renew(held).code == 0
    third = again.restarted(tmp_path / "c", 5)  # the record of the renewal has it, too
    third.server.silent = True
    assert third.renew(held).code == 0
    assert third.renew(fresh).code == 0
    third.wait(15)
    assert third.renew(held).code == 0
    third.wait(6)
    assert third.send(third.renewal(held)) == []
    assert third.renew(fresh).code == 0
    for each in (desk, again, third):
        each.store.close()


def test_node_that_missed_its_new_key_asks_again_after_a_restart(tmp_path: Path) -> None:
    """It is the key that it has which stays good, not the one that it never heard of."""
    desk = Holder(state=tmp_path / "a")
    held = desk.bootstrap()
    rekeyed(desk, held)
    again = desk.restarted(tmp_path / "b", 1)
    fresh = rekeyed(again, held)
    third = again.restarted(tmp_path / "c", 1)
    assert third.renew(held).code == 0
    assert third.renew(fresh).code == 0
    for each in (desk, again, third):
        each.store.close()


def test_a_clock_that_went_back_does_not_prolong_the_older_key(tmp_path: Path) -> None:
    desk = Holder(state=tmp_path / "a")
    held = desk.bootstrap()
    fresh = rekeyed(desk, held)
    again = desk.restarted(tmp_path / "b", -1000)
    refused = again.renew(held)
    assert refused.code == 133, "older than the journal"
    again.wait(31)
    assert again.send(again.renewal(held)) == []
    assert again.renew(fresh).code == 133
    for each in (desk, again):
        each.store.close()


def test_a_later_record_without_the_older_key_ends_it(tmp_path: Path) -> None:
    desk = Holder(state=tmp_path / "a")
    held = desk.bootstrap()
    fresh = rekeyed(desk, held)
    desk.wait(31)
    assert desk.renew(fresh).code == 0
    again = desk.restarted(tmp_path / "b", -31)
    assert again.send(again.renewal(held)) == []
    for each in (desk, again):
        each.store.close()


def test_a_record_of_any_other_length_is_no_lease(tmp_path: Path) -> None:
    desk = Holder(state=tmp_path / "a")
    held = desk.bootstrap()
    ((kind, without),) = desk.fha.records(desk.net.now, desk.wall())
    rekeyed(desk, held)
    ((_, payload),) = desk.fha.records(desk.net.now, desk.wall())
    assert len(payload) > len(without)
    other = Holder(wall_ns=desk.wall())
    for length in range(len(payload)):
        if length != len(without):
            assert not other.fha.restore(kind, payload[:length], other.net.now, desk.wall())
    assert other.fha.leases() == {}
    assert not other.fha.restore(kind, payload + b"x", other.net.now, desk.wall())
    assert other.fha.restore(kind, payload, other.net.now, desk.wall())
    desk.store.close()
