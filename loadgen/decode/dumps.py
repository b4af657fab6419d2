"""Messages in text: one a line, or dumps with offsets as xxd, hexdump -C, od -tx1, tcpdump -x and tshark -x print them."""
from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from loadgen.decode.hexadecimal import octets_of
from loadgen.errors import UsageError

#   Offset zero, and a colon or two blanks behind it (od: one, and then single octets): no message is written like this.
FIRST = re.compile(r"\s*(?:0x)?0{4,16}(?::\s|\s\s| [0-9a-fA-F]{2}(?: |$))")
LINE = re.compile(r"\s*(?:0x)?([0-9a-fA-F]{4,16})(?::\s*|\s+|$)((?:(?:[0-9a-fA-F]{2}){1,8}(?:\s?\s(?=\S)|\s|$))*)")
MOST = 16                        # octets of a line; what follows them is their text
OCTAL = 7                        # digits of an offset of od's own


def messages_of(lines: Iterable[str]) -> Iterator[bytes]:
    """The octets of each message; UsageError says which line is none. An empty line, or a comment (#), ends a dump."""
    dump = bytearray()
    for line in lines:
        is_first = FIRST.match(line) is not None
        is_empty = not line.strip() or line.lstrip().startswith("#")
        if dump and (is_first or is_empty):
            yield bytes(dump)
            dump.clear()
        if dump or is_first:
            dump += of_dump(line, len(dump))
        elif not is_empty:
            yield octets_of(line)
    if dump:
        yield bytes(dump)


def of_dump(line: str, before: int) -> bytes:
    """The octets of one line of a dump, `before` octets behind its beginning."""
    found = LINE.match(line)
    offset = -1
    if found:
        digits = found[1]
        offset = int(digits, 8) if len(digits) == OCTAL and not set(digits) & set("89abcdefABCDEF") else int(digits, 16)
    if found is None or offset != before or (not found[2] and found.end() < len(line.rstrip())):
        raise UsageError(f"{line.strip()[:40]!r}: is no line of a dump at offset {before:#x} (all of them are needed, 16 octets each)")
    return bytes.fromhex(found[2])[:MOST]
