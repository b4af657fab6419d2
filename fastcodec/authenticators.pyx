"""Authenticators of extensions 32, 33, 34 and 36: HMACs, keyed MD5, CHAP. RFC 5944 3.5, RFC 4721 5-8, RFC 2002 3.5.1."""
from libc.stdint cimport uint8_t

from fastcodec.digest.jobs cimport DIGEST_HMAC_MD5, DIGEST_HMAC_SHA1, DIGEST_HMAC_SHA256, DIGEST_MD5
from fastcodec.errors import AuthenticationError
from fastcodec.mip4 cimport CHAP_SPI, EXT_CHALLENGE, EXT_FA_HA, EXT_GENERALIZED, EXT_MN_HA, SUBTYPE_MN_AAA, find_piece
from fastcodec.secret cimport ANY_ALGORITHM, HMAC_SHA1, HMAC_SHA256, KEYED_MD5, Secret, as_secret, digest_now
from fastcodec.status cimport Status as State
from fastcodec.wire cimport Piece, get32, same
from fastcodec.mip4 import EXTENSIONS

NAMES = {1: "mn_aaa", 2: "fa_fa", 3: "mn_gfa", 4: "mn_par"}      # subtypes of 36: RFC 4721 5, 4857 11, 4988 8


cdef bint is_authentication(int type, int subtype) noexcept nogil:
    return EXT_MN_HA <= type <= EXT_FA_HA or (type == EXT_GENERALIZED and 1 <= subtype <= 4)


cdef inline bint _is_chap(const uint8_t* spi, int type, int subtype) noexcept nogil:
    return type == EXT_GENERALIZED and subtype == SUBTYPE_MN_AAA and get32(spi) == CHAP_SPI


cdef Secret key_of(object keys, unsigned int spi):
    """`keys` is one key for every SPI, or a mapping from SPI to key."""
    if isinstance(keys, Secret):
        return <Secret> keys
    if isinstance(keys, (bytes, bytearray, memoryview)):
        return Secret(keys)
    if not hasattr(keys, "get"):
        raise TypeError(f"keys are octets, a Secret, or a mapping from SPI to these, not {type(keys).__name__}")
    key = keys.get(spi)
    return None if key is None else as_secret(key)


cdef int _chap(const uint8_t* p, int covered, const Piece* pieces, int found, Secret key, uint8_t* out) except -1:
    """RFC 4721 8: MD5(ch[0] || key || MD5(C) || last 237 of ch); without a challenge ch is one zero octet."""
    cdef uint8_t[16] digest
    cdef uint8_t zero = 0
    cdef int k = find_piece(pieces, found, EXT_CHALLENGE, 0)
    cdef const uint8_t* challenge = &zero
    cdef int n = 1, last
    cdef bytes head
    if k >= 0:
        challenge, n = p + pieces[k].offset, pieces[k].length
    last = min(n, <int> LAST_CHALLENGE)
    digest_now(DIGEST_MD5, p, covered, NULL, 0, NULL, digest)
    head = (challenge[:1] if n else b"") + key.octets + digest[:16]
    digest_now(DIGEST_MD5, <const uint8_t*> head, <int> len(head), challenge + n - last, last, NULL, out)
    return 16


cdef int _keyed_md5(const uint8_t* p, int covered, Secret key, uint8_t* out) except -1:
    """MD5(key || covered || key), nothing between them, RFC 2002 3.5.1."""
    cdef bytes text = key.octets + p[:covered]
    digest_now(DIGEST_MD5, <const uint8_t*> text, <int> len(text), <const uint8_t*> key.octets, <int> len(key.octets),
               NULL, out)
    return 16


cdef int size_of(const uint8_t* spi, int type, int subtype, Secret key) noexcept:
    """Octets of the authenticator that `key` makes under the SPI at `spi`."""
    if _is_chap(spi, type, subtype):
        return 16
    return 20 if key.which == HMAC_SHA1 else 32 if key.which == HMAC_SHA256 else 16


cdef int authenticate(const uint8_t* p, const Piece* pieces, int found, int which, Secret key, uint8_t* out) except -1:
    """The authenticator that piece `which` ought to hold, written to `out`, which has room for 32; its size.

    Covered is everything from octet 0 through this extension's SPI, RFC 5944 3.5.1, RFC 4721 5. A key without algorithm
    makes the HMAC whose digest is as long as what is there.
    """
    cdef int covered = pieces[which].offset + 4, size = pieces[which].length - 4
    cdef const uint8_t* spi = p + pieces[which].offset
    if _is_chap(spi, pieces[which].type, pieces[which].subtype):
        return _chap(p, covered, pieces, which, key, out)
    if key.which != ANY_ALGORITHM:
        size = size_of(spi, pieces[which].type, pieces[which].subtype, key)
    if key.which == KEYED_MD5:
        return _keyed_md5(p, covered, key, out)
    if size == 20:
        digest_now(DIGEST_HMAC_SHA1, p, covered, NULL, 0, key.for_sha1(), out)
        return 20
    if size == 32:
        digest_now(DIGEST_HMAC_SHA256, p, covered, NULL, 0, key.for_sha256(), out)
        return 32
    digest_now(DIGEST_HMAC_MD5, p, covered, NULL, 0, key.for_md5(), out)
    return 16


cdef int verify_piece(const uint8_t* p, const Piece* pieces, int found, int which, object keys) except -1:
    """1 when right, 0 when no key is known for its SPI; AuthenticationError when wrong."""
    cdef uint8_t[LONGEST_AUTHENTICATOR] ought
    cdef unsigned int spi = get32(p + pieces[which].offset)
    cdef Secret key = key_of(keys, spi)
    if key is None:
        return 0
    cdef int size = authenticate(p, pieces, found, which, key, ought)
    if pieces[which].length - 4 != size or not same(ought, p + pieces[which].offset + 4, size):
        raise AuthenticationError(name_of(pieces[which].type, pieces[which].subtype),
                                  f"wrong authenticator under SPI {spi:#x}", State.BAD_AUTHENTICATOR,
                                  pieces[which].offset + 4)
    return 1


cdef int verify_all(const uint8_t* p, const Piece* pieces, int found, object keys) except -1:
    """How many authenticators were checked; AuthenticationError at the first that is wrong."""
    cdef int k, verified = 0
    for k in range(found):
        if is_authentication(pieces[k].type, pieces[k].subtype):
            verified += verify_piece(p, pieces, found, k, keys)
    return verified


def name_of(int type, int subtype):
    """What an authentication extension is called in errors."""
    return NAMES[subtype] if type == EXT_GENERALIZED else EXTENSIONS[type].name
