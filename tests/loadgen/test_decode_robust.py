"""Nothing that a capture holds makes the reader or a view raise, and nothing in it reaches a terminal as it is."""
from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Dot1Q, Ether

import fastcodec as fc
from fastcodec.capture import Frame, LinkType
from loadgen.decode.keys import Keys
from loadgen.decode.reader import READERS, Reader
from loadgen.decode.views import as_json, full, one_line

sys.path.insert(0, str(Path(__file__).parent))
from decoding import ACCESS, KEY, REQUEST, SECRET, SPI, VECTORS, event, packet

MUTATIONS = int(os.environ.get("MIPSTORM_MUTATIONS", "20000"))
PORTS = {"mip4": 434, "radius": 1812, "pana": 716}
HOSTILE = "\x1b[2J\r\n\x00\x07\u202e\udcff\u2028{}\"\\"


def seeds() -> list[tuple[int, bytes]]:
    """A frame of every kind of message and tunnel."""
    whole = [bytes.fromhex(v["packet_hex"]) for v in VECTORS.values() if "packet_hex" in v]
    inside = [packet(bytes.fromhex(v["message_hex"]), PORTS[v["kind"]]) for v in VECTORS.values() if v.get("kind") in PORTS
              and v.get("message_hex")]
    tunnelled = [fc.wrap(kind, packet(REQUEST), "10.0.0.1", "10.0.0.2") for kind in (4, 17, 47, 55, 273)]
    eap = [bytes(Ether(type=0x888e)) + b"\x02\0" + len(o).to_bytes(2, "big") + o
           for o in (bytes.fromhex(v["message_hex"]) for v in VECTORS.values() if v.get("kind") == "eap")]
    tagged = [bytes(Ether() / Dot1Q(vlan=3) / IP() / UDP(dport=434) / REQUEST)]
    return [(LinkType.RAW, o) for o in whole + inside + tunnelled + [packet(ACCESS, 1812)]] + [(LinkType.ETHERNET, o) for o in eap + tagged]


def mutated(chance: random.Random, octets: bytes) -> bytes:
    out = bytearray(octets)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(out))
        kind = chance.randrange(5)
        if kind == 0 and len(out) > 1:
            del out[at:at + chance.randint(1, 8)]
            out = out or bytearray(1)
        elif kind == 1:
            out[at:at] = chance.randbytes(chance.randint(1, 8))
        elif kind == 2:
            out[at] = chance.choice((0, 1, 0x7f, 0x80, 0xff))
        else:
            out[at] = chance.randrange(256)
    if chance.random() < 0.5 and len(out) >= 28 and out[0] >> 4 == 4:         # so that more than the outermost length is tried
        out[2:4] = len(out).to_bytes(2, "big")
        if out[9] == 17:
            out[24:26] = (len(out) - 20).to_bytes(2, "big")
    return bytes(out)


def frames(count: int) -> Iterator[Frame]:
    chance, known = random.Random(7), seeds()
    for number in range(count):
        link, octets = chance.choice(known)
        octets = mutated(chance, octets)
        missing = chance.choice((0, 0, 0, chance.randrange(1000)))
        yield Frame(number + 1, chance.choice((0, 1_700_000_000_000_000_000, 2**63)), link, octets, len(octets) + missing)


def test_mutated_frames_are_read_without_an_exception() -> None:
    keys = Keys()
    keys.add_network(ip_network("0.0.0.0/0"), SECRET)
    keys.for_all[SPI] = fc.Secret(KEY)
    keys.reveal = True
    seen, wrong = set(), 0
    for found in Reader(keys).events(frames(MUTATIONS)):
        seen.add(found.protocol)
        wrong += bool(found.faults)
        line, whole = one_line(found), full(found)
        assert line.isprintable()
        assert all(part.isprintable() for part in whole.split("\n"))
        assert json.loads(as_json(found))["number"] == found.number
    assert seen >= {*PORTS, "mip6", "eap", "icmp", ""}
    assert wrong > MUTATIONS // 10


def test_mutated_messages_are_read_without_an_exception() -> None:
    chance = random.Random(8)
    octets = [bytes.fromhex(v["message_hex"]) for v in VECTORS.values() if v.get("message_hex")]
    for kind in READERS:
        for found in Reader(Keys()).messages((mutated(chance, chance.choice(octets)) for _ in range(MUTATIONS // 20)), kind):
            assert one_line(found).isprintable()
            json.loads(as_json(found))


def test_hostile_text_is_escaped_in_every_view() -> None:
    request = fc.RegistrationRequest.decode(REQUEST).replace(extensions=[fc.Nai(HOSTILE), fc.GeneralizedAuthentication(SPI)])
    text = HOSTILE.replace("\udcff", "")                              # what is no UTF-8 is octets to RADIUS
    radius = fc.RadiusPacket(1, 1, bytes(16), [("User-Name", text), ("Reply-Message", text)]).encode(SECRET)
    identity = fc.EapPacket(2, 3, fc.EapIdentity(HOSTILE)).encode()
    pana = fc.PanaMessage(0x8000, 2, 1, 5, [fc.EapPayloadAvp(identity)]).encode()
    service = request.replace(extensions=[fc.ServiceSelection(HOSTILE), fc.MessageString(1, HOSTILE), fc.GeneralizedAuthentication(SPI)])
    for octets, port in ((request.encode(KEY), 434), (radius, 1812), (pana, 716), (service.encode(KEY), 434)):
        found = event(packet(octets, port))
        assert b"\x1b[2J\r\n" in octets
        assert found.message is not None
        for shown in (one_line(found), *full(found).split("\n"), as_json(found).decode()):
            assert not set(shown) & set("\x1b\r\n\x00\x07\udcff"), (port, shown)
        assert not set(one_line(found) + full(found)) & set("\u202e\u2028")
        json.loads(as_json(found))
