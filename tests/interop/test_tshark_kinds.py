"""tshark reads every kind of message that our servers and our generator send, not only those of a smooth bootstrap."""
from __future__ import annotations

from pathlib import Path

import pytest
from desk import Desk
from home import ACCESS, ACCOUNTING, HomeDesk, request_authenticated
from realm import Realm
from test_orders import DISCONNECT
from test_revocation import SUPPORT, Revoking, acknowledgment
from world import AAAH, FHA, NAS, SECRET, World

from fastcodec import RadiusPacket
from servers.net.memory import Tapped
from tests.interop.test_tshark import CHECKING, capture, complaints, cut, dissected, values

pytestmark = pytest.mark.interop
KINDS = {*(f"radius {code}" for code in (1, 2, 3, 4, 5, 12, 40, 41)), "request", "type 7", "type 15",
         *(f"reply {code}" for code in (0, 128, 129, 133, 134, 136, 139, 144))}


def kind(packet: Tapped) -> str:
    if 434 not in (packet.source[1], packet.destination[1]):
        return f"radius {packet.data[0]}"
    if packet.data[0] == 3:
        return f"reply {packet.data[1]}"
    return "request" if packet.data[0] == 1 else f"type {packet.data[0]}"


def a_primary_that_dies() -> World:
    """Requests that move, Status-Server, and 128 when the standby is gone, too."""
    realm = Realm(6, rate=1, tries=2)
    realm.kill(0, after_s=1.5, towards=FHA)
    realm.kill(1, after_s=4, towards=FHA)
    realm.run(120)
    return realm


def a_wrong_clock() -> World:
    world = World(2, fha_clock_s=100)
    world.run(5)
    return world


def all_sorts_of_refusals() -> World:
    desk = Desk()
    for changes in ({"key": bytes(16)}, {"agent": "127.0.0.9"}, {"flags": 0x32}, {"home": "198.18.0.9"}, {"flags": 0x26}):
        desk.send(desk.rrq(**changes))
        desk.net.run(desk.net.now + 10**9)
    desk.ask_aaah(desk.access_request(CHAP_Password=bytes(17)))
    desk.net.run(desk.net.now + 2 * 10**9)
    return desk


def accounting() -> World:
    """RFC 2866; the answers to Status-Server on both ports (RFC 5997)."""
    desk = HomeDesk()
    start = [("Acct-Status-Type", 1), ("Acct-Session-Id", "0001"), ("NAS-IP-Address", FHA)]
    desk.tell(request_authenticated(4, 1, start, SECRET), port=ACCOUNTING, commit=True)
    for port in (ACCESS, ACCOUNTING):
        desk.tell(RadiusPacket(12, 2, bytes(range(16))).encode(SECRET), port=port)
    return desk


def a_revocation() -> World:
    """RFC 5176, RFC 3543, with Revocation Support in request and reply."""
    desk = Revoking()
    held = desk.bootstrap(extra=SUPPORT)
    desk.told(DISCONNECT, desk.named())
    (message,) = desk.revocations()
    desk.acknowledge(acknowledgment(message, held))
    return desk


@pytest.fixture(scope="module")
def sent() -> list[Tapped]:
    """One of each kind from each of our addresses, and all that is not plain."""
    tapped: list[Tapped] = []
    for world in (a_primary_that_dies(), a_wrong_clock(), all_sorts_of_refusals(), accounting(), a_revocation()):
        seen: set[tuple[str, str]] = set()
        for packet in world.net.tap:
            first = (kind(packet), packet.source[0]) not in seen
            seen.add((kind(packet), packet.source[0]))
            if first and (packet.source[0] in (FHA, AAAH, NAS, "127.0.0.4") or packet.destination[0] == FHA):
                tapped.append(packet)
    return tapped


def test_every_kind_is_among_them(sent: list[Tapped]) -> None:
    assert {kind(packet) for packet in sent} >= KINDS


def test_all_of_it_is_read(tmp_path: Path, sent: list[Tapped]) -> None:
    packets = dissected(capture(tmp_path / "kinds.pcap", sent, [cut(p) for p in sent]), *CHECKING)
    assert len(packets) == len(sent)
    assert {kind(p): complaints(layers) for p, layers in zip(sent, packets, strict=True) if complaints(layers)} == {}
    assert [values(layers, "radius.code") + values(layers, "mip.type") for layers in packets] == \
        [[str(p.data[0])] for p in sent]
    assert [values(layers, "mip.code") for p, layers in zip(sent, packets, strict=True) if kind(p).startswith("reply")] == \
        [[str(p.data[1])] for p in sent if kind(p).startswith("reply")]
