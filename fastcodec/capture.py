"""Capture files: pcap and pcapng read as a stream of frames in constant memory, pcap written.

Formats: draft-ietf-opsawg-pcap (pcap), draft-ietf-opsawg-pcapng (pcapng). Either byte order, micro- and nanoseconds,
several sections and interfaces. A file compressed with gzip is read as it is.
"""
from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, Protocol, cast

from fastcodec.errors import RemoteError
from fastcodec.wants import called, wants_octets

__all__ = ["CaptureError", "CaptureWriter", "EmptyCaptureError", "Frame", "LinkType", "is_capture", "read_capture"]

CHUNK = 1 << 20                  # octets read at a time
LONGEST_FRAME = 1 << 18          # libpcap's own limit; more is a corrupt length
LONGEST_BLOCK = 1 << 24          # of pcapng
MOST_INTERFACES = 4096           # of a pcapng section
NANOSECOND = 10**9
PCAP_MAGIC = {b"\xa1\xb2\xc3\xd4": (">", 1000), b"\xd4\xc3\xb2\xa1": ("<", 1000),
              b"\xa1\xb2\x3c\x4d": (">", 1), b"\x4d\x3c\xb2\xa1": ("<", 1)}
SECTION = b"\x0a\x0d\x0d\x0a"
GZIP = b"\x1f\x8b"
SECTION_HEADER, INTERFACE, PACKET, SIMPLE_PACKET, ENHANCED_PACKET = 0x0A0D0D0A, 1, 2, 3, 6
TIME_RESOLUTION, TIME_OFFSET = 9, 14                     # options of an interface


class LinkType:
    """What the frames of a capture begin with; the numbers of tcpdump.org/linktypes.html."""

    NULL = 0                     # four octets of address family, host order
    ETHERNET = 1
    RAW = 101                    # an IP header
    RAW_BSD = 12                 # the same by the number that DLT_RAW has on most systems,
    RAW_OPENBSD = 14             # and on OpenBSD: some programs write these
    LOOP = 108                   # as NULL, in network order
    LINUX_SLL = 113
    IPV4 = 228
    IPV6 = 229
    LINUX_SLL2 = 276


class CaptureError(RemoteError, ValueError):
    """A capture file that cannot be read on from `offset`."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(offset, reason)
        self.offset, self.reason = offset, reason

    def __str__(self) -> str:
        return f"capture at offset {self.offset}: {self.reason}"


class EmptyCaptureError(CaptureError):
    """Not one octet: nothing was captured, and nothing is wrong with it either."""


class Frame(NamedTuple):
    """One captured frame: `time_ns` since 1970, `link` a LinkType, `octets` as far as captured of `length` on the wire."""

    number: int
    time_ns: int
    link: int
    octets: bytes
    length: int


class _Readable(Protocol):
    def read(self, count: int = -1, /) -> bytes: ...


class _Source:
    """A stream as one window of octets that moves on; `at` counts from the beginning of the (unpacked) file."""

    def __init__(self, stream: _Readable) -> None:
        self.stream, self.window, self.start, self.at = stream, b"", 0, 0

    def need(self, count: int) -> bool:
        """Whether `count` octets follow; then they are in the window."""
        if len(self.window) - self.start >= count:
            return True
        pieces, have = [self.window[self.start:]], len(self.window) - self.start
        try:
            while have < count:
                piece = self._read(max(CHUNK, count - have))
                if not piece:
                    break
                pieces.append(piece)
                have += len(piece)
        finally:
            self.window, self.start = b"".join(pieces), 0
        return have >= count

    def _read(self, count: int) -> bytes:
        try:
            return wants_octets("stream.read()", self.stream.read(count))
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise self.refuse(f"gzip: {error}") from error

    def left(self) -> int:
        """Octets of the window, which are all there is once `need` was false."""
        return len(self.window) - self.start

    def take(self, count: int) -> bytes:
        octets = self.window[self.start:self.start + count]
        self.start += count
        self.at += count
        return octets

    def skip_to(self, place: int) -> None:
        """`place` in the window."""
        self.at += place - self.start
        self.start = place

    def refuse(self, reason: str) -> CaptureError:
        return CaptureError(self.at, reason)


def is_capture(start: bytes) -> bool:
    """Whether octets with this beginning (4 of them) are a capture as far as that tells."""
    return start[:4] in PCAP_MAGIC or start[:4] == SECTION or start[:2] == GZIP


def read_capture(stream: BinaryIO) -> Iterator[Frame]:
    """The frames of a pcap or pcapng file, in order. CaptureError after the last good one when the rest is no capture."""
    if not hasattr(stream, "read"):
        raise TypeError(f"stream: a file opened for reading octets is needed, not {called(stream)}")
    source = _Source(stream)
    if source.need(2) and source.window[:2] == GZIP:
        source = _Source(_Unpacked(fileobj=cast(BinaryIO, _Rest(source)), mode="rb"))
    if not source.need(1):
        raise EmptyCaptureError(source.at, "is empty")
    if not source.need(4):
        raise source.refuse(f"{source.left()} octets are no capture (pcap or pcapng)")
    magic = source.window[source.start:source.start + 4]
    if magic in PCAP_MAGIC:
        return _pcap(source, *PCAP_MAGIC[magic])
    if magic == SECTION:
        return _pcapng(source)
    raise source.refuse(f"begins with {magic.hex()}, which is neither pcap nor pcapng")


class _Unpacked(gzip.GzipFile):
    """Gives what stands before a damage first: `read` of its base would lose it."""

    def read(self, count: int | None = -1) -> bytes:
        return self.read1(-1 if count is None else count)


class _Rest:
    """What a source has already read, and what follows, as a stream for gzip."""

    def __init__(self, source: _Source) -> None:
        self.source = source

    def read(self, count: int = -1) -> bytes:
        if self.source.left():
            return self.source.take(self.source.left() if count < 0 else min(count, self.source.left()))
        return self.source.stream.read(count)


def _pcap(source: _Source, order: str, unit: int) -> Iterator[Frame]:
    if not source.need(24):
        raise source.refuse("the file header is cut off")
    link = int(struct.unpack(order + "I", source.take(24)[20:])[0]) & 0xffff      # above: how long the FCS is
    record = struct.Struct(order + "IIII")
    number, new = 0, tuple.__new__               # without the price of a NamedTuple's own
    while source.need(16):
        captured = record.unpack_from(source.window, source.start)[2]
        if captured > LONGEST_FRAME:
            raise source.refuse(f"a frame of {captured} octets cannot be")
        if not source.need(16 + captured):
            raise source.refuse(f"frame {number + 1} is cut off: {source.left() - 16} of {captured} octets")
        window, at, end = source.window, source.start, len(source.window)
        while at + 16 <= end:                    # every frame that is whole in the window
            seconds, fraction, captured, length = record.unpack_from(window, at)
            if captured > LONGEST_FRAME or captured > end - at - 16:
                break
            number += 1
            at += 16 + captured
            yield new(Frame, (number, seconds * NANOSECOND + fraction * unit, link, window[at - captured:at], length))
        source.skip_to(at)
    if source.left():
        raise source.refuse(f"{source.left()} octets follow that are no whole frame")


class _Interface(NamedTuple):
    link: int
    snap_length: int
    ticks: int                   # a second
    offset_ns: int


def _options(order: str, octets: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(octets):
        code, size = struct.unpack_from(order + "HH", octets, at)
        if code == 0:
            return
        yield code, octets[at + 4:at + 4 + size]
        at += 4 + (size + 3) // 4 * 4


def _interface(order: str, body: bytes) -> _Interface:
    link, _, snap_length = struct.unpack_from(order + "HHI", body)
    ticks, offset_ns = 10**6, 0
    for code, value in _options(order, body[8:]):
        if code == TIME_RESOLUTION and len(value) == 1:
            power = value[0] & 0x7f
            ticks = int(2**power if value[0] & 0x80 else 10**power)
        elif code == TIME_OFFSET and len(value) == 8:
            offset_ns = int(struct.unpack(order + "q", value)[0]) * NANOSECOND
    return _Interface(link, snap_length, ticks, offset_ns)


def _pcapng(source: _Source) -> Iterator[Frame]:
    order, interfaces, number = "<", list[_Interface](), 0
    while source.need(12):
        at = source.start
        if source.window[at:at + 4] == SECTION:
            order = _order(source)
            interfaces = []
        kind, size = struct.unpack_from(order + "II", source.window, at)
        if size % 4 or not 12 <= size <= LONGEST_BLOCK:
            raise source.refuse(f"a block of {size} octets cannot be")
        if not source.need(size):
            raise source.refuse(f"a block is cut off: {source.left()} of {size} octets")
        block_at, block = source.at, source.take(size)
        if struct.unpack_from(order + "I", block, size - 4)[0] != size:
            raise CaptureError(block_at, "a block whose two lengths differ")
        try:
            if kind == INTERFACE:
                if len(interfaces) == MOST_INTERFACES:
                    raise CaptureError(block_at, f"more than {MOST_INTERFACES} interfaces")
                interfaces.append(_interface(order, block[8:-4]))
            elif kind in (ENHANCED_PACKET, PACKET, SIMPLE_PACKET):
                number += 1
                yield _packet(order, kind, block[8:-4], interfaces, number)
        except (struct.error, IndexError) as error:
            raise CaptureError(block_at, f"a block of type {kind} that is too short or names no interface") from error
    if source.left():
        raise source.refuse(f"{source.left()} octets follow that are no whole block")


def _order(source: _Source) -> str:
    magic = source.window[source.start + 8:source.start + 12]
    if magic not in (b"\x1a\x2b\x3c\x4d", b"\x4d\x3c\x2b\x1a"):
        raise source.refuse(f"byte order magic {magic.hex()}")
    return ">" if magic == b"\x1a\x2b\x3c\x4d" else "<"


def _packet(order: str, kind: int, body: bytes, interfaces: list[_Interface], number: int) -> Frame:
    if kind == SIMPLE_PACKET:
        interface, length = interfaces[0], struct.unpack_from(order + "I", body)[0]
        captured = min(length, interface.snap_length or length, len(body) - 4)
        return Frame(number, 0, interface.link, body[4:4 + captured], length)
    layout = "IIIII" if kind == ENHANCED_PACKET else "HHIIII"
    fields = struct.unpack_from(order + layout, body)
    high, low, captured, length = fields[-4:]
    interface = interfaces[fields[0]]
    if captured > len(body) - 20:
        raise IndexError("more octets than the block holds")
    ticks = high << 32 | low
    time_ns = ticks * NANOSECOND // interface.ticks + interface.offset_ns
    return Frame(number, time_ns, interface.link, body[20:20 + captured], length)


class CaptureWriter:
    """A pcap file of nanoseconds. `write` frames, then `close`, or use it with `with`."""

    def __init__(self, stream: BinaryIO, link: int = LinkType.RAW) -> None:
        self.stream = stream
        stream.write(struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, LONGEST_FRAME, link))

    def write(self, time_ns: int, octets: bytes) -> None:
        """One frame, whole; `time_ns` since 1970."""
        seconds, fraction = divmod(time_ns, NANOSECOND)
        self.stream.write(struct.pack("<IIII", seconds & 0xffffffff, fraction, len(octets), len(octets)) + octets)

    def close(self) -> None:
        self.stream.close()

    def __enter__(self) -> CaptureWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
