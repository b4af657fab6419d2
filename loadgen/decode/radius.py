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
#   codes that are answered, and what answers them: RFC 2865 4, RFC 2866 4, RFC 5997 3, RFC 5176 2; Protocol-Error answers all
ANSWERS = {1: {2, 3, 11, 52}, 4: {5, 52}, 12: {2, 3, 5, 52}, 40: {41, 42, 52}, 43: {44, 45, 52}}
CODES = frozenset().union(ANSWERS, *ANSWERS.values())
ACCOUNTING, STATUS_SERVER = 4, 12
PROXY_STATE = 33
EAP = "EAP-Message"
MARKS = frozenset({EAP, "Message-Authenticator", "Attr-80"})       # the last: an empty Message-Authenticator
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
    marks = [pair for pair in packet.attributes if pair[0] in MARKS]
    eap = [value for name, value in marks if name == EAP]
    signatures = [value for name, value in marks if name != EAP]
    if eap:
        read_inside(event, b"".join(eap))
    is_right = check_rules(event, packet.code, bool(eap), signatures)
    key = ("radius", packet.identifier)
    if packet.code in ANSWERS:
        exchanges.request(event, key, packet.authenticator, (octets[:HEADER], event.nai))
        if is_right:
            authenticate_request(event, octets, bool(signatures), keys)
    elif packet.code in CODES:
        request = exchanges.reply(event, key)
        if request is not None:
            event.nai = event.nai or request.message[1]
            is_right &= check_kind(event, packet.code, request.message[0][0])
        if is_right:
            authenticate_answer(event, octets, request.message[0] if request else None, keys)
    else:
        event.remarks.append(f"code {packet.code} is no request and no answer (RFC 2865 3)")
    if not is_right and keys.networks:
        event.authentic = False


def read_inside(event: Event, octets: bytes) -> None:
    """The EAP packet that a RADIUS packet carries; none is EAP-Start, RFC 3579 2.1."""
    if octets:
        look_inside(event, octets)
    else:
        event.add_note("EAP-Start")


def check_rules(event: Event, code: int, has_eap: bool, signatures: list[bytes]) -> bool:
    """Whether its Message-Authenticator is there, and of a shape, as it must be whatever the secret is."""
    what = ""
    if signatures and [len(value) for value in signatures] != [16]:
        what = "Message-Authenticator doubled or not of 16 octets (RFC 3579 3.2)"
    elif has_eap and not signatures and code != ACCOUNTING:
        what = "EAP-Message without Message-Authenticator (RFC 3579 3.1)"
    elif code == STATUS_SERVER and not signatures:
        what = "Status-Server without Message-Authenticator (RFC 5997 3)"
    if what:
        event.faults.append(what)
    return not what


def check_kind(event: Event, code: int, request: int) -> bool:
    if code in ANSWERS[request]:
        return True
    event.faults.append(f"code {code} answers no request of code {request} (RFC 2865 4)")
    return False


def find(packet: RadiusPacket, name: str) -> Any:
    """The first value of that name."""
    return packet.attributes.get(name) if isinstance(packet.attributes, Attributes) else None


def authenticate_request(event: Event, octets: bytes, is_signed: bool, keys: Keys) -> None:
    """Of an Access-Request or Status-Server only the Message-Authenticator says something."""
    if not keys.networks:
        return
    secret = keys.secret_of(event.source, event.destination)
    if secret is None:
        event.why = "no secret for these addresses"
    elif octets[0] in BY_MESSAGE_AUTHENTICATOR and not is_signed:
        event.why = "no Message-Authenticator"
        reveal(event, octets, secret, None, keys)
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
    """What hides under the secret, only where secrets are wanted, and not of a packet that is none of this secret's."""
    if not keys.reveal or event.authentic is False:
        return
    if event.authentic is None:          # without Message-Authenticator Proxy-State is not trusted, and hides nothing
        octets = without_proxy_state(octets)
    packet = RadiusPacket.decode(octets, secret, request, require=False)
    event.revealed = [(name, value) for name, value in packet.attributes if isinstance(value, (Revealed, RevealedText))]


def without_proxy_state(octets: bytes) -> bytes:
    """The packet without those attributes, the others octet for octet."""
    left, at, end = bytearray(octets[:HEADER]), HEADER, int.from_bytes(octets[2:4], "big")
    while at < end:
        behind = at + octets[at + 1]
        if octets[at] != PROXY_STATE:
            left += octets[at:behind]
        at = behind
    left[2:4] = len(left).to_bytes(2, "big")
    return bytes(left)
