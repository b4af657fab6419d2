"""Mutations of seeds from a seeded source: the short campaign that needs no instrumented build."""
from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from rules import Target

MAGIC = (0, 1, 2, 4, 20, 127, 128, 254, 255)


def flipped(octets: bytearray, source: random.Random) -> None:
    octets[source.randrange(len(octets))] ^= 1 << source.randrange(8)


def replaced(octets: bytearray, source: random.Random) -> None:
    octets[source.randrange(len(octets))] = source.choice(MAGIC)


def cut(octets: bytearray, source: random.Random) -> None:
    at = source.randrange(len(octets))
    del octets[at:at + source.randrange(1, 9)]


def doubled(octets: bytearray, source: random.Random) -> None:
    """A run of octets once more: extensions and attributes twice."""
    at = source.randrange(len(octets))
    octets[at:at] = octets[at:at + source.randrange(1, 40)]


def inserted(octets: bytearray, source: random.Random) -> None:
    at = source.randrange(len(octets) + 1)
    octets[at:at] = source.randbytes(source.randrange(1, 9))


def truncated(octets: bytearray, source: random.Random) -> None:
    del octets[source.randrange(len(octets)):]


WAYS: tuple[Callable[[bytearray, random.Random], None], ...] = (flipped, replaced, cut, doubled, inserted, truncated)


def mutations(target: Target, seeds: list[bytes], count: int, seed: int) -> Iterator[bytes]:
    """`count` inputs: every seed itself, then seeds changed in one to four places, half of them mended as the target says."""
    source = random.Random(seed)
    yield from seeds[:count]
    for _ in range(max(0, count - len(seeds))):
        octets = source.choice(seeds)
        octets = changed(octets, source) if target.vary is None else target.vary(octets, source.getrandbits(64))
        yield (target.mend(octets) if source.random() < 0.5 else octets)[:target.longest]


def changed(octets: bytes, source: random.Random) -> bytes:
    out = bytearray(octets)
    for _ in range(source.randrange(1, 5)):
        if out:
            source.choice(WAYS)(out, source)
    return bytes(out)
