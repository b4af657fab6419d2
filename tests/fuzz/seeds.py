"""What the mutations start from: the messages and packets of tests/vectors, good ones and bad ones."""
from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from struct import pack
from typing import Any

VECTORS = Path(__file__).resolve().parent.parent / "vectors"
FINDINGS = Path(__file__).resolve().parent / "inputs"
PROTOCOLS = {"mip4": "mobileip.json", "icmp": "mobileip.json", "mip6": "mobileip6.json", "radius": "radius.json", "eap": "access.json",
             "pana": "access.json"}


def vectors(file: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((VECTORS / file).read_text())["vectors"]
    return found


def of_protocol(protocol: str) -> Iterator[bytes]:
    """Messages of a protocol without anything around them; the bad ones of its file as well."""
    for vector in vectors(PROTOCOLS[protocol]):
        message = vector.get("message_hex") or vector.get("mh_hex")
        if vector["kind"] in (protocol, "negative") and message:
            yield bytes.fromhex(message)


def packets() -> Iterator[bytes]:
    """IP packets, whole."""
    for file in sorted(set(PROTOCOLS.values())):
        for vector in vectors(file):
            yield from (bytes.fromhex(vector[name]) for name in ("packet_hex", "ipv6_hex") if vector.get(name))


def dictionaries() -> Iterator[bytes]:
    """The shipped dictionaries, each a seed."""
    import fastcodec

    for path in sorted((Path(fastcodec.__file__).parent / "dictionaries").glob("dictionary.*")):
        yield path.read_bytes()[:4096]


def captures() -> Iterator[bytes]:
    """Captures of three packets each: pcap in both orders and resolutions, pcapng with and without times, packed."""
    some = list(packets())[:3]
    for order, magic in product("<>", (0xa1b2c3d4, 0xa1b23c4d)):
        frames = [pack(order + "IIII", 1, k, len(p), len(p)) + p for k, p in enumerate(some)]
        yield pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, 101) + b"".join(frames)
    for order in "<>":
        start = block(order, 0x0A0D0D0A, pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))
        interface = block(order, 1, pack(order + "HHIHHB3xHH", 101, 0, 0, 9, 1, 9, 0, 0))
        enhanced = [block(order, 6, pack(order + "IIIII", 0, 1, k, len(p), len(p)) + p) for k, p in enumerate(some)]
        simple = [block(order, 3, pack(order + "I", len(p)) + p) for p in some]
        yield start + interface + b"".join(enhanced)
        yield gzip.compress(start + interface + b"".join(simple), mtime=0)


def block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    size = pack(order + "I", len(body) + 12)
    return pack(order + "I", kind) + size + body + size


def seeds(kinds: tuple[str, ...]) -> list[bytes]:
    """Seeds of these kinds: protocols, "packets", "dictionaries", "captures"; each once."""
    found: list[bytes] = []
    for kind in kinds:
        found += {"packets": packets, "dictionaries": dictionaries, "captures": captures}.get(kind, lambda kind=kind: of_protocol(kind))()
    return list(dict.fromkeys(found))


def findings(target: str) -> list[bytes]:
    """Inputs that once broke something in that target."""
    return [bytes.fromhex(line) for path in sorted(FINDINGS.glob(f"{target}.hex")) for line in path.read_text().split()]
