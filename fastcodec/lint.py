"""`lint`: which rules of the RFCs a Mobile IPv4 message breaks, as findings; nothing is raised whatever comes in."""
from __future__ import annotations

from collections.abc import Iterator

from fastcodec import agent_discovery
from fastcodec.agents import AgentAdvertisement, AgentSolicitation, MobilityAgent, PrefixLengths
from fastcodec.base import Message, Part
from fastcodec.errors import DecodeError, EncodeError
from fastcodec.lint_content import content_findings
from fastcodec.lint_registration import reply_findings, request_findings, uncovered
from fastcodec.lint_view import Finding, Place, View, is_sound
from fastcodec.mip4 import CHAP_SPI, EXTENSIONS, ExtensionType, MessageType
from fastcodec.mip4_codes import NotificationCode
from fastcodec.mip4_extensions import Padding
from fastcodec.mip4_messages import Mip4Message
from fastcodec.registration import pieces_of
from fastcodec.status import Status

__all__ = ["Finding", "lint"]

E = ExtensionType
Octets = bytes | bytearray | memoryview
SECTIONS = {E.EXT_MN_HA: "5944 3.5.2", E.EXT_MN_FA: "5944 3.5.3", E.EXT_FA_HA: "5944 3.5.4", E.EXT_GENERALIZED: "4721 5",
            E.EXT_NAI: "2794 2", E.EXT_MN_HA_NONCE_REPLY: "3957 6.4", E.EXT_MN_FA_NONCE_REPLY: "3957 6.2", E.EXT_NVSE: "3115 2.2",
            E.EXT_CVSE: "3115 2.1", E.EXT_REVOCATION_SUPPORT: "3543 3.2"}
DIGESTS = (16, 20, 32)                       # octets of HMAC-MD5, HMAC-SHA1, HMAC-SHA256
NOTIFIED_BY = (E.EXT_MN_HA, E.EXT_FA_HA, E.EXT_MN_HA, E.EXT_MN_FA, E.EXT_MN_FA, E.EXT_FA_HA)     # by direction, RFC 6098 4.1
FROM_FA, FROM_HA, FROM_MN = range(64, 70), range(128, 134), range(192, 198)                       # codes, RFC 6098 6
DENIED_BY = (FROM_HA, FROM_HA, FROM_MN, FROM_MN, FROM_FA, FROM_FA)                                # by direction


def lint(message: Message | Octets) -> list[Finding]:
    """Every rule of order, multiplicity, coverage and content that a Mobile IPv4 or agent discovery message breaks.

    Findings stand in the order of their offsets; none: nothing is wrong that can be told without keys and without the
    other messages. Takes octets as well as messages, whether they can be decoded or encoded or not.
    """
    try:
        octets = octets_of(message)
    except EncodeError as error:
        return [Finding("not-encodable", 0, "5944 3.3", str(error))]
    except (TypeError, ValueError, AttributeError) as error:
        return [Finding("no-message", 0, "5944 3.3", f"{type(message).__name__} is no message: {error}")]
    found = advertised(octets) if octets[:1] in (b"\x09", b"\x0a") else controlled(octets)
    return sorted(dict.fromkeys(found), key=lambda finding: finding.offset)


def octets_of(message: Message | Octets) -> bytes:
    """Authenticators that are not computed yet are zeros."""
    if isinstance(message, Mip4Message) and hasattr(message, "extensions"):
        return message.replace(extensions=[
            e.replace(authenticator=bytes(16)) if getattr(e, "authenticator", None) == b"" else e for e in message.extensions]).encode()
    if isinstance(message, Mip4Message):
        return message.encode()
    if isinstance(message, (AgentAdvertisement, AgentSolicitation)):
        return message.encode()
    return bytes(memoryview(message))  # type: ignore[arg-type]


# ---- every control message -------------------------------------------------------------------------------------------

def controlled(octets: bytes) -> Iterator[Finding]:
    if octets[:1] == b"\x04":
        yield from tunnelled(octets)
        return
    fixed, pieces, status, fault = pieces_of(octets)
    if fixed == 0 or len(octets) < fixed:
        text = f"{len(octets)} octets, {fixed} needed" if fixed else f"type {octets[0]} is not known" if octets else "no octets"
        yield Finding("malformed", fault, "5944 1.8", text)
        return
    view = View(octets, [Place(*piece) for piece in pieces])
    if status != Status.OK:
        yield Finding("malformed", fault, "5944 1.8", f"extension {octets[fault]}: {Status(status).name.lower().replace('_', ' ')}")
    yield from multiplicity(view)
    for place in view.places:
        yield from extension_findings(view, place)
    yield from RULES[MessageType(octets[0])](view)


def tunnelled(octets: bytes) -> Iterator[Finding]:
    if len(octets) < 4:
        yield Finding("malformed", len(octets), "3519 3.3", f"{len(octets)} octets, 4 needed")
    elif octets[2:4] != b"\0\0":
        yield Finding("reserved-octets", 2, "3519 3.3", "reserved octets are not zero")
    elif octets[1] not in (4, 41, 47, 55):
        yield Finding("next-header", 1, "3519 3.3", f"next header {octets[1]} is no tunnel's")


def multiplicity(view: View) -> Iterator[Finding]:
    seen = set()
    for place in view.places:
        row = EXTENSIONS.get(place.type)
        if row and row.single and (place.type, place.subtype) in seen:
            yield Finding("doubled", place.head, SECTIONS.get(E(place.type), "5944 3.8.2.1"), f"a second {place}")
        seen.add((place.type, place.subtype))


def extension_findings(view: View, place: Place) -> Iterator[Finding]:
    if not is_sound(place):
        yield Finding("length", place.head, SECTIONS.get(E(place.type), "5944 1.8"), f"{place} holds {place.end - place.value} octets")
    elif place.is_authentication:
        yield from authentication_findings(view, place)
    elif place.type in (E.EXT_CVSE, E.EXT_NVSE):
        yield from vendor_findings(view, place)
    elif place.type == E.EXT_NAI and b"\0" in view.value(place):
        yield Finding("nai-text", place.value, "2794 2", "a NUL in the NAI")
    else:
        yield from content_findings(view, place)


def authentication_findings(view: View, place: Place) -> Iterator[Finding]:
    spi, size = view.number(place.value, 4), place.end - place.value - 4
    if spi < 256 and not (place.is_mn_aaa and spi == CHAP_SPI):
        yield Finding("reserved-spi", place.value, "5944 1.6", f"SPI {spi} is reserved")
    if size not in DIGESTS:
        yield Finding("authenticator-length", place.head, "5944 3.5.1", f"an authenticator of {size} octets is no known algorithm's")


def vendor_findings(view: View, place: Place) -> Iterator[Finding]:
    reserved, vendor = (place.head + 1, place.value) if place.type == E.EXT_CVSE else (place.value, place.value + 2)
    if any(view.octets[reserved:vendor if place.type == E.EXT_NVSE else reserved + 1]):
        yield Finding("reserved-octets", reserved, SECTIONS[E(place.type)], f"reserved octets of {place} are not zero")
    if view.octets[vendor]:
        yield Finding("vendor", vendor, SECTIONS[E(place.type)], "the first octet of a vendor is 0")


# ---- revocation and notification -------------------------------------------------------------------------------------

def revocation_findings(view: View) -> Iterator[Finding]:
    yield from reserved_bits(view, 0x3fff if view.octets[0] == MessageType.REGISTRATION_REVOCATION else 0x7fff, "3543 3.3")
    if not any(p.type in (E.EXT_MN_HA, E.EXT_FA_HA) for p in view.places):
        yield Finding("no-authorization", len(view.octets), "3543 3.3", "no FA-HA and no MN-HA authentication: discarded")
    yield from uncovered(view)


def reserved_bits(view: View, mask: int, section: str) -> Iterator[Finding]:
    if view.octets[1]:
        yield Finding("reserved-octets", 1, section, "the reserved octet is not zero")
    if view.number(2, 2) & mask:
        yield Finding("reserved-flags", 2, section, f"reserved flags {view.number(2, 2) & mask:#06x} are set")


def notification_findings(view: View) -> Iterator[Finding]:
    direction = view.octets[1]
    if direction >= len(NOTIFIED_BY):
        yield Finding("direction", 1, "6098 4.1", f"direction {direction} is not assigned")
    elif not view.first(NOTIFIED_BY[direction]):
        yield Finding("no-authorization", len(view.octets), "6098 4.1", f"direction {direction} needs extension {NOTIFIED_BY[direction]}")
    if view.octets[0] == MessageType.GENERIC_NOTIFICATION and view.number(2, 2) & 0x7fff:
        yield Finding("reserved-flags", 2, "6098 4.1", "reserved flags are set")
    if view.octets[0] == MessageType.NOTIFICATION_ACKNOWLEDGMENT:
        if view.octets[3]:
            yield Finding("reserved-octets", 3, "6098 4.2", "the reserved octet is not zero")
        yield from notification_code(view)
    for place in view.places:
        if not place.is_authentication and place.type != E.EXT_MESSAGE_STRING:
            yield Finding("wrong-message", place.head, "6098 4.1", f"{place} does not belong into a notification")
    yield from uncovered(view)


def notification_code(view: View) -> Iterator[Finding]:
    """Assigned, and of the range that the sender's codes have, RFC 6098 4.2."""
    direction, code = view.octets[1], view.octets[2]
    if code not in NotificationCode.__members__.values():
        yield Finding("unassigned-code", 2, "6098 4.2", f"code {code} is not assigned")
    elif code and direction < len(DENIED_BY) and code not in DENIED_BY[direction]:
        yield Finding("code-of-another", 2, "6098 4.2", f"code {code} is not one of the sender's, who is told by direction {direction}")


RULES = {MessageType.REGISTRATION_REQUEST: request_findings, MessageType.REGISTRATION_REPLY: reply_findings,
         MessageType.REGISTRATION_REVOCATION: revocation_findings, MessageType.REVOCATION_ACKNOWLEDGMENT: revocation_findings,
         MessageType.GENERIC_NOTIFICATION: notification_findings, MessageType.NOTIFICATION_ACKNOWLEDGMENT: notification_findings}


# ---- agent discovery -------------------------------------------------------------------------------------------------

def advertised(octets: bytes) -> Iterator[Finding]:
    try:
        if octets[0] == agent_discovery.IcmpType.ROUTER_SOLICITATION:
            yield from solicitation_findings(AgentSolicitation.decode(octets))
        else:
            yield from advertisement_findings(AgentAdvertisement.decode(octets), octets)
    except DecodeError as error:
        yield Finding("malformed", error.offset, "1256 3", str(error))


def solicitation_findings(message: AgentSolicitation) -> Iterator[Finding]:
    if message.code:
        yield Finding("reserved-octets", 1, "1256 3", "the code is not 0")
    if message.reserved:
        yield Finding("reserved-octets", 4, "1256 3", "the reserved octets are not zero")


def advertisement_findings(message: AgentAdvertisement, octets: bytes) -> Iterator[Finding]:
    at = 8 + octets[4] * octets[5] * 4
    if message.code not in (0, 16):
        yield Finding("code", 1, "5944 2.1", f"code {message.code} is neither 0 nor 16")
    if not message.find(MobilityAgent):
        yield Finding("no-agent", at, "5944 2.1.1", "no Mobility Agent Advertisement: a plain router's")
    if len(octets) % 2:
        yield Finding("odd-length", len(octets), "5944 2.1.3", "an odd number of octets: padding makes it even")
    for extension in message.extensions:
        if isinstance(extension, MobilityAgent):
            yield from agent_findings(extension, at)
        if isinstance(extension, PrefixLengths) and len(extension.lengths) != len(message.routers):
            yield Finding("prefix-lengths", at, "5944 2.1.2", f"{len(extension.lengths)} for {len(message.routers)} router addresses")
        at = end_of(extension, octets, at)


def end_of(extension: Part, octets: bytes, at: int) -> int:
    if isinstance(extension, Padding):
        return at + extension.count
    if octets[at] == E.EXT_CVSE:
        return at + 4 + int.from_bytes(octets[at + 2:at + 4], "big")
    return at + 2 + octets[at + 1]


def agent_findings(agent: MobilityAgent, at: int) -> Iterator[Finding]:
    flags = agent_discovery.AgentFlag
    if agent.flags & flags.AGENT_r:
        yield Finding("reserved-flags", at + 6, "5944 2.1.1", "reserved flag r is set")
    if agent.flags & (flags.AGENT_R | flags.AGENT_B) and not agent.flags & flags.AGENT_F:
        yield Finding("agent-flags", at + 6, "5944 2.1.1", "flags R and B are for foreign agents (F)")
    if agent.flags & flags.AGENT_F and not agent.care_of_addresses:
        yield Finding("no-care-of-address", at, "5944 2.1.1", "a foreign agent without care-of address")
    if not agent.flags & (flags.AGENT_F | flags.AGENT_H):
        yield Finding("agent-flags", at + 6, "5944 2.1.1", "neither home agent (H) nor foreign agent (F)")
