"""What the lines of a dictionary file declare: attributes and vendors."""
from __future__ import annotations

import msgspec

__all__ = ["Attribute", "Vendor"]


class Attribute(msgspec.Struct, frozen=True, gc=False):
    """One ATTRIBUTE line.

    `path` are the numbers inside the space of `vendor`: one for a standard or a vendor's attribute, more for what sits
    in a TLV or an extended attribute; (241, 26, 1) of a vendor is type 1 of its extended vendor space, RFC 6929 2.4.
    """

    name: str
    vendor: int                  # 0: standard
    path: tuple[int, ...]
    kind: str
    size: int = 0                # octets[16] and the like; 0: any
    has_tag: bool = False        # RFC 2868 3.1
    encrypt: int = 0             # 1 User-Password, RFC 2865 5.2; 2 salt, RFC 2868 3.5; 3 Ascend-Send-Secret
    concat: bool = False         # one value split over several attributes, RFC 3579 3.1
    array: bool = False          # several values in one attribute
    is_internal: bool = False    # of a server's own, never on the wire: flag virtual, or a number over 255

    @property
    def number(self) -> int:
        return self.path[0]


class Vendor(msgspec.Struct, frozen=True, gc=False):
    """One VENDOR line; sizes in octets of its attributes' type and length, RFC 2865 5.26."""

    name: str
    number: int
    type_size: int = 1
    length_size: int = 1
    continuation: bool = False   # an octet more, whose high bit says that the value goes on (WiMAX)
