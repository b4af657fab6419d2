"""The codec against pyrad and scapy: one message to and from Python objects, and whole batches; digests included."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from functools import cached_property
from hashlib import md5
from ipaddress import IPv4Address
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

import fastcodec as fc

from .rounds import Plan, Row, Run, Unavailable, compare, interleave

NAMES = ("codec.batch_vs_pyrad", "codec.single_vs_pyrad", "codec.single_vs_scapy")
BATCH = 1024
KEY = bytes(range(16))
SECRET = b"a shared secret of 26 octets"
SPI = 0x200
NAI = "mn0001@home.example"
HOME_ADDRESS, HOME_AGENT = IPv4Address("192.0.2.25"), IPv4Address("203.0.113.10")
DICTIONARY = Path(fc.__file__).parent / "dictionaries"


def rate(work: Callable[[], Any], messages: int, seconds: float) -> Run:
    """Messages a second, one core, of a `work` that handles `messages` of them."""
    work()
    done, start = 0, perf_counter()
    while (elapsed := perf_counter() - start) < seconds:
        for _ in range(max(1, 256 // messages)):
            work()
            done += messages
    return Run(done / elapsed, 1e6 * elapsed / done)


class Messages:
    """The same bootstrap in the formats of both protocols: request in, signed answer out."""

    def __init__(self) -> None:
        care_of = IPv4Address("198.51.100.77")
        self.key, self.secret = fc.Secret(KEY), fc.Secret(SECRET)
        self.request = fc.RegistrationRequest(0x22, 1800, IPv4Address(0), HOME_AGENT, care_of, 2**63, [
            fc.Nai(NAI), fc.NonceRequest(0x1001), fc.GeneralizedAuthentication(SPI)]).encode(KEY)
        self.access = fc.RadiusPacket(1, 7, bytes(range(16)), [
            ("User-Name", NAI), ("NAS-IP-Address", HOME_AGENT), ("NAS-Identifier", "fha"), ("Service-Type", 2),
            ("NAS-Port-Type", 5), ("Calling-Station-Id", "198.51.100.77"), ("Class", self.request)]).encode(SECRET)
        self.grant = [("Framed-IP-Address", HOME_ADDRESS), ("Session-Timeout", 7200), ("Class", KEY),
                      ("Acct-Interim-Interval", 600), ("Service-Type", 2), ("Reply-Message", "welcome")]

    def answer(self) -> fc.RegistrationReply:
        return fc.RegistrationReply(0, 1800, HOME_ADDRESS, HOME_AGENT, 2**63, [
            fc.Nai(NAI), fc.NonceReply(3600, SPI, 0x2001, 1, 2, KEY), fc.MnHaAuthentication(0x1001)])

    def single_registration(self) -> None:
        fc.RegistrationRequest.decode(self.request, self.key)
        self.answer().encode(self.key)

    def single_radius(self) -> None:
        packet = fc.RadiusPacket.decode(self.access, self.secret)
        fc.RadiusPacket(2, packet.identifier, b"", self.grant).encode(self.secret, packet)

    @cached_property
    def rows(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        return np.tile(np.frombuffer(self.request, np.uint8), (BATCH, 1))

    def batch(self) -> Callable[[], None]:
        """Requests walked and verified, each under a key of its own; replies built from a template, filled, signed."""
        keys = fc.SecretArray([KEY] * BATCH)
        which = np.arange(BATCH, dtype=np.uint32)
        lengths = np.full(BATCH, len(self.request), dtype=np.uint32)
        answer = self.answer()

        def work() -> None:
            requests = fc.RegistrationBatch(self.rows, lengths, 1)
            requests.walk()
            if requests.verify(keys, which, "mn_aaa").any():
                raise AssertionError("a good request was refused")
            replies = fc.RegistrationBatch.from_template(answer, BATCH)
            replies.fixed["identification"] = requests.fixed["identification"]
            replies.fixed["home_address"] = which
            replies.sign(keys, which)
        return work


def pyrad_work(messages: Messages) -> Callable[[], None]:
    """Decode and verify an Access-Request, encode and sign the Access-Accept."""
    try:
        from pyrad.dictionary import Dictionary
        from pyrad.packet import AuthPacket
    except ImportError as error:
        raise Unavailable(f"pyrad: {error}") from error
    dictionary = Dictionary(str(DICTIONARY / "dictionary.rfc2865"), str(DICTIONARY / "dictionary.rfc2869"))
    grant = [(name, str(value) if isinstance(value, IPv4Address) else value) for name, value in messages.grant]

    def work() -> None:
        request = AuthPacket(packet=messages.access, secret=SECRET, dict=dictionary)
        if not request.verify_message_authenticator():
            raise AssertionError("pyrad refused the request")
        reply = request.CreateReply()
        for name, value in grant:
            reply.AddAttribute(name, value)
        reply.add_message_authenticator()
        reply.ReplyPacket()
    return work


def scapy_work(messages: Messages) -> Callable[[], None]:
    """Decode and verify a Registration Request, build and sign the reply: scapy's fixed parts, hmac for the digests."""
    try:
        from scapy.layers.mobileip import MobileIP, MobileIPRRP, MobileIPRRQ
    except ImportError as error:
        raise Unavailable(f"scapy: {error}") from error
    tail = messages.answer().encode(KEY)[20:-16]

    def work() -> None:
        request = MobileIP(messages.request)
        if not hmac.compare_digest(hmac.new(KEY, messages.request[:-16], md5).digest(), messages.request[-16:]):
            raise AssertionError("the request does not verify")
        reply = MobileIP() / MobileIPRRP(lifetime=1800, homeaddr="192.0.2.25", haaddr="203.0.113.10",
                                         id=request[MobileIPRRQ].id)
        signed = bytes(reply) + tail
        hmac.new(KEY, signed, md5).digest()
    return work


def measure(plan: Plan, name: str, ask: float, *, ours: Callable[[], Any], theirs: Callable[[], Any], reference: str,
            messages: int = 1) -> Row:
    seconds = plan.seconds / 4
    runs = interleave({"ours": lambda: rate(ours, messages, seconds), "theirs": lambda: rate(theirs, 1, seconds)},
                      plan.rounds)
    return compare(name, runs["ours"], runs["theirs"], unit="exchanges/s", reference=reference, ask=ask)


def figures(plan: Plan | None = None) -> list[dict[str, Any]]:
    """An exchange is a request decoded and verified and its answer encoded and signed, on one core."""
    plan, messages = plan or Plan(), Messages()
    rows: list[Row] = []
    if plan.wants(*NAMES[:2]):
        pyrad = pyrad_work(messages)
        rows += [measure(plan, NAMES[0], 100, ours=messages.batch(), theirs=pyrad, reference="pyrad", messages=BATCH),
                 measure(plan, NAMES[1], 15, ours=messages.single_radius, theirs=pyrad, reference="pyrad")]
    if plan.wants(NAMES[2]):
        rows.append(measure(plan, NAMES[2], 50, ours=messages.single_registration, theirs=scapy_work(messages),
                            reference="scapy + hmac"))
    return [row.as_dict() for row in rows]


def test_batch(benchmark: Any) -> None:
    benchmark(Messages().batch())


def test_single_radius(benchmark: Any) -> None:
    benchmark(Messages().single_radius)


def test_single_registration(benchmark: Any) -> None:
    benchmark(Messages().single_registration)
