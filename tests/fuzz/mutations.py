"""Mutations of seeds from a seeded source: the short campaign that needs no instrumented build."""
from __future__ import annotations

import random
from collections.abc import Callable, Iterator

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


def lengths_mended(octets: bytearray) -> None:
    """RADIUS, EAP and PANA say their length in octets 2 and 3: without this hardly a mutation gets past it."""
    if len(octets) >= 4:
        octets[2:4] = min(len(octets), 0xffff).to_bytes(2, "big")


def mutations(seeds: list[bytes], count: int, seed: int, longest: int) -> Iterator[bytes]:
    """`count` inputs: every seed itself, then seeds changed in one to four places."""
    source = random.Random(seed)
    yield from seeds[:count]
    for _ in range(max(0, count - len(seeds))):
        octets = bytearray(source.choice(seeds))
        for _ in range(source.randrange(1, 5)):
            if octets:
                source.choice(WAYS)(octets, source)
        if source.random() < 0.5:
            lengths_mended(octets)
        yield bytes(octets[:longest])
