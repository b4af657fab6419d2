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
RESPONSE = 2                     # EAP code
EAPOL_HEADER = 4                 # octets of version, type, length, IEEE 802.1X 11.3
EAPOL_TYPES = {1: "start", 2: "logoff", 3: "key", 4: "alert"}
KEY_UNKNOWN = "a PANA key comes of its session's EAP keys, which are in no keys file"


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
    event.why = KEY_UNKNOWN


def read_eap(event: Event, octets: bytes, keys: Keys, exchanges: Exchanges, at: Location | None = None) -> None:
    """A packet of its own. Without addresses around it there is nothing to match it by."""
    event.protocol = "eap"
    try:
        event.message = EapPacket.decode(octets)
    except DecodeError as error:
        event.faults.append(str(error))
        return
    event.nai = identity_of(event.message)


def read_eapol(event: Event, octets: bytes, keys: Keys, exchanges: Exchanges) -> None:
    """A frame of IEEE 802.1X; an Ethernet frame's padding follows the packet."""
    event.protocol = "eap"
    size = EAPOL_HEADER + int.from_bytes(octets[2:4], "big")
    if not EAPOL_HEADER <= size <= len(octets):
        event.faults.append(f"EAPOL at offset 2: {size} octets in {len(octets)}")
    elif octets[1] == 0:
        event.length = size - EAPOL_HEADER
        read_eap(event, octets[EAPOL_HEADER:size], keys, exchanges)
    else:
        event.note = f"EAPOL {EAPOL_TYPES.get(octets[1], f'type {octets[1]}')}"


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
