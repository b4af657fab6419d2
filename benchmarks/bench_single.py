"""One message of each type to objects and back, without keys: against a hand that wrote it with struct, pyrad and scapy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import fastcodec as fc

from . import hand_written as hand
from .bench_batches import GRANT, access_request
from .bench_codec import DICTIONARY, HOME_AGENT, SECRET, rate
from .rounds import Plan, Row, Unavailable, compare, interleave

ASKS = {"struct": 1 / 3, "pyrad": 15, "scapy": 50}
VECTORS = Path(__file__).resolve().parent.parent / "tests" / "vectors"


class Case(NamedTuple):
    """A message in octets, its decoder here, and what a hand reads of it and writes."""

    name: str
    octets: bytes
    decode: Callable[[bytes], Any]
    read: Callable[[bytes], Any]
    write: Callable[[Any], bytes]


def first(file: str, kind: str, fits: Callable[[bytes], bool]) -> bytes:
    """The first vector of a kind whose octets fit."""
    found = (bytes.fromhex(v["message_hex"]) for v in json.loads((VECTORS / file).read_text())["vectors"] if v["kind"] == kind)
    return next(octets for octets in found if fits(octets))


def longest(file: str, kind: str, fits: Callable[[bytes], bool]) -> bytes:
    found = (bytes.fromhex(v["message_hex"]) for v in json.loads((VECTORS / file).read_text())["vectors"] if v["kind"] == kind)
    return max(filter(fits, found), key=len)


def registration(kind: int) -> bytes:
    """As a bootstrap sends it: name, nonce, authenticator."""
    extensions = [fc.Nai("mn0001@home.example"), fc.NonceRequest(0x1001), fc.GeneralizedAuthentication(0x200, bytes(16))]
    if kind == 1:
        return fc.RegistrationRequest(0x22, 1800, HOME_AGENT, HOME_AGENT, HOME_AGENT, 2**63, extensions).encode()
    extensions[1:] = [fc.MnHaAuthentication(0x1001, bytes(16))]
    return fc.RegistrationReply(0, 1800, HOME_AGENT, HOME_AGENT, 2**63, extensions).encode()


def notification() -> bytes:
    return fc.GenericNotification(0, 0x8000, HOME_AGENT, HOME_AGENT, HOME_AGENT, 2**63, [
        fc.MnHaAuthentication(0x1001, bytes(16))]).encode()


def answer() -> bytes:
    return fc.RadiusPacket(2, 7, bytes(16), [("Message-Authenticator", bytes(16)), *GRANT]).encode()


def accounting() -> bytes:
    return fc.RadiusPacket(4, 9, bytes(16), [
        ("User-Name", "mn0001@home.example"), ("Acct-Status-Type", 1), ("Acct-Session-Id", "0001"), ("NAS-IP-Address", HOME_AGENT),
        ("NAS-Port", 1), ("NAS-Port-Type", 5), ("Service-Type", 2), ("Acct-Session-Time", 7)]).encode(SECRET)


def change() -> bytes:
    return fc.RadiusPacket(43, 9, bytes(16), [
        ("User-Name", "mn0001@home.example"), ("NAS-IP-Address", HOME_AGENT), ("Acct-Session-Id", "0001"),
        ("Session-Timeout", 600), ("Class", bytes(16))]).encode(SECRET)


def binding(kind: int) -> bytes:
    options = [fc.MobileNodeIdentifierOption(1, "mn0001@home.example"), fc.AuthenticationOption(1, 0x200, bytes(12))]
    message = fc.BindingUpdate(7, 0xc000, 900, options) if kind == 5 else fc.BindingAcknowledgement(0, 0x80, 7, 900, options)
    return message.encode()


def cases() -> Iterator[Case]:
    mip4, radius, mobility = fc.Mip4Message.decode, fc.RadiusPacket.decode, fc.MobilityMessage.decode
    yield Case("rrq", registration(1), mip4, hand.read_rrq, hand.write_rrq)
    yield Case("rrp", registration(3), mip4, hand.read_rrp, hand.write_rrp)
    yield Case("revocation", first("mobileip.json", "mip4", lambda o: o[0] == 7), mip4, hand.read_revocation, hand.write_revocation)
    yield Case("acknowledgment", first("mobileip.json", "mip4", lambda o: o[0] == 15), mip4, hand.read_ack, hand.write_ack)
    yield Case("notification", notification(), mip4, hand.read_notification, hand.write_notification)
    yield Case("advertisement", longest("mobileip.json", "icmp", lambda o: o[0] == 9), fc.AgentAdvertisement.decode,
               hand.read_advertisement, hand.write_advertisement)
    yield Case("access_request", access_request(), radius, hand.read_radius, hand.write_radius)
    yield Case("access_accept", answer(), radius, hand.read_radius, hand.write_radius)
    yield Case("accounting_request", accounting(), radius, hand.read_radius, hand.write_radius)
    yield Case("coa_request", change(), radius, hand.read_radius, hand.write_radius)
    yield Case("binding_update", binding(5), mobility, hand.read_mobility, hand.write_mobility)
    yield Case("binding_acknowledgement", binding(6), mobility, hand.read_mobility, hand.write_mobility)
    yield Case("eap", fc.EapPacket(2, 7, fc.EapIdentity("mn0001@home.example")).encode(), fc.EapPacket.decode, hand.read_eap,
               hand.write_eap)
    yield Case("pana", first("access.json", "pana", lambda o: len(o) > 60), fc.PanaMessage.decode, hand.read_pana, hand.write_pana)


Pair = tuple[Callable[[], Any], Callable[[], Any]]          # decode, encode


def ours(case: Case) -> Pair:
    """Decoding to typed values, all of them; encoding the same fields, given as values and not as the octets they came from."""
    message = case.decode(case.octets)
    if isinstance(message, fc.RadiusPacket):
        pairs, code, identifier, authenticator = list(message.attributes), message.code, message.identifier, message.authenticator

        def decode() -> None:
            list(case.decode(case.octets).attributes)

        def encode() -> bytes:
            return fc.RadiusPacket(code, identifier, authenticator, pairs).encode()
        return decode, encode
    return lambda: case.decode(case.octets), message.encode


def by_hand(case: Case) -> Pair:
    fields = case.read(case.octets)
    return lambda: case.read(case.octets), lambda: case.write(fields)


def pyrad(case: Case) -> Pair | None:
    """Decode and look at all values; encode the same values."""
    if case.read is not hand.read_radius:
        return None
    try:
        from pyrad.dictionary import Dictionary
        from pyrad.packet import Packet
    except ImportError as error:
        raise Unavailable(f"pyrad: {error}") from error
    dictionary = Dictionary(*(str(DICTIONARY / f"dictionary.{name}") for name in ("rfc2865", "rfc2866", "rfc2869")))
    code, identifier, authenticator, _ = case.read(case.octets)
    known = Packet(packet=case.octets, dict=dictionary)
    values = {name: known[name] for name in known.keys()}  # noqa: SIM118

    def decode() -> None:
        packet = Packet(packet=case.octets, dict=dictionary)
        for name in packet.keys():  # noqa: SIM118  # it has no iterator
            packet[name]

    def encode() -> bytes:
        packet = Packet(code=code, id=identifier, authenticator=authenticator, secret=SECRET, dict=dictionary)
        for name, found in values.items():
            for value in found:
                packet.AddAttribute(name, value)
        raw: bytes = packet.ReplyPacket()
        return raw
    return decode, encode


def scapy(case: Case) -> Pair | None:
    """scapy's classes; of Mobile IPv4 they know the fixed parts alone."""
    try:
        from scapy.layers.eap import EAP
        from scapy.layers.inet6 import MIP6MH_BA, MIP6MH_BU
        from scapy.layers.mobileip import MobileIP
        from scapy.layers.radius import Radius
    except ImportError as error:
        raise Unavailable(f"scapy: {error}") from error
    classes = {"rrq": MobileIP, "rrp": MobileIP, "binding_update": MIP6MH_BU, "binding_acknowledgement": MIP6MH_BA, "eap": EAP,
               "access_request": Radius, "access_accept": Radius, "accounting_request": Radius, "coa_request": Radius}
    if case.name not in classes:
        return None
    cls = classes[case.name]

    def encode() -> bytes:
        packet = read.copy()
        packet.clear_cache()
        return bytes(packet)
    read = cls(case.octets)
    return lambda: cls(case.octets), encode


def check(case: Case) -> None:
    """Both come to the same octets again."""
    decode, encode = ours(case)
    decode()
    if encode() != case.octets or case.write(case.read(case.octets)) != case.octets:
        raise AssertionError(f"{case.name}: is not encoded as it was")


REFERENCES: dict[str, Callable[[Case], Pair | None]] = {"struct": by_hand, "pyrad": pyrad, "scapy": scapy}
NAMES = tuple(f"codec.single_{case.name}_{way}_vs_{reference}" for case in cases() for way in ("decode", "encode")
              for reference in REFERENCES)


def measured(plan: Plan, case: Case) -> Iterator[Row]:
    check(case)
    mine, seconds = ours(case), plan.seconds / 20
    for place, way in enumerate(("decode", "encode")):
        wanted = [name for name in REFERENCES if plan.wants(f"codec.single_{case.name}_{way}_vs_{name}")]
        pairs = {name: pair for name in wanted if (pair := REFERENCES[name](case)) is not None}
        works = {"ours": mine[place], **{name: pair[place] for name, pair in pairs.items()}}
        if not pairs:
            continue
        runs = interleave({name: lambda work=work: rate(work, 1, seconds) for name, work in works.items()},  # type: ignore[misc]
                          plan.rounds)
        for name in pairs:
            yield compare(f"codec.single_{case.name}_{way}_vs_{name}", runs["ours"], runs[name], unit="messages/s",
                          reference="struct by hand" if name == "struct" else name, ask=ASKS[name])


def figures(plan: Plan | None = None) -> list[dict[str, Any]]:
    plan = plan or Plan()
    return [row.as_dict() for case in cases() if plan.wants(*(n for n in NAMES if n.startswith(f"codec.single_{case.name}_")))
            for row in measured(plan, case)]
