"""Files: captures and dictionaries."""
from __future__ import annotations

from io import BytesIO
from pathlib import Path

from rules import attempt, must, scratch

import fastcodec as fc
from fastcodec import DictionaryError, LocalError
from fastcodec.capture import PCAP_MAGIC, CaptureError, read_capture

# ---- captures --------------------------------------------------------------------------------------------------------

def capture(data: bytes) -> None:
    """Frames lie within the file, in its order; then CaptureError or the end."""
    read = number = 0
    try:
        for number, frame in enumerate(read_capture(BytesIO(data)), 1):
            read += len(frame.octets)
            must(frame.number == number, "frames out of order", frame)
            must(data[:4] not in PCAP_MAGIC or len(frame.octets) == captured(data, 8 + read + 16 * number - len(frame.octets)),
                 "another number of octets than its header says", frame)
            must(is_packed(data) or read <= len(data), "more octets than the file has", frame)
            attempt(fc.look, frame.octets)
        must(data[:4] not in PCAP_MAGIC or 24 + read + 16 * number == len(data), "less was read than the file holds", data)
    except CaptureError as error:
        must(is_packed(data) or error.offset <= len(data), "an error beyond the file", error)


def captured(data: bytes, at: int) -> int:
    """Octets that the header of a frame of a pcap file says it has."""
    return int.from_bytes(data[at + 8:at + 12], "big" if PCAP_MAGIC[data[:4]][0] == ">" else "little")


def is_packed(data: bytes) -> bool:
    return data[:2] == b"\x1f\x8b"


# ---- dictionaries ----------------------------------------------------------------------------------------------------

FILES = ("dictionary", "one", "two", "folder/three")         # of an input, in this order, parted by zero octets
WORDS_OF_DICTIONARIES = (
    "$INCLUDE ", "$INCLUDE- ", "BEGIN-VENDOR ", "END-VENDOR ", "BEGIN-TLV ", "END-TLV ", "ATTRIBUTE ", "VALUE ", "VENDOR ",
    "PROTOCOL RADIUS", "BEGIN-PROTOCOL", "END-PROTOCOL", "FLAGS internal", "format=1,1,c", "format=4,0", "parent=",
    "encrypt=1", "encrypt=2", "has_tag",
    "concat", "array", "secret", "string", "octets", "integer", "integer64", "ipaddr", "ipv6prefix", "tlv", "vsa", "extended",
    "long-extended", "evs",
    "26.1", "241.1", "0x1f", *FILES)


def dictionary(data: bytes) -> None:
    """A file and those beside it that it may include. Names of files outside are none: what stands there this machine decides."""
    texts = data.split(b"\0")[:len(FILES)]
    if any(not stays_inside(text) for text in texts):
        return
    folder = scratch() / "dictionaries"
    (folder / "folder").mkdir(parents=True, exist_ok=True)
    for name, text in zip(FILES, [*texts, *[b""] * (len(FILES) - len(texts))], strict=True):
        (folder / name).write_bytes(text)
    try:
        read = fc.Dictionary().read(folder / FILES[0])
    except DictionaryError as error:
        lines = {str(folder / name): text.count(b"\n") + 1 for name, text in zip(FILES, texts, strict=False)}
        must(error.line <= lines.get(error.path.replace("folder/../", ""), 1), "a line beyond its file", error)
        return
    for name, attribute in read.attributes.items():
        must(attribute.name == name, "under another name", attribute)
    if not sum(data) % 16:                       # it takes as long as a hundred others
        used(folder / FILES[0])


def stays_inside(text: bytes) -> bool:
    """Whether every file that is included is one of FILES."""
    words = [line.partition(b"#")[0].split() for line in text.split(b"\n")]
    return all(b"include" not in line[0].lower() or (len(line) > 1 and line[1].strip(b'"') in INSIDE) for line in words if line)


INSIDE = {name.encode() for name in (*FILES, "three", "../one", "none", "folder/none")}


def used(path: Path) -> None:
    """What a user's file says can be taken for the dictionary of all packets, until the next one is."""
    try:
        fc.configure(fc.load(path))
    except LocalError as error:
        must(bool(str(error)), "a refusal says nothing", error)
