"""Every verification that a user of the codec can call, by itself and in batches: what `benchmarks.timing` measures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import numpy as np

import fastcodec as fc
from fastcodec.pana import IntegrityAlgorithm

KEY, SECRET = fc.Secret(bytes(range(16))), fc.Secret(b"a shared secret of 26 octets")
PANA_KEY = bytes(range(20))
REQUEST_AUTHENTICATOR = bytes(range(16))
ALGORITHMS = {"hmac-md5": 16, "hmac-sha1": 20, "hmac-sha256": 32, "keyed-md5": 16}       # octets of a digest
CHAP_SPI = 2                     # RFC 4721 8
ROWS = 64
ADDRESS = IPv4Address("192.0.2.25")
ENDS = {"source": IPv6Address("2001:db8:100::25"), "destination": IPv6Address("2001:db8:100::1"),
        "care_of_address": IPv6Address("2001:db8:f::1")}
Work = Callable[[bytes], Any]


@dataclass
class Subject:
    """Something that verifies the digest at `place` of `octets`, and refuses it when it is wrong."""

    name: str
    octets: np.ndarray[Any, np.dtype[np.uint8]]      # a row, or those of a batch
    place: slice
    verify: Callable[[], None]
    prepare: Callable[[], None] = lambda: None


def single(name: str, message: bytes, place: slice, verify: Callable[[bytes], Any]) -> Subject:
    octets = np.frombuffer(bytearray(message), np.uint8)

    def work() -> None:
        try:
            verify(memoryview(octets))  # type: ignore[arg-type]
        except fc.AuthenticationError:
            return
        raise AssertionError(f"{name}: a wrong digest was taken for right")
    verify(message)
    return Subject(name, octets[np.newaxis], place, work)


def at_end(octets: bytes, digest: bytes) -> tuple[bytes, slice]:
    """The message, and where its digest stands."""
    place = octets.rindex(digest)
    return octets, slice(place, place + len(digest))


def singles() -> Iterator[Subject]:
    for messages in (radius_messages, mobile_ipv4_messages, mobile_ipv6_messages, access_messages):
        for name, (octets, place), verify in messages():
            yield single(name, octets, place, verify)


# ---- RADIUS

def access_request() -> tuple[bytes, slice]:
    """With a Message-Authenticator, the first attribute."""
    packet = fc.RadiusPacket(1, 7, REQUEST_AUTHENTICATOR, [("User-Name", "mn0001@home.example"), ("NAS-Identifier", "fha")])
    return packet.encode(SECRET), slice(22, 38)


def access_accept() -> tuple[bytes, slice]:
    request = fc.RadiusPacket(1, 7, REQUEST_AUTHENTICATOR)
    return fc.RadiusPacket(2, 7, b"", [("Session-Timeout", 7200), ("Class", bytes(16))]).encode(SECRET, request), slice(4, 20)


def accounting_request() -> tuple[bytes, slice]:
    return fc.RadiusPacket(4, 7, b"", [("Acct-Session-Id", "1")]).encode(SECRET), slice(4, 20)


def disconnect_request() -> tuple[bytes, slice]:
    return fc.RadiusPacket(40, 7, b"", [("User-Name", "mn0001@home.example")]).encode(SECRET), slice(4, 20)


def radius_messages() -> Iterator[tuple[str, tuple[bytes, slice], Work]]:
    yield "Message-Authenticator", access_request(), lambda octets: fc.verify_request(octets, SECRET)
    yield "Response Authenticator", access_accept(), lambda octets: fc.verify_response(octets, SECRET, REQUEST_AUTHENTICATOR)
    yield "Request Authenticator of accounting", accounting_request(), lambda octets: fc.verify_request(octets, SECRET)
    yield "Request Authenticator of Disconnect", disconnect_request(), lambda octets: fc.verify_request(octets, SECRET, require=False)
    yield "RadiusPacket.decode", access_request(), lambda octets: fc.RadiusPacket.decode(octets, SECRET)


# ---- Mobile IPv4

def registration(authenticator: fc.Extension, key: fc.Secret = KEY, size: int = 16) -> tuple[bytes, slice]:
    octets = fc.RegistrationRequest(0x22, 1800, ADDRESS, ADDRESS, ADDRESS, 2**63, [
        fc.Nai("mn0001@home.example"), fc.Challenge(bytes(range(16))), authenticator]).encode(key)
    return octets, slice(len(octets) - size, len(octets))


def mobile_ipv4_messages() -> Iterator[tuple[str, tuple[bytes, slice], Work]]:
    yield "MN-HA", registration(fc.MnHaAuthentication(0x1001)), lambda octets: fc.verify_mn_ha(octets, KEY)
    yield "MN-AAA", registration(fc.GeneralizedAuthentication(0x200)), lambda octets: fc.verify_mn_aaa(octets, KEY)
    yield "MN-AAA of CHAP_SPI", registration(fc.GeneralizedAuthentication(CHAP_SPI)), lambda octets: fc.verify_mn_aaa(octets, KEY)
    for kind in (fc.MnFaAuthentication, fc.FaHaAuthentication):
        yield (kind.__name__, registration(kind(0x1001)), lambda octets, kind=kind: fc.verify_authentication(octets, kind, KEY))
    for algorithm, size in ALGORITHMS.items():
        key = fc.Secret(bytes(range(16)), algorithm)
        yield (f"MN-HA by {algorithm}, decode", registration(fc.MnHaAuthentication(0x1001), key, size),
               lambda octets, key=key: fc.Mip4Message.decode(octets, key))


# ---- Mobile IPv6

def binding_update(subtype: int) -> tuple[bytes, slice]:
    """RFC 4285: subtype 1 is MN-HA, 2 MN-AAA. Without checksum, which a wrong digest would spoil."""
    update = fc.BindingUpdate(1, 0, 450, [fc.MobileNodeIdentifierOption(1, "mn0001@home.example"),
                                          fc.AuthenticationOption(subtype, 0x400)]).sign(KEY, **ENDS)
    option = update.find(fc.AuthenticationOption)
    return at_end(update.replace(checksum=0).encode(), option.authenticator if option else b"")


def mobile_ipv6_messages() -> Iterator[tuple[str, tuple[bytes, slice], Work]]:
    for subtype, name in ((1, "MN-HA"), (2, "MN-AAA")):
        yield (f"{name} of Mobile IPv6", binding_update(subtype), lambda octets: fc.MobilityMessage.decode(octets).verify(KEY, **ENDS))


# ---- EAP and PANA

def gpsk(suite: int) -> tuple[str, tuple[bytes, slice], Work]:
    keys = fc.derive_gpsk_keys(bytes(32), b"mn", b"aaah", bytes(32), bytes(32), suite)
    octets = fc.EapPacket(2, 34, fc.Gpsk4(b"")).sign(keys).encode()
    return (f"EAP-GPSK, ciphersuite {suite}", (octets, slice(len(octets) - 16 * suite, len(octets))),
            lambda octets: fc.EapPacket.decode(octets).verify(keys))


def access_messages() -> Iterator[tuple[str, tuple[bytes, slice], Work]]:
    challenge = bytes(range(16))
    answer = fc.EapPacket(2, 7, fc.EapMd5Challenge(fc.eap_md5_response(7, KEY, challenge), "mn")).encode()
    yield "EAP-MD5", (answer, slice(6, 22)), lambda octets: fc.verify_eap_md5(fc.EapPacket.decode(octets), KEY, challenge)
    yield gpsk(1)
    yield gpsk(2)
    for integrity in (IntegrityAlgorithm.AUTH_HMAC_SHA1_160, IntegrityAlgorithm.AUTH_HMAC_SHA2_256_128):
        octets = fc.PanaMessage(0, 2, 7, 9, [fc.KeyIdAvp(1), fc.AuthAvp()]).encode(PANA_KEY, integrity)
        auth = fc.PanaMessage.decode(octets).find(fc.AuthAvp)
        yield (f"PANA AUTH, {len(auth.value) if auth else 0} octets", at_end(octets, auth.value if auth else b""),
               lambda octets: fc.PanaMessage.decode(octets, PANA_KEY))


# ---- batches

def many(name: str, batch: Any, place: slice, verify: Callable[[], Any]) -> Subject:
    """Every row wrong in the same octet."""
    def work() -> None:
        if not verify().all():
            raise AssertionError(f"{name}: a wrong digest was taken for right")
    batch.walk()
    if verify().any():
        raise AssertionError(f"{name}: a right digest was refused")
    return Subject(name, batch.octets, place, work, batch.walk)


def rows(message: bytes) -> tuple[np.ndarray[Any, np.dtype[np.uint8]], np.ndarray[Any, np.dtype[np.uint32]]]:
    return np.tile(np.frombuffer(message, np.uint8), (ROWS, 1)), np.full(ROWS, len(message), np.uint32)


def batches() -> Iterator[Subject]:
    secrets, asked = fc.SecretArray([SECRET]), np.tile(np.frombuffer(REQUEST_AUTHENTICATOR, np.uint8), (ROWS, 1))
    yield from registration_batches()
    yield from mobility_batches()
    for name, (message, place), given in (
            ("batch of Message-Authenticators", access_request(), {}), ("batch of accounting", accounting_request(), {}),
            ("batch of Response Authenticators", access_accept(), {"requests": asked})):
        packets = fc.RadiusBatch(*rows(message))
        yield many(name, packets, place, lambda packets=packets, given=given: packets.verify(secrets, **given))


def registration_batches() -> Iterator[Subject]:
    extensions: tuple[tuple[str, fc.Extension], ...] = (
        ("mn_ha", fc.MnHaAuthentication(0x1001)), ("mn_aaa", fc.GeneralizedAuthentication(0x200)),
        ("mn_fa", fc.MnFaAuthentication(0x1001)), ("fa_ha", fc.FaHaAuthentication(0x1001)))
    for authenticator, extension in extensions:
        for algorithm, size in ALGORITHMS.items() if authenticator == "mn_ha" else [("hmac-md5", 16)]:
            key = fc.Secret(bytes(range(16)), algorithm)
            message, place = registration(extension, key, size)
            batch, keys = fc.RegistrationBatch(*rows(message), 1), fc.SecretArray([key])
            yield many(f"batch of {authenticator.upper().replace('_', '-')} by {algorithm}", batch, place,
                       lambda batch=batch, keys=keys, name=authenticator: batch.verify(keys, authenticator=name))


def mobility_batches() -> Iterator[Subject]:
    keys = fc.SecretArray([KEY])
    for subtype, authenticator in ((1, "mn_ha"), (2, "mn_aaa")):
        message, place = binding_update(subtype)
        batch = fc.MobilityBatch(*rows(message), 5)
        yield many(f"batch of {authenticator.upper().replace('_', '-')} of Mobile IPv6", batch, place,
                   lambda batch=batch, name=authenticator: batch.verify(keys, ENDS["source"], ENDS["care_of_address"], authenticator=name))
