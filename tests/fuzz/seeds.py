"""What the mutations start from: the messages and packets of tests/vectors, good ones and bad ones."""
from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
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


def dictionary_folders() -> Iterator[bytes]:
    """A file and those that it includes, parted by zero octets."""
    yield (b"$INCLUDE one\n$INCLUDE- none\n$INCLUDE folder/three\n\0VENDOR Acme 32473 format=1,1\nBEGIN-VENDOR Acme\n"
           b"ATTRIBUTE Acme-Group 1 tlv\nBEGIN-TLV Acme-Group\nATTRIBUTE Acme-Leaf 1 integer\nEND-TLV Acme-Group\nEND-VENDOR Acme\n"
           b"\0VALUE Acme-Leaf One 1\n\0$INCLUDE ../two\nATTRIBUTE Ours 245.7 tlv\nATTRIBUTE Inner 245.7.1 string encrypt=1\n")
    yield b"$INCLUDE one\n\0$INCLUDE two\n\0$INCLUDE one\n"
    yield b"$INCLUDE dictionary\n"


def tunnelled() -> Iterator[bytes]:
    """A packet in a tunnel of every kind, with all that GRE has; in several, one in another; and what stands in the vectors."""
    from fastcodec.tunnel import TunnelKind, wrap

    ends = "192.0.2.1", "192.0.2.2"
    four, six = (next(p for p in packets() if p[0] >> 4 == version) for version in (4, 6))
    for inner, kind in product((four, six), TunnelKind):
        if kind not in ((TunnelKind.TUNNEL_IPV6,) if inner is four else (TunnelKind.TUNNEL_IPV4, TunnelKind.TUNNEL_MINIMAL)):
            yield wrap(kind, inner, *ends)
            yield wrap(TunnelKind.TUNNEL_GRE, wrap(kind, inner, *ends), *ends, key=7, sequence=8, checksum=True)
    yield wrap(TunnelKind.TUNNEL_MINIMAL, four, ".".join(map(str, four[12:16])), ends[1])
    data = bytes((4, 55, 0, 0)) + wrap(TunnelKind.TUNNEL_MINIMAL, four, *ends)[20:]      # minimal encapsulation in UDP, RFC 3519 3.3
    yield four[:9] + b"\x11" + four[10:20] + pack(">HHHH", 434, 434, 8 + len(data), 0) + data


def radius_spaces() -> Iterator[bytes]:
    """A packet for every space of `radius_kinds`: a value of every type in it; TLVs in one another, long ones, several fragments."""
    from rules import SECRET, Target, as_prepared

    import fastcodec as fc

    with as_prepared(Target(lambda data: None, (), kinds=True)):
        from radius_kinds import KINDS, SPACES

        for space in (*SPACES, "Ext242", "Ext246", "Evs1", "Evs5"):
            yield packet_of([(f"{space}-{kind}", VALUES.get(kind, 1)) for kind in KINDS])
        for group in ("Group", "Going-On-Group", "Long-Group"):
            yield packet_of([(group, [(f"{group}-{kind}", VALUES.get(kind, 1)) for kind in KINDS[::2]])])
        deep = [("Group-Leaf9", 7)]
        for level in range(9, 0, -1):
            deep = [(f"Group-Deep{level}", deep)]
        yield packet_of([("Group", deep), ("List-ipaddr", ["192.0.2.1"] * 3), ("List-short", [1, 2]), ("Joined", bytes(300))])
        for name in ("Ext246-octets", "Evs5-octets", "Going-On-octets"):
            yield packet_of([(name, bytes(600)), ("Class", b"c"), (name, b"x")])
        yield packet_of([("Tunnel-Type:1", 9), ("Tunnel-Client-Endpoint:2", "x"), ("Attr-26.40002.70000", b"x"),
                         ("Attr-246.26.40009.255", b"x")])
        hidden = fc.RadiusPacket(2, 1, b"", [("Tunnel-Password:1", "secret"), ("MS-MPPE-Send-Key", bytes(32))])
        yield hidden.encode(SECRET, bytes(range(16)))


def packet_of(pairs: list[tuple[str, Any]]) -> bytes:
    import fastcodec as fc

    return fc.RadiusPacket(2, 1, bytes(16), pairs).encode()


VALUES: dict[str, Any] = {
    "string": "text", "octets": b"octets", "abinary": b"abinary", "ipaddr": "192.0.2.1", "ipv6addr": "2001:db8::1", "combo-ip": "192.0.2.1",
    "ipv4prefix": "192.0.2.0/24", "ipv6prefix": "2001:db8::/33", "ifid": "1:2:3:4", "ether": "0:1:2:3:4:5"}


# ---- what `mipstorm decode` reads

PORTS = {"mip4": 434, "radius": 1812, "pana": 716}
ETHERNET, COOKED, COOKED2 = bytes(12), bytes(14), 20         # what stands before or around an EtherType


def udp4(payload: bytes, source: int, destination: int, back: bool = False) -> bytes:
    ends = bytes((198, 51, 100, 77)), bytes((203, 0, 113, 10))
    head = pack(">BBHHHBBH", 0x45, 0, 28 + len(payload), 0, 0, 64, 17, 0) + b"".join(reversed(ends) if back else ends)
    return head + pack(">HHHH", source, destination, 8 + len(payload), 0) + payload


def exchanges() -> Iterator[list[bytes]]:
    """Requests and their replies as IP packets, signed with the keys of `rules`."""
    from ipaddress import IPv4Address

    from rules import KEY, SECRET

    import fastcodec as fc

    home, agent, care_of = map(IPv4Address, (0, 2, 3))
    request = fc.RegistrationRequest(0x22, 1800, home, agent, care_of, 7, [
        fc.Nai("mn@home.example"), fc.NonceRequest(0x1001), fc.GeneralizedAuthentication(0x200)])
    reply = fc.RegistrationReply(0, 1800, home, agent, 7, [
        fc.Nai("mn@home.example"), fc.NonceReply(3600, 0x200, 0x1002, 1, 1, bytes(16)), fc.MnHaAuthentication(0x1001)])
    asked, answered = request.encode(KEY), reply.encode({0x1001: KEY})
    yield [udp4(asked, 40000, 434), udp4(answered, 434, 40000, True), udp4(asked, 40000, 434)]
    access = fc.RadiusPacket(1, 7, bytes(16), [("User-Name", "mn@home.example"), ("User-Password", b"hush"), (
        "EAP-Message", fc.EapPacket(2, 3, fc.EapIdentity("mn@home.example")).encode())])
    octets = access.encode(SECRET)
    accept = fc.RadiusPacket(2, 7, b"", [("Tunnel-Password:1", "hush"), ("Class", b"c")]).encode(SECRET, access)
    yield [udp4(octets, 40000, 1812), udp4(accept, 1812, 40000, True)]
    revocation = fc.RegistrationRevocation(0, home, agent, care_of, 9, [fc.FaHaAuthentication(0x200)]).encode(KEY)
    acknowledged = fc.RevocationAcknowledgment(0, home, 9, [fc.FaHaAuthentication(0x200)]).encode(KEY)
    yield [udp4(revocation, 434, 434), udp4(acknowledged, 434, 434, True)]


def frames() -> Iterator[bytes]:
    """Inputs of `targets_decode`: exchanges, every message by itself, tunnels, and what is around packets in frames."""
    raw, ethernet, cooked, cooked2, null = range(5)
    for packets_ in exchanges():
        yield b"".join(framed(raw, p) for p in packets_)
    for kind, port in PORTS.items():
        for octets in of_protocol(kind):
            yield framed(raw, udp4(octets, 40000, port))
    for octets in (*packets(), *tunnelled()):
        yield framed(raw, octets)
    one, six = (next(p for p in packets() if p[0] >> 4 == version) for version in (4, 6))
    yield framed(ethernet, ETHERNET + b"\x08\0" + one) + framed(ethernet, ETHERNET + b"\x81\0\0\3\x86\xdd" + six)
    yield framed(cooked, COOKED + b"\x08\0" + one) + framed(cooked2, b"\x08\0" + bytes(18) + one) + framed(null, b"\2\0\0\0" + one)
    for octets in of_protocol("eap"):
        yield framed(ethernet, ETHERNET + b"\x88\x8e\2\0" + pack(">H", len(octets)) + octets)
    for octets in (one, six):
        yield framed(raw, octets[:-4], missing=4)
    for octets in of_protocol("icmp"):
        yield framed(raw, pack(">BBHHHBBHII", 0x45, 0, 20 + len(octets), 0, 0, 1, 1, 0, 1, 2) + octets)


def framed(link: int, octets: bytes, missing: int = 0) -> bytes:
    return bytes((link, missing)) + len(octets).to_bytes(2, "big") + octets


def told_messages() -> Iterator[bytes]:
    """Every message behind the number of its kind, and behind that of "tell it yourself"."""
    kinds = ("", "packets", "mip4", "radius", "mip6", "pana", "eap", "icmp")
    for number, kind in enumerate(kinds[1:], 1):
        for octets in packets() if kind == "packets" else of_protocol(kind):
            yield bytes((number,)) + octets
            yield b"\0" + octets
    yield b"\0" + b"0x01 02:03-04.05,06"


def keys_files() -> Iterator[bytes]:
    """Keys files with all that they may hold, a testbed document; the subscribers behind a zero octet."""
    subscribers = (b"\0nai,mn_aaa_spi,mn_aaa_key,access_secret,class,location\n"
                   b"mn0001@home.example,4096,00112233445566778899aabbccddeeff,secret,standard,nas-1\n")
    yield (b'subscribers = "nodes.csv"\nports = { radius = [1912], mip4 = [4340], pana = [7160] }\n[[radius]]\nnetwork = "127.0.0.0/9"\n'
           b'secret = "hush"\n[[radius]]\nnetwork = "2001:db8::/32"\nsecret_hex = "0011"\n[[mobile]]\nspi = 4096\n'
           b'key = "00112233445566778899aabbccddeeff"\nnai = "mn1@home.example"\nalgorithm = "hmac-sha1"\n') + subscribers
    yield b'[[mobile]]\nspi = 0x1000\nkey = "00"\n'
    yield (b'{"schema":"mipstorm.testbed/1","pid":1,"servers":{"aaah":{"radius":"127.0.0.1:1812","pids":[2],"control":null,'
           b'"home_agent":"2001:db8::1"},"fha":{"mip4":"127.0.0.1:434","pids":[3],"control":null,"ipv6_prefix":"2001:db8:f::/48"}},'
           b'"radius_clients":[{"network":"127.0.0.0/8","secret":"hush"}],"vendor":32473,"pools":[{"network":"198.18.0.0/16"}],'
           b'"care_of_networks":["127.64.0.0/16"],"subscribers":{"csv":"nodes.csv","count":1},"relaxed":[]}') + subscribers


# ---- what `from_json` reads

def json_texts() -> Iterator[bytes]:
    """Of every message of the vectors, and of every part that stands in one."""
    import fastcodec as fc

    for kind in PROTOCOLS:
        cls = {"mip4": fc.Mip4Message, "icmp": fc.AgentMessage, "mip6": fc.MobilityMessage, "radius": fc.RadiusPacket, "eap": fc.EapPacket,
               "pana": fc.PanaMessage}[kind]
        parts: dict[type, bytes] = {}
        for octets in of_protocol(kind):
            try:
                message = cls.decode(octets)
            except fc.DecodeError:
                continue
            if len(message.to_json()) < 2048:
                yield message.to_json()
            parts |= {type(part): part.to_json() for part in message.parts()}
        yield from parts.values()
    yield fc.MobilityPacket.decode(next(p for p in packets() if p[0] >> 4 == 6)).to_json()


SOURCES: dict[str, Callable[[], Iterator[bytes]]] = {
    "packets": packets, "dictionaries": dictionaries, "dictionary_folders": dictionary_folders, "captures": captures,
    "tunnelled": tunnelled,
    "radius_spaces": radius_spaces, "frames": frames, "told_messages": told_messages, "keys_files": keys_files, "json": json_texts}


def seeds(kinds: tuple[str, ...]) -> list[bytes]:
    """Seeds of these kinds: protocols, or names in SOURCES; each once."""
    found: list[bytes] = []
    for kind in kinds:
        found += SOURCES[kind]() if kind in SOURCES else of_protocol(kind)
    return list(dict.fromkeys(found))


def findings(target: str) -> list[bytes]:
    """Inputs that once broke something in that target."""
    return [bytes.fromhex(line) for path in sorted(FINDINGS.glob(f"{target}.hex")) for line in path.read_text().split()]
