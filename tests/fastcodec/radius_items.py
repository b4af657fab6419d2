"""Values of every type in every kind of space, as hypothesis draws them."""
from ipaddress import IPv4Network, IPv6Network

from hypothesis import strategies as st
from radius_kinds import KINDS, SPACES


def texts(most: int, least: int = 1) -> st.SearchStrategy[str]:
    return st.text(st.characters(exclude_categories=("Cs",)), min_size=least, max_size=most // 4)


def values(kind: str, most: int = 253) -> st.SearchStrategy[object]:
    """Canonical values: what decoding gives back as it is."""
    return {
        "string": texts(most), "octets": st.binary(min_size=1, max_size=most), "abinary": st.binary(min_size=1, max_size=most),
        "integer": st.integers(0, 2**32 - 1), "date": st.integers(0, 2**32 - 1), "integer64": st.integers(0, 2**64 - 1),
        "short": st.integers(0, 2**16 - 1), "byte": st.integers(0, 255), "bool": st.integers(0, 1),
        "signed": st.integers(-2**31, 2**31 - 1), "ipaddr": st.ip_addresses(v=4), "ipv6addr": st.ip_addresses(v=6),
        "combo-ip": st.ip_addresses(),
        "ipv4prefix": st.builds(lambda a, n: IPv4Network((int(a), n), strict=False), st.ip_addresses(v=4), st.integers(0, 32)),
        "ipv6prefix": st.builds(lambda a, n: IPv6Network((int(a), n), strict=False), st.ip_addresses(v=6), st.integers(0, 128)),
        "ifid": st.lists(st.integers(0, 65535), min_size=4, max_size=4).map(lambda g: ":".join(f"{n:x}" for n in g)),
        "ether": st.binary(min_size=6, max_size=6).map(lambda b: b.hex(":"))}[kind]


def of_kind(prefix: str, most: int) -> st.SearchStrategy[tuple[str, object]]:
    return st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(st.just(f"{prefix}-{kind}"), values(kind, most)))


def groups(name: str, most: int) -> st.SearchStrategy[tuple[str, object]]:
    """A TLV of some values that fit into it, one of them known by its number only."""
    inside = st.one_of(of_kind(name, 20), st.tuples(st.just(UNKNOWN_INSIDE[name]), st.binary(max_size=20)))
    return st.tuples(st.just(name), st.lists(inside, min_size=1, max_size=most))


UNKNOWN_INSIDE = {"Group": "Attr-192.250", "Going-On-Group": "Attr-26.40005.1.250", "Long-Group": "Attr-245.9.250"}


def items() -> st.SearchStrategy[tuple[str, object]]:
    """(name, value) of every kind of attribute, as decoding a canonical packet gives them."""
    vendors = [of_kind(name, most) for name, (_, _, most) in SPACES.items()]
    return st.one_of(
        *vendors, of_kind("Ext242", 252), of_kind("Ext246", 1500), of_kind("Evs1", 247), of_kind("Evs5", 1500),
        groups("Group", 8), groups("Going-On-Group", 30), groups("Long-Group", 30),
        st.tuples(st.just("List-ipaddr"), st.lists(st.ip_addresses(v=4), min_size=1, max_size=63)),
        st.tuples(st.just("List-short"), st.lists(st.integers(0, 65535), min_size=1, max_size=126)),
        st.tuples(st.sampled_from(("Tunnel-Type", "Tunnel-Type:1", "Tunnel-Preference:31")), st.integers(0, 2**24 - 1)),
        st.tuples(st.sampled_from(("Tunnel-Client-Endpoint:1", "Tunnel-Client-Endpoint:0", "Tunnel-Client-Auth-Id:31")),
                  texts(252)),
        st.tuples(st.just("Tunnel-Client-Endpoint"), texts(253).filter(lambda t: ord(t[0]) > 0x1f)),
        st.tuples(st.sampled_from(("Attr-196", "Attr-250")), st.binary(max_size=253)),
        st.tuples(st.sampled_from(("Attr-26.40001.250", "Attr-26.40002.70000", "Attr-26.40004.999", "Attr-26.40005.250",
                                   "Attr-241.250", "Attr-245.250")), st.binary(min_size=1, max_size=245)),
        st.tuples(st.sampled_from(("Attr-241.26.40009.1", "Attr-246.26.40009.255")), st.binary(max_size=246)))
