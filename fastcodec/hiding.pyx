"""RADIUS hiding of single values: User-Password, CHAP, salt encryption. RFC 2865 2.2, 5.2; RFC 2868 3.5."""
import secrets

from libc.stdint cimport uint8_t

from fastcodec.digest.jobs cimport DIGEST_MD5
from fastcodec.errors import DecodeError, EncodeError
from fastcodec.fields cimport as_bytes, whole
from fastcodec.hidden import Hidden
from fastcodec.secret cimport Secret, as_secret, digest_now

cdef enum:
    BLOCK = 16
    LONGEST_PASSWORD = 128      # RFC 2865 5.2
    LONGEST_SALTED = 240        # of a Vendor-Specific value: 247 less the salt, in whole blocks


cdef void _chain(Secret secret, const uint8_t* seed, int seed_size, const uint8_t* octets, int n, bint hide,
                 uint8_t* out) noexcept:
    """c1 = p1 xor MD5(S || seed), ci = pi xor MD5(S || c(i-1))."""
    cdef uint8_t[BLOCK] mask
    cdef const uint8_t* before = seed
    cdef const uint8_t* ciphered = octets
    cdef int at, k, size = seed_size
    if hide:
        ciphered = out
    for at in range(0, n, BLOCK):
        digest_now(DIGEST_MD5, <const uint8_t*> secret.octets, <int> len(secret.octets), before, size, NULL, mask)
        for k in range(BLOCK):
            out[at + k] = octets[at + k] ^ mask[k]
        before, size = ciphered + at, BLOCK


cdef bytes _authenticator(object authenticator):
    cdef bytes octets = as_bytes(authenticator, "authenticator")
    if len(octets) != BLOCK:
        raise EncodeError("authenticator", f"{len(octets)} octets, 16 needed")
    return octets


cdef bytes _password(object password):
    """Its octets; text goes as UTF-8."""
    try:
        return password.encode() if isinstance(password, str) else as_bytes(password, "password")
    except UnicodeEncodeError:
        raise EncodeError("password", f"{password!r} is no text (RFC 2865 5.2)") from None


def hide_password(password, secret, authenticator):
    """User-Password as it goes on the wire (`Hidden`) under a Request Authenticator: 16 to 128 octets, RFC 2865 5.2."""
    cdef bytes plain = _password(password)
    cdef uint8_t[LONGEST_PASSWORD] out
    cdef bytes seed = _authenticator(authenticator)
    if len(plain) > LONGEST_PASSWORD:
        raise EncodeError("User-Password", f"{len(plain)} octets, at most {LONGEST_PASSWORD} (RFC 2865 5.2)")
    plain += bytes((BLOCK - len(plain) % BLOCK) % BLOCK if plain else BLOCK)
    _chain(as_secret(secret), <const uint8_t*> seed, BLOCK, <const uint8_t*> plain, <int> len(plain), True, out)
    return Hidden(<bytes> out[:len(plain)])


def reveal_password(hidden, secret, authenticator):
    """The password (octets) of a User-Password value; DecodeError when its size cannot be right."""
    cdef bytes octets = as_bytes(hidden, "hidden")
    cdef uint8_t[LONGEST_PASSWORD] out
    cdef bytes seed = _authenticator(authenticator)
    if not 1 <= len(octets) <= LONGEST_PASSWORD or len(octets) % BLOCK:
        raise DecodeError("User-Password", 0, f"{len(octets)} octets, not 16 to 128 in whole blocks (RFC 2865 5.2)")
    _chain(as_secret(secret), <const uint8_t*> seed, BLOCK, <const uint8_t*> octets, <int> len(octets), False, out)
    return (<bytes> out[:len(octets)]).rstrip(b"\0")


def chap_response(identifier, password, challenge):
    """MD5(identifier || password || challenge), 16 octets, RFC 2865 2.2."""
    cdef bytes head = bytes((whole(identifier, "identifier", 0, 255),)) + _password(password)
    cdef bytes tail = as_bytes(challenge, "challenge")
    cdef uint8_t[BLOCK] out
    digest_now(DIGEST_MD5, <const uint8_t*> head, <int> len(head), <const uint8_t*> tail, <int> len(tail), NULL, out)
    return <bytes> out[:BLOCK]


def salt_encrypt(key, secret, authenticator, salt):
    """salt || ciphertext (`Hidden`) of a key of at most 239 octets, RFC 2868 3.5; `authenticator` is the request's.

    `salt` is a number with the high bit set, another one for every value of a packet.
    """
    cdef bytes octets = as_bytes(key, "key")
    cdef uint8_t[LONGEST_SALTED] out
    if len(octets) >= LONGEST_SALTED:
        raise EncodeError("key", f"{len(octets)} octets, at most {LONGEST_SALTED - 1}")
    if not isinstance(salt, int) or not 0x8000 <= salt <= 0xffff:
        raise EncodeError("salt", f"{salt!r} is not within 0x8000 to 0xffff (RFC 2868 3.5)")
    cdef bytes plain = bytes((len(octets),)) + octets
    cdef bytes seed = _authenticator(authenticator) + (<object> salt).to_bytes(2, "big")
    plain += bytes((BLOCK - len(plain) % BLOCK) % BLOCK)
    _chain(as_secret(secret), <const uint8_t*> seed, 18, <const uint8_t*> plain, <int> len(plain), True, out)
    return Hidden(seed[16:] + <bytes> out[:len(plain)])


def salt_decrypt(value, secret, authenticator):
    """The key in a salt-encrypted value (without tag octet); DecodeError when its size cannot be right."""
    cdef bytes octets = as_bytes(value, "value")
    cdef uint8_t[256] out
    cdef int n = <int> len(octets) - 2
    if n < BLOCK or n % BLOCK or n > 240:
        raise DecodeError("key", 0, f"{len(octets)} octets are no salt and whole blocks (RFC 2868 3.5)")
    cdef bytes seed = _authenticator(authenticator) + octets[:2]
    _chain(as_secret(secret), <const uint8_t*> seed, 18, <const uint8_t*> octets + 2, n, False, out)
    if out[0] > n - 1:
        raise DecodeError("key", 2, f"inner length {out[0]}, {n - 1} octets present (RFC 2868 3.5)")
    return <bytes> out[1:1 + out[0]]


def ascend_secret(octets, secret, authenticator):
    """Ascend-Send-Secret, hidden or plain: 16 octets xor MD5(authenticator || secret), its own inverse."""
    cdef bytes plain = as_bytes(octets).ljust(BLOCK, b"\0")
    cdef bytes seed = _authenticator(authenticator), key = bytes(as_secret(secret))
    cdef uint8_t[BLOCK] mask
    cdef int k
    if len(plain) > BLOCK:
        raise EncodeError("Ascend-Send-Secret", f"{len(plain)} octets, at most {BLOCK}")
    digest_now(DIGEST_MD5, <const uint8_t*> seed, BLOCK, <const uint8_t*> key, <int> len(key), NULL, mask)
    for k in range(BLOCK):
        mask[k] ^= plain[k]
    return Hidden(<bytes> mask[:BLOCK])


cdef class Cloak:
    """Hides and reveals the values of one packet; the same salt is not given twice."""

    def __cinit__(self, Secret secret not None, bytes authenticator not None):
        self.secret, self.authenticator, self.salts = secret, _authenticator(authenticator), set()

    cdef bint matches(self, Cloak other):
        return other is not None and other.secret == self.secret and other.authenticator == self.authenticator

    cdef bytes reveal(self, int scheme, bytes octets):
        try:
            if scheme == 1:
                return reveal_password(octets, self.secret, self.authenticator)
            if scheme == 2:
                return salt_decrypt(octets, self.secret, self.authenticator)
            return bytes(ascend_secret(octets, self.secret, self.authenticator)).rstrip(b"\0")
        except (DecodeError, EncodeError):
            return None

    cdef bytes hide(self, int scheme, bytes plain, object salt, str name):
        try:
            if scheme == 1:
                return bytes(hide_password(plain, self.secret, self.authenticator))
            if scheme == 2:
                return bytes(salt_encrypt(plain, self.secret, self.authenticator,
                                          self.new_salt() if salt is None else salt))
            return bytes(ascend_secret(plain, self.secret, self.authenticator))
        except EncodeError as error:
            raise EncodeError(name, error.reason) from None

    cdef int new_salt(self):
        """Random, with the high bit set, unlike the others of this packet (RFC 2868 3.5)."""
        cdef int salt = 0x8000 | secrets.randbits(15)
        while salt in self.salts and len(self.salts) < 0x8000:
            salt = 0x8000 | (salt + 1) & 0x7fff
        self.salts.add(salt)
        return salt
