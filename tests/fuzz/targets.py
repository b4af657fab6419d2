"""What is done with any octets at all, a function a decoder, and what must hold then.

A decoder raises DecodeError or AuthenticationError, or what it gives encodes to octets that decode to its equal; to the same
octets wherever the format has one way to write it. A batch gives each row the status that the single decoder raises with.
"""
from __future__ import annotations

import tempfile
from collections.abc import Callable
from io import BytesIO
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import fastcodec as fc
from fastcodec import AuthenticationError, DecodeError, DictionaryError, FastcodecError, Secret
from fastcodec.capture import CaptureError, read_capture
from fastcodec.registration import pieces_of
from fastcodec.registration_batch import COLUMNS
from fastcodec.rows import Rows
from fastcodec.tunnel import TunnelKind, unwrap, wrap

KEY, SECRET = Secret(bytes(range(16))), Secret(b"a shared secret of 26 octets")
REQUEST = bytes([1, 7, 0, 20]) + bytes(range(16))
REFUSALS = (DecodeError, AuthenticationError)
ROWS = 5                                    # enough for lanes; the last one ends where the memory ends
SCRATCH = Path(tempfile.gettempdir())
KINDS = {kind.plan.type: kind for kind in fc.Mip4Message.__subclasses__()}
ENDS = (IPv4Address("192.0.2.1"), IPv4Address("192.0.2.2"))


class Target(NamedTuple):
    run: Callable[[bytes], None]
    seeds: tuple[str, ...]
    longest: int = 1024


def must(holds: bool, what: str, *seen: Any) -> None:
    if not holds:
        raise AssertionError(f"{what}: {seen!r}")


def attempt(work: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """What the work gives, None when it refuses as it may."""
    try:
        return work(*arguments, **named)
    except REFUSALS as error:
        must(bool(str(error)), "a refusal says nothing", error)
        return None


def there_and_back(decode: Callable[[bytes], Any], data: bytes, encode: Callable[[Any], bytes] = lambda m: m.encode()) -> Any:
    """The message; None when refused. Its octets decode to its equal, and encode to themselves."""
    message = attempt(decode, data)
    if message is None:
        return None
    octets = encode(message)
    again = decode(octets)
    must(again == message, "decodes to another message", data, octets, message, again)
    must(encode(again) == octets, "encodes in another way the second time", data, octets)
    return message


# ---- single messages -------------------------------------------------------------------------------------------------

def mip4(data: bytes) -> None:
    message = there_and_back(fc.Mip4Message.decode, data)
    if message is not None:
        must(message.encode() == data, "is not encoded as it was", data, message.encode())
    attempt(fc.Mip4Message.decode, data, KEY)
    attempt(fc.Mip4Message.decode, data, {2: KEY, 0x200: KEY, 0x1001: KEY})


def lint(data: bytes) -> None:
    for finding in fc.lint(data):
        must(0 <= finding.offset <= len(data), "a finding beyond the message", finding)
    for cls in (fc.Mip4Message, fc.AgentAdvertisement, fc.AgentSolicitation):
        message = attempt(cls.decode, data)
        if message is not None:
            fc.lint(message)


def radius(data: bytes) -> None:
    packet = there_and_back(fc.RadiusPacket.decode, data)
    if packet is not None:
        length = int.from_bytes(data[2:4], "big")
        if packet.attributes.canonical:
            must(packet.encode() == data[:length], "canonical, and not encoded as it was", data, packet.encode())
        for name, _ in packet.attributes:
            packet.attributes.get(name)
            packet.attributes.all(name)
    for request in (None, REQUEST):
        shown = attempt(fc.RadiusPacket.decode, data, SECRET, request, require=False)
        if shown is not None:
            list(shown.attributes)
    attempt(fc.verify_request, data, SECRET)
    attempt(fc.verify_response, data, SECRET, REQUEST)


def mobility(data: bytes) -> None:
    there_and_back(fc.MobilityMessage.decode, data)
    attempt(fc.MobilityMessage.decode, data, KEY, source="2001:db8::1", destination="2001:db8::2", care_of_address="2001:db8::3")


def mobility_packet(data: bytes) -> None:
    there_and_back(fc.MobilityPacket.decode, data)
    attempt(fc.MobilityPacket.decode, data, KEY)


def eap(data: bytes) -> None:
    packet = there_and_back(fc.EapPacket.decode, data)
    if packet is not None:
        length = int.from_bytes(data[2:4], "big")
        must(packet.encode() == data[:length], "is not encoded as it was", data, packet.encode())
        attempt(fc.verify_eap_md5, packet, KEY, b"challenge")


def pana(data: bytes) -> None:
    for strict in (True, False):
        message = there_and_back(lambda octets, strict=strict: fc.PanaMessage.decode(octets, strict=strict), data)
        if message is not None:
            must(message.encode() == data, "is not encoded as it was", data, message.encode())
    attempt(fc.PanaMessage.decode, data, KEY)


def agents(data: bytes) -> None:
    for cls in (fc.AgentAdvertisement, fc.AgentSolicitation):
        message = there_and_back(cls.decode, data)
        if message is not None:          # 0xffff is the other zero of one's complement, which no sender computes (RFC 1071)
            must(message.encode() == data or data[2:4] == b"\xff\xff", "is not encoded as it was", data, message.encode())


def headers(data: bytes) -> None:
    at = attempt(fc.look, data)
    if at is not None:
        must(at.upper + len(at.payload) <= len(data) + 8, "looks beyond the packet", at)
    attempt(unwrap, data)
    attempt(unwrap, data, False)
    for kind in TunnelKind:
        wrapped_and_back(kind, data)


def wrapped_and_back(kind: TunnelKind, data: bytes) -> None:
    try:
        outer = wrap(kind, data, *ENDS)
    except FastcodecError:
        return
    attempt(unwrap, outer)


MESSAGES = (fc.Mip4Message, fc.RadiusPacket, fc.MobilityMessage, fc.EapPacket, fc.PanaMessage, fc.AgentAdvertisement, fc.MobilityPacket)


def shown(data: bytes) -> None:
    """Every decoded message can be printed and made plain, and comes back from that."""
    for cls in MESSAGES:
        message = attempt(cls.decode, data)
        if message is not None:
            str(message)
            repr(message)
            values = message.to_dict()
            if one_way_to_write(message):
                back = type(message).from_dict(values)
                must(back == message, "another message after to_dict", message, back)


def one_way_to_write(message: fc.Message) -> bool:
    """Values do not say in which pieces the fragments of a long RADIUS attribute came (RFC 6929 2.2), and none is empty."""
    return not isinstance(message, fc.RadiusPacket) or message.attributes.canonical


# ---- captures --------------------------------------------------------------------------------------------------------

def capture(data: bytes) -> None:
    """Frames lie within the file, in its order; then CaptureError or the end."""
    read = 0
    try:
        for number, frame in enumerate(read_capture(BytesIO(data)), 1):
            read += len(frame.octets)
            must(frame.number == number, "frames out of order", frame)
            must(is_packed(data) or read <= len(data), "more octets than the file has", frame)
            attempt(fc.look, frame.octets)
    except CaptureError as error:
        must(is_packed(data) or error.offset <= len(data), "an error beyond the file", error)


def is_packed(data: bytes) -> bool:
    return data[:2] == b"\x1f\x8b"


# ---- dictionaries ----------------------------------------------------------------------------------------------------

def dictionary(data: bytes) -> None:
    if b"include" in data.lower():               # another file, of whose length this machine decides
        return
    path = SCRATCH / "mipstorm-fuzzed-dictionary"
    path.write_bytes(data)
    try:
        read = fc.Dictionary().read(path)
    except DictionaryError as error:
        must(error.line <= data.count(b"\n") + 1, "a line beyond the file", error)
        return
    for name, attribute in read.attributes.items():
        must(attribute.name == name, "under another name", attribute)


# ---- batches ---------------------------------------------------------------------------------------------------------

def rows(data: bytes) -> tuple[Any, Any]:
    """The datagram and its beginnings as rows; the datagram last, so that nothing of ours lies behind it."""
    octets = np.zeros((ROWS, max(1, len(data))), np.uint8)
    lengths = np.array([len(data) * (k + 1) // ROWS for k in range(ROWS)], np.uint32)
    for k, length in enumerate(lengths):
        octets[k, :length] = np.frombuffer(data[:length], np.uint8)
    return octets, lengths


def agree(batch: Rows, decode: Callable[[bytes], Any]) -> None:
    """A row is OK just when its single message decodes, and has the status that the refusal has."""
    for row in range(len(batch)):
        try:
            decode(batch.datagram(row))
            status = 0
        except DecodeError as error:
            status = error.status
        must(status == batch.status[row], "statuses differ", batch.datagram(row).hex(), status, int(batch.status[row]))


def as_walked_alone(data: bytes, kind: int) -> None:
    """Rows that nearly look like their neighbours are told apart: each has the places that its single message has."""
    octets = np.tile(np.frombuffer(data, np.uint8), (ROWS, 1))
    for row in range(1, ROWS - 1):
        octets[row, -1 - data[-row % len(data)] % len(data)] ^= row
    batch = fc.RegistrationBatch(octets, np.full(ROWS, len(data), np.uint32), kind)
    batch.walk()
    agree(batch, KINDS[kind].decode)
    for row in range(ROWS):
        pieces = pieces_of(batch.datagram(row))[1] if batch.status[row] == 0 else []
        places: dict[tuple[int, int], tuple[int, int]] = {}
        for kind_of, subtype, _, start, end in pieces:
            places.setdefault((kind_of, subtype), (start, end - start))
        expected = [places.get(identity, (0, 0)) for identity in COLUMNS.values()]
        seen = list(zip(batch.offsets[row].tolist(), batch.sizes[row].tolist(), strict=True))
        must(seen == expected and (batch.status[row] != 0 or batch.found[row] == len(pieces)), "other places", row, octets, seen, expected)


def registration_batch(data: bytes) -> None:
    octets, lengths = rows(data)
    kind = data[0] if data and data[0] in (1, 3, 4, 7, 15, 22, 23) else 1
    if data:
        as_walked_alone(data, kind)
    batch = fc.RegistrationBatch(octets, lengths, kind)
    batch.walk()
    index = batch.index()
    ends = index.entries["offset"].astype(int) + index.entries["length"]
    must(bool((ends <= lengths[index.entries["row"]]).all()), "an extension beyond its row", data)
    keys, alone = fc.KeyTable({2: KEY, 0x200: KEY, 0x1001: KEY}), fc.SecretArray([KEY, Secret(b"k", "keyed-md5")])
    for authenticator in ("mn_aaa", "mn_ha", "mn_fa", "fa_ha"):
        batch.walk()
        batch.verify(keys, authenticator=authenticator)
        batch.walk()
        batch.sign(alone, np.arange(ROWS) % 2, authenticator)


def radius_batch(data: bytes) -> None:
    octets, lengths = rows(data)
    batch = fc.RadiusBatch(octets, lengths)
    batch.walk()
    agree(batch, fc.RadiusPacket.decode)
    batch.index()
    for name in ("User-Name", "NAS-IP-Address", "EAP-Message"):
        batch.places(name)
    batch.verify(fc.SecretArray([SECRET]), requests=np.zeros((ROWS, 16), np.uint8), require=False)
    batch.walk()
    batch.sign(fc.SecretArray([SECRET]))


def mobility_batch(data: bytes) -> None:
    octets, lengths = rows(data)
    batch = fc.MobilityBatch(octets, lengths, data[2] if len(data) > 2 and data[2] in (5, 6) else 5)
    batch.walk()
    batch.verify_checksums("2001:db8::1", "2001:db8::2")
    for authenticator in ("mn_ha", "mn_aaa"):
        batch.walk()
        batch.verify(fc.SecretArray([KEY]), "2001:db8::1", "2001:db8::2", authenticator=authenticator)
        batch.walk()
        batch.sign(fc.SecretArray([KEY]), "2001:db8::1", authenticator=authenticator)


TARGETS = {
    "mip4": Target(mip4, ("mip4",)), "lint": Target(lint, ("mip4", "icmp")), "radius": Target(radius, ("radius",)),
    "mobility": Target(mobility, ("mip6",)), "mobility_packet": Target(mobility_packet, ("packets",)), "eap": Target(eap, ("eap",)),
    "pana": Target(pana, ("pana",)), "agents": Target(agents, ("icmp",)), "headers": Target(headers, ("packets",)),
    "shown": Target(shown, ("mip4", "radius", "mip6", "eap", "pana", "icmp", "packets")),
    "capture": Target(capture, ("captures",), 2048),
    "dictionary": Target(dictionary, ("dictionaries",), 4096), "registration_batch": Target(registration_batch, ("mip4",)),
    "radius_batch": Target(radius_batch, ("radius",)), "mobility_batch": Target(mobility_batch, ("mip6",))}
