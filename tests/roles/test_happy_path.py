"""A bootstrap from the Access-Request to the Registration Reply: every field, and who tells whom first."""

from ipaddress import IPv4Address, IPv6Address

from desk import MN_SPI, Desk, derived_key
from world import AAAH, FHA, HOME_AGENT, World

from fastcodec import BootstrapAddress, MnHaAuthentication, Nai, NonceReply, RadiusPacket, RegistrationReply

KEY_OF_RECORD = slice(70, 90)  # of a binding's journal record: six 64-bit, five 32-bit and two 8-bit numbers before it


def test_reply_has_the_fields_of_ruling_21_in_order() -> None:
    desk = Desk()
    moment = desk.ntp()
    reply = desk.ask(2, identification=moment)
    assert reply.is_signed
    message = reply.message
    assert (message.code, message.lifetime, message.home_agent) == (0, 1800, IPv4Address(FHA))
    assert message.identification == moment
    assert message.home_address in [IPv4Address("198.18.0.0") + k for k in range(1, 255)]
    nai, nonce, home, agent, care_of, authenticator = message.extensions
    assert nai == Nai(desk.columns.nai[2].decode())
    assert isinstance(nonce, NonceReply)
    assert (nonce.lifetime, nonce.aaa_spi, nonce.algorithm, nonce.replay_method, len(nonce.nonce)) == (3600, 4096, 1, 2, 16)
    assert nonce.ha_spi >= 256
    assert home == BootstrapAddress(32473, 1, 128, IPv6Address("2001:db8:100:1::3"))
    assert agent == BootstrapAddress(32473, 2, 128, IPv6Address(HOME_AGENT))
    assert care_of == BootstrapAddress(32473, 3, 64, IPv6Address(f"2001:db8:f:1::{message.home_address}"))
    assert isinstance(authenticator, MnHaAuthentication)
    assert (authenticator.spi, len(authenticator.authenticator)) == (MN_SPI, 16)


def test_reply_goes_to_where_the_request_came_from() -> None:
    desk = Desk()
    desk.send(desk.rrq(), source=("127.64.0.1", 6543))
    last = desk.net.tap[-1]
    assert (last.source, last.destination) == ((FHA, 434), ("127.64.0.1", 6543))


def test_replies_differ_in_nonce_and_spi_only_by_chance_never_by_design() -> None:
    desk = Desk()
    nonces = [desk.ask(k).message.find(NonceReply) for k in range(8)]
    assert len({n.nonce for n in nonces}) == len({n.ha_spi for n in nonces}) == 8


def test_accept_comes_before_its_reply() -> None:
    world = World(50)
    world.run(3)
    accepted: set[bytes] = set()
    asked: dict[tuple[tuple[str, int], int], bytes] = {}
    replies = 0
    for tapped in world.net.tap:
        if tapped.destination == (AAAH, 1812):
            asked[tapped.source, tapped.data[1]] = RadiusPacket.decode(tapped.data).attributes["User-Name"].encode()
        elif tapped.source == (AAAH, 1812) and tapped.destination[0] == FHA:
            assert tapped.data[0] == 2
            accepted.add(asked[tapped.destination, tapped.data[1]])
        elif tapped.source == (FHA, 434):
            nai = RegistrationReply.decode(tapped.data).nai()
            assert nai is not None
            assert nai.encode() in accepted
            replies += 1
    assert replies == 50


def test_both_sides_hold_the_same_leases_and_keys() -> None:
    world = World(50)
    world.run(3)
    assert world.tally() == {"attempted": 50, "succeeded": 50, "failed": 0, "timed_out": 0}
    by_name = {world.columns.nai[node]: address for node, address in world.fleet.leases().items()}
    assert world.fha.leases() == by_name
    assert len(set(by_name.values())) == 50
    assert world.fleet.violations() == ([], {})
    records = {payload[130:]: payload for kind, payload in world.fha.records(1, 1)}
    for tapped in world.net.tap:
        if tapped.source != (FHA, 434):
            continue
        message = RegistrationReply.decode(tapped.data)
        nai = (message.nai() or "").encode()
        index = [world.columns.nai[k] for k in range(50)].index(nai)
        key = derived_key(world.columns.key[index], message.find(NonceReply).nonce, nai)
        assert records[nai][KEY_OF_RECORD] == key
        RegistrationReply.decode(tapped.data, key)


def test_six_packets_a_bootstrap_and_nothing_else() -> None:
    world = World(30)
    world.run(3)
    assert len(world.net.tap) == 6 * 30
    assert world.fha.counters() == world.aaah.counters() == world.fleet.counters() == {}
    assert world.fha.replies_sent == (30, 0)
    assert world.aaah.replies_sent == (60, 0)
