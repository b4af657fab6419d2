"""Mobile IPv4 registrations as columns: where the extensions of every row are, authenticators checked and written."""
import numpy as np

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy, memset

from fastcodec import mip4
from fastcodec.digest.jobs cimport (DIGEST_HMAC_MD5, DIGEST_HMAC_SHA1, DIGEST_KEY_MD5, DIGEST_KEY_SHA1, DIGEST_MD5,
                                    queue_job, run_queue)
from fastcodec.errors import EncodeError
from fastcodec.mip4 cimport CHAP_SPI, MOST_EXTENSIONS, examine
from fastcodec.rows cimport Rows, Scratch
from fastcodec.rows import rows_of
from fastcodec.secret cimport SecretArray
from fastcodec.status cimport Status
from fastcodec.wire cimport Piece, get32, same

cdef enum:
    LAST_CHALLENGE = 237         # octets of a challenge that CHAP hashes, RFC 4721 8

#   column: (extension type, subtype)
COLUMNS = {"nai": (131, 0), "mn_ha": (32, 0), "mn_aaa": (36, 1), "nonce_request": (42, 1), "nonce_reply": (43, 1),
           "challenge": (132, 0)}
cdef list COLUMN_NAMES = list(COLUMNS)
cdef enum:
    NAI
    MN_HA
    MN_AAA
    NONCE_REQUEST
    NONCE_REPLY
    CHALLENGE
    COLUMN_COUNT
cdef uint8_t[COLUMN_COUNT] TYPES
cdef uint8_t[COLUMN_COUNT] SUBTYPES
for _k, (_type, _subtype) in enumerate(COLUMNS.values()):
    TYPES[<int> _k], SUBTYPES[<int> _k] = _type, _subtype


cdef class RegistrationBatch(Rows):
    """Registration Requests (`type` 1) or Replies (3). `walk` first; then columns, `verify`, `sign`.

    `offsets` and `sizes` (uint16, rows x columns in the order of `COLUMNS`) place the value of the first extension of
    each kind, 0: absent. `found` counts the extensions of a row.
    """
    cdef readonly int type
    cdef readonly object offsets, sizes, found
    cdef uint16_t[:, ::1] _offsets
    cdef uint16_t[:, ::1] _sizes
    cdef uint8_t[::1] _found

    def __init__(self, octets, lengths, int type):
        Rows.__init__(self, octets, lengths)
        if type not in (1, 3):
            raise EncodeError("type", f"{type} is neither Registration Request (1) nor Reply (3)")
        self.type = type
        self.offsets = np.zeros((self.count, COLUMN_COUNT), dtype=np.uint16)
        self.sizes = np.zeros((self.count, COLUMN_COUNT), dtype=np.uint16)
        self.found = np.zeros(self.count, dtype=np.uint8)
        self._offsets, self._sizes, self._found = self.offsets, self.sizes, self.found

    @classmethod
    def from_template(cls, message, Py_ssize_t n):
        """`n` rows like `message`, its empty authenticators 16 zeros until `sign`; then fill columns."""
        octets = message.encode(_Zeros())
        batch = cls(*rows_of(octets, n), octets[0])
        batch.walk()
        return batch

    @property
    def fixed(self):
        """The fixed part as a structured array in network order, a view; rows that are too short show what is there."""
        layout = mip4.LAYOUTS["RegistrationRequest" if self.type == 1 else "RegistrationReply"]
        if self.width < layout.itemsize:
            raise EncodeError("octets", f"rows of {self.width} octets cannot hold {layout.itemsize}")
        return self.octets[:, :layout.itemsize].view(layout)[:, 0]

    def offset(self, str column):
        """Offsets of that extension's value, a view; 0: absent."""
        return self.offsets[:, COLUMN_NAMES.index(column)]

    def size(self, str column):
        """Octets of that extension's value, a view."""
        return self.sizes[:, COLUMN_NAMES.index(column)]

    def value(self, str column):
        """That extension's value as rows of octets, a view, where it stands alike in all rows (as after a template)."""
        offsets, sizes = self.offset(column), self.size(column)
        if self.count == 0 or offsets[0] == 0 or (offsets != offsets[0]).any() or (sizes != sizes[0]).any():
            raise EncodeError(column, "does not stand alike in all rows")
        return self.octets[:, int(offsets[0]):int(offsets[0]) + int(sizes[0])]

    def walk(self):
        """Status of every row, and where its extensions are."""
        cdef Py_ssize_t row
        with nogil:
            for row in range(self.count):
                self._status[row] = <uint8_t> self._walk_row(row)

    cdef int _walk_row(self, Py_ssize_t row) noexcept nogil:
        cdef Piece[MOST_EXTENSIONS] pieces
        cdef int found = 0, fault, status, k, column
        if self._lengths[row] == 0:
            return Status.TOO_SHORT
        status = examine(&self._octets[row, 0], <int> self._lengths[row], self.type, pieces, MOST_EXTENSIONS, &found,
                         &fault)
        memset(&self._offsets[row, 0], 0, COLUMN_COUNT * sizeof(uint16_t))
        memset(&self._sizes[row, 0], 0, COLUMN_COUNT * sizeof(uint16_t))
        self._found[row] = <uint8_t> found
        if status != Status.OK:
            return status
        for k in range(found):
            for column in range(COLUMN_COUNT):
                if (pieces[k].type == TYPES[column] and pieces[k].subtype == SUBTYPES[column]
                        and self._offsets[row, column] == 0):
                    self._offsets[row, column] = pieces[k].offset
                    self._sizes[row, column] = pieces[k].length
        return Status.OK

    def verify(self, SecretArray secrets not None, which=None, str authenticator="mn_aaa"):
        """Check the authenticator "mn_ha" or "mn_aaa" of every row that is OK; the row's key is secrets[which[row]].

        A row becomes NO_AUTHENTICATOR (absent, or index out of range) or BAD_AUTHENTICATOR. Returns `status`.
        """
        self._run(secrets, which, authenticator, True)
        return self.status

    def sign(self, SecretArray secrets not None, which=None, str authenticator="mn_ha"):
        """Write the authenticator of every row that is OK, over what the row now holds. Returns `status`."""
        self._run(secrets, which, authenticator, False)
        return self.status

    cdef int _run(self, SecretArray secrets, object which, str authenticator, bint check) except -1:
        cdef const uint32_t[::1] indices = self._indices(which, secrets)
        cdef Scratch scratch = Scratch(self.count, 17 + secrets.longest)
        cdef int column
        if authenticator not in ("mn_ha", "mn_aaa"):
            raise EncodeError("authenticator", f"{authenticator!r} is neither mn_ha nor mn_aaa")
        column = MN_HA if authenticator == "mn_ha" else MN_AAA
        secrets.prepare(DIGEST_KEY_MD5)
        if (self.sizes[:, column] == 24).any():
            secrets.prepare(DIGEST_KEY_SHA1)
        with nogil:
            self._queue(secrets, indices, scratch, column)
            run_queue(&scratch.queue)
            self._queue_chap(secrets, indices, scratch, column)
            run_queue(&scratch.queue)
            self._finish(scratch, column, check)
        return 0

    cdef inline bint _is_chap(self, Py_ssize_t row, int column) noexcept nogil:
        return column == MN_AAA and get32(&self._octets[row, self._offsets[row, column]]) == CHAP_SPI

    cdef void _queue(self, SecretArray secrets, const uint32_t[::1] which, Scratch scratch, int column) noexcept nogil:
        """HMAC over octet 0 to the SPI, RFC 5944 3.5.1, RFC 4721 6; CHAP rows: MD5 of the same, RFC 4721 8."""
        cdef Py_ssize_t row
        cdef uint8_t* p
        cdef uint8_t* out
        cdef uint32_t covered
        for row in range(self.count):
            if self._status[row] != Status.OK:
                continue
            if self._offsets[row, column] == 0 or which[row] >= secrets.count:
                self._status[row] = Status.NO_AUTHENTICATOR
                continue
            p, out, covered = &self._octets[row, 0], scratch.digests + 32 * row, self._offsets[row, column] + 4
            if self._is_chap(row, column):
                queue_job(&scratch.queue, DIGEST_MD5, p, covered, NULL, 0, NULL, out)
            elif self._sizes[row, column] == 24:
                queue_job(&scratch.queue, DIGEST_HMAC_SHA1, p, covered, NULL, 0, &secrets.sha1[which[row]], out)
            else:
                queue_job(&scratch.queue, DIGEST_HMAC_MD5, p, covered, NULL, 0, &secrets.md5[which[row]], out)

    cdef void _queue_chap(self, SecretArray secrets, const uint32_t[::1] which, Scratch scratch,
                          int column) noexcept nogil:
        """MD5(ch[0] || key || MD5(C) || last 237 of ch); without a challenge ch is one zero octet."""
        cdef Py_ssize_t row
        cdef uint8_t zero = 0
        cdef const uint8_t* challenge
        cdef const uint8_t* key
        cdef uint8_t* text
        cdef uint32_t size, key_size, last, at
        for row in range(self.count):
            if self._status[row] != Status.OK or not self._is_chap(row, column):
                continue
            at, size, challenge = self._offsets[row, CHALLENGE], 1, &zero
            if 0 < at < self._offsets[row, column]:
                size, challenge = self._sizes[row, CHALLENGE], &self._octets[row, at]
            text, last = scratch.texts + scratch.text_size * row, min(size, <uint32_t> LAST_CHALLENGE)
            key = secrets.octets_of(which[row], &key_size)
            at = 1 if size else 0
            memcpy(text, challenge, at)
            memcpy(text + at, key, key_size)
            memcpy(text + at + key_size, scratch.digests + 32 * row, 16)
            queue_job(&scratch.queue, DIGEST_MD5, text, at + key_size + 16, challenge + size - last, last, NULL,
                      scratch.digests + 32 * row)
        run_queue(&scratch.queue)

    cdef void _finish(self, Scratch scratch, int column, bint check) noexcept nogil:
        """Compare, or write: 16 octets, 20 where there is room for HMAC-SHA1."""
        cdef Py_ssize_t row
        cdef uint8_t* at
        cdef int size
        for row in range(self.count):
            if self._status[row] != Status.OK:
                continue
            at, size = &self._octets[row, self._offsets[row, column]] + 4, self._sizes[row, column] - 4
            if size != 16 and (size != 20 or self._is_chap(row, column)):
                self._status[row] = Status.BAD_AUTHENTICATOR
            elif not check:
                memcpy(at, scratch.digests + 32 * row, size)
            elif not same(at, scratch.digests + 32 * row, size):
                self._status[row] = Status.BAD_AUTHENTICATOR


class _Zeros:
    """Stands for a key while a template is made: what it signs is overwritten by `sign`."""

    def get(self, spi):
        return b"\0"
