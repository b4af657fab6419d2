"""What is said of one message of a capture."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import field

from fastcodec import AuthenticationError


class Event(msgspec.Struct):
    """A message, or a frame that holds none that is known (then `message` is None and `note` says what it is).

    `authentic` is None when it could not be told, and `why` says why; when it is False `faults` say so. Addresses are
    text, as canonical as `ipaddress` writes them; those of EAPOL frames are link-layer addresses, `00:00:5e:00:53:01`.
    """

    number: int                          # of the frame, from 1
    time_ns: int                         # since 1970
    length: int                          # octets of the message
    protocol: str = ""                   # mip4, radius, mip6, pana, eap, icmp; "": none of them
    layers: tuple[str, ...] = ()         # tunnels around it, outermost first
    source: str = ""
    destination: str = ""
    source_port: int = 0
    destination_port: int = 0
    message: Any = None
    inside: Any = None                   # the EAP packet that the message carries
    nai: str | None = None
    authentic: bool | None = None
    why: str = ""
    faults: list[str] = field(default_factory=list)      # what is wrong
    remarks: list[str] = field(default_factory=list)     # what is odd, and does no harm
    revealed: list[tuple[str, Any]] = field(default_factory=list)      # hidden attributes, where secrets are wanted
    note: str = ""
    is_part: bool = False                # a fragment, or a frame not captured whole, of what may be a message
    answers: int | None = None           # the frame of the request that this answers
    latency_ns: int | None = None        # since that request was first sent
    repeats: int | None = None           # the frame that this is a retransmission of

    def add_note(self, note: str) -> None:
        self.note = f"{self.note}; {note}" if self.note else note


def judge(event: Event, verify: Callable[[], object]) -> None:
    """What a verifying function says becomes the event's verdict."""
    try:
        verify()
        event.authentic = True
    except AuthenticationError as error:
        event.authentic = False
        event.faults.append(str(error))
