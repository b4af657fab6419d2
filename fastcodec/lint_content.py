"""Rules of what a single extension says: its length, its codes, its flags, its reserved octets."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import IntEnum

from fastcodec.fields import Plan
from fastcodec.lint_view import Finding, Place, View
from fastcodec.mip4 import ExtensionType
from fastcodec.mip4_codes import MobileNetworkCode, OptimizationCode, PrefixReplyCode, TunnelReplyCode
from fastcodec.mip4_messages import EXTENSION_CLASSES
from fastcodec.sections import section_of
from fastcodec.wire import Shape

__all__ = ["content_findings", "sizes_of"]

E = ExtensionType
HEADERS = {Shape.TLV: 2, Shape.SHORT: 3, Shape.LONG: 4}          # octets before the value
LONGEST_PREFIX, LINK_LOCAL = 128, 255                            # the latter says that an address follows, RFC 5454 2.2
MOST_BINDINGS = 8                                                # of a flow, RFC 7629 4.2


def sizes_of(plan: Plan) -> tuple[int, int]:
    """Octets that the value of an extension has by its class: at least, at most."""
    least = plan.size - HEADERS[Shape(plan.shape)]
    return least, 0xffff if plan.tail else least


# What the classes say of types and subtypes, where the table of extensions bounds the type alone. Not of type 139, which has
# two shapes, nor of 141: RFC 4857 9.3 draws ten octets and says two.
SIZES = {(cls.plan.type, cls.plan.subtype): (*sizes_of(cls.plan), section_of(cls).removeprefix("RFC ")) for cls in EXTENSION_CLASSES
         if cls.plan.type not in (E.EXT_DYNAMIC_HA, E.EXT_REPLAY_STYLE)}


def size_findings(place: Place) -> Iterator[Finding]:
    least, most, section = SIZES.get((place.type, place.subtype)) or SIZES.get((place.type, -1)) or (0, 0xffff, "")
    size = place.end - place.value
    if not least <= size <= most:
        yield Finding("length", place.head, section, f"{place} holds {size} octets, {least} {'are needed' if size < least else 'are its'}")


def unassigned(view: View, offset: int, codes: type[IntEnum], section: str, mask: int = 0xff) -> Iterator[Finding]:
    code = view.octets[offset] & mask
    if code not in codes.__members__.values():
        yield Finding("unassigned-code", offset, section, f"code {code} is not assigned")


def reserved(view: View, offset: int, size: int, section: str, mask: int = -1) -> Iterator[Finding]:
    if view.number(offset, size) & mask:
        yield Finding("reserved-octets", offset, section, "what is reserved is not zero")


# ---- one rule a type -------------------------------------------------------------------------------------------------

def fa_error(view: View, place: Place) -> Iterator[Finding]:
    status = view.octets[place.value]
    if not 64 <= status <= 127:
        yield Finding("fa-error-status", place.value, "4636 3", f"status {status} is no foreign agent's")


def tunnel_reply(view: View, place: Place) -> Iterator[Finding]:
    yield from unassigned(view, place.value, TunnelReplyCode, "3519 3.2.1")
    yield from reserved(view, place.value + 1, 2, "3519 3.2", 0x7fff)


def tunnel_request(view: View, place: Place) -> Iterator[Finding]:
    yield from reserved(view, place.value, 5, "3519 3.1", 0xff3f00ffff)
    if view.octets[place.value + 2] not in (0, 4, 47, 55):
        yield Finding("encapsulation", place.value + 2, "3519 3.1", f"encapsulation {view.octets[place.value + 2]} is not assigned")


def dual_stack(view: View, place: Place) -> Iterator[Finding]:
    if place.subtype == 3:
        yield from reserved(view, place.value, 1, "5454 2.3")
        return
    at, section = (place.value, "5454 2.1") if place.subtype == 1 else (place.value + 1, "5454 2.2")
    if place.subtype == 2:
        yield from unassigned(view, place.value, PrefixReplyCode, section)
        yield from reserved(view, at + 1, 1, section)
    length, prefix = view.octets[at], view.number(place.end - 16, 16)
    if LONGEST_PREFIX < length < LINK_LOCAL:
        yield Finding("prefix-length", at, section, f"a prefix of {length} bits")
    elif length <= LONGEST_PREFIX and prefix & ((1 << (LONGEST_PREFIX - length)) - 1):
        yield Finding("prefix-bits", place.end - 16, section, f"bits beyond the prefix length {length} are set")


def mobile_network(view: View, place: Place) -> Iterator[Finding]:
    at, section = (place.value, "5177 4.1") if place.subtype == 0 else (place.value + 1, "5177 4.2")
    if place.subtype:
        yield from unassigned(view, place.value, MobileNetworkCode, section)
        yield from reserved(view, at + 1, 1, section)
    if view.octets[at] > 32:
        yield Finding("prefix-length", at, section, f"a prefix of {view.octets[at]} bits")


def regional(view: View, place: Place) -> Iterator[Finding]:
    yield from reserved(view, place.value, 2, SIZES[place.type, 0][2])


def replay_style(view: View, place: Place) -> Iterator[Finding]:
    if place.end - place.value >= 2 and view.number(place.value, 2) > 1:
        yield Finding("replay-method", place.value, "4857 9.3", f"style {view.number(place.value, 2)} is not assigned")


def route_optimization(view: View, place: Place) -> Iterator[Finding]:
    if place.subtype == 1:
        yield from unassigned(view, place.value, OptimizationCode, "6521 5.2", 0x1f)
    else:
        yield from reserved(view, place.value, 1, SIZES[place.type, place.subtype][2])


def capability(view: View, place: Place) -> Iterator[Finding]:
    flags, addresses = view.octets[place.value], place.end - place.value - 1
    yield from reserved(view, place.value, 1, "6521 5.1", 0x0f)
    if addresses != (4 if flags & 0x20 else 0):
        yield Finding("solicited-router", place.value, "6521 5.1", "a home address follows where flag S is set, and nowhere else")


def several_paths(view: View, place: Place) -> Iterator[Finding]:
    if place.subtype == 1:
        _, label, binding, flags = view.value(place)
        if not label or binding in (0, 255):
            yield Finding("binding", place.value + 1, "7629 4.1", f"label {label} or binding {binding} is reserved")
        if flags & 0xc0 == 0xc0:
            yield Finding("binding-flags", place.value + 3, "7629 4.1", "flags B and O exclude each other")
        yield from reserved(view, place.value + 3, 1, "7629 4.1", 0x3f)
        return
    count, rest = view.octets[place.value + 1], place.end - place.value - 2
    if not 1 <= count <= MOST_BINDINGS or rest < count + 1:
        yield Finding("flow", place.value + 1, "7629 4.2", f"{count} bindings and a selector in {rest} octets")
    elif view.octets[place.value + 2 + count] == 0:
        yield Finding("flow", place.value + 2 + count, "7629 4.2", "selector format 0 is reserved")


RULES: dict[int, Callable[[View, Place], Iterator[Finding]]] = {
    E.EXT_FA_ERROR: fa_error, E.EXT_UDP_TUNNEL_REPLY: tunnel_reply, E.EXT_UDP_TUNNEL_REQUEST: tunnel_request,
    E.EXT_DUAL_STACK: dual_stack, E.EXT_MOBILE_NETWORK: mobile_network, E.EXT_GFA_ADDRESS: regional, E.EXT_HIERARCHICAL_FA: regional,
    E.EXT_REGIONAL_LIFETIME: regional, E.EXT_SKIP_TRAVERSAL: regional, E.EXT_REPLAY_STYLE: replay_style,
    E.EXT_ROUTE_OPTIMIZATION: route_optimization, E.EXT_ROUTE_OPTIMIZATION_INDICATION: capability, E.EXT_FLOW_BINDING: several_paths}


def content_findings(view: View, place: Place) -> Iterator[Finding]:
    """What is wrong in one extension; rules look only into subtypes that are known and into values of a possible length."""
    wrong = list(size_findings(place))
    yield from wrong
    known = (place.type, place.subtype) in SIZES or (place.type, -1) in SIZES or place.type == E.EXT_REPLAY_STYLE
    if not wrong and known and place.type in RULES:
        yield from RULES[place.type](view, place)
