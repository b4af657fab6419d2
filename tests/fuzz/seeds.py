"""What the mutations start from: the messages and packets of tests/vectors, good ones and bad ones."""
from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
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


def seeds(kinds: tuple[str, ...]) -> list[bytes]:
    """Seeds of these kinds: protocols, "packets", "dictionaries"; each once."""
    found: list[bytes] = []
    for kind in kinds:
        found += {"packets": packets, "dictionaries": dictionaries}.get(kind, lambda kind=kind: of_protocol(kind))()
    return list(dict.fromkeys(found))


def findings(target: str) -> list[bytes]:
    """Inputs that once broke something in that target."""
    return [bytes.fromhex(line) for path in sorted(FINDINGS.glob(f"{target}.hex")) for line in path.read_text().split()]
