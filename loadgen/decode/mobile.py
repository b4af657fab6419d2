"""Mobile IPv4 in a capture: matched by Identification, authenticated by the node's keys, derived ones included."""
from __future__ import annotations

from typing import Any

from fastcodec import (
    DecodeError,
    Mip4Message,
    MnHaAuthentication,
    NonceReply,
    RegistrationReply,
    RegistrationRequest,
    lint,
)
from fastcodec.headers import Location
from loadgen.decode.event import Event, judge
from loadgen.decode.exchanges import Exchanges
from loadgen.decode.keys import Keys

LOW = 0xffffffff                 # a reply copies the low half of the Identification, RFC 5944 3.4, 5.7


def read_mobile(event: Event, octets: bytes, keys: Keys, exchanges: Exchanges, at: Location | None = None) -> None:
    """Fills in the event; `octets` is the payload of the datagram, or of the ICMP message."""
    event.protocol = "mip4"
    try:
        message = event.message = Mip4Message.decode(octets)
    except DecodeError as error:
        event.faults.append(str(error))
        return
    event.nai = message.nai()
    event.faults.extend(str(finding) for finding in lint(octets))
    match(event, message, octets, exchanges)
    if isinstance(message, RegistrationReply):
        learn(event, message, keys)
    authenticate(event, message, octets, keys)


def match(event: Event, message: Any, octets: bytes, exchanges: Exchanges) -> None:
    """Request and reply; the NAI of the request stands for a reply that names none."""
    if isinstance(message, RegistrationRequest):
        key = ("mip4", message.identification & LOW, *event.ends)
        known = exchanges.request(key, event.number, event.time_ns, octets, event.nai)
        event.repeats = known.number if known else None
    elif isinstance(message, RegistrationReply):
        request = exchanges.reply(("mip4", message.identification & LOW, *event.far_ends), event.time_ns)
        if request is not None:
            event.answers, event.latency_ns = request.number, event.time_ns - request.time_ns
            event.nai = event.nai or request.message


def learn(event: Event, message: RegistrationReply, keys: Keys) -> None:
    """The key that this reply makes, RFC 3957 5, goes by the agent's SPI and by the one that signs this reply."""
    reply = message.find(NonceReply)
    if reply is not None and event.nai is not None:
        signed = [part.spi for part in message.find_all(MnHaAuthentication)]
        keys.learn(event.nai, reply.aaa_spi, reply.nonce, reply.ha_spi, *signed)


def authenticate(event: Event, message: Any, octets: bytes, keys: Keys) -> None:
    """Every authenticator that a key is known for must be right; without any the verdict is open."""
    spis = [part.spi for part in message.parts() if hasattr(part, "authenticator")]
    known = keys.of(event.nai)
    if not spis:
        event.why = "it has no authenticator"
    elif not any(spi in known for spi in spis):
        event.why = "no key for " + " or ".join(f"SPI {spi:#x}" for spi in spis)
    else:
        judge(event, lambda: type(message).decode(octets, known))
