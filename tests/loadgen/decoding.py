"""What the tests of `mipstorm decode` share: messages, packets around them, and what the reader makes of frames."""
from __future__ import annotations

import json
from collections.abc import Iterable
from ipaddress import IPv4Address, ip_network
from pathlib import Path
from typing import Any

from scapy.layers.inet import IP, UDP

import fastcodec as fc
from fastcodec.capture import Frame, LinkType
from loadgen.decode.event import Event
from loadgen.decode.keys import Keys
from loadgen.decode.reader import Reader

VECTORS = {v["id"]: v for name in ("mobileip", "mobileip6", "access", "radius")
           for v in json.loads((Path(__file__).parents[1] / "vectors" / f"{name}.json").read_text())["vectors"]}
SECRET, KEY, SPI = b"a shared secret of 26 octets", bytes(range(16)), 0x200
HERE, THERE = "198.51.100.77", "203.0.113.10"
MS = 10**6
REQUEST = fc.RegistrationRequest(0x22, 1800, IPv4Address(0), IPv4Address(THERE), IPv4Address(HERE), 0xeeb0_12d3_0000_0001, [
    fc.Nai("mn@home.example"), fc.NonceRequest(0x1001), fc.GeneralizedAuthentication(SPI)]).encode(KEY)
ACCESS = fc.RadiusPacket(1, 7, bytes(range(16)), [("User-Name", "mn@home.example"), ("User-Password", b"hush, hush")]).encode(SECRET)


def keys() -> Keys:
    """Of everything that is signed here."""
    made = Keys()
    made.add_network(ip_network("0.0.0.0/0"), SECRET)
    made.for_all[SPI] = fc.Secret(KEY)
    return made


def packet(payload: bytes, port: int = 434, source: str = HERE, destination: str = THERE, from_port: int = 40000) -> bytes:
    return bytes(IP(src=source, dst=destination) / UDP(sport=from_port, dport=port) / payload)


def answer(payload: bytes, port: int = 434, to_port: int = 40000) -> bytes:
    """From the server, back."""
    return bytes(IP(src=THERE, dst=HERE) / UDP(sport=port, dport=to_port) / payload)


def events(*octets: bytes, link: int = LinkType.RAW, known: Keys | None = None, missing: int = 0, each_ms: int = 5) -> list[Event]:
    """Of frames 5 ms apart."""
    frames: Iterable[Frame] = (Frame(k + 1, (1_700_000_000_000 + k * each_ms) * MS, link, o, len(o) + missing)
                               for k, o in enumerate(octets))
    return list(Reader(known or Keys()).events(frames))


def event(octets: bytes, **options: Any) -> Event:
    return events(octets, **options)[0]
