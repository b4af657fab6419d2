"""Mobile IPv6 in a capture: matched by sequence number, authenticated by RFC 4285 where keys are known."""
from __future__ import annotations

from fastcodec import BindingAcknowledgement, BindingUpdate, DecodeError, MobilityMessage
from fastcodec.headers import Location
from fastcodec.mobility_options import AuthenticationOption
from loadgen.decode.event import Event, judge
from loadgen.decode.exchanges import Exchanges
from loadgen.decode.keys import Keys


def read_mobility(event: Event, octets: bytes, keys: Keys, exchanges: Exchanges, at: Location | None = None) -> None:
    """Fills in the event. Ends are the home address, where a header names it, and the other end (RFC 6275 6.1.1)."""
    event.protocol = "mip6"
    try:
        message = event.message = MobilityMessage.decode(octets)
    except DecodeError as error:
        event.faults.append(str(error))
        return
    event.nai = message.nai()
    if isinstance(message, BindingUpdate):
        known = exchanges.request(("mip6", message.sequence, *event.ends), event.number, event.time_ns, octets,
                                  event.nai)
        event.repeats = known.number if known else None
    elif isinstance(message, BindingAcknowledgement):
        request = exchanges.reply(("mip6", message.sequence, *event.far_ends), event.time_ns)
        if request is not None:
            event.answers, event.latency_ns = request.number, event.time_ns - request.time_ns
            event.nai = event.nai or request.message
    if at is None:
        event.why = "without the packet around it there is nothing to check"
    else:
        authenticate(event, message, octets, at, keys)


def authenticate(event: Event, message: MobilityMessage, octets: bytes, at: Location, keys: Keys) -> None:
    spis = [option.spi for option in message.find_all(AuthenticationOption)]
    known = keys.of(event.nai)
    if not spis:
        event.why = "it has no authenticator"
    elif not any(spi in known for spi in spis):
        event.why = "no key for " + " or ".join(f"SPI {spi:#x}" for spi in spis)
    else:
        care_of = at.receiver if isinstance(message, BindingAcknowledgement) else at.sender
        judge(event, lambda: MobilityMessage.decode(octets, known, source=at.source, destination=at.destination,
                                                    care_of_address=care_of))
