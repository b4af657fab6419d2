"""The digests' Python face: known answers, hashlib and hmac, batches, refusals."""
import copy
import hashlib
import hmac
import pickle
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastcodec import digest

HMACS: dict[str, Callable[[bytes, bytes], bytes]] = {
    "md5": digest.hmac_md5, "sha1": digest.hmac_sha1, "sha256": digest.hmac_sha256}
BATCHES = {"md5": digest.hmac_md5_batch, "sha1": digest.hmac_sha1_batch, "sha256": digest.hmac_sha256_batch}
SIZES = {"md5": 16, "sha1": 20, "sha256": 32}


@pytest.fixture(params=digest.widths(), ids=lambda w: f"width{w}")
def each_width(request: pytest.FixtureRequest) -> Iterator[int]:
    before = digest.width()
    digest.use_width(request.param)
    yield request.param
    digest.use_width(before)


@pytest.mark.parametrize(("message", "expected"), [       # RFC 1321 appendix A.5
    (b"", "d41d8cd98f00b204e9800998ecf8427e"),
    (b"a", "0cc175b9c0f1b6a831c399e269772661"),
    (b"abc", "900150983cd24fb0d6963f7d28e17f72"),
    (b"message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
    (b"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"),
    (b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f"),
    (b"1234567890" * 8, "57edf4a22be3c955ac49da2e2107b67a"),
])
def test_md5_known_answers(message: bytes, expected: str) -> None:
    assert digest.md5(message).hex() == expected


@pytest.mark.parametrize(("name", "key", "message", "expected"), [
    ("md5", b"\x0b" * 16, b"Hi There", "9294727a3638bb1c13f48ef8158bfc9d"),                    # RFC 2104 appendix
    ("md5", b"Jefe", b"what do ya want for nothing?", "750c783e6ab0b503eaa86e310a5db738"),
    ("md5", b"\xaa" * 16, b"\xdd" * 50, "56be34521d144c88dbb8c733f0e8b3f6"),
    ("sha1", b"\x0b" * 20, b"Hi There", "b617318655057264e28bc0b6fb378c8ef146be00"),            # RFC 2202 section 3
    ("sha1", b"\xaa" * 80, b"Test Using Larger Than Block-Size Key - Hash Key First",
     "aa4ae5e15272d00e95705637ce8a3b55ed402112"),
    ("sha256", b"Jefe", b"what do ya want for nothing?",                                       # RFC 4231 section 4.3
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
])
def test_hmac_known_answers(name: str, key: bytes, message: bytes, expected: str) -> None:
    assert HMACS[name](key, message).hex() == expected


@pytest.mark.parametrize("name", HMACS)
@given(key=st.binary(max_size=200), message=st.binary(max_size=2000))
def test_single_messages(name: str, key: bytes, message: bytes) -> None:
    want = hmac.digest(key, message, name)
    prepared = digest.PreparedKey(name, key)
    assert HMACS[name](key, message) == prepared.sign(memoryview(message)) == want
    assert digest.md5(message) == hashlib.md5(message).digest()
    assert digest.sha1(message) == hashlib.sha1(message).digest()
    assert prepared.verify(message, want)
    assert not prepared.verify(message + b"x", want)
    assert not prepared.verify(message, want[:-1])


def test_compare() -> None:
    assert digest.compare(b"", b"")
    assert digest.compare(b"abc", bytearray(b"abc"))
    assert not digest.compare(b"abc", b"abd")
    assert not digest.compare(b"abc", b"abcd")


def rows_of(count: int, room: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(count)
    return rng.integers(0, 256, (count, room), np.uint8), rng.integers(0, room + 1, count, np.uint32)


@pytest.mark.usefixtures("each_width")
@pytest.mark.parametrize("name", HMACS)
@pytest.mark.parametrize("count", [0, 1, 3, 4, 17, 200, 1500])
def test_batches(name: str, count: int) -> None:
    """One key for all rows, then a key a row."""
    rows, lengths = rows_of(count, 300)
    raw, raw_lengths = rows_of(count, 100)
    out = np.zeros((count, SIZES[name]), np.uint8)
    BATCHES[name](digest.PreparedKey(name, b"one key"), rows, lengths, out)
    for i in range(count):
        assert out[i].tobytes() == hmac.digest(b"one key", rows[i, :lengths[i]].tobytes(), name)
    keys = digest.PreparedKeys(name, raw, raw_lengths)
    assert len(keys) == count
    BATCHES[name](keys, rows, lengths, out)
    for i in range(count):
        assert out[i].tobytes() == hmac.digest(raw[i, :raw_lengths[i]].tobytes(), rows[i, :lengths[i]].tobytes(), name)


@pytest.mark.usefixtures("each_width")
def test_md5_batch() -> None:
    rows, lengths = rows_of(300, 260)
    out = np.zeros((300, 16), np.uint8)
    digest.md5_batch(rows, lengths, out)
    assert [o.tobytes() for o in out] == [
        hashlib.md5(r[:n].tobytes()).digest() for r, n in zip(rows, lengths, strict=True)]


def test_rows_without_room() -> None:
    out = np.zeros((5, 16), np.uint8)
    digest.md5_batch(np.zeros((5, 0), np.uint8), np.zeros(5, np.uint32), out)
    assert {o.tobytes() for o in out} == {hashlib.md5().digest()}


def test_refusals_leave_out_alone() -> None:
    rows, lengths, out = np.zeros((4, 8), np.uint8), np.full(4, 8, np.uint32), np.zeros((4, 16), np.uint8)
    key = digest.PreparedKey("md5", b"k")
    with pytest.raises(ValueError, match="row 2: length 9 is beyond the row's 8 octets"):
        digest.hmac_md5_batch(key, rows, np.array([8, 8, 9, 8], np.uint32), out)
    with pytest.raises(ValueError, match="4 rows but 3 lengths"):
        digest.md5_batch(rows, lengths[:3], out)
    with pytest.raises(ValueError, match=r"out is \[4, 15\], must be \[4, 16\]"):
        digest.md5_batch(rows, lengths, np.zeros((4, 15), np.uint8))
    with pytest.raises(ValueError, match="keys prepared for sha1, not for md5"):
        digest.hmac_md5_batch(digest.PreparedKey("sha1", b"k"), rows, lengths, out)
    with pytest.raises(ValueError, match="4 rows but 2 keys"):
        digest.hmac_md5_batch(digest.PreparedKeys("md5", rows[:2], lengths[:2]), rows, lengths, out)
    with pytest.raises(TypeError, match="PreparedKey or PreparedKeys, not bytes"):
        digest.hmac_md5_batch(b"k", rows, lengths, out)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="one of md5, sha1, sha256"):
        digest.PreparedKey("sha512", b"k")  # type: ignore[arg-type]
    assert not out.any()


def test_keys_show_nothing() -> None:
    key = digest.PreparedKey("md5", b"secret")
    keys = digest.PreparedKeys("sha1", np.zeros((2, 8), np.uint8), np.full(2, 8, np.uint32))
    assert repr(key) == "PreparedKey('md5', ...)"
    assert repr(keys) == "<2 PreparedKeys, sha1>"
    for secret in (key, keys):
        with pytest.raises(TypeError):
            pickle.dumps(secret)
        with pytest.raises(TypeError):
            copy.copy(secret)


def test_width_refused() -> None:
    with pytest.raises(ValueError, match="width 24: this machine offers 1, 16"):
        digest.use_width(24)


def test_exports_are_sorted_and_there() -> None:
    assert list(digest.__all__) == sorted(digest.__all__)
    assert all(hasattr(digest, name) for name in digest.__all__)
