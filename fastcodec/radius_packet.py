"""A RADIUS packet as a person handles it: decoded, verified, changed, signed, encoded."""
from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Self

from fastcodec import packet
from fastcodec.attributes import Attributes
from fastcodec.base import Message, name_of, plain, shown
from fastcodec.errors import EncodeError
from fastcodec.radius import Code
from fastcodec.secret import Secret

__all__ = ["RadiusPacket"]

Octets = bytes | bytearray | memoryview


class RadiusPacket(Message):
    """RFC 2865 3. `attributes` are (name, value) in wire order; of a decoded packet they are typed when looked at."""

    code: Annotated[int, name_of(Code)]
    identifier: int
    authenticator: bytes = b""
    attributes: Attributes | Sequence[tuple[str, Any]] = ()

    @classmethod
    def decode(cls, data: Octets, secret: Secret | Octets | None = None, request: RadiusPacket | Octets | None = None,
               *, require: bool = True) -> Self:
        """The packet in `data`; DecodeError names attribute and offset. What follows its Length is ignored.

        With `secret` it must be authentic, as a request, or as the answer to `request` (packet, octets, or the request
        authenticator alone): else AuthenticationError. `require` false admits packets without Message-Authenticator.
        """
        message: Self = packet.decode(cls, data, secret, request, require)
        return message

    def encode(self, secret: Secret | Octets | None = None, request: RadiusPacket | Octets | None = None) -> bytes:
        """The octets; EncodeError names the attribute.

        With `secret` they are signed: Message-Authenticator (put first when there is none), and in an answer to
        `request` the Response Authenticator. A request without authenticator gets a random one.
        """
        if not self.authenticator and request is None:
            self.authenticator = secrets.token_bytes(16)
        return packet.encode(self, secret, request)

    def _items(self) -> Iterable[str]:
        return [item for item in super()._items() if not item.startswith("attributes=")]

    def __str__(self) -> str:
        head = super().__str__().removesuffix(")")
        lines = "".join(f"\n        {name} = {shown(value)}," for name, value in self.attributes)
        return f"{head}, attributes=[{lines}\n    ])" if lines else head + ")"

    def to_dict(self) -> dict[str, Any]:
        """As for every message; attributes are pairs, an octets value in a pair is {"octets": its hexadecimal digits}."""
        pairs = [[name, {"octets": value.hex()} if isinstance(value, bytes) else plain(value)]
                 for name, value in self.attributes]
        return super().to_dict() | {"attributes": pairs}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The other way; EncodeError names the attribute that is wrong."""
        made = super().from_dict({name: value for name, value in values.items() if name != "attributes"})
        try:
            made.attributes = Attributes((name, bytes.fromhex(value["octets"]) if isinstance(value, dict) else value)
                                         for name, value in values.get("attributes", ()))
        except (TypeError, ValueError, KeyError) as error:
            if isinstance(error, EncodeError):
                raise
            raise EncodeError("RadiusPacket.attributes", f"no pairs of name and value: {error}") from None
        return made
