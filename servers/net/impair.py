"""What a bad path does to datagrams: loss, duplication, delay, reordering, truncation, flipped bits. Repeatable."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random


@dataclass(frozen=True)
class Profile:
    """Probabilities are per datagram, 0 to 1; times are ns. Jitter comes on top of the delay, uniform: it reorders."""

    delay_ns: int = 50_000
    jitter_ns: int = 0
    loss: float = 0.0
    duplicate: float = 0.0
    truncate: float = 0.0
    flip: float = 0.0

    def __post_init__(self) -> None:
        if self.delay_ns < 1 or self.jitter_ns < 0:
            raise ValueError("delay_ns must be at least 1 and jitter_ns not negative: nothing arrives when it is sent")
        for name in ("loss", "duplicate", "truncate", "flip"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a probability, 0 to 1")


@dataclass
class Counts:
    """Of one link. `sent` counts datagrams, the rest copies: sent + duplicated = lost + arrived or under way."""

    sent: int = 0
    lost: int = 0
    duplicated: int = 0
    reordered: int = 0
    truncated: int = 0
    flipped: int = 0


@dataclass
class Link:
    """One direction between two sockets, with a random stream of its own."""

    profile: Profile
    random: Random
    counts: Counts = field(default_factory=Counts)
    latest: int = 0

    def carry(self, now_ns: int, data: bytes) -> list[tuple[int, bytes]]:
        """The copies that arrive, each with its time."""
        self.counts.sent += 1
        copies = 1
        if self._happens(self.profile.duplicate):
            self.counts.duplicated += 1
            copies = 2
        return [self._arrival(now_ns, data) for _ in range(copies) if not self._loses()]

    def _arrival(self, now_ns: int, data: bytes) -> tuple[int, bytes]:
        at = now_ns + self.profile.delay_ns
        if self.profile.jitter_ns:
            at += self.random.randrange(self.profile.jitter_ns + 1)
        self.counts.reordered += at < self.latest
        self.latest = max(self.latest, at)
        return at, self._damage(data)

    def _damage(self, data: bytes) -> bytes:
        if data and self._happens(self.profile.truncate):
            self.counts.truncated += 1
            data = data[: self.random.randrange(len(data))]
        if data and self._happens(self.profile.flip):
            self.counts.flipped += 1
            bit = self.random.randrange(8 * len(data))
            damaged = bytearray(data)
            damaged[bit // 8] ^= 1 << bit % 8
            data = bytes(damaged)
        return data

    def _loses(self) -> bool:
        lost = self._happens(self.profile.loss)
        self.counts.lost += lost
        return lost

    def _happens(self, probability: float) -> bool:
        return probability > 0 and self.random.random() < probability
