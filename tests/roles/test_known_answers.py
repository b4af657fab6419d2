"""Messages worked out elsewhere (by scapy, pyrad, FreeRADIUS and openssl) against the roles: RRQ m4-06, Access-Request
rx-21, Access-Accept rx-22 and RRP m4-08 are one registration; only what is drawn at random may differ."""

import json
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

import pytest
from desk import derived_key, subscribers
from world import FHA_PORTS, START_NS, packed, table_of

from fastcodec import BootstrapAddress, NonceReply, RadiusPacket, RegistrationReply
from fastcodec.hiding import salt_decrypt
from servers.net.memory import Network
from servers.pool.bitmap import SharedPool
from servers.roles.aaah import AaahRole
from servers.roles.fha import FhaRole
from servers.store.store import Store
from servers.tables.replies import ReplyCache

REQUEST = bytes.fromhex(
    "0122070800000000cb00710ac633644dc812ebc02000000183136d6e3030303140686f6d652e6578616d706c652a01000400"
    "001001240100140000020083114fbd4760aac7a862ebca71190c27")
REPLY = bytes.fromhex(
    "03000708c0000219cb00710ac812ebc02000000183136d6e3030303140686f6d652e6578616d706c652b01002000000e1000"
    "0002000000200100010002c0c1c2c3c4c5c6c7c8c9cacbcccdcecf861a000000007ed90001800020010db801000000000000"
    "0000000025861a000000007ed90002800020010db8010000000000000000000001861a000000007ed90003400020010db800"
    "0f000100000000000000252014000010013a810f860b5b0526ff7d5a21ec8b2977")
QUESTION = bytes.fromhex(
    "0101012e3c505d4caf1140396704c928702379ff501223e0262f9199f2f9f7dc1bff9d624de001156d6e3030303140686f6d"
    "652e6578616d706c651a0c00007ed91406000002001a4500007ed9153f0122070800000000cb00710ac633644dc812ebc020"
    "00000183136d6e3030303140686f6d652e6578616d706c652a0100040000100124010014000002001a1800007ed916128311"
    "4fbd4760aac7a862ebca71190c270406cb00710a2015666861312e6163636573732e6578616d706c653d0600000005060600"
    "0000021a0c00007ed90106000000021a0c00007ed90406c633644d1a0c00007ed90606000000012c0f666861312d30303030"
    "303030311a0c00007ed90a06000007081a0c00007ed91806000000011a0c00007ed91906000010011a0c00007ed91a060000"
    "2001")
ANSWER = bytes.fromhex(
    "020101307817dbb09a31b3365489c2e2e080af675012a6f26beb626fea1fd5c6b3d93d9081180606000000020806c0000219"
    "a81220010db8000f00010000000000000025610c004020010db8000f00011b0600001c20550600000258190edff71b3b1bed"
    "c2a222ea71f91a1800007ed9071220010db80100000000000000000000251a1800007ed9081220010db80100000000000000"
    "000000011a0c00007ed90a06000007081a0c00007ed91b06000002001a0c00007ed91906000010011a0c00007ed91a060000"
    "20011a1800007ed91c12c0c1c2c3c4c5c6c7c8c9cacbcccdcecf1a2a00007ed91d2480014a0db9c817b6110d751ddae2375f"
    "bc7a3449ad2b6870a5cdd3149019ac477aec1a0c00007ed91e06000000011a0c00007ed91f06000000021a0c00007ed92006"
    "00000e10")
NAI, KEY = b"mn0001@home.example", bytes.fromhex("00112233445566778899aabbccddeeff")
SECRET = b"fha1+aaah:0123456789abcdef"
WALL_NS = 1_147_694_400 * 10**9  # when the vectors play: 15 May 2006
NODE, FHA, AAAH = "198.51.100.77", "203.0.113.10", "203.0.113.53"


def make_aaah() -> AaahRole:
    aaah = AaahRole(table_of(subscribers([(NAI, KEY)], spi=512)), ReplyCache(), care_of_network=packed("198.51.100.76"),
                    care_of_size=4, ipv6_home_prefix=packed("2001:db8:100::24"), home_agent=packed("2001:db8:100::1"))
    aaah.add_client(packed(FHA), 32, SECRET)
    aaah.add_fha(packed(FHA))
    return aaah


@pytest.fixture
def net() -> Network:
    return Network(wall_ns=WALL_NS)


def attach_fha(net: Network) -> FhaRole:
    store = Store(None, "vectors")
    store.load()
    fha = FhaRole(SharedPool("192.0.2.24/30"), store.journal, now=net.now, ports=FHA_PORTS, address=packed(FHA),
                  ipv6_prefix=packed("2001:db8:f:1::"),
                  identifier=b"fha1.access.example")
    fha.set_aaah(packed(AAAH), 1812, SECRET)
    net.attach(fha, 0, FHA, 434)
    for k in range(FHA_PORTS):
        net.attach(fha, 1 + k, FHA, 42001 + k)
    return fha


def values(packet: bytes) -> dict[str, Any]:
    return dict(RadiusPacket.decode(packet).attributes)


def test_fha_asks_what_rx_21_asks(net: Network) -> None:
    attach_fha(net)
    net.inject((NODE, 40002), (FHA, 434), REQUEST)
    net.run(START_NS + 10**6)
    question = next(t.data for t in net.tap if t.destination == (AAAH, 1812))
    RadiusPacket.decode(question, SECRET)
    ours, theirs = values(question), values(QUESTION)
    drawn = {"Message-Authenticator", "Acct-Session-Id", "Mipstorm-MN-FHA-FHA-SPI"}
    assert ours.keys() == theirs.keys()
    assert {k: v for k, v in ours.items() if k not in drawn} == {k: v for k, v in theirs.items() if k not in drawn}
    assert next(name for name, _ in RadiusPacket.decode(question).attributes) == "Message-Authenticator"
    assert len(ours["Acct-Session-Id"]) == 16
    assert ours["Mipstorm-MN-FHA-FHA-SPI"] >= 256


def test_aaah_answers_rx_21_as_rx_22_does() -> None:
    aaah = make_aaah()
    aaah.feed(0, [(FHA, 42001, AAAH, QUESTION)], START_NS, WALL_NS)
    (_, peer, port, local, answer), = aaah.drain()
    assert (peer, port, local) == (FHA, 42001, AAAH)
    RadiusPacket.decode(answer, SECRET, QUESTION)
    ours, theirs = values(answer), values(ANSWER)
    drawn = {"Message-Authenticator", "Class", "Mipstorm-MN-FHA-Nonce", "Mipstorm-MN-FHA-Key"}
    theirs_alone = {"Framed-IPv6-Address", "Framed-IPv6-Prefix", "Acct-Interim-Interval"}
    assert ours.keys() == theirs.keys() - theirs_alone
    for name in ours.keys() - drawn - {"Framed-IP-Address"}:
        assert ours[name] == theirs[name], name
    assert ours["Framed-IP-Address"] == IPv4Address("255.255.255.254")  # the FHA allocates
    key = salt_decrypt(ours["Mipstorm-MN-FHA-Key"], SECRET, QUESTION[4:20])
    assert key == derived_key(KEY, ours["Mipstorm-MN-FHA-Nonce"], NAI)
    assert salt_decrypt(theirs["Mipstorm-MN-FHA-Key"], SECRET, QUESTION[4:20]) == derived_key(
        KEY, theirs["Mipstorm-MN-FHA-Nonce"], NAI)


def test_registration_reply_is_m4_08(net: Network) -> None:
    fha = attach_fha(net)
    net.attach(make_aaah(), 0, AAAH, 1812)
    net.inject((NODE, 40002), (FHA, 434), REQUEST)
    net.run(START_NS + 10**7)
    sent = net.tap[-1]
    assert (sent.source, sent.destination) == ((FHA, 434), (NODE, 40002))
    ours, theirs = RegistrationReply.decode(sent.data), RegistrationReply.decode(REPLY)
    nonce = ours.find(NonceReply)
    RegistrationReply.decode(sent.data, derived_key(KEY, nonce.nonce, NAI))
    RegistrationReply.decode(REPLY, derived_key(KEY, theirs.find(NonceReply).nonce, NAI))
    leased = int(ours.home_address)
    assert leased in (0xC0000219, 0xC000021A)
    assert fha.leases() == {NAI: ours.home_address.packed}
    fixed = ("code", "lifetime", "home_agent", "identification")
    assert [getattr(ours, name) for name in fixed] == [getattr(theirs, name) for name in fixed]
    assert [type(e) for e in ours.extensions] == [type(e) for e in theirs.extensions]
    for mine, other in zip(ours.extensions, theirs.extensions, strict=True):
        assert comparable(mine) == comparable(other)


@pytest.mark.parametrize("moment", json.loads((Path(__file__).parents[1] / "vectors" / "mobileip.json").read_text())["ntp"],
                         ids=lambda moment: str(moment["unix"]))
def test_ntp_seconds(moment: dict[str, int]) -> None:
    """The clock of a reply, RFC 5944 5.7.1: at Unix's beginning, when the request was made, in the last second of the first era."""
    net = Network(wall_ns=moment["unix"] * 10**9)
    attach_fha(net)
    net.attach(make_aaah(), 0, AAAH, 1812)
    net.inject((NODE, 40002), (FHA, 434), REQUEST)
    net.run(START_NS + 10**7)
    reply = RegistrationReply.decode(net.tap[-1].data)
    assert reply.code == (0 if moment["unix"] * 10**9 == WALL_NS else 133)
    assert reply.identification >> 32 == moment["ntp_seconds"]
    assert reply.identification & 0xffffffff == 0x20000001, "copied"


def comparable(extension: Any) -> Any:
    """Without nonce, SPI of the FHA, authenticator, and the IPv6 care-of address, which follows the address leased."""
    if isinstance(extension, NonceReply):
        return (extension.lifetime, extension.aaa_spi, extension.algorithm, extension.replay_method, len(extension.nonce))
    if isinstance(extension, BootstrapAddress) and extension.vendor_type == 3:
        return (extension.prefix_length, int(extension.address) >> 64)
    return getattr(extension, "spi", None) or extension


def test_ipv6_care_of_address_ends_in_the_lease(net: Network) -> None:
    """m4-08 takes it from attribute 168; where the FHA chooses, it is its prefix and the THOAv4."""
    attach_fha(net)
    net.attach(make_aaah(), 0, AAAH, 1812)
    net.inject((NODE, 40002), (FHA, 434), REQUEST)
    net.run(START_NS + 10**7)
    reply = RegistrationReply.decode(net.tap[-1].data)
    care_of = next(e for e in reply.extensions if isinstance(e, BootstrapAddress) and e.vendor_type == 3)
    assert care_of.address == IPv6Address(int(IPv6Address("2001:db8:f:1::")) + int(reply.home_address))
