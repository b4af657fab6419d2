"""Rules of Registration Requests and Replies: what must be there, in which order, and which authenticator covers it."""
from __future__ import annotations

from collections.abc import Iterator

from fastcodec.lint_view import Finding, Place, View
from fastcodec.mip4 import CHAP_SPI, ExtensionType, Flag, ReplyCode

__all__ = ["reply_findings", "request_findings"]

E = ExtensionType
FLAGS, LIFETIME, HOME_ADDRESS, HOME_AGENT, CARE_OF = 1, 2, 4, 8, 12        # offsets in a request
NOWHERE, ANYWHERE = 0, 0xffffffff
FROM_HOME_AGENT = (*range(9), *range(128, 193))                             # codes, RFC 5944 6.4
CHALLENGE_CODES = (ReplyCode.FA_UNKNOWN_CHALLENGE, ReplyCode.FA_MISSING_CHALLENGE, ReplyCode.FA_STALE_CHALLENGE)

#   the first must stand before the second where both are: ((type, subtype), (type, subtype), section)
Kind = tuple[int, int | None]
MN_HA, MN_FA, FA_HA, MN_AAA = (E.EXT_MN_HA, None), (E.EXT_MN_FA, None), (E.EXT_FA_HA, None), (E.EXT_GENERALIZED, 1)
NAI, CHALLENGE = (E.EXT_NAI, None), (E.EXT_CHALLENGE, None)
REQUEST_ORDER: tuple[tuple[Kind, Kind, str], ...] = (
    (NAI, MN_HA, "2794 2"), (NAI, MN_FA, "2794 2"), (NAI, MN_AAA, "5944 3.6.1.3"),
    (MN_HA, MN_AAA, "4721 6"), (MN_HA, CHALLENGE, "4721 3.1"), (CHALLENGE, MN_AAA, "4721 3.1"), (CHALLENGE, MN_FA, "4721 3.1"),
    (MN_AAA, MN_FA, "4721 3.1"), (MN_HA, MN_FA, "5944 3.6.1.3"), (MN_FA, FA_HA, "5944 3.7.2.2"), (MN_AAA, FA_HA, "5944 3.7.2.2"),
    (MN_HA, FA_HA, "5944 3.7.2.2"), ((E.EXT_MN_HA_NONCE_REQUEST, None), MN_AAA, "3957 6.3"),
    ((E.EXT_MN_HA_NONCE_REQUEST, None), MN_HA, "3957 6.3"), ((E.EXT_MN_FA_NONCE_REQUEST, None), MN_AAA, "3957 6.1"),
    ((E.EXT_NAI_CARRYING, None), MN_HA, "3846 3"), ((E.EXT_DUAL_STACK, None), MN_HA, "5454 3.1"),
    (MN_HA, (E.EXT_DELIVERY_STYLE, None), "3024 3.3"), ((E.EXT_DELIVERY_STYLE, None), MN_FA, "3024 3.3"),
    (MN_HA, (E.EXT_GRE_KEY, None), "6245 4"), (MN_AAA, (E.EXT_GRE_KEY, None), "6245 4"),
    ((E.EXT_GRE_KEY, None), FA_HA, "6245 4"), ((E.EXT_GFA_ADDRESS, None), FA_HA, "4857 9.1"),
    ((E.EXT_SKIP_TRAVERSAL, None), MN_HA, "2356 7.3"), ((E.EXT_FLOW_BINDING, None), MN_HA, "7629 4.1"))
REPLY_ORDER: tuple[tuple[Kind, Kind, str], ...] = (
    (NAI, MN_HA, "2794 2"), ((E.EXT_MN_HA_NONCE_REPLY, None), MN_HA, "3957 6.4"), ((E.EXT_MN_FA_NONCE_REPLY, None), MN_FA, "3957 6.2"),
    ((E.EXT_UDP_TUNNEL_REPLY, None), MN_HA, "3519 3.2"), ((E.EXT_DUAL_STACK, None), MN_HA, "5454 3.2"),
    ((E.EXT_DYNAMIC_HA, None), MN_HA, "4433 5.1"), ((E.EXT_NAI_CARRYING, None), MN_HA, "3846 3"),
    (MN_HA, CHALLENGE, "4721 3.4"), (CHALLENGE, FA_HA, "4721 3.4"), (CHALLENGE, MN_FA, "4721 3.3"), (MN_HA, FA_HA, "5944 3.8.3.3"),
    (MN_HA, MN_FA, "5944 3.7.3.2"), ((E.EXT_FA_ERROR, None), MN_FA, "4636 3"), (MN_HA, (E.EXT_FA_ERROR, None), "4636 4"),
    ((E.EXT_GRE_KEY, None), FA_HA, "6245 4"), ((E.EXT_GFA_ADDRESS, None), MN_HA, "4857 9.1"),
    ((E.EXT_SKIP_TRAVERSAL, None), MN_HA, "2356 7.3"), ((E.EXT_FLOW_BINDING, None), MN_HA, "7629 4.2"))

REPLIES_ONLY: dict[Kind, str] = {
    (E.EXT_MN_FA_NONCE_REPLY, None): "3957 6.2", (E.EXT_MN_HA_NONCE_REPLY, None): "3957 6.4", (E.EXT_UDP_TUNNEL_REPLY, None): "3519 3.2",
    (E.EXT_FA_ERROR, None): "4636 3", (E.EXT_REGIONAL_LIFETIME, None): "4857 9.4", (E.EXT_MESSAGE_STRING, None): "4917 3",
    (E.EXT_MOBILE_NETWORK, 1): "5177 4.2", (E.EXT_MOBILE_NETWORK, 2): "5177 4.2", (E.EXT_DUAL_STACK, 2): "5454 2.2",
    (E.EXT_ROUTE_OPTIMIZATION, 1): "6521 5.2", (E.EXT_ROUTE_OPTIMIZATION, 3): "6521 5.4", (E.EXT_ROUTE_OPTIMIZATION_DATA, 1): "6521 5.5"}
REQUESTS_ONLY: dict[Kind, str] = {
    (E.EXT_MN_FA_NONCE_REQUEST, None): "3957 6.1", (E.EXT_MN_HA_NONCE_REQUEST, None): "3957 6.3",
    (E.EXT_UDP_TUNNEL_REQUEST, None): "3519 3.1", (E.EXT_DELIVERY_STYLE, None): "3024 3.3", (E.EXT_SERVICE_SELECTION, None): "5446 3",
    (E.EXT_HIERARCHICAL_FA, None): "4857 9.2", (E.EXT_MOBILE_NETWORK, 0): "5177 4.1", (E.EXT_DUAL_STACK, 1): "5454 2.1",
    (E.EXT_DUAL_STACK, 3): "5454 2.3", (E.EXT_ROUTE_OPTIMIZATION_INDICATION, 1): "6521 5.1", (E.EXT_FLOW_BINDING, 1): "7629 4.1"}


def order_findings(view: View, order: tuple[tuple[Kind, Kind, str], ...]) -> Iterator[Finding]:
    for (before, before_subtype), (after, after_subtype), section in order:
        earlier, later = view.first(before, before_subtype), view.first(after, after_subtype)
        if earlier and later and earlier.head > later.head:
            yield Finding("order", earlier.head, section, f"{earlier} must stand before {later}")


def misplaced(view: View, table: dict[Kind, str], where: str) -> Iterator[Finding]:
    for place in view.places:
        section = table.get((place.type, None)) or table.get((place.type, place.subtype))
        if section:
            yield Finding("wrong-message", place.head, section, f"{place} does not belong into a {where}")


def uncovered(view: View, spared: tuple[int, ...] = ()) -> Iterator[Finding]:
    """Extensions that no authenticator covers, where there is one."""
    last = max((p.head for p in view.authentications), default=len(view.octets))
    for place in view.places:
        if place.head > last and place.type not in spared:
            yield Finding("not-covered", place.head, "5944 3.5.1", f"{place} stands behind the last authenticator")


# ---- requests --------------------------------------------------------------------------------------------------------

def request_findings(view: View) -> Iterator[Finding]:
    yield from request_flags(view)
    yield from request_authorization(view)
    yield from order_findings(view, REQUEST_ORDER)
    yield from misplaced(view, REPLIES_ONLY, "request")
    yield from uncovered(view)
    yield from request_addresses(view)
    yield from request_foreign_agent(view)
    yield from request_tunnels(view)


def is_colocated(view: View) -> bool:
    return bool(view.octets[FLAGS] & Flag.FLAG_D)


def request_flags(view: View) -> Iterator[Finding]:
    for flag, name in ((Flag.FLAG_R_RESERVED, "r"), (Flag.FLAG_X_RESERVED, "x")):
        if view.octets[FLAGS] & flag:
            yield Finding("reserved-flags", FLAGS, "5944 3.3", f"reserved flag {name} is set: refused with 70 or 134")
    delivery = view.first(E.EXT_DELIVERY_STYLE)
    if delivery and not view.octets[FLAGS] & Flag.FLAG_T:
        yield Finding("delivery-without-tunnel", delivery.head, "3024 3.3", "encapsulating delivery needs flag T")


def request_authorization(view: View) -> Iterator[Finding]:
    if not any(p.type == E.EXT_MN_HA or p.is_mn_aaa or p.is_correspondent for p in view.places):
        yield Finding("no-authorization", len(view.octets), "5944 3.8.2.1", "no MN-HA and no MN-AAA authentication: discarded")
    challenge = view.first(E.EXT_CHALLENGE)
    if challenge and not any(p.head > challenge.head and (p.type == E.EXT_MN_FA or p.is_mn_aaa) for p in view.places):
        yield Finding("challenge-not-covered", challenge.head, "4721 3.2", "no MN-FA or MN-AAA authentication behind the challenge")
    for place in view.places:
        if place.is_mn_aaa and view.number(place.value, 4) == CHAP_SPI and not challenge and not is_colocated(view):
            yield Finding("chap-without-challenge", place.head, "4721 3.5", "CHAP_SPI without challenge needs a co-located address (D)")


def request_addresses(view: View) -> Iterator[Finding]:
    home, agent = view.number(HOME_ADDRESS, 4), view.number(HOME_AGENT, 4)
    if home == NOWHERE and not view.first(E.EXT_NAI):
        yield Finding("nobody", HOME_ADDRESS, "2794 1", "neither home address nor NAI")
    if agent not in (NOWHERE, ANYWHERE):
        return
    if home != NOWHERE or not view.first(E.EXT_NAI):
        yield Finding("dynamic-home-agent", HOME_AGENT, "4433 4.1", "asks for any home agent, which needs a NAI and no home address")
    if is_colocated(view) and not view.first(E.EXT_DYNAMIC_HA, 1):
        yield Finding("dynamic-home-agent", HOME_AGENT, "4433 4.1", "asks for any home agent directly, without Requested HA")


def request_foreign_agent(view: View) -> Iterator[Finding]:
    """What a foreign agent adds, and must not."""
    foreign, support = view.first(E.EXT_FA_HA), view.first(E.EXT_REVOCATION_SUPPORT)
    if foreign and view.number(LIFETIME, 2) == 0:
        yield Finding("fa-ha-forbidden", foreign.head, "5944 3.5.4", "FA-HA authentication on a deregistration")
    elif foreign and is_colocated(view):
        yield Finding("fa-ha-forbidden", foreign.head, "5944 3.5.4", "FA-HA authentication for a care-of address that is no agent's")
    mobile = [p for p in view.authentications if p.type == E.EXT_MN_HA or p.is_mn_aaa]
    if support and mobile and support.head < mobile[-1].head and not is_colocated(view):
        yield Finding("revocation-support", support.head, "3543 3.2", "a mobile node at a foreign agent does not send it")


def request_tunnels(view: View) -> Iterator[Finding]:
    tunnel = view.first(E.EXT_UDP_TUNNEL_REQUEST)
    mobile = [p for p in view.authentications if p.type == E.EXT_MN_HA or p.is_mn_aaa]
    if tunnel and mobile and (tunnel.head < mobile[-1].head) != is_colocated(view):
        yield Finding("udp-tunnel-sender", tunnel.head, "3519 4.6.1", "a mobile node asks with D, a foreign agent without: 134")
    mode = view.first(E.EXT_DUAL_STACK, 3)
    if mode and not is_colocated(view):
        yield Finding("tunneling-mode", mode.head, "5454 2.3", "IPv6 Tunneling Mode needs a co-located care-of address")


# ---- replies ---------------------------------------------------------------------------------------------------------

def reply_findings(view: View) -> Iterator[Finding]:
    code = view.octets[1]
    if code not in ReplyCode.__members__.values():
        yield Finding("unassigned-code", 1, "5944 6.4", f"code {code} is not assigned")
    yield from reply_authentication(view, code)
    yield from order_findings(view, REPLY_ORDER)
    yield from misplaced(view, REQUESTS_ONLY, "reply")
    yield from uncovered(view, (E.EXT_CHALLENGE, E.EXT_FA_ERROR))
    yield from reply_contents(view, code)
    yield from reply_keys(view, code)


def reply_authentication(view: View, code: int) -> Iterator[Finding]:
    if code in FROM_HOME_AGENT and not view.first(E.EXT_MN_HA) and not any(p.is_correspondent for p in view.places):
        yield Finding("no-mn-ha", len(view.octets), "5944 3.8.3.3", "a home agent's reply without MN-HA authentication: discarded")
    for place in view.all(E.EXT_GENERALIZED, 1):
        yield Finding("wrong-message", place.head, "4721 6", "MN-AAA authentication does not belong into a reply")


def reply_contents(view: View, code: int) -> Iterator[Finding]:
    if code in (ReplyCode.ACCEPTED, ReplyCode.ACCEPTED_NO_SIMULTANEOUS):
        for offset, name in ((4, "home address"), (8, "home agent")):
            if view.number(offset, 4) == NOWHERE:
                yield Finding("accepted-nothing", offset, "2794 3", f"accepted without {name}")
    if code == ReplyCode.REDIRECT_HA_REQUIRED and not view.first(E.EXT_DYNAMIC_HA, 2):
        yield Finding("no-redirection", len(view.octets), "4433 5.3", "code 143 without the home agent to ask instead")
    if code in CHALLENGE_CODES and not view.first(E.EXT_CHALLENGE):
        yield Finding("no-challenge", len(view.octets), "4721 3.3", f"code {code} without a new challenge")


def reply_keys(view: View, code: int) -> Iterator[Finding]:
    """Key replies, RFC 3957."""
    for place in view.all(E.EXT_MN_HA_NONCE_REPLY, 1):
        if place.end - place.value >= 16 and view.number(place.value + 14, 2) not in (2, 3):
            yield Finding("replay-method", place.value + 14, "3957 4", f"replay method {view.number(place.value + 14, 2)} is reserved")
        yield from key_algorithm(view, place)
    for place in view.all(E.EXT_MN_FA_NONCE_REPLY, 1):
        yield from key_algorithm(view, place)


def key_algorithm(view: View, place: Place) -> Iterator[Finding]:
    if place.end - place.value >= 14 and not 1 <= view.number(place.value + 12, 2) <= 4:
        yield Finding("key-algorithm", place.value + 12, "2407 4.5", f"algorithm {view.number(place.value + 12, 2)} is not assigned")
