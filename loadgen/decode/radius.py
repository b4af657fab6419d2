"""RADIUS in a capture: typed, matched by Identifier (RFC 2865 3), authenticated by the client's secret."""
from __future__ import annotations

from typing import Any

from fastcodec import Attributes, DecodeError, RadiusPacket, Revealed, Secret, verify_request, verify_response
from fastcodec.headers import Location
from fastcodec.hidden import RevealedText
from loadgen.decode.access import look_inside
from loadgen.decode.event import Event, judge
from loadgen.decode.exchanges import Exchanges
from loadgen.decode.keys import Keys

HEADER = 20                                      # octets: code, identifier, length, authenticator; all that an answer is checked with
REQUESTS = frozenset({1, 4, 12, 40, 43})         # codes that are answered: RFC 2865, 2866, 5997, 5176
BY_MESSAGE_AUTHENTICATOR = frozenset({1, 12})    # their authenticator is random, RFC 2865 3, RFC 5997 3


def read_radius(event: Event, octets: bytes, keys: Keys, exchanges: Exchanges, at: Location | None = None) -> None:
    """Fills in the event; `octets` is the payload of the datagram."""
    event.protocol = "radius"
    try:
        packet = event.message = RadiusPacket.decode(octets)
        name = find(packet, "User-Name")
    except DecodeError as error:
        event.faults.append(str(error))
        return
    event.nai = name if isinstance(name, str) else None
    if find(packet, "EAP-Message") is not None:
        look_inside(event, b"".join(value for name, value in packet.attributes if name == "EAP-Message"))
    key = ("radius", packet.identifier)
    if packet.code in REQUESTS:
        exchanges.request(event, key, packet.authenticator, (octets[:HEADER], event.nai))
        authenticate_request(event, packet, octets, keys)
        return
    request = exchanges.reply(event, key)
    if request is not None:
        event.nai = event.nai or request.message[1]
    authenticate_answer(event, octets, request.message[0] if request else None, keys)


def find(packet: RadiusPacket, name: str) -> Any:
    """The first value of that name."""
    return packet.attributes.get(name) if isinstance(packet.attributes, Attributes) else None


def authenticate_request(event: Event, packet: RadiusPacket, octets: bytes, keys: Keys) -> None:
    """Of an Access-Request or Status-Server only the Message-Authenticator says something."""
    if not keys.networks:
        return
    secret = keys.secret_of(event.source, event.destination)
    if secret is None:
        event.why = "no secret for these addresses"
    elif octets[0] in BY_MESSAGE_AUTHENTICATOR and find(packet, "Message-Authenticator") is None:
        event.why = "no Message-Authenticator"
    else:
        judge(event, lambda: verify_request(octets, secret, require=False))
        reveal(event, octets, secret, None, keys)


def authenticate_answer(event: Event, octets: bytes, request: bytes | None, keys: Keys) -> None:
    if not keys.networks:
        return
    secret = keys.secret_of(event.destination, event.source)
    if request is None:
        event.why = "its request is not in the capture"
    elif secret is None:
        event.why = "no secret for these addresses"
    else:
        judge(event, lambda: verify_response(octets, secret, request, require=False))
        reveal(event, octets, secret, request, keys)


def reveal(event: Event, octets: bytes, secret: Secret, request: bytes | None, keys: Keys) -> None:
    """What hides under the secret, of an authentic packet and only where secrets are wanted."""
    if keys.reveal and event.authentic:
        packet = RadiusPacket.decode(octets, secret, request, require=False)
        event.revealed = [(name, value) for name, value in packet.attributes if isinstance(value, (Revealed, RevealedText))]
