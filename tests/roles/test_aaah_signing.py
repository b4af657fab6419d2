"""CVE-2024-3596 (BlastRADIUS): which requests are served without Message-Authenticator, client by client."""

import pytest
from home import ACCESS, HomeDesk, status_server
from test_aaah_packets import without_authenticator


def unsigned(desk: HomeDesk, identifier: int = 1, **changes: object) -> bytes:
    return without_authenticator(desk.pap_request(identifier=identifier, **changes))


def test_by_default_every_request_must_be_signed() -> None:
    desk = HomeDesk()
    desk.refusal(unsigned(desk), "no_message_authenticator")
    assert desk.aaah.clients() == [{"network": "127.0.0.0/9", "must_sign": True, "unsigned": 0}]


def test_unsigned_requests_are_served_and_counted_where_configured_so() -> None:
    desk = HomeDesk(client={"require_message_authenticator": "no"})
    reply = desk.answer(unsigned(desk))
    assert reply.code == 2
    assert next(iter(reply.attributes))[0] == "Message-Authenticator", "ours are signed whatever came"
    assert desk.answer(desk.pap_request(identifier=2)).code == 2
    assert desk.answer(unsigned(desk, 3)).code == 2, "signed once changes nothing for `no`"
    assert desk.aaah.counters() == {"unsigned_served": 2}
    assert desk.aaah.clients() == [{"network": "127.0.0.0/9", "must_sign": False, "unsigned": 2}]


def test_auto_requires_it_from_the_first_signed_request_on() -> None:
    desk = HomeDesk(client={"require_message_authenticator": "auto"})
    assert desk.answer(unsigned(desk)).code == 2
    forged = bytearray(desk.pap_request(identifier=2))
    forged[25] ^= 1
    desk.refusal(bytes(forged), "bad_message_authenticator")
    assert desk.answer(unsigned(desk, 3)).code == 2, "a wrong one proves nothing"
    assert desk.answer(desk.pap_request(identifier=4)).code == 2
    desk.refusal(unsigned(desk, 5), "no_message_authenticator")
    assert desk.aaah.clients() == [{"network": "127.0.0.0/9", "must_sign": True, "unsigned": 2}]


def test_auto_within_one_batch() -> None:
    """A signed and an unsigned request that arrive together: the second is refused, whichever order they are read in."""
    desk = HomeDesk(client={"require_message_authenticator": "auto"})
    rows = [("127.0.0.3", 40000 + k, "127.0.0.1", packet)
            for k, packet in enumerate([unsigned(desk), desk.pap_request(1), unsigned(desk)])]
    desk.aaah.feed(0, rows, desk.net.now, desk.wall())
    answered = [row[2] for row in desk.aaah.drain()]
    assert answered == [40000, 40001]


@pytest.mark.parametrize("demand", ["no", "auto"])
def test_never_unsigned_with_proxy_state(demand: str) -> None:
    """Reliability A32, A40: there the collision blocks of the attack would hide."""
    desk = HomeDesk(client={"require_message_authenticator": demand})
    desk.refusal(unsigned(desk, more=[("Proxy-State", b"x" * 200)]), "no_message_authenticator")


def test_chosen_prefix_pair_is_refused() -> None:
    """The shape of the published attack: a Proxy-State behind the attributes that takes up the reply's collision block,
    a second one that makes both packets equally long, no Message-Authenticator."""
    desk = HomeDesk(client={"require_message_authenticator": "no"})
    prefix = unsigned(desk, more=[("Proxy-State", bytes(range(228))), ("Proxy-State", b"\0" * 48)])
    desk.refusal(prefix, "no_message_authenticator")
    assert desk.aaah.replies_sent == (0, 0)


def test_never_unsigned_with_eap_or_without_a_credential() -> None:
    desk = HomeDesk(client={"require_message_authenticator": "no"})
    desk.refusal(unsigned(desk, more=[("EAP-Message", b"\2\1\0\5\1")]), "no_message_authenticator")
    bare = desk.access_request(CHAP_Password=None, CHAP_Challenge=None, identifier=2)
    desk.refusal(without_authenticator(bare), "no_message_authenticator")


def test_step_5_is_never_unsigned() -> None:
    """Its answer holds a key; its own proof is no credential of RFC 2865."""
    desk = HomeDesk(client={"require_message_authenticator": "no"})
    desk.refusal(without_authenticator(desk.key_request()), "no_message_authenticator")
    desk.refusal(without_authenticator(desk.chap_key_request(identifier=2)), "no_message_authenticator")


def test_status_server_is_never_unsigned() -> None:
    desk = HomeDesk(client={"require_message_authenticator": "no"})
    desk.refusal(status_server(secret=None), "no_message_authenticator")


@pytest.mark.parametrize("size", [1, 100, 253])
def test_signed_proxy_states_are_echoed(size: int) -> None:
    desk = HomeDesk()
    states = [bytes((k,)) * size for k in range(1, 5)]
    request = desk.pap_request(more=[("Proxy-State", state) for state in states])
    reply = desk.answer(request, port=ACCESS)
    assert [value for name, value in reply.attributes if name == "Proxy-State"] == states
