"""Random exchanges of a dictionary's attributes, and captures of them for programs that read such."""
import random
import struct
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path

import fastcodec as fc
from fastcodec.dictionary import Attribute, Dictionary

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
SECRET = b"a shared secret"


def value(draw: random.Random, kind: str, most: int) -> object:
    """One that every program prints in one way only."""
    number = draw.getrandbits
    return {
        "string": lambda: "".join(draw.choices(LETTERS, k=draw.randint(1, most))),
        "octets": lambda: draw.randbytes(draw.randint(1, most)), "integer": lambda: number(32), "integer64": lambda: number(64),
        "short": lambda: number(16), "byte": lambda: number(8), "signed": lambda: number(32) - 2**31, "date": lambda: number(31),
        "ipaddr": lambda: IPv4Address(number(32)), "ipv6addr": lambda: IPv6Address(number(128)),
        "ipv4prefix": lambda: IPv4Network((number(32), draw.randint(1, 32)), strict=False),
        "ipv6prefix": lambda: IPv6Network((number(128), draw.randint(1, 128)), strict=False),
        "ifid": lambda: ":".join(f"{number(16):x}" for _ in range(4)), "ether": lambda: draw.randbytes(6).hex(":"),
        "combo-ip": lambda: draw.choice((IPv4Address(number(32)), IPv6Address(number(128) | 1 << 127)))}[kind]()


class Exchanges:
    """Access-Requests and Accepts of a dictionary's attributes, the same for the same seed."""

    def __init__(self, dictionary: Dictionary, seed: int, *, leave_out: frozenset[str] = frozenset()) -> None:
        self.draw = random.Random(seed)
        self.attributes = [a for a in dictionary.numbers.values() if usable(a, dictionary) and a.name not in leave_out]
        self.inside: dict[str, list[Attribute]] = {}
        for a in dictionary.numbers.values():
            outer = dictionary.numbers.get((a.vendor, *a.path[:-1]))
            if outer is not None and outer.kind == "tlv" and of_one_print(a, dictionary) and a.name not in leave_out:
                self.inside.setdefault(outer.name, []).append(a)
        self.attributes = [a for a in self.attributes if a.kind != "tlv" or a.name in self.inside]

    def item(self, attribute: Attribute, hidden: bool) -> tuple[str, object]:
        """`hidden`: in an Accept, where salted values may be."""
        if attribute.kind == "tlv":
            inside = [a for a in self.inside[attribute.name] if hidden or not a.encrypt]
            return attribute.name, [self.item(a, hidden) for a in self.draw.choices(inside, k=self.draw.randint(1, 3))]
        tag = self.draw.randint(1, 31)
        size = attribute.size or min(60, 3000 if attribute.concat else 60)
        made = self.draw.randbytes(size) if attribute.size else value(self.draw, attribute.kind, size)
        if attribute.has_tag and attribute.kind == "integer":
            made = self.draw.getrandbits(24)
        return (f"{attribute.name}:{tag}" if attribute.has_tag else attribute.name), made

    def pair(self, identifier: int) -> tuple[bytes, bytes, list[tuple[str, object]], list[tuple[str, object]]]:
        """Octets of a request and of its Accept, and their attributes."""
        plain = [a for a in self.attributes if not a.encrypt]
        salted = [a for a in self.attributes if a.encrypt != 1]
        asked = [("User-Password", value(self.draw, "string", 60)),
                 *(self.item(a, False) for a in self.draw.choices(plain, k=self.draw.randint(1, 8)))]
        granted = [self.item(a, True) for a in self.draw.choices(salted, k=self.draw.randint(1, 10))]
        request = fc.RadiusPacket(1, identifier, self.draw.randbytes(16), asked)
        octets = request.encode(SECRET)
        return octets, fc.RadiusPacket(2, identifier, attributes=granted).encode(SECRET, request), asked, granted


def of_one_print(a: Attribute, dictionary: Dictionary) -> bool:
    """A value of a type with one way to print."""
    return (a.kind not in ("tlv", "vsa", "evs", "extended", "long-extended", "abinary", "bool") and not a.array and not a.concat
            and a.encrypt != 3 and dictionary.attributes[a.name] is a)


def usable(a: Attribute, dictionary: Dictionary) -> bool:
    """On the wire by itself, and not with a meaning of its own in every packet."""
    if a.name in ("Message-Authenticator", "User-Password", "CHAP-Password", "Vendor-Specific", "EAP-Message"):
        return False
    if len(a.path) == 3 and a.vendor and (0, *a.path[:2]) in dictionary.numbers:
        known = dictionary.numbers[0, a.path[0], a.path[1]].kind == "evs"
    elif len(a.path) > 1:
        known = dictionary.numbers[(a.vendor, *a.path[:-1])].kind in ("extended", "long-extended")
    else:
        known = not a.vendor or any(v.number == a.vendor for v in dictionary.vendors.values())
    return known and (of_one_print(a, dictionary) or a.kind == "tlv")


def udp(data: bytes, source: int, destination: int) -> bytes:
    """An IPv4 packet with that UDP payload; UDP checksum 0, none."""
    length = 28 + len(data)
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, length, 1, 0, 64, 17, 0, bytes((127, 0, 0, 1)), bytes((127, 0, 0, 1)))
    total = sum(struct.unpack(">10H", head))
    total = (total & 0xffff) + (total >> 16)
    head = head[:10] + struct.pack(">H", ~((total & 0xffff) + (total >> 16)) & 0xffff) + head[12:]
    return head + struct.pack(">HHHH", source, destination, length - 20, 0) + data


def capture(path: Path, datagrams: list[bytes]) -> Path:
    """A pcap of raw IP packets, link type 101, a millisecond apart."""
    with path.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
        for k, packet in enumerate(datagrams):
            out.write(struct.pack("<IIII", 1000 + k // 1000, k % 1000 * 1000 + 7, len(packet), len(packet)) + packet)
    return path
