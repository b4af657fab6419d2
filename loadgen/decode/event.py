"""What is said of one message of a capture."""
from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import msgspec

from fastcodec import AuthenticationError

Address = IPv4Address | IPv6Address


class Event(msgspec.Struct):
    """A message, or a frame that holds none that is known (then `message` is None and `note` says what it is).

    `authentic` is None when it could not be told, and `why` says why; when it is False `faults` say so.
    """

    number: int                          # of the frame, from 1
    time_ns: int                         # since 1970
    length: int                          # octets of the message
    protocol: str = ""                   # mip4, radius, mip6, pana, eap; "": none of them
    layers: tuple[str, ...] = ()         # tunnels around it, outermost first
    source: Address | None = None
    destination: Address | None = None
    source_port: int = 0
    destination_port: int = 0
    message: Any = None
    nai: str | None = None
    authentic: bool | None = None
    why: str = ""
    faults: list[str] = msgspec.field(default_factory=list)
    note: str = ""
    answers: int | None = None           # the frame of the request that this answers
    latency_ns: int | None = None        # since that request was first sent
    repeats: int | None = None           # the frame that this is a retransmission of

    @property
    def ends(self) -> tuple[Any, ...]:
        """Source and destination as an exchange names them."""
        return self.source, self.source_port, self.destination, self.destination_port

    @property
    def far_ends(self) -> tuple[Any, ...]:
        """The same, seen from the other side: a reply's `far_ends` are its request's `ends`."""
        return self.destination, self.destination_port, self.source, self.source_port


def judge(event: Event, verify: Callable[[], object]) -> None:
    """What a verifying function says becomes the event's verdict."""
    try:
        verify()
        event.authentic = True
    except AuthenticationError as error:
        event.authentic = False
        event.faults.append(str(error))
