"""One attribute of a packet changed, the octets of all others as they are: what means the same in other octets, too.

A prefix with octets that it does not need, several sub-attributes in one Vendor-Specific, reserved flags that are set: pairs
made of them encode to other octets (`Attributes.canonical`). Where nobody touches them they are given by number, as octets.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastcodec.attributes import Attributes
from fastcodec.errors import EncodeError
from fastcodec.hidden import Revealed, RevealedText

__all__ = ["with_value", "without"]

Pair = tuple[str, Any]
Group = tuple[list[Pair], bytes]      # what stands in some octets, and these; none: its pairs say it all


def with_value(attributes: Sequence[Pair], name: str, value: Any) -> list[Pair]:
    """The first attribute of that name gets that value; it comes last when there is none."""
    pairs: list[Pair] = []
    done = False
    for group, octets in groups_of(attributes):
        names = [one for one, _ in group]
        if done or name not in names:
            pairs += kept(group, octets)
        else:
            done, at = True, names.index(name)
            pairs += [*group[:at], (name, value), *group[at + 1:]]
    return pairs if done else [*pairs, (name, value)]


def without(attributes: Sequence[Pair], name: str) -> list[Pair]:
    """No attribute of that name is left."""
    pairs: list[Pair] = []
    for group, octets in groups_of(attributes):
        left = [pair for pair in group if pair[0] != name]
        pairs += kept(group, octets) if len(left) == len(group) else left
    return pairs


def kept(group: list[Pair], octets: bytes) -> list[Pair]:
    """By number what its pairs would not encode to; but what was revealed must be hidden anew, perhaps under another secret."""
    return [(f"Attr-{octets[0]}", octets[2:])] if octets and not was_hidden(group) else group


def was_hidden(pairs: list[Pair]) -> bool:
    """Whether something that was revealed is among them, or in a TLV's list."""
    return any(isinstance(value, (Revealed, RevealedText)) or (isinstance(value, list) and was_hidden(value)) for _, value in pairs)


def groups_of(attributes: Sequence[Pair]) -> list[Group]:
    """Pairs that encode to their own octets one by one; the others with the attribute that they stand in.

    From fragments that do not stand together on there are pairs only, as there are of attributes that were never encoded.
    """
    pairs = list(attributes)
    if not isinstance(attributes, Attributes):
        return [(pairs, b"")]
    octets = attributes.octets
    hidden = list(attributes.as_on_the_wire())           # the same pairs, as they encode without a secret
    groups: list[Group] = []
    at = k = 0
    while k < len(pairs):
        own = encoded(hidden[k])
        if own and octets.startswith(own, at):
            groups.append((pairs[k:k + 1], b""))
            at, k = at + len(own), k + 1
            continue
        whole = octets[at:at + octets[at + 1]]
        inside = list(Attributes.from_octets(whole))
        if not inside or hidden[k:k + len(inside)] != inside:
            return [*groups, (pairs[k:], b"")]
        groups.append((pairs[k:k + len(inside)], whole))
        at, k = at + len(whole), k + len(inside)
    return groups


def encoded(pair: Pair) -> bytes:
    try:
        return Attributes([pair]).octets
    except EncodeError:
        return b""
