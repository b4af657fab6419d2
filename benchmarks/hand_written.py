"""What a careful person writes by hand with struct for one message: the same fields, addresses as address objects, no checks
beyond lengths, no digests. The reference of `codec.single_*`."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from struct import Struct
from typing import Any

Extensions = list[tuple[int, int, Any]]
LONG = frozenset({36, 38, 40, 41, 42, 43, 48})
SPI, WORD = Struct(">I"), Struct(">I")


# ---- Mobile IPv4 -----------------------------------------------------------------------------------------------------

def read_extensions(octets: bytes, at: int) -> Extensions:
    """(type, subtype, value); the known ones as their fields."""
    found: Extensions = []
    while at < len(octets):
        kind = octets[at]
        if kind == 0:
            at += 1
            continue
        if kind in LONG:
            subtype, start = octets[at + 1], at + 4
            end = start + (octets[at + 2] << 8 | octets[at + 3])
        else:
            subtype, start = 0, at + 2
            end = start + octets[at + 1]
        if end > len(octets):
            raise ValueError(f"extension {kind} at {at} runs past the message")
        value: Any = octets[start:end]
        if kind == 131:
            value = value.decode()
        elif kind in (32, 33, 34, 36):
            value = (SPI.unpack_from(value)[0], value[4:])
        elif kind in (40, 42):
            value = SPI.unpack(value)[0]
        elif kind == 134:
            value = (WORD.unpack_from(value, 2)[0], value[6] << 8 | value[7], value[8:])
        found.append((kind, subtype, value))
        at = end
    return found


def write_extensions(extensions: Extensions) -> bytes:
    out = []
    for kind, subtype, value in extensions:
        octets = value
        if kind == 131:
            octets = value.encode()
        elif kind in (32, 33, 34, 36):
            octets = SPI.pack(value[0]) + value[1]
        elif kind in (40, 42):
            octets = SPI.pack(value)
        elif kind == 134:
            octets = b"\0\0" + WORD.pack(value[0]) + value[1].to_bytes(2, "big") + value[2]
        if kind in LONG:
            out.append(bytes((kind, subtype)) + len(octets).to_bytes(2, "big") + octets)
        else:
            out.append(bytes((kind, len(octets))) + octets)
    return b"".join(out)


def fixed(layout: str, addresses: tuple[int, ...]) -> tuple[Callable[[bytes], list[Any]], Callable[[list[Any]], bytes]]:
    """Reader and writer of a message with that fixed part; the fields at `addresses` are IPv4 addresses."""
    struct = Struct(layout)

    def read(octets: bytes) -> list[Any]:
        fields = list(struct.unpack_from(octets))
        for k in addresses:
            fields[k] = IPv4Address(fields[k])
        fields.append(read_extensions(octets, struct.size))
        return fields

    def write(fields: list[Any]) -> bytes:
        plain = fields[:-1]
        for k in addresses:
            plain[k] = int(plain[k])
        return struct.pack(*plain) + write_extensions(fields[-1])
    return read, write


read_rrq, write_rrq = fixed(">BBHIIIQ", (3, 4, 5))
read_rrp, write_rrp = fixed(">BBHIIQ", (3, 4))
read_revocation, write_revocation = fixed(">BBHIIII", (3, 4, 5))
read_ack, write_ack = fixed(">BBHII", (3,))
read_notification, write_notification = fixed(">BBHIIIQ", (3, 4, 5))


# ---- agent discovery -------------------------------------------------------------------------------------------------

ICMP, ROUTER, AGENT = Struct(">BBHBBH"), Struct(">Ii"), Struct(">HHH")


def ones_sum(octets: bytes) -> int:
    total = sum(Struct(f">{len(octets) // 2}H").unpack_from(octets)) + (octets[-1] << 8 if len(octets) % 2 else 0)
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total


def read_advertisement(octets: bytes) -> list[Any]:
    _, code, _, count, size, lifetime = ICMP.unpack_from(octets)
    if ones_sum(octets) != 0xffff:
        raise ValueError("wrong checksum")
    at, routers = 8, []
    for _ in range(count):
        address, preference = ROUTER.unpack_from(octets, at)
        routers.append((IPv4Address(address), preference))
        at += 4 * size
    extensions = []
    while at < len(octets):
        kind = octets[at]
        if kind == 0:
            extensions.append((0, b""))
            at += 1
            continue
        end = at + 2 + octets[at + 1]
        if kind == 16:
            care_of = tuple(IPv4Address(WORD.unpack_from(octets, k)[0]) for k in range(at + 8, end, 4))
            extensions.append((kind, *AGENT.unpack_from(octets, at + 2), care_of))
        else:
            extensions.append((kind, octets[at + 2:end]))
        at = end
    return [code, lifetime, routers, extensions]


def write_advertisement(fields: list[Any]) -> bytes:
    code, lifetime, routers, extensions = fields
    out = [ROUTER.pack(int(address), preference) for address, preference in routers]
    for kind, *values in extensions:
        value = values[0]
        if kind == 0:
            out.append(b"\0")
            continue
        if kind == 16:
            value = AGENT.pack(*values[:3]) + b"".join(WORD.pack(int(address)) for address in values[3])
        out.append(bytes((kind, len(value))) + value)
    body = b"".join(out)
    total = ones_sum(ICMP.pack(9, code, 0, len(routers), 2, lifetime) + body)
    return ICMP.pack(9, code, ~total & 0xffff, len(routers), 2, lifetime) + body


# ---- RADIUS ----------------------------------------------------------------------------------------------------------

RADIUS = Struct(">BBH16s")
TEXTS, NUMBERS, ADDRESSES = frozenset({1, 11, 18, 31, 32, 44}), frozenset({5, 6, 12, 27, 40, 41, 46, 61, 85}), frozenset({4, 8})


def read_radius(octets: bytes) -> list[Any]:
    code, identifier, length, authenticator = RADIUS.unpack_from(octets)
    at, attributes = 20, []
    while at < length:
        kind, size = octets[at], octets[at + 1]
        if size < 2 or at + size > length:
            raise ValueError(f"attribute {kind} at {at} does not fit")
        value: Any = octets[at + 2:at + size]
        if kind in TEXTS:
            value = value.decode()
        elif kind in NUMBERS:
            value = WORD.unpack(value)[0]
        elif kind in ADDRESSES:
            value = IPv4Address(value)
        attributes.append((kind, value))
        at += size
    return [code, identifier, authenticator, attributes]


def write_radius(fields: list[Any]) -> bytes:
    code, identifier, authenticator, attributes = fields
    out = []
    for kind, value in attributes:
        octets = value
        if kind in TEXTS:
            octets = value.encode()
        elif kind in NUMBERS:
            octets = WORD.pack(value)
        elif kind in ADDRESSES:
            octets = value.packed
        out.append(bytes((kind, len(octets) + 2)) + octets)
    body = b"".join(out)
    return RADIUS.pack(code, identifier, 20 + len(body), authenticator) + body


# ---- Mobility Header -------------------------------------------------------------------------------------------------

BU, BA, LIFETIME = Struct(">BBBBHHHH"), Struct(">BBBBHBBHH"), Struct(">H")


def read_options(octets: bytes, at: int) -> Extensions:
    found: Extensions = []
    while at < len(octets):
        kind = octets[at]
        if kind == 0:
            at += 1
            continue
        end = at + 2 + octets[at + 1]
        if end > len(octets):
            raise ValueError(f"option {kind} at {at} runs past the message")
        value: Any = octets[at + 2:end]
        if kind == 3:
            value = IPv6Address(value)
        elif kind == 8:
            value = (value[0], value[1:].decode())
        elif kind == 9:
            value = (value[0], SPI.unpack_from(value, 1)[0], value[5:])
        found.append((kind, 0, value))
        at = end
    return found


def write_options(options: Extensions) -> bytes:
    out = []
    for kind, _, value in options:
        octets = value
        if kind == 3:
            octets = value.packed
        elif kind == 8:
            octets = bytes((value[0],)) + value[1].encode()
        elif kind == 9:
            octets = bytes((value[0],)) + SPI.pack(value[1]) + value[2]
        out.append(bytes((kind, len(octets))) + octets)
    return b"".join(out)


def read_mobility(octets: bytes) -> list[Any]:
    struct = BU if octets[2] == 5 else BA
    return [*struct.unpack_from(octets), read_options(octets[:8 * octets[1] + 8], struct.size)]


def write_mobility(fields: list[Any]) -> bytes:
    """The padding is among the options, as it was."""
    return (BU if fields[2] == 5 else BA).pack(*fields[:-1]) + write_options(fields[-1])


# ---- EAP and PANA ----------------------------------------------------------------------------------------------------

EAP, PANA, AVP = Struct(">BBH"), Struct(">HHHHII"), Struct(">HHHH")


def read_eap(octets: bytes) -> list[Any]:
    """An identity."""
    code, identifier, length = EAP.unpack_from(octets)
    if length > len(octets) or octets[4] != 1:
        raise ValueError("no identity")
    return [code, identifier, octets[5:length].decode()]


def write_eap(fields: list[Any]) -> bytes:
    name = fields[2].encode()
    return EAP.pack(fields[0], fields[1], 5 + len(name)) + b"\1" + name


def read_pana(octets: bytes) -> list[Any]:
    _, length, flags, kind, session, sequence = PANA.unpack_from(octets)
    at, pairs = 16, []
    while at < length:
        code, avp_flags, size, _ = AVP.unpack_from(octets, at)
        value: Any = octets[at + 8:at + 8 + size]
        if code in (3, 4, 6, 7, 8, 9):
            value = WORD.unpack(value)[0]
        pairs.append((code, avp_flags, value))
        at += 8 + (size + 3) // 4 * 4
    return [flags, kind, session, sequence, pairs]


def write_pana(fields: list[Any]) -> bytes:
    flags, kind, session, sequence, pairs = fields
    out = []
    for code, avp_flags, value in pairs:
        octets = WORD.pack(value) if isinstance(value, int) else value
        out.append(AVP.pack(code, avp_flags, len(octets), 0) + octets + bytes(-len(octets) % 4))
    body = b"".join(out)
    return PANA.pack(0, 16 + len(body), flags, kind, session, sequence) + body
