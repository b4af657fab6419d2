"""`make timing`: verification takes as long wherever a digest differs (Welch's t-test, after dudect, Reparaz et al. 2017).

    python -m benchmarks.timing [--samples N] [--only PATTERN]

A digest is wrong in its first octet, or in its last; which of them is drawn anew for every sample, so that whatever the machine
does meanwhile falls on both. Both octets are written each time, by the same instructions on the same memory: a copy from two
prepared arrays was seen as 10 ns, a branch on which it is as 2 ns. Samples above the 90th percentile of both together are left
out: they tell of interrupts. |t| < 4.5 passes. The last row is a comparison that stops at the first difference: the method must
see it.

Exit code 0: all pass; 4: a verification leaks; 1: the method did not see the leak that is there.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from ipaddress import IPv4Address
from time import perf_counter_ns
from typing import Any

import numpy as np

import fastcodec as fc

LIMIT, KEPT, WARM_UP = 4.5, 0.90, 2000
KEY, SECRET = fc.Secret(bytes(range(16))), fc.Secret(b"a shared secret of 26 octets")
REQUEST_AUTHENTICATOR = bytes(range(16))
ROWS = 64
ADDRESS = IPv4Address("192.0.2.25")


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


def access_request() -> tuple[bytes, slice]:
    """With a Message-Authenticator, the first attribute."""
    packet = fc.RadiusPacket(1, 7, REQUEST_AUTHENTICATOR, [("User-Name", "mn0001@home.example"), ("NAS-Identifier", "fha")])
    return packet.encode(SECRET), slice(22, 38)


def access_accept() -> tuple[bytes, slice]:
    request = fc.RadiusPacket(1, 7, REQUEST_AUTHENTICATOR)
    return fc.RadiusPacket(2, 7, b"", [("Session-Timeout", 7200), ("Class", bytes(16))]).encode(SECRET, request), slice(4, 20)


def registration(authenticator: fc.Extension) -> tuple[bytes, slice]:
    octets = fc.RegistrationRequest(0x22, 1800, ADDRESS, ADDRESS, ADDRESS, 2**63, [
        fc.Nai("mn0001@home.example"), authenticator]).encode(KEY)
    return octets, slice(len(octets) - 16, len(octets))


def singles() -> Iterator[Subject]:
    yield single("Message-Authenticator", *access_request(), lambda octets: fc.verify_request(octets, SECRET))
    yield single("Response Authenticator", *access_accept(),
                 lambda octets: fc.verify_response(octets, SECRET, REQUEST_AUTHENTICATOR))
    yield single("MN-HA", *registration(fc.MnHaAuthentication(0x1001)), lambda octets: fc.verify_mn_ha(octets, KEY))
    yield single("MN-AAA", *registration(fc.GeneralizedAuthentication(0x200)), lambda octets: fc.verify_mn_aaa(octets, KEY))


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
    keys, secrets = fc.SecretArray([KEY]), fc.SecretArray([SECRET])
    for authenticator, extension in (("mn_ha", fc.MnHaAuthentication(0x1001)), ("mn_aaa", fc.GeneralizedAuthentication(0x200))):
        message, place = registration(extension)
        batch = fc.RegistrationBatch(*rows(message), 1)
        yield many(f"batch of {authenticator.upper().replace('_', '-')}", batch, place,
                   lambda batch=batch, name=authenticator: batch.verify(keys, authenticator=name))
    message, place = access_request()
    requests = fc.RadiusBatch(*rows(message))
    yield many("batch of Message-Authenticators", requests, place, lambda: requests.verify(secrets))
    message, place = access_accept()
    answers, asked = fc.RadiusBatch(*rows(message)), np.tile(np.frombuffer(REQUEST_AUTHENTICATOR, np.uint8), (ROWS, 1))
    yield many("batch of Response Authenticators", answers, place, lambda: answers.verify(secrets, requests=asked))


def leaky() -> Subject:
    """What must not be: the first difference ends the comparison."""
    octets, right = np.frombuffer(bytearray(16), np.uint8), bytes(16)

    def work() -> None:
        for a, b in zip(bytes(octets), right, strict=True):
            if a != b:
                return
    return Subject("control: stops at the first difference", octets[np.newaxis], slice(0, 16), work)


def sample(subject: Subject, count: int) -> tuple[np.ndarray[Any, np.dtype[np.int64]], np.ndarray[Any, np.dtype[np.bool_]]]:
    """Nanoseconds of each verification, and whether it was the last octet that was wrong."""
    taken = np.zeros(count, np.int64)
    bits = np.random.default_rng(1).integers(0, 2, count, np.uint8)
    others = 1 - bits
    first, last = subject.octets[:, subject.place.start], subject.octets[:, subject.place.stop - 1]
    right = first.copy(), last.copy()
    for k in [*range(min(WARM_UP, count)), *range(count)]:
        np.bitwise_xor(right[0], others[k:k + 1], out=first)
        np.bitwise_xor(right[1], bits[k:k + 1], out=last)
        subject.prepare()
        start = perf_counter_ns()
        subject.verify()
        taken[k] = perf_counter_ns() - start
    return taken, bits == 1


def welch(taken: np.ndarray[Any, Any], which: np.ndarray[Any, Any]) -> float:
    """Welch's t of both classes, without what is above the percentile KEPT of both together."""
    kept = taken <= np.quantile(taken, KEPT)
    one, other = taken[kept & ~which].astype(float), taken[kept & which].astype(float)
    spread = one.var(ddof=1) / len(one) + other.var(ddof=1) / len(other)
    return float((one.mean() - other.mean()) / np.sqrt(spread)) if spread else 0.0


def measure(subject: Subject, samples: int) -> float:
    """t of a subject; the collector of garbage stands still meanwhile. Prints its row."""
    gc.collect()
    gc.disable()
    try:
        taken, which = sample(subject, samples)
    finally:
        gc.enable()
    t = welch(taken, which)
    print(f"{subject.name:40} {samples:>9,} {np.median(taken):>9,.0f} {t:>+8.2f}   {'differs' if abs(t) >= LIMIT else 'ok'}", flush=True)
    return t


def main(given: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.timing", description="Whether verification is of constant time.")
    parser.add_argument("--samples", type=int, default=100_000, metavar="N", help="of each verification (default 100 000)")
    parser.add_argument("--only", default="*", metavar="PATTERN", help="names, as a shell pattern: 'batch*'")
    options = parser.parse_args(given)
    if options.samples < 1000:
        parser.error("--samples: at least 1000")
    print(f"{'verification':40} {'samples':>9} {'ns':>9} {'t':>8}   |t| < {LIMIT}")
    found = [measure(subject, options.samples) for subject in (*singles(), *batches()) if fnmatch(subject.name, options.only)]
    seen = abs(measure(leaky(), options.samples)) >= LIMIT
    return 4 if any(abs(t) >= LIMIT for t in found) else 0 if seen else 1


if __name__ == "__main__":
    sys.exit(main())
