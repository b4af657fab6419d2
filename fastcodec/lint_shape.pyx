"""What the rules of `lint` look at in a registration: messages of one shape have the same findings, so that they can be kept."""
from libc.stdint cimport uint8_t
from libc.string cimport memchr, memcpy, memset

from fastcodec.fields cimport as_bytes
from fastcodec.mip4 cimport (EXT_CHALLENGE, EXT_FA_HA, EXT_GENERALIZED, EXT_MN_FA, EXT_MN_HA, EXT_MN_HA_NONCE_REPLY,
                             EXT_MN_HA_NONCE_REQUEST, EXT_NAI, EXT_NVSE, MOST_EXTENSIONS, REGISTRATION_REPLY, REGISTRATION_REQUEST,
                             SHAPES, fixed_size)
from fastcodec.wire cimport Piece, get16, get32, put16, put32, walk

cdef enum:
    LONGEST = 4096               # longer messages are their own shape
    LIFETIME = 2                 # offsets, RFC 5944 3.3, 3.4
    HOME_ADDRESS = 4
    HOME_AGENT = 8
    UNSEEN = 12                  # care-of address and identification of a request, identification of a reply
    ANY_AGENT = 0xffffffff
    UNRESERVED_SPI = 256         # RFC 5944 1.6
    NONCE_ALGORITHM = 12         # offsets in the value of a key reply, RFC 3957 6.4
    NONCE = 16
    NVSE_VALUE = 8               # octets before a vendor's own, RFC 3115 2.2


cdef void blank_fixed(uint8_t* p, int fixed) noexcept nogil:
    """Of lifetime and addresses it matters whether they are zero, or all ones."""
    if get16(p + LIFETIME):
        put16(p + LIFETIME, 1)
    if get32(p + HOME_ADDRESS):
        put32(p + HOME_ADDRESS, 1)
    if get32(p + HOME_AGENT) not in (0, ANY_AGENT):
        put32(p + HOME_AGENT, 1)
    memset(p + UNSEEN, 0, fixed - UNSEEN)


cdef void blank_piece(uint8_t* value, const Piece* piece) noexcept nogil:
    """Digests, nonces, challenges, names and vendors' values: how long they are matters, and whether a name holds a NUL."""
    cdef int n = piece.length
    if piece.type in (EXT_MN_HA, EXT_MN_FA, EXT_FA_HA, EXT_GENERALIZED) and n >= 4:
        if get32(value) >= UNRESERVED_SPI:
            put32(value, UNRESERVED_SPI)
        memset(value + 4, 0, n - 4)
    elif piece.type == EXT_NAI and n and memchr(value, 0, n) == NULL:
        memset(value, 1, n)
    elif piece.type == EXT_MN_HA_NONCE_REPLY and n >= NONCE:
        memset(value, 0, NONCE_ALGORITHM)
        memset(value + NONCE, 0, n - NONCE)
    elif piece.type == EXT_NVSE and n >= NVSE_VALUE:
        memset(value + NVSE_VALUE, 0, n - NVSE_VALUE)
    elif piece.type == EXT_CHALLENGE or piece.type == EXT_MN_HA_NONCE_REQUEST:
        memset(value, 0, n)


def lint_shape(data):
    """Octets that two messages have in common only if `lint` finds the same in both."""
    cdef Piece[MOST_EXTENSIONS] pieces
    cdef uint8_t[LONGEST] shape
    cdef bytes octets = as_bytes(data)
    cdef int n = <int> len(octets), fixed, found, fault, k
    if not 0 < n <= LONGEST or (octets[0] != REGISTRATION_REQUEST and octets[0] != REGISTRATION_REPLY):
        return octets
    fixed = fixed_size(octets[0])
    if n < fixed:
        return octets
    found = walk(octets, n, fixed, SHAPES, pieces, MOST_EXTENSIONS, &fault)
    if found < 0:
        return octets
    memcpy(shape, <const uint8_t*> octets, n)
    blank_fixed(shape, fixed)
    for k in range(found):
        blank_piece(shape + pieces[k].offset, &pieces[k])
    return <bytes> shape[:n]
