"""A RADIUS packet as a person handles it: decoded, verified, changed, signed, encoded."""
from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Self

from fastcodec import attribute_edits, json_text, packet
from fastcodec.attribute_rows import label_of
from fastcodec.attributes import Attributes
from fastcodec.base import Message, name_of, shown
from fastcodec.errors import EncodeError
from fastcodec.hidden import Hidden, Revealed, RevealedText
from fastcodec.plain import plain_pairs
from fastcodec.radius import Code
from fastcodec.secret import Secret
from fastcodec.sections import cite
from fastcodec.signing import Octets, wants_keys
from fastcodec.wants import wants

__all__ = ["RadiusPacket"]


class RadiusPacket(Message):
    """RFC 2865 3. `attributes` are (name, value) in wire order; of a decoded packet they are typed when looked at."""

    code: Annotated[int, name_of(Code)]
    identifier: int
    authenticator: bytes = b""
    attributes: Attributes | Sequence[tuple[str, Any]] = ()

    @classmethod
    def decode(cls, data: Octets, secret: Secret | Octets | None = None, request: RadiusPacket | Octets | None = None,
               *, require: bool = True, longest: int = 4096, most_attributes: int = 255, depth: int = 8) -> Self:
        """The packet in `data`; DecodeError names attribute and offset. What follows its Length is ignored.

        With `secret` it must be authentic, as a request, or as the answer to `request` (packet, octets, or the request
        authenticator alone): else AuthenticationError; and the hidden values are revealed. `require` false admits
        packets without Message-Authenticator. Longer packets and more attributes are refused; TLVs inside one another
        deeper than `depth` stay octets.
        """
        return packet.decode(cls, data, secret, request, require, longest, most_attributes, depth)  # type: ignore[no-any-return]

    def encode(self, secret: Secret | Octets | None = None, request: RadiusPacket | Octets | None = None,
               *, longest: int = 4096) -> bytes:
        """The octets; EncodeError names the attribute, and an answer that is none to `request`: its client would drop it (RFC 2865 3).

        With `secret` they are signed as their code is: Message-Authenticator (put first when there is none; accounting
        has none), then the MD5 of an answer to `request`, of accounting, of CoA and Disconnect; and values that the
        dictionary says are hidden are hidden, unless they are `Hidden` octets. The authenticator of a request is kept
        in `authenticator`; a random one is made when there is none.
        """
        if not self.authenticator and request is None:
            self.authenticator = secrets.token_bytes(16)
        octets = packet.encode(self, secret, request, longest)
        if secret is not None and request is None:
            self.authenticator = octets[4:20]
        return octets

    def verify(self, secret: Secret | Octets, request: RadiusPacket | Octets | None = None, *, require: bool = True) -> None:
        """AuthenticationError unless the packet is authentic, as a request, or as the answer to `request`, as for `decode`."""
        octets = self.replace(attributes=_as_on_the_wire(self.attributes)).encode()
        if request is None:
            packet.verify_request(octets, secret, require=require)
        else:
            packet.verify_response(octets, secret, request, require=require)

    def sign(self, secret: Secret | Octets, request: RadiusPacket | Octets | None = None) -> Self:
        """A copy, signed anew as `encode` does: what `verify` wants after a change. Its hidden values are `Hidden` octets, so
        that its `encode()` gives the octets that were signed. EncodeError names the attribute."""
        wants_keys(secret, "secret")
        return type(self).decode(self.replace().encode(secret, request))

    def with_value(self, name: str, value: Any) -> Self:
        """A copy in which the first attribute of that name has that value; it comes last when there is none.

        The octets of all others stay as they are, which `replace(attributes=...)` gives for canonical ones only. `sign` it then.
        """
        return self.replace(attributes=attribute_edits.with_value(self.attributes, name, value))

    def without(self, name: str) -> Self:
        """A copy without attributes of that name; the octets of all others stay as they are. `sign` it then."""
        return self.replace(attributes=attribute_edits.without(self.attributes, name))

    def nai(self) -> str | None:
        """User-Name, if there is one."""
        name: str | None = self.find("User-Name")
        return name

    def find(self, kind: str) -> Any:  # type: ignore[override]
        """The value of the first attribute of that name, or None."""
        wants("kind", kind, str)
        return next((value for name, value in self.attributes if name == kind), None)

    def find_all(self, kind: str) -> list[Any]:  # type: ignore[override]
        """The values of every attribute of that name, in wire order."""
        wants("kind", kind, str)
        return [value for name, value in self.attributes if name == kind]

    def _items(self) -> Iterable[str]:
        return [item for item in super()._items() if not item.startswith("attributes=")]

    def __str__(self) -> str:
        head = super().__str__().removesuffix(")")
        lines = "".join(f"\n        {name} = {_shown(name, value)}," for name, value in self.attributes)
        return f"{head}, attributes=[{lines}\n    ])" if lines else head + ")"

    def to_dict(self) -> dict[str, Any]:
        """As for every message; attributes are pairs, an octets value in a pair is {"octets": its hexadecimal digits}.

        Hidden values of a decoded packet stay hidden: {"hidden": hexadecimal digits as on the wire}.
        """
        given = self.attributes
        pairs = given.as_on_the_wire() if isinstance(given, Attributes) else given
        return {"class": type(self).__name__, "code": self.code, "identifier": self.identifier,
                "authenticator": self.authenticator.hex(), "attributes": plain_pairs(pairs)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The other way; EncodeError names the attribute that is wrong."""
        if not isinstance(values, Mapping):
            raise EncodeError(cls.__name__, f"{values!r} is no mapping of fields to values")
        made = super().from_dict({name: value for name, value in values.items() if name != "attributes"})
        try:
            made.attributes = Attributes(_pairs(values.get("attributes", ())))
        except (TypeError, ValueError, KeyError) as error:
            if isinstance(error, EncodeError):
                raise
            raise EncodeError("RadiusPacket.attributes", f"no pairs of name and value: {error}") from None
        return made


json_text.register(RadiusPacket)


def _as_on_the_wire(given: Attributes | Sequence[tuple[str, Any]]) -> Attributes | Sequence[tuple[str, Any]]:
    """Values of a decoded packet that were revealed, hidden as they came."""
    return Attributes.from_octets(given.octets) if isinstance(given, Attributes) else given


def _shown(name: str, value: Any) -> str:
    """A number with its name; what was hidden on the wire is not shown."""
    label = label_of(name, value)
    if label:
        return f"{value} ({label})"
    return repr(value) if isinstance(value, (Revealed, RevealedText)) else shown(value)


def _pairs(pairs: Iterable[Any]) -> list[tuple[str, Any]]:
    return [(name, _value(value)) for name, value in pairs]


def _value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return Hidden(bytes.fromhex(value["hidden"])) if "hidden" in value else bytes.fromhex(value["octets"])
    return _pairs(value) if isinstance(value, list) and value and isinstance(value[0], (list, tuple)) else value


cite([RadiusPacket])
