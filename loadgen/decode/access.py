"""Network access in a capture: PANA (RFC 5191), EAP (RFC 3748) on its own, in EAPOL frames, in PANA and in RADIUS."""
from __future__ import annotations

from fastcodec import DecodeError, EapIdentity, EapPacket, EapPayloadAvp, PanaMessage
from fastcodec.headers import Location
from fastcodec.pana import PanaFlag, PanaType
from loadgen.decode.event import Event
from loadgen.decode.exchanges import Exchanges
from loadgen.decode.keys import Keys

REQUEST = int(PanaFlag.PANA_REQUEST)
INITIATION = int(PanaType.PANA_CLIENT_INITIATION)
ASKS, RESPONSE = 1, 2            # EAP codes
EAPOL_HEADER = 4                 # octets of version, type, length, IEEE 802.1X 11.3
EAPOL_TYPES = {1: "start", 2: "logoff", 3: "key", 4: "alert"}


def read_pana(event: Event, octets: bytes, keys: Keys, exchanges: Exchanges, at: Location | None = None) -> None:
    """Fills in the event; request and answer have session, sequence and type in common, RFC 5191 5.2."""
    event.protocol = "pana"
    try:
        message = event.message = PanaMessage.decode(octets)
    except DecodeError as error:
        event.faults.append(str(error))
        return
    payload = message.find(EapPayloadAvp)
    if payload is not None:
        look_inside(event, payload.value)
    key = ("pana", message.type, message.session, message.sequence)
    if message.flags & REQUEST:
        exchanges.request(event, key, hash(octets), event.nai)
    elif message.type != INITIATION and (request := exchanges.reply(event, key)):
        event.nai = event.nai or request.message
    session = keys.pana.follow(event, message, octets)
    event.nai = event.nai or (session.nai if session else None)
    keys.pana.authenticate(event, message, octets, session)


def read_eap(event: Event, octets: bytes, keys: Keys, exchanges: Exchanges, at: Location | None = None) -> None:
    """A packet of its own. Without addresses around it there is nothing to match it by."""
    event.protocol = "eap"
    try:
        event.message = EapPacket.decode(octets)
    except DecodeError as error:
        event.faults.append(str(error))
        return
    event.nai = identity_of(event.message)


def read_eapol(event: Event, octets: bytes, keys: Keys, exchanges: Exchanges, ends: tuple[str, str]) -> None:
    """A frame of IEEE 802.1X between two link-layer addresses; an Ethernet frame's padding follows the packet."""
    event.protocol = "eap"
    event.source, event.destination = ends
    size = EAPOL_HEADER + int.from_bytes(octets[2:4], "big")
    if not EAPOL_HEADER <= size <= len(octets):
        event.faults.append(f"EAPOL at offset 2: {size} octets in {len(octets)}")
    elif octets[1] == 0:
        event.length = size - EAPOL_HEADER
        read_eap(event, octets[EAPOL_HEADER:size], keys, exchanges)
        if event.message is not None:
            match_eap(event, event.message, hash(octets[EAPOL_HEADER:size]), exchanges)
    else:
        event.note = f"EAPOL {EAPOL_TYPES.get(octets[1], f'type {octets[1]}')}"


def match_eap(event: Event, packet: EapPacket, content: int, exchanges: Exchanges) -> None:
    """A Response answers the Request of its Identifier, Success and Failure the Response of theirs, RFC 3748 4.1, 4.2.

    What two frames have in common beside that is the supplicant's address: the other end is a group's address for the one and
    the authenticator's for the other (IEEE 802.1X 11.1.1). Where the frames do not tell, "" stands for it.
    """
    number, there = packet.identifier, unicast(event.destination)
    if packet.code == ASKS:
        exchanges.open(("eap", there, number), event, content, None)
    elif packet.code == RESPONSE:
        _ = exchanges.close(("eap", event.source, number), event) or exchanges.close(("eap", "", number), event)
        for supplicant in dict.fromkeys(("", event.source)):      # its own comes last: which frame it repeats is said by that
            exchanges.open(("eap end", supplicant, number), event, (content, event.source), event.nai)
    elif answered := exchanges.close(("eap end", there, number), event):
        event.nai = answered.message


def unicast(address: str) -> str:
    """The address of one station; "" of a group, or none."""
    return "" if not address or int(address[:2], 16) & 1 else address


def look_inside(event: Event, octets: bytes) -> None:
    """The EAP packet that a message carries."""
    try:
        packet = event.inside = EapPacket.decode(octets)
    except DecodeError as error:
        event.faults.append(f"EAP inside: {error}")
        return
    event.nai = event.nai or identity_of(packet)


def identity_of(packet: EapPacket) -> str | None:
    return packet.body.identity if packet.code == RESPONSE and isinstance(packet.body, EapIdentity) else None
