"""The queue as compiled callers use it: its C face through ctypes, against hashlib and hmac."""
import ctypes
import hashlib
import hmac
import mmap
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from fastcodec.digest import jobs

LIBRARY = ctypes.CDLL(jobs.__file__)
MD5, HMAC_MD5, HMAC_SHA1, HMAC_SHA256, KEY_MD5, KEY_SHA1, KEY_SHA256, SHA1 = range(8)
HMAC_NAMES = {HMAC_MD5: "md5", HMAC_SHA1: "sha1", HMAC_SHA256: "sha256"}
KEY_OF = {HMAC_MD5: KEY_MD5, HMAC_SHA1: KEY_SHA1, HMAC_SHA256: KEY_SHA256}
KINDS = (MD5, SHA1, HMAC_MD5, HMAC_SHA1, HMAC_SHA256)
WIDTHS = jobs.widths()
DATA = random.Random(1).randbytes(1 << 17)


class Job(ctypes.Structure):
    _fields_ = [("message", ctypes.c_void_p), ("tail", ctypes.c_void_p), ("key", ctypes.c_void_p),
                ("out", ctypes.c_void_p), ("length", ctypes.c_uint32), ("tail_length", ctypes.c_uint32),
                ("kind", ctypes.c_uint32)]


class Queue(ctypes.Structure):
    _fields_ = [("jobs", ctypes.c_void_p), ("count", ctypes.c_uint32), ("room", ctypes.c_uint32)]


@dataclass
class Asked:
    """One digest to do, in memory of exactly its size (a read beyond it is the sanitizers' to find)."""
    kind: int
    message: bytes
    tail: bytes = b""
    key: bytes = b""
    out: ctypes.Array[ctypes.c_char] = field(default_factory=lambda: ctypes.create_string_buffer(64))

    def expected(self) -> bytes:
        data = self.message + self.tail
        if self.kind == MD5:
            return hashlib.md5(data).digest()
        if self.kind == SHA1:
            return hashlib.sha1(data).digest()
        return hmac.digest(self.key, data, HMAC_NAMES[self.kind])


def address(data: bytes) -> int | None:
    return ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value if data else None


def job_of(asked: Asked, key_state: ctypes.Array[ctypes.c_char] | None = None) -> Job:
    return Job(address(asked.message), address(asked.tail), ctypes.addressof(key_state) if key_state else None,
               ctypes.addressof(asked.out), len(asked.message), len(asked.tail), asked.kind)


def run_raw(rows: list[Job]) -> None:
    array = (Job * len(rows))(*rows)
    queue = Queue(ctypes.addressof(array), len(rows), len(rows))
    LIBRARY.digest_run(ctypes.byref(queue))
    assert queue.count == 0


def run(batch: list[Asked]) -> None:
    """The keys and the messages under them in one queue: the engine must do the keys first."""
    keys = [Asked(KEY_OF[a.kind], a.key) if a.kind in KEY_OF else None for a in batch]
    rows = [job_of(a, k.out if k else None) for a, k in zip(batch, keys, strict=True)]
    run_raw([job_of(k) for k in keys if k] + rows)


def check(batch: list[Asked]) -> None:
    for asked in batch:
        asked.out = ctypes.create_string_buffer(64)
    run(batch)
    for i, asked in enumerate(batch):
        want = asked.expected()
        assert asked.out.raw[:len(want)] == want, (i, asked.kind, len(asked.message), len(asked.tail), len(asked.key))
        assert not any(asked.out.raw[len(want):]), "wrote beyond its digest"


@pytest.fixture(params=WIDTHS, ids=lambda w: f"width{w}", autouse=True)
def width(request: pytest.FixtureRequest) -> Iterator[int]:
    before = jobs.width()
    jobs.use_width(request.param)
    yield request.param
    jobs.use_width(before)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("split", [0, 1, 16, 63, 64, 65, 300])
def test_every_length(kind: int, split: int) -> None:
    """Lengths 0 to 1024, the last `split` octets as the tail, in one queue of unequal rows."""
    batch = []
    for n in range(1025):
        data = DATA[n:2 * n]
        cut = max(n - split, 0)
        batch.append(Asked(kind, data[:cut], data[cut:], DATA[n:n + n % 80]))
    check(batch)


@pytest.mark.parametrize("kind", KINDS)
def test_every_lane_count(kind: int, width: int) -> None:
    """Two groups and a little more, with equal lengths and with unequal ones: no lane disturbs another."""
    most = 2 * max(width // 4, 1) + 3
    for count in range(1, most + 1):
        check([Asked(kind, DATA[i:i + 180], b"", b"k%d" % i) for i in range(count)])
        check([Asked(kind, DATA[i:i + 37 * (i * 7 % 11)], DATA[:i], b"k%d" % i) for i in range(count)])


@pytest.mark.parametrize("count", [47, 48, 49, 63, 64, 65, 127, 128, 129, 1023, 1025, 2500])
def test_full_sets_and_chunks(count: int) -> None:
    check([Asked(HMAC_MD5, DATA[i:i + i % 260], DATA[:i % 3], b"key") for i in range(count)])


@pytest.mark.parametrize("kind", [HMAC_MD5, HMAC_SHA1, HMAC_SHA256])
def test_every_key_length(kind: int) -> None:
    """Keys of 0 to 200 octets: more than 64 are hashed first (RFC 2104 section 2)."""
    check([Asked(kind, DATA[:n], b"", DATA[n:2 * n]) for n in range(201)])


@pytest.mark.parametrize("kind", [KEY_MD5, KEY_SHA1, KEY_SHA256])
def test_key_in_two_pieces(kind: int) -> None:
    pieces = [(DATA[:n], DATA[n:n + m]) for n in (0, 1, 20, 32, 64, 70) for m in (0, 1, 31, 32, 33, 64, 100, 400)]
    split = [Asked(kind, a, b) for a, b in pieces]
    whole = [Asked(kind, a + b) for a, b in pieces]
    run_raw([job_of(a) for a in split + whole])
    assert [a.out.raw for a in split] == [a.out.raw for a in whole]


def test_kinds_mixed() -> None:
    rng = random.Random(2)
    batch = [Asked(rng.choice(KINDS), DATA[s:s + rng.choice((0, 1, 55, 56, 63, 64, 119, 180, 259))],
                   DATA[:rng.choice((0, 0, 1, 16, 200, 311, 312, 1000))], DATA[s:s + rng.randrange(100)])
             for s in range(700)]
    check(batch)
    for count in (1, 2, 3, 4, 5, 9):
        check(batch[:count])


@pytest.mark.parametrize("kind", KINDS)
def test_long_messages(kind: int) -> None:
    """Classes beyond 31 blocks hold unequal counts: 2 KiB to 65535 octets in one queue, with long tails too."""
    lengths = [65535, 65534, 65472, 40000, 33000, 20001, 12345, 9000, 5000, 4096, 3000, 2049, 2048, 2047, 64, 0]
    check([Asked(kind, DATA[:n], DATA[:t], b"secret") for n in lengths for t in (0, 9, 300, 5000)])


def test_any_address() -> None:
    """Messages, tails and digests at every alignment."""
    out = bytearray(64 * 65)
    at = ctypes.addressof((ctypes.c_char * len(out)).from_buffer(out))
    base = address(DATA)
    assert base is not None
    run_raw([Job(base + i, base + 3 * i, None, at + 65 * i, 150 + i, i % 7, MD5) for i in range(64)])
    for i in range(64):
        want = hashlib.md5(DATA[i:150 + 2 * i] + DATA[3 * i:3 * i + i % 7]).digest()
        assert out[65 * i:65 * i + 16] == want


def at_end_of_page(data: bytes, libc: ctypes.CDLL) -> tuple[mmap.mmap, int]:
    """`data` in its own mapping; its last octet is the last before a page that faults."""
    page = mmap.PAGESIZE
    room = max(1, -(-len(data) // page)) * page
    area = mmap.mmap(-1, room + page)
    start = ctypes.addressof((ctypes.c_char * len(area)).from_buffer(area))
    area[room - len(data):room] = data
    assert libc.mprotect(ctypes.c_void_p(start + room), ctypes.c_size_t(page), 0) == 0
    return area, start + room - len(data)


@pytest.mark.parametrize("kind", [MD5, KEY_MD5])
def test_nothing_beyond_a_message_is_read(kind: int) -> None:
    """Message and tail each end where memory ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    areas, asked, rows = [], [], []
    for n in [*range(0, 140), 180, 260, 300, 1024, 5000]:
        for area, place in (at_end_of_page(DATA[:n], libc), at_end_of_page(DATA[n:n + n % 70], libc)):
            areas.append((area, place))
        one = Asked(kind, DATA[:n], DATA[n:n + n % 70])
        rows.append(Job(areas[-2][1], areas[-1][1], None, ctypes.addressof(one.out), n, n % 70, kind))
        asked.append(one)
    run_raw(rows)
    if kind == MD5:
        assert [a.out.raw[:16] for a in asked] == [a.expected() for a in asked]
    else:
        again = [Asked(kind, a.message + a.tail) for a in asked]
        run_raw([job_of(a) for a in again])
        assert [a.out.raw for a in asked] == [a.out.raw for a in again]


def test_nothing_before_a_message_is_read() -> None:
    """Messages begin where memory begins: a page that faults, then the message."""
    libc = ctypes.CDLL(None, use_errno=True)
    page = mmap.PAGESIZE
    lengths = [*range(0, 140), 180, 260]
    area = mmap.mmap(-1, 2 * page * len(lengths))
    start = ctypes.addressof((ctypes.c_char * len(area)).from_buffer(area))
    asked, rows = [], []
    for i, n in enumerate(lengths):
        at = 2 * page * i
        area[at + page:at + page + n] = DATA[:n]
        assert libc.mprotect(ctypes.c_void_p(start + at), ctypes.c_size_t(page), 0) == 0
        one = Asked(MD5, DATA[:n])
        rows.append(Job(start + at + page, None, None, ctypes.addressof(one.out), n, 0, MD5))
        asked.append(one)
    run_raw(rows)
    assert [a.out.raw[:16] for a in asked] == [a.expected() for a in asked]


def test_empty_queue() -> None:
    run_raw([])


def test_equal_looks_at_every_octet() -> None:
    equal: Callable[[bytes, bytes, int], int] = LIBRARY.digest_equal
    for n in range(33):
        assert equal(DATA, DATA, n) == 1
        for i in range(n):
            other = bytearray(DATA[:n])
            other[i] ^= 1 << i % 8
            assert equal(DATA, bytes(other), n) == 0


def test_widths_are_the_machines() -> None:
    assert WIDTHS[:2] == (1, 16)
    assert LIBRARY.digest_use_width(8) == -1
    assert LIBRARY.digest_use_width(128) == -1
    assert jobs.width() in WIDTHS
