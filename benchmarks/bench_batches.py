"""Whole batches: the line rate of 10 GbE in Registration Requests, RADIUS exchanges against pyrad."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import numpy as np

import fastcodec as fc
from fastcodec.digest import PreparedKeys, hmac_md5_batch, use_width, width, widths

from .bench_codec import DICTIONARY, HOME_ADDRESS, HOME_AGENT, KEY, NAI, SECRET, SPI, rate
from .rounds import Plan, Row, Run, Unavailable, compare, interleave, meets, quartiles

NAMES = ("codec.line_rate", "codec.line_rate_vs_digest", "codec.batch_radius_vs_pyrad")
BATCH = 2048
REQUEST_OCTETS, ACCESS_OCTETS, ATTRIBUTES = 180, 260, 12
LINE_RATE = 5.1e6             # requests of 180 octets a second on 10 GbE
AVX2 = 32
NAMED = {1: "scalar", 16: "SSE2", 32: "AVX2", 64: "AVX-512"}


def machine() -> str:
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return f"{found[1] if found else 'unknown CPU'}, {width() // 4 or 1} lanes ({NAMED[width()]})"


# ---- line rate -------------------------------------------------------------------------------------------------------

class Requests:
    """Registration Requests of 180 octets from as many nodes, each with its key; `mixed`: their extensions lie differently."""

    def __init__(self, mixed: bool) -> None:
        names = [f"{'m' * (1 + k % 24) if mixed else 'mn'}{k:04}@home.example" for k in range(BATCH)]
        octets = [self.request(name) for name in names]
        self.rows = np.frombuffer(b"".join(octets), np.uint8).reshape(BATCH, REQUEST_OCTETS).copy()
        self.lengths, self.which = np.full(BATCH, REQUEST_OCTETS, np.uint32), np.arange(BATCH, dtype=np.uint32)
        raw = [KEY[k % 16:] + KEY[:k % 16] for k in range(BATCH)]
        self.keys = fc.SecretArray(raw)
        self.prepared = PreparedKeys("md5", np.frombuffer(b"".join(raw), np.uint8).reshape(BATCH, 16), np.full(BATCH, 16, np.uint32))
        self.digests, self.covered = np.zeros((BATCH, 16), np.uint8), np.full(BATCH, REQUEST_OCTETS - 16, np.uint32)
        hmac_md5_batch(self.prepared, self.rows, self.covered, self.digests)
        self.rows[:, -16:] = self.digests
        self.check(names)

    @staticmethod
    def request(name: str) -> bytes:
        def made(rest: int) -> bytes:
            return fc.RegistrationRequest(0x22, 1800, IPv4Address(0), HOME_AGENT, IPv4Address("198.51.100.77"), 2**63, [
                fc.Nai(name), fc.NonceRequest(0x1001), fc.VendorExtension(32473, 200, bytes(rest)),
                fc.GeneralizedAuthentication(SPI)]).encode(KEY)
        return made(REQUEST_OCTETS - len(made(0)))

    def check(self, names: list[str]) -> None:
        """All are right, each bears its name, and each wrong digest is seen."""
        batch = self.batch()
        for row in (0, 1, BATCH - 1):
            at, size = batch.offset("nai")[row], batch.size("nai")[row]
            if self.rows[row, at:at + size].tobytes() != names[row].encode():
                raise AssertionError(f"row {row} has another name")
        if batch.status.any():
            raise AssertionError("a good request was refused")
        self.rows[::3, -1] ^= 1
        if not (self.batch().status.astype(bool) == (self.which % 3 == 0)).all():
            raise AssertionError("a wrong digest passed, or a right one did not")
        self.rows[::3, -1] ^= 1

    def batch(self) -> fc.RegistrationBatch:
        batch = fc.RegistrationBatch(self.rows, self.lengths, 1)
        batch.walk()
        batch.verify(self.keys, self.which, "mn_aaa")
        return batch

    def digest(self) -> None:
        hmac_md5_batch(self.prepared, self.rows, self.covered, self.digests)


def line_rate(plan: Plan) -> list[Row]:
    alike, mixed, seconds = Requests(False), Requests(True), plan.seconds / 4
    runs = interleave({"ours": lambda: rate(alike.batch, BATCH, seconds), "digest": lambda: rate(alike.digest, BATCH, seconds),
                       "mixed": lambda: rate(mixed.batch, BATCH, seconds)}, plan.rounds)
    against = compare(NAMES[1], runs["ours"], runs["digest"], unit="requests/s", reference="the bare digest engine", ask=0.6)
    apart = compare("", runs["mixed"], runs["digest"], unit="", reference="", ask=0.6)
    against.notes.append(f"names of 24 lengths mixed, so that no row is laid out as the one before: {apart.ratio:.2f}")
    rates = [run.value for run in runs["ours"]]
    low, middle, high = quartiles([r / LINE_RATE for r in rates])
    row = Row(NAMES[0], quartiles(rates)[1], "requests/s", "10 GbE", LINE_RATE, middle, 1.0,
              width() < AVX2 or meets(middle, ">=", 1.0), [r / LINE_RATE for r in rates], quartiles=(low, high))
    row.notes += [machine(), *narrower(alike, seconds)]
    return [row, against]


def narrower(requests: Requests, seconds: float) -> list[str]:
    """What the machine would do with AVX2 alone."""
    chosen = width()
    if AVX2 not in widths() or chosen <= AVX2:
        return []
    try:
        use_width(AVX2)
        return [f"with AVX2 alone: {rate(requests.batch, BATCH, seconds).value / 1e6:.1f} M/s"]
    finally:
        use_width(chosen)


# ---- RADIUS ----------------------------------------------------------------------------------------------------------

GRANT: list[tuple[str, Any]] = [
    ("Framed-IP-Address", HOME_ADDRESS), ("Session-Timeout", 7200), ("Class", KEY), ("Acct-Interim-Interval", 600),
    ("Service-Type", 2), ("Reply-Message", "welcome"), ("Idle-Timeout", 300), ("Framed-MTU", 1400), ("Filter-Id", "nodes"),
    ("Framed-Compression", 0), ("Termination-Action", 0)]       # and the Message-Authenticator


def access_request() -> bytes:
    def made(rest: int) -> bytes:
        return fc.RadiusPacket(1, 7, bytes(range(16)), [
            ("User-Name", NAI), ("NAS-IP-Address", HOME_AGENT), ("NAS-Identifier", "fha"), ("Service-Type", 2), ("NAS-Port", 1),
            ("NAS-Port-Type", 5), ("Calling-Station-Id", "198.51.100.77"), ("Called-Station-Id", "203.0.113.10"),
            ("Framed-MTU", 1400), ("Acct-Session-Id", "00000001"), ("Class", bytes(rest))]).encode(SECRET)
    return made(ACCESS_OCTETS - len(made(1)) + 1)


def radius_batch(request: bytes) -> Callable[[], fc.RadiusBatch]:
    """Requests walked and verified; accepts from a template, the columns filled, signed as answers."""
    rows, lengths = np.tile(np.frombuffer(request, np.uint8), (BATCH, 1)), np.full(BATCH, len(request), np.uint32)
    rows[:, 1] = np.arange(BATCH) % 256
    secrets, which = fc.SecretArray([SECRET]), np.zeros(BATCH, np.uint32)
    signed = fc.RadiusBatch(rows, lengths)
    signed.walk()
    signed.sign(secrets, which)
    accept, addresses = fc.RadiusPacket(2, 0, bytes(16), [("Message-Authenticator", bytes(16)), *GRANT]), np.arange(BATCH, dtype=np.uint32)

    def work() -> fc.RadiusBatch:
        requests = fc.RadiusBatch(rows, lengths)
        requests.walk()
        if requests.verify(secrets, which).any():
            raise AssertionError("a good request was refused")
        answers = fc.RadiusBatch.from_template(accept, BATCH)
        answers.header["identifier"] = requests.header["identifier"]
        answers.put("Framed-IP-Address", addresses)
        answers.sign(secrets, which, rows[:, 4:20])
        return answers
    check_accepts(work(), rows)
    return work


def check_accepts(answers: fc.RadiusBatch, rows: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
    """As the answers of single packets would be checked, by the single packets' own code."""
    for row in (0, 1, 257, BATCH - 1):
        answer = fc.RadiusPacket.decode(answers.datagram(row), SECRET, rows[row].tobytes())
        if int(answer.attributes["Framed-IP-Address"]) != row or len(answer.attributes) != ATTRIBUTES:
            raise AssertionError(f"answer {row} holds {answer}")


def pyrad_exchange(request: bytes) -> Callable[[], None]:
    try:
        from pyrad.dictionary import Dictionary
        from pyrad.packet import AuthPacket
    except ImportError as error:
        raise Unavailable(f"pyrad: {error}") from error
    dictionary = Dictionary(*(str(DICTIONARY / f"dictionary.{name}") for name in ("rfc2865", "rfc2866", "rfc2869")))
    grant = [(name, str(value) if isinstance(value, IPv4Address) else value) for name, value in GRANT]

    def work() -> None:
        packet = AuthPacket(packet=request, secret=SECRET, dict=dictionary)
        if not packet.verify_message_authenticator():
            raise AssertionError("pyrad refused the request")
        reply = packet.CreateReply()
        for name, value in grant:
            reply.AddAttribute(name, value)
        reply.add_message_authenticator()
        reply.ReplyPacket()
    return work


def radius(plan: Plan) -> Row:
    request = access_request()
    if len(request) != ACCESS_OCTETS or len(fc.RadiusPacket.decode(request).attributes) != ATTRIBUTES:
        raise AssertionError("the request is not of 260 octets and 12 attributes")
    ours, theirs, seconds = radius_batch(request), pyrad_exchange(request), plan.seconds / 4

    def measured(work: Callable[[], Any], messages: int) -> Callable[[], Run]:
        return lambda: rate(work, messages, seconds)
    runs = interleave({"ours": measured(ours, BATCH), "theirs": measured(theirs, 1)}, plan.rounds)
    return compare(NAMES[2], runs["ours"], runs["theirs"], unit="exchanges/s", reference="pyrad", ask=100)


def figures(plan: Plan | None = None) -> list[dict[str, Any]]:
    plan = plan or Plan()
    rows = line_rate(plan) if plan.wants(*NAMES[:2]) else []
    if plan.wants(NAMES[2]):
        rows.append(radius(plan))
    return [row.as_dict() for row in rows]
