"""What a running FHA takes anew: secrets, configured associations, limits (SIGHUP); what stays is told in
tests/servers/test_rereading.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from desk import Desk
from holder import Holder
from test_chap_spi import KEY, SPI, Plain
from world import AAAH, SECRET, packed

from fastcodec import MnHaAuthentication, RegistrationReply

NEW_KEY = bytes(range(200, 220))


def test_a_new_secret_reaches_questions_under_way() -> None:
    """They are sent again under it; the answer is checked and the key unhidden with it."""
    desk = Desk()
    desk.fha.set_aaah(packed(AAAH), 1812, b"the secret of yesterday")
    assert desk.send(desk.rrq()) == []
    assert desk.aaah.counters() == {"bad_message_authenticator": 1}
    desk.fha.set_aaah(packed(AAAH), 1812, SECRET)
    (octets,) = desk.send(b"", seconds=1.2)
    reply = desk.read(octets)
    assert (reply.code, reply.is_signed) == (0, True)
    assert desk.aaah.counters() == {"bad_message_authenticator": 1, "fha_unbound": 1}


def test_a_changed_static_key_is_so_for_bound_nodes() -> None:
    desk = Plain()
    held = desk.holding(desk.one(desk.chap()))
    desk.fha.use_static_keys([(5000, NEW_KEY, b"")])
    assert desk.send(desk.renewal(held)) == []
    assert desk.count("unknown_spi") == 1
    reply = RegistrationReply.decode(desk.one(desk.renewal(held, key=NEW_KEY, spi=5000)), NEW_KEY)
    assert (reply.code, reply.find(MnHaAuthentication).spi) == (0, 5000)
    other = RegistrationReply.decode(desk.one(desk.chap(1), 1), NEW_KEY)
    assert other.code == 0


def test_a_static_key_that_is_gone() -> None:
    """Nothing can be renewed under it; the lease runs out in its time, and the node may come anew."""
    desk = Plain()
    held = desk.holding(desk.one(desk.chap()))
    desk.fha.use_static_keys([(SPI, NEW_KEY, desk.columns.nai[1])])
    assert desk.send(desk.renewal(held)) == []
    assert desk.count("key_expired") == 1
    assert len(desk.fha.leases()) == 1
    desk.fha.use_static_keys([(SPI, KEY, b"")])
    assert desk.holding(desk.one(desk.chap())).home == held.home


def test_the_node_s_own_comes_before_the_common_one() -> None:
    desk = Plain()
    held, other = desk.holding(desk.one(desk.chap())), desk.holding(desk.one(desk.chap(1), 1), 1)
    desk.fha.use_static_keys([(SPI, KEY, b""), (SPI, NEW_KEY, desk.columns.nai[1])])
    assert desk.renew(held).code == 0
    assert RegistrationReply.decode(desk.one(desk.renewal(other, key=NEW_KEY), 1), NEW_KEY).code == 0


def test_derived_keys_are_left_alone() -> None:
    desk = Holder()
    held = desk.bootstrap()
    desk.fha.use_static_keys([(SPI, KEY, b"")])
    assert desk.renew(held).code == 0
    desk.fha.use_static_keys([])
    assert desk.renew(held).code == 0


def test_after_a_restart_the_configuration_counts(tmp_path: Path) -> None:
    desk = Plain(state=tmp_path / "a")
    held = desk.holding(desk.one(desk.chap()))
    again = desk.restarted(tmp_path / "b")
    again.fha.use_static_keys([(SPI, NEW_KEY, b"")])
    assert RegistrationReply.decode(again.one(again.renewal(held, key=NEW_KEY)), NEW_KEY).code == 0


def test_no_more_than_before_when_one_cannot_be() -> None:
    with pytest.raises(ValueError, match="cannot be added"):
        Plain().fha.use_static_keys([(255, KEY, b"")])


def test_limits() -> None:
    desk = Holder()
    held = desk.bootstrap()
    late = desk.renewal(held, identification=desk.ntp(-20))
    assert desk.verified(desk.one(late), held).code == 133
    desk.fha.use_limits(max_lifetime_s=60, window_s=30, strict=False, nonces=False)
    assert desk.renew(held, identification=desk.ntp(20)).lifetime == 60
    assert len(desk.send(desk.open_rrq(2) + b"\x83\x04a@bc", node=2)) == 1, "RFC 3344 3.8.2.1: not silence"
