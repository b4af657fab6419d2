"""Many datagrams at once: one array of octets, a row each; columns are views of it, and every row has a status.

Nothing here raises for what a row holds. The kernels are those of the single messages; digests run in lanes.
"""
import numpy as np

from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy, memset

from fastcodec import mip4, packet as single
from fastcodec.digest.jobs cimport (DIGEST_HMAC_MD5, DIGEST_HMAC_SHA1, DIGEST_KEY_MD5, DIGEST_KEY_SHA1, DIGEST_MD5,
                                    queue_job, run_queue)
from fastcodec.errors import EncodeError
from fastcodec.mip4 cimport CHAP_SPI, MOST_EXTENSIONS, examine
from fastcodec.radius cimport (EAP_MESSAGE, MESSAGE_AUTHENTICATOR, NUMBERS, PROXY_STATE, Packet,
                               queue_message_authenticator, queue_response_authenticator, walk_packet)
from fastcodec.status cimport Status
from fastcodec.wire cimport Piece, get16, get32, same

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


cdef class Scratch:
    """Room for two jobs, a digest and a text a row."""

    def __cinit__(self, Py_ssize_t rows, uint32_t text_size):
        self.text_size = text_size
        self.queue.jobs = <Job*> PyMem_Calloc(rows * 2 + 1, sizeof(Job))
        self.queue.room = <uint32_t> (rows * 2)
        self.digests = <uint8_t*> PyMem_Calloc(rows + 1, 32)
        self.texts = <uint8_t*> PyMem_Calloc(rows + 1, text_size or 1)
        if self.queue.jobs == NULL or self.digests == NULL or self.texts == NULL:
            raise MemoryError

    def __dealloc__(self):
        PyMem_Free(self.queue.jobs)
        PyMem_Free(self.digests)
        PyMem_Free(self.texts)


cdef class Rows:
    """`octets` (uint8, rows x width, written to), `lengths` (octets used of each row), `status` (a `Status` a row)."""

    def __init__(self, octets, lengths):
        self.octets = octets
        self._octets = octets
        self.lengths = np.ascontiguousarray(lengths, dtype=np.uint32)
        self._lengths = self.lengths
        self.count, self.width = self._octets.shape[0], self._octets.shape[1]
        if self._lengths.shape[0] != self.count or (self.count and self.lengths.max() > self.width):
            raise EncodeError("lengths", f"{self.count} of at most {self.width} are needed")
        self.status = np.zeros(self.count, dtype=np.uint8)
        self._status = self.status

    def __len__(self):
        return self.count

    def datagram(self, Py_ssize_t row):
        """The octets of one row."""
        return self.octets[row, :self.lengths[row]].tobytes()

    cdef const uint32_t[::1] _indices(self, object which, SecretArray secrets):
        """Index into the secrets for every row; None: the first for all. What is out of range has no key."""
        if which is None:
            return np.zeros(self.count, dtype=np.uint32)
        indices = np.ascontiguousarray(which, dtype=np.uint32)
        if indices.shape != (self.count,):
            raise EncodeError("which", f"one index for each of {self.count} rows is needed")
        return indices


def _rows_of(bytes octets, Py_ssize_t n):
    rows = np.empty((n, len(octets)), dtype=np.uint8)
    rows[:] = np.frombuffer(octets, dtype=np.uint8)
    return rows, np.full(n, len(octets), dtype=np.uint32)


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
        batch = cls(*_rows_of(octets, n), octets[0])
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


cdef class RadiusBatch(Rows):
    """RADIUS packets. `walk` first; then columns, `verify`, `sign`.

    `offsets` (uint16), `sizes` and `counts` (uint8), rows x slots in the order of `radius.Slot`, place the first
    value of every attribute that has a slot, 0: absent.
    """
    cdef readonly object offsets, sizes, counts
    cdef uint16_t[:, ::1] _offsets
    cdef uint8_t[:, ::1] _sizes
    cdef uint8_t[:, ::1] _counts

    def __init__(self, octets, lengths):
        Rows.__init__(self, octets, lengths)
        self.offsets = np.zeros((self.count, 64), dtype=np.uint16)
        self.sizes = np.zeros((self.count, 64), dtype=np.uint8)
        self.counts = np.zeros((self.count, 64), dtype=np.uint8)
        self._offsets, self._sizes, self._counts = self.offsets, self.sizes, self.counts

    @classmethod
    def from_template(cls, message, Py_ssize_t n):
        """`n` rows like a RadiusPacket, Message-Authenticator included; fill columns, then `sign`."""
        batch = cls(*_rows_of(single.encode(message, b"\0", bytes(16)), n))
        batch.walk()
        return batch

    @property
    def header(self):
        """Code, identifier, length, authenticator as a structured array in network order, a view."""
        layout = np.dtype([("code", "u1"), ("identifier", "u1"), ("length", ">u2"), ("authenticator", "u1", 16)])
        return self.octets[:, :layout.itemsize].view(layout)[:, 0]

    def value(self, int slot):
        """Values of a slot as rows of octets, a view, where it stands alike in all rows (as after a template)."""
        offsets, sizes = self.offsets[:, slot], self.sizes[:, slot]
        if self.count == 0 or offsets[0] == 0 or (offsets != offsets[0]).any() or (sizes != sizes[0]).any():
            raise EncodeError(f"slot {slot}", "does not stand alike in all rows")
        return self.octets[:, int(offsets[0]):int(offsets[0]) + int(sizes[0])]

    def walk(self):
        """Status of every row, and where its attributes are."""
        cdef Packet packet
        cdef Py_ssize_t row
        cdef int status
        with nogil:
            for row in range(self.count):
                if self._lengths[row] == 0:
                    self._status[row] = Status.TOO_SHORT
                    continue
                status = walk_packet(&self._octets[row, 0], self._lengths[row], &NUMBERS, &packet)
                self._status[row] = <uint8_t> status
                memcpy(&self._offsets[row, 0], packet.offset, sizeof(packet.offset))
                memcpy(&self._sizes[row, 0], packet.size, sizeof(packet.size))
                memcpy(&self._counts[row, 0], packet.count, sizeof(packet.count))

    cdef const uint8_t[:, ::1] _authenticators(self, object requests):
        rows = np.ascontiguousarray(requests, dtype=np.uint8)
        if rows.shape != (self.count, 16):
            raise EncodeError("requests", f"an authenticator of 16 octets for each of {self.count} rows is needed")
        return rows

    def verify(self, SecretArray secrets not None, which=None, requests=None, bint require=True):
        """Check the authenticators of every row that is OK, under secrets[which[row]].

        `requests` (uint8, rows x 16) are the authenticators of the requests that the rows answer; without them the rows
        are requests. The rules are those of `verify_request` and `verify_response`. Returns `status`.
        """
        cdef const uint32_t[::1] indices = self._indices(which, secrets)
        cdef const uint8_t[:, ::1] answered
        cdef Scratch scratch = Scratch(self.count, 32)
        cdef bint answers = requests is not None
        if answers:
            answered = self._authenticators(requests)
        secrets.prepare(DIGEST_KEY_MD5)
        with nogil:
            self._check_rules(secrets, indices, answers, require)
            if answers:
                self._put_authenticators(answered, scratch)
                self._queue_responses(secrets, indices, scratch)
                run_queue(&scratch.queue)
                self._compare_responses(scratch)
            self._queue_messages(secrets, indices, scratch)
            run_queue(&scratch.queue)
            self._compare_messages(scratch)
            if answers:
                self._restore_authenticators(scratch)
        return self.status

    cdef inline bint _asks(self, Py_ssize_t row) noexcept nogil:
        return self._octets[row, 0] == 1 or self._octets[row, 0] == 12

    cdef void _check_rules(self, SecretArray secrets, const uint32_t[::1] which, bint answers,
                           bint require) noexcept nogil:
        """RFC 3579 3.1-3.2, CVE-2024-3596: which packets need a Message-Authenticator."""
        cdef Py_ssize_t row
        cdef int count
        for row in range(self.count):
            if self._status[row] != Status.OK:
                continue
            count = self._counts[row, <int> MESSAGE_AUTHENTICATOR]
            if which[row] >= secrets.count:
                self._status[row] = Status.NO_AUTHENTICATOR
            elif count > 1 or (count and self._sizes[row, <int> MESSAGE_AUTHENTICATOR] != 16):
                self._status[row] = Status.BAD_AUTHENTICATOR
            elif count == 0 and (require or self._counts[row, <int> EAP_MESSAGE] or self._octets[row, 0] == 12
                                 or (self._octets[row, 0] == 1 and self._counts[row, <int> PROXY_STATE])):
                self._status[row] = Status.NO_AUTHENTICATOR
            elif not answers and not self._asks(row):
                self._status[row] = Status.WRONG_TYPE

    cdef void _put_authenticators(self, const uint8_t[:, ::1] answered, Scratch scratch) noexcept nogil:
        """The request's authenticator into the header; what stood there waits in the second half of the text."""
        cdef Py_ssize_t row
        for row in range(self.count):
            if self._lengths[row] >= 20:
                memcpy(scratch.texts + 32 * row + 16, &self._octets[row, 4], 16)
                memcpy(&self._octets[row, 4], &answered[row, 0], 16)

    cdef void _restore_authenticators(self, Scratch scratch) noexcept nogil:
        cdef Py_ssize_t row
        for row in range(self.count):
            if self._lengths[row] >= 20:
                memcpy(&self._octets[row, 4], scratch.texts + 32 * row + 16, 16)

    cdef void _queue_responses(self, SecretArray secrets, const uint32_t[::1] which, Scratch scratch) noexcept nogil:
        cdef Py_ssize_t row
        cdef uint32_t size
        cdef const uint8_t* secret
        for row in range(self.count):
            if self._status[row] == Status.OK:
                secret = secrets.octets_of(which[row], &size)
                queue_response_authenticator(&scratch.queue, &self._octets[row, 0], get16(&self._octets[row, 2]),
                                             secret, size, scratch.digests + 32 * row)

    cdef void _compare_responses(self, Scratch scratch) noexcept nogil:
        cdef Py_ssize_t row
        for row in range(self.count):
            if self._status[row] == Status.OK and not same(scratch.digests + 32 * row, scratch.texts + 32 * row + 16,
                                                           16):
                self._status[row] = Status.BAD_AUTHENTICATOR

    cdef void _queue_messages(self, SecretArray secrets, const uint32_t[::1] which, Scratch scratch) noexcept nogil:
        """What the Message-Authenticator ought to be, into the digests; what it is waits in the text."""
        cdef Py_ssize_t row
        cdef int at
        for row in range(self.count):
            at = self._offsets[row, <int> MESSAGE_AUTHENTICATOR]
            if self._status[row] == Status.OK and at:
                memcpy(scratch.texts + 32 * row, &self._octets[row, at], 16)
                queue_message_authenticator(&scratch.queue, &self._octets[row, 0], get16(&self._octets[row, 2]), at,
                                            &secrets.md5[which[row]], scratch.digests + 32 * row)

    cdef void _compare_messages(self, Scratch scratch) noexcept nogil:
        cdef Py_ssize_t row
        cdef int at
        for row in range(self.count):
            at = self._offsets[row, <int> MESSAGE_AUTHENTICATOR]
            if self._status[row] == Status.OK and at:
                memcpy(&self._octets[row, at], scratch.texts + 32 * row, 16)
                if not same(scratch.digests + 32 * row, scratch.texts + 32 * row, 16):
                    self._status[row] = Status.BAD_AUTHENTICATOR

    def sign(self, SecretArray secrets not None, which=None, requests=None):
        """Write Message-Authenticator and, with `requests`, Response Authenticator of every row that is OK.

        A row without Message-Authenticator becomes NO_AUTHENTICATOR. Returns `status`.
        """
        cdef const uint32_t[::1] indices = self._indices(which, secrets)
        cdef const uint8_t[:, ::1] answered
        cdef Scratch scratch = Scratch(self.count, 32)
        cdef bint answers = requests is not None
        if answers:
            answered = self._authenticators(requests)
        secrets.prepare(DIGEST_KEY_MD5)
        with nogil:
            self._check_rules(secrets, indices, True, True)
            if answers:
                self._put_authenticators(answered, scratch)
            self._queue_messages(secrets, indices, scratch)
            run_queue(&scratch.queue)
            self._write_messages(scratch)
            if answers:
                self._queue_responses(secrets, indices, scratch)
                run_queue(&scratch.queue)
                self._write_responses(scratch)
        return self.status

    cdef void _write_messages(self, Scratch scratch) noexcept nogil:
        cdef Py_ssize_t row
        for row in range(self.count):
            if self._status[row] == Status.OK:
                memcpy(&self._octets[row, self._offsets[row, <int> MESSAGE_AUTHENTICATOR]],
                       scratch.digests + 32 * row, 16)

    cdef void _write_responses(self, Scratch scratch) noexcept nogil:
        cdef Py_ssize_t row
        for row in range(self.count):
            if self._status[row] == Status.OK:
                memcpy(&self._octets[row, 4], scratch.digests + 32 * row, 16)
