"""What is around an IP packet in a frame: Ethernet with VLAN tags, Linux cooked capture, loopback, or nothing."""
from __future__ import annotations

from fastcodec.capture import LinkType

IPV4, IPV6, EAPOL = 0x0800, 0x86dd, 0x888e       # EtherTypes
VLAN = (0x8100, 0x88a8, 0x9100)                  # IEEE 802.1Q, 802.1ad, and what came before it
MOST_TAGS = 8
COOKED = {LinkType.LINUX_SLL: (5, 6), LinkType.LINUX_SLL2: (11, 12)}      # where length and octets of the source stand
BARE = frozenset({LinkType.RAW, LinkType.RAW_BSD, LinkType.RAW_OPENBSD, LinkType.IPV4, LinkType.IPV6})
FAMILIES = {2: IPV4, 10: IPV6, 24: IPV6, 28: IPV6, 30: IPV6}      # AF_INET; AF_INET6 of Linux and the BSDs


def peel(link: int, octets: bytes) -> tuple[int, int] | None:
    """EtherType of what a frame carries, and its offset; None: too short, or a link type that is not read."""
    if link in BARE:
        return (IPV6 if octets[0] >> 4 == 6 else IPV4, 0) if octets else None
    if link == LinkType.ETHERNET:
        return tagged(octets, 12)
    if link in (LinkType.NULL, LinkType.LOOP) and len(octets) >= 4:
        return FAMILIES.get(max(octets[0], octets[3]), 0), 4         # the family fits one octet, in either order
    if link == LinkType.LINUX_SLL:
        return tagged(octets, 14)
    if link == LinkType.LINUX_SLL2 and len(octets) >= 20:
        kind = int.from_bytes(octets[0:2], "big")
        return tagged(octets, 22, MOST_TAGS - 1) if kind in VLAN else (kind, 20)    # a tag's two octets stand behind the header
    return None


def ends(link: int, octets: bytes) -> tuple[str, str]:
    """Link-layer source and destination of a frame, "" where it does not tell: a cooked capture keeps the source alone."""
    if link == LinkType.ETHERNET and len(octets) >= 12:
        return octets[6:12].hex(":"), octets[:6].hex(":")
    size, at = COOKED.get(link, (0, len(octets)))
    return (octets[at:at + 6].hex(":") if len(octets) >= at + 6 and octets[size] == 6 else ""), ""


def tagged(octets: bytes, at: int, most: int = MOST_TAGS) -> tuple[int, int] | None:
    """The EtherType at `at`, behind any VLAN tags; an IEEE 802.3 length is no EtherType and stays what it is."""
    for _ in range(most + 1):
        if len(octets) < at + 2:
            return None
        kind = int.from_bytes(octets[at:at + 2], "big")
        if kind not in VLAN:
            return kind, at + 2
        at += 4
    return None
