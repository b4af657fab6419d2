"""What changes when the FHA is told to behave as RFC 3344 was: one authenticator, 131 instead of silence, reserved bits."""

import pytest
from desk import RESERVED_R, RESERVED_X, D, T, nai_extension
from holder import Holder, challenge_extension

from fastcodec import RegistrationReply


class Lenient(Holder):
    fha_settings = {"strict": False}  # noqa: RUF012


@pytest.mark.parametrize("bits", [RESERVED_R, RESERVED_X, RESERVED_R | RESERVED_X])
def test_reserved_bits_are_ignored(bits: int) -> None:
    desk = Lenient()
    held = desk.bootstrap(flags=D | T | bits)
    assert desk.renew(held, flags=D | bits).code == 0


def test_no_authenticator_is_131_and_bare() -> None:
    desk = Lenient()
    request = desk.open_rrq() + nai_extension(desk.columns.nai[0]) + challenge_extension(bytes(40))
    reply = desk.read(desk.one(request))
    assert (reply.code, reply.is_bare, len(reply.octets) <= len(request)) == (131, True, True)
    assert desk.fha.counters() == {"no_authenticator": 1}
    assert desk.server.asked == []
    assert desk.kept() == ({}, 0)


def test_no_authenticator_and_no_nai_is_silent() -> None:
    desk = Lenient()
    assert desk.send(desk.open_rrq()) == []
    assert desk.send(desk.open_rrq() + nai_extension(bytes(254))) == []
    assert desk.fha.counters() == {"no_authenticator": 2}


def test_unknown_spi_is_131_and_bare() -> None:
    desk = Lenient()
    held = desk.bootstrap()
    reply = desk.read(desk.one(desk.renewal(held, spi=held.ha_spi ^ 1)))
    assert (reply.code, reply.is_bare) == (131, True)
    assert desk.fha.counters() == {"unknown_spi": 1}
    assert desk.renew(held).code == 0


def test_bare_131_is_limited_to_100_a_second_and_source() -> None:
    desk = Lenient()
    request = desk.open_rrq() + nai_extension(desk.columns.nai[0])
    for _ in range(150):
        desk.net.inject(("127.64.0.1", 5001), ("127.0.0.2", 434), request)
    desk.wait(0.5)
    assert desk.fha.replies_sent == (0, 100)
    assert desk.fha.counters() == {"no_authenticator": 100, "reply_limit": 50}


def test_two_authenticators_are_131() -> None:
    """RFC 3344 3.8.2.1: exactly one; signed, because either of them proves the node."""
    desk = Lenient()
    held = desk.bootstrap()
    reply = desk.read(desk.one(desk.rekeying(held)))
    assert (reply.code, reply.is_signed) == (131, True)
    assert desk.renew(held).code == 0
    assert desk.taken(desk.one(desk.rekeying(held, with_mn_ha=False))).home == held.home


def test_wrong_mn_ha_is_131_as_ever() -> None:
    desk = Lenient()
    held = desk.bootstrap()
    assert RegistrationReply.decode(desk.one(desk.renewal(held, key=bytes(16))), held.key).code == 131
