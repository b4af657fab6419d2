"""Mobile IPv4 in a capture: matched by Identification, authenticated by the node's keys, derived ones included."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastcodec import (
    DecodeError,
    GenericNotification,
    Mip4Message,
    MnHaAuthentication,
    NonceReply,
    NotificationAcknowledgment,
    RegistrationReply,
    RegistrationRequest,
    RegistrationRevocation,
    RevocationAcknowledgment,
)
from fastcodec.headers import Location
from loadgen.decode.event import Event, judge
from loadgen.decode.exchanges import Exchanges
from loadgen.decode.findings import add_findings
from loadgen.decode.keys import Keys

LOW = 0xffffffff                 # a reply copies the low half of the Identification, RFC 5944 3.4, 5.7; RFC 6098 4.2


def read_mobile(event: Event, octets: bytes, keys: Keys, exchanges: Exchanges, at: Location | None = None) -> None:
    """Fills in the event; `octets` is the payload of the datagram."""
    event.protocol = "mip4"
    try:
        message = event.message = Mip4Message.decode(octets)
    except DecodeError as error:
        event.faults.append(str(error))
        return
    add_findings(event, octets)
    if type(message) not in KINDS:               # tunnel data
        return
    event.nai = message.nai()
    match(event, message, octets, exchanges)
    if isinstance(message, RegistrationReply):
        learn(event, message, keys)
    authenticate(event, message, octets, keys)


def match(event: Event, message: Any, octets: bytes, exchanges: Exchanges) -> None:
    """Request and reply; the NAI of the request stands for a reply that names none."""
    is_request, key_of = KINDS[type(message)]
    if is_request:
        exchanges.request(event, key_of(message), hash(octets), event.nai)
    elif request := exchanges.reply(event, key_of(message)):
        event.nai = event.nai or request.message


def registration_key(message: Any) -> tuple[Any, ...]:
    return "registration", message.identification & LOW


def revocation_key(message: Any) -> tuple[Any, ...]:
    return "revocation", message.revocation_identifier, int(message.home_address)


def notification_key(message: Any) -> tuple[Any, ...]:
    return "notification", message.identification & LOW


#   whether it is a request, and what request and reply share: RFC 5944 3.4, RFC 3543 3.4, RFC 6098 4.2
KINDS: dict[type[Any], tuple[bool, Callable[[Any], tuple[Any, ...]]]] = {
    RegistrationRequest: (True, registration_key), RegistrationReply: (False, registration_key),
    RegistrationRevocation: (True, revocation_key), RevocationAcknowledgment: (False, revocation_key),
    GenericNotification: (True, notification_key), NotificationAcknowledgment: (False, notification_key)}


def learn(event: Event, message: RegistrationReply, keys: Keys) -> None:
    """The key that this reply makes, RFC 3957 5, goes by the agent's SPI and by the one that signs this reply."""
    if event.nai is None or not keys.any_of_nodes:
        return
    reply = message.find(NonceReply)
    if reply is not None:
        signed = [part.spi for part in message.find_all(MnHaAuthentication)]
        keys.learn(event.nai, reply.aaa_spi, reply.nonce, reply.ha_spi, *signed)


def authenticate(event: Event, message: Any, octets: bytes, keys: Keys) -> None:
    """Every authenticator that a key is known for must be right; without any the verdict is open."""
    if not keys.any_of_nodes:
        return
    spis = [part.spi for part in message.extensions if hasattr(part, "authenticator")]
    known = keys.of(event.nai)
    if not spis:
        event.why = "it has no authenticator"
    elif not any(spi in known for spi in spis):
        event.why = "no key for " + " or ".join(f"SPI {spi:#x}" for spi in spis)
    else:
        judge(event, lambda: type(message).decode(octets, known))
