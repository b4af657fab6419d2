"""RADIUS in a capture: typed, matched by Identifier (RFC 2865 3), authenticated by the client's secret."""
from __future__ import annotations

from fastcodec import DecodeError, RadiusPacket, verify_request, verify_response
from fastcodec.headers import Location
from loadgen.decode.event import Event, judge
from loadgen.decode.exchanges import Exchanges
from loadgen.decode.keys import Keys

REQUESTS = frozenset({1, 4, 12, 13, 40, 43})     # codes that are answered
BY_MESSAGE_AUTHENTICATOR = frozenset({1, 12})    # their authenticator is random, RFC 2865 3, RFC 5997 3


def read_radius(event: Event, octets: bytes, keys: Keys, exchanges: Exchanges, at: Location | None = None) -> None:
    """Fills in the event; `octets` is the payload of the datagram."""
    event.protocol = "radius"
    try:
        packet = event.message = RadiusPacket.decode(octets)
        names = [name for name, _ in packet.attributes]
    except DecodeError as error:
        event.faults.append(str(error))
        return
    name = packet.attributes.get("User-Name")
    event.nai = name if isinstance(name, str) else None
    if packet.code in REQUESTS:
        known = exchanges.request(("radius", packet.identifier, *event.ends), event.number, event.time_ns,
                                  packet.authenticator, octets)
        event.repeats = known.number if known else None
        authenticate_request(event, octets, names, keys)
        return
    request = exchanges.reply(("radius", packet.identifier, *event.far_ends), event.time_ns)
    if request is not None:
        event.answers, event.latency_ns = request.number, event.time_ns - request.time_ns
    authenticate_answer(event, octets, request.message if request else None, keys)


def authenticate_request(event: Event, octets: bytes, names: list[str], keys: Keys) -> None:
    """Of an Access-Request or Status-Server only the Message-Authenticator says something."""
    secret = keys.secret_of(event.source, event.destination)
    if secret is None:
        event.why = "no secret for these addresses"
    elif octets[0] in BY_MESSAGE_AUTHENTICATOR and "Message-Authenticator" not in names:
        event.why = "no Message-Authenticator"
    else:
        judge(event, lambda: verify_request(octets, secret, require=False))


def authenticate_answer(event: Event, octets: bytes, request: bytes | None, keys: Keys) -> None:
    secret = keys.secret_of(event.destination, event.source)
    if request is None:
        event.why = "its request is not in the capture"
    elif secret is None:
        event.why = "no secret for these addresses"
    else:
        judge(event, lambda: verify_response(octets, secret, request, require=False))
