"""RADIUS packets as columns: where the attributes of every row are, authenticators checked and written."""
import numpy as np

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy

from fastcodec import packet as single
from fastcodec.digest.jobs cimport DIGEST_KEY_MD5, run_queue
from fastcodec.errors import EncodeError
from fastcodec.radius cimport (EAP_MESSAGE, MESSAGE_AUTHENTICATOR, NUMBERS, PROXY_STATE, Packet,
                               queue_message_authenticator, queue_response_authenticator, walk_packet)
from fastcodec.rows cimport Rows, Scratch
from fastcodec.rows import rows_of
from fastcodec.secret cimport SecretArray
from fastcodec.status cimport Status
from fastcodec.wire cimport get16, same


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
        batch = cls(*rows_of(single.encode(message, b"\0", bytes(16)), n))
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
