"""Mobile IPv6 in a capture: matched by sequence number or cookie, authenticated by RFC 4285 where keys are known."""
from __future__ import annotations

from typing import Any

from fastcodec import (
    BindingAcknowledgement,
    BindingUpdate,
    CareOfTest,
    CareOfTestInit,
    DecodeError,
    HomeTest,
    HomeTestInit,
    MobilityMessage,
)
from fastcodec.headers import Location
from fastcodec.mobility_options import AuthenticationOption
from loadgen.decode.event import Event, judge
from loadgen.decode.exchanges import Exchanges
from loadgen.decode.keys import Keys

REQUESTS = (BindingUpdate, HomeTestInit, CareOfTestInit)


def read_mobility(event: Event, octets: bytes, keys: Keys, exchanges: Exchanges, at: Location | None = None) -> None:
    """Fills in the event. Ends are the home address, where a header names it, and the other end (RFC 6275 6.1.1)."""
    event.protocol = "mip6"
    try:
        message = event.message = MobilityMessage.decode(octets)
    except DecodeError as error:
        event.faults.append(str(error))
        return
    event.nai = message.nai()
    if at is not None and (at.source, at.destination) != (at.sender, at.receiver):
        event.add_note(f"care-of address {at.sender if at.source != at.sender else at.receiver}")
    match(event, message, octets, exchanges)
    if at is None:
        event.why = "without the packet around it there is nothing to check"
    elif keys.any_of_nodes:
        authenticate(event, message, octets, at, keys)


def match(event: Event, message: Any, octets: bytes, exchanges: Exchanges) -> None:
    key = key_of(message)
    if isinstance(message, REQUESTS):
        exchanges.request(event, key, hash(octets), event.nai)
    elif key and (request := exchanges.reply(event, key)):
        event.nai = event.nai or request.message


def key_of(message: Any) -> tuple[Any, ...]:
    """What request and reply share, RFC 6275 6.1.5, 6.1.6, 6.1.8; nothing: it has no counterpart."""
    if isinstance(message, (BindingUpdate, BindingAcknowledgement)):
        return "binding", message.sequence
    if isinstance(message, (HomeTestInit, HomeTest)):
        return "home test", message.cookie
    return ("care-of test", message.cookie) if isinstance(message, (CareOfTestInit, CareOfTest)) else ()


def authenticate(event: Event, message: MobilityMessage, octets: bytes, at: Location, keys: Keys) -> None:
    spis = [option.spi for option in message.find_all(AuthenticationOption)]
    known = keys.of(event.nai)
    if not spis:
        event.why = "it has no authenticator"
    elif not any(spi in known for spi in spis):
        event.why = "no key for " + " or ".join(f"SPI {spi:#x}" for spi in spis)
    else:
        care_of = at.receiver if isinstance(message, BindingAcknowledgement) else at.sender
        judge(event, lambda: MobilityMessage.decode(octets, known, source=at.source, destination=at.destination,  # type: ignore[arg-type]
                                                    care_of_address=care_of))                                    # type: ignore[arg-type]
