"""RADIUS packets as columns: where the attributes of every row are, authenticators checked and written."""
import numpy as np

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy, memset

from fastcodec import packet as single
from fastcodec.attribute_index import index_of, is_plain, key_of, places_of
from fastcodec.digest.jobs cimport DIGEST_KEY_MD5, run_queue
from fastcodec.errors import EncodeError
from fastcodec.fields cimport whole
from fastcodec.key_table cimport secrets_in
from fastcodec.radius cimport (EAP_MESSAGE, HEADER, MESSAGE_AUTHENTICATOR, NUMBERS, PROXY_STATE, Packet,
                               queue_message_authenticator, queue_response_authenticator, walk_packet)
from fastcodec.radius_rules cimport (SIGNED_AS_ANSWER, SIGNED_BY_CHANCE, SIGNED_BY_DIGEST, SIGNED_BY_NOTHING, answers,
                                     fault_of_rules, signing_of, takes_message_authenticator)
from fastcodec.radius_packet import RadiusPacket
from fastcodec.rows cimport Rows, Scratch, unsigned
from fastcodec.rows import alike, packed, rows_of
from fastcodec.secret cimport SecretArray
from fastcodec.status cimport Status
from fastcodec.wants import wants
from fastcodec.wire cimport get16, same

cdef enum:
    PART = 512               # rows whose digests are made together


cdef class Signing:
    """What every row is signed with: secret, request's authenticator, and how (`radius_rules.Signing`; 0: not at all)."""
    cdef SecretArray secrets
    cdef const uint32_t[::1] which
    cdef const uint8_t[:, ::1] answered
    cdef const uint8_t[::1] asked
    cdef uint8_t[::1] how
    cdef bint has_requests, has_asked
    cdef Py_ssize_t first, end           # of the rows whose digests are being made

    def __cinit__(self, Rows rows, SecretArray secrets, which, requests, asked):
        self.secrets, self.which = secrets, rows._indices(which, secrets)
        self.has_requests, self.has_asked = requests is not None, asked is not None
        if self.has_requests:
            self.answered = unsigned(requests, "requests", np.uint8, (rows.count, 16),
                                     f"an authenticator of 16 octets for each of {rows.count} rows is")
        if self.has_asked:
            self.asked = unsigned(asked, "asked", np.uint8, (rows.count,), f"a code for each of {rows.count} rows is")
            if not self.has_requests:
                raise EncodeError("asked", "tells what the requests are: these are needed, too (RFC 2865 3)")
        self.how = np.zeros(rows.count, dtype=np.uint8)


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
    def from_datagrams(cls, datagrams):
        """The rows of a list of packets, walked."""
        batch = cls(*packed(datagrams))
        batch.walk()
        return batch

    @classmethod
    def from_template(cls, message, n):
        """`n` rows like a RadiusPacket, Message-Authenticator included; fill columns, then `sign`.

        Hidden values (`Hidden` octets) stay as they are.
        """
        wants("message", message, RadiusPacket)
        batch = cls(*rows_of(single.encode(message, b"\0", bytes(16)), n))
        batch.walk()
        return batch

    @property
    def header(self):
        """Code, identifier, length, authenticator as a structured array in network order, a view."""
        layout = np.dtype([("code", "u1"), ("identifier", "u1"), ("length", ">u2"), ("authenticator", "u1", 16)])
        if self.count == 0:
            return np.empty(0, dtype=layout)
        if self.width < layout.itemsize:
            raise EncodeError("octets", f"rows of {self.width} octets cannot hold {layout.itemsize} (RFC 2865 3)")
        return self.octets[:, :layout.itemsize].view(layout)[:, 0]

    @property
    def fixed(self):
        """`header`, by the name it has in other batches."""
        return self.header

    def value(self, attribute):
        """Values of an attribute (its name, or a `Slot`) as rows of octets, a view, where it stands alike in all rows (as after a
        template)."""
        if isinstance(attribute, str):
            return alike(self.octets, *self.places(attribute), attribute)
        slot = whole(attribute, "attribute", 0, self.offsets.shape[1] - 1)
        return alike(self.octets, self.offsets[:, slot], self.sizes[:, slot], f"slot {slot}")

    def index(self):
        """All attributes of the rows that are OK, in wire order: (row, type, vendor, vtype, offset, size, more) each.

        Sub-attributes of a vendor that the dictionary knows are entries of their own, `vtype` their number; so are
        extended attributes. `more` is 1 where the value goes on in another entry.
        """
        return index_of(self.octets, self.lengths, self.status)

    def places(self, str name):
        """(offset, size) of the first value of that attribute in every row, uint16 each; 0, 0: absent."""
        type, vendor, vtype, _ = key_of(name)
        offsets, sizes = np.zeros(self.count, dtype=np.uint16), np.zeros(self.count, dtype=np.uint16)
        if is_plain(type):
            places_of(self.octets, self.lengths, self.status, type, offsets, sizes)
            return offsets, sizes
        table = self.index()
        table = table[(table["type"] == type) & (table["vendor"] == vendor) & (table["vtype"] == vtype)]
        rows, first = np.unique(table["row"], return_index=True)
        offsets[rows], sizes[rows] = table["offset"][first], table["size"][first]
        return offsets, sizes

    def column(self, str name):
        """(values, present) of an attribute of fixed width: unsigned numbers, an IPv6 address 16 octets; 0 where absent.

        A value of another size than its type's is absent.
        """
        width, offsets, sizes = self._cells(name)
        values, present = np.zeros((self.count, width), dtype=np.uint8), sizes == width
        self._copy(offsets, present.view(np.uint8), values, True)
        return (values.view(f">u{width}")[:, 0] if width <= 8 and width != 6 else values), present

    def put(self, str name, values):
        """Write an attribute of fixed width, a number or octets a row, where it is present. Then `sign`."""
        width, offsets, sizes = self._cells(name)
        values = np.asarray(values)
        if values.shape[:1] != (self.count,):
            raise EncodeError(name, f"a value for each of {self.count} rows is needed")
        if values.ndim == 1 and width in (1, 2, 4, 8):
            values = unsigned(values, name, f">u{width}", (self.count,), f"unsigned numbers of {width} octets are")
            values = values.view(np.uint8).reshape(self.count, width)
        if values.shape != (self.count, width) or values.dtype != np.uint8:
            raise EncodeError(name, f"values of {width} octets are needed")
        self._copy(offsets, (sizes == width).view(np.uint8), np.require(values, np.uint8, ["C", "W"]), False)

    def _cells(self, name):
        """Width of the attribute, where it is in every row, and its size there."""
        width = key_of(name)[3]
        if width == 0:
            raise EncodeError(name, "has no fixed width")
        return width, *self.places(name)

    cdef int _copy(self, const uint16_t[::1] offsets, const uint8_t[::1] there, uint8_t[:, ::1] cells, bint out) except -1:
        """Octets of an attribute from the rows that hold it to `cells`, or the other way."""
        cdef Py_ssize_t row, width = cells.shape[1]
        with nogil:
            for row in range(self.count):
                if not there[row]:
                    continue
                if out:
                    memcpy(&cells[row, 0], &self._octets[row, offsets[row]], width)
                else:
                    memcpy(&self._octets[row, offsets[row]], &cells[row, 0], width)
        return 0

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

    def verify(self, secrets, which=None, requests=None, bint require=True, asked=None):
        """Check the authenticators of every row that is OK, under secrets[which[row]], as its code is signed. Instead of a
        SecretArray one secret for all rows will do.

        `requests` (uint8, rows x 16) are the authenticators of the requests that the rows answer; without them the rows
        are requests. Where requests and answers are mixed, `asked` (uint8) is the code of the request that a row
        answers, 0 for a row that is a request. The rules are those of `verify_request` and `verify_response`. Returns
        `status`.
        """
        cdef SecretArray known = secrets_in(secrets)
        cdef Signing signing = Signing(self, known, which, requests, asked)
        cdef Scratch scratch = Scratch(min(self.count, PART), 32)
        known.prepare(DIGEST_KEY_MD5)
        with nogil:
            self._judge(signing, require)
            while self._next_part(signing):
                self._put_authenticators(signing, scratch)
                self._queue_digests(signing, scratch)
                run_queue(&scratch.queue)
                self._compare_digests(signing, scratch)
                self._queue_messages(signing, scratch)
                run_queue(&scratch.queue)
                self._compare_messages(signing, scratch)
                self._restore_authenticators(signing, scratch)
        return self.status

    def sign(self, secrets, which=None, requests=None):
        """Write Message-Authenticator and the MD5 of every row that is OK, as its code is signed.

        Answers need the authenticators of their `requests` (uint8, rows x 16; those of other rows are not looked at). A
        row without Message-Authenticator becomes NO_AUTHENTICATOR, unless it is accounting. Returns `status`.
        """
        cdef SecretArray known = secrets_in(secrets)
        cdef Signing signing = Signing(self, known, which, requests, None)
        cdef Scratch scratch = Scratch(min(self.count, PART), 32)
        known.prepare(DIGEST_KEY_MD5)
        with nogil:
            self._choose(signing)
            while self._next_part(signing):
                self._put_authenticators(signing, scratch)
                self._queue_messages(signing, scratch)
                run_queue(&scratch.queue)
                self._write_messages(signing, scratch)
                self._queue_digests(signing, scratch)
                run_queue(&scratch.queue)
                self._write_digests(signing, scratch)
        return self.status

    cdef inline bint _next_part(self, Signing signing) noexcept nogil:
        """The next rows whose digests are made together: so many that they stay in the first caches."""
        signing.first, signing.end = signing.end, min(signing.end + PART, self.count)
        return signing.first < self.count

    # ------------------------------------------------------------ what signs which row

    cdef inline int _fault(self, Signing signing, Py_ssize_t row, bint require) noexcept nogil:
        return fault_of_rules(self._octets[row, 0], self._counts[row, <int> MESSAGE_AUTHENTICATOR],
                              self._sizes[row, <int> MESSAGE_AUTHENTICATOR], self._counts[row, <int> EAP_MESSAGE] != 0,
                              self._counts[row, <int> PROXY_STATE] != 0, require)

    cdef inline bint _is_whole(self, Py_ssize_t row) noexcept nogil:
        """A row that nobody walked, or whose Length was changed, is not read beyond its end."""
        if self._lengths[row] >= HEADER and HEADER <= get16(&self._octets[row, 2]) <= self._lengths[row]:
            return True
        self._status[row] = Status.BAD_LENGTH
        return False

    cdef void _judge(self, Signing signing, bint require) noexcept nogil:
        """RFC 3579 3.1-3.2, CVE-2024-3596; which code answers which."""
        cdef Py_ssize_t row
        cdef int how, code
        cdef bint is_answer
        for row in range(self.count):
            if self._status[row] != Status.OK or not self._is_whole(row):
                continue
            code = self._octets[row, 0]
            how = signing_of(code)
            is_answer = signing.has_requests and not (signing.has_asked and signing.asked[row] == 0)
            if signing.which[row] >= signing.secrets.count:
                self._status[row] = Status.NO_AUTHENTICATOR
            elif is_answer and (how != SIGNED_AS_ANSWER
                                or (signing.has_asked and not answers(code, signing.asked[row]))):
                self._status[row] = Status.WRONG_TYPE
            elif self._fault(signing, row, require) != Status.OK:
                self._status[row] = <uint8_t> self._fault(signing, row, require)
            elif not is_answer and how != SIGNED_BY_CHANCE and how != SIGNED_BY_DIGEST:
                self._status[row] = Status.WRONG_TYPE
            else:
                signing.how[row] = <uint8_t> how

    cdef void _choose(self, Signing signing) noexcept nogil:
        """For `sign`: answers without the requests, and codes that nothing signs, are of the wrong type."""
        cdef Py_ssize_t row
        cdef int how, count
        for row in range(self.count):
            if self._status[row] != Status.OK or not self._is_whole(row):
                continue
            how, count = signing_of(self._octets[row, 0]), self._counts[row, <int> MESSAGE_AUTHENTICATOR]
            if signing.which[row] >= signing.secrets.count:
                self._status[row] = Status.NO_AUTHENTICATOR
            elif count > 1 or (count and self._sizes[row, <int> MESSAGE_AUTHENTICATOR] != 16):
                self._status[row] = Status.BAD_AUTHENTICATOR
            elif count == 0 and takes_message_authenticator(self._octets[row, 0]):
                self._status[row] = Status.NO_AUTHENTICATOR
            elif how == SIGNED_BY_NOTHING or (how == SIGNED_AS_ANSWER and not signing.has_requests):
                self._status[row] = Status.WRONG_TYPE
            else:
                signing.how[row] = <uint8_t> how

    # ------------------------------------------------------------ the authenticator that signs, in the header

    cdef void _put_authenticators(self, Signing signing, Scratch scratch) noexcept nogil:
        """The request's, or zeros; what stood there waits in the second half of the text."""
        cdef Py_ssize_t row
        for row in range(signing.first, signing.end):
            if signing.how[row] == SIGNED_AS_ANSWER or signing.how[row] == SIGNED_BY_DIGEST:
                memcpy(scratch.texts + 32 * (row - signing.first) + 16, &self._octets[row, 4], 16)
                if signing.how[row] == SIGNED_AS_ANSWER:
                    memcpy(&self._octets[row, 4], &signing.answered[row, 0], 16)
                else:
                    memset(&self._octets[row, 4], 0, 16)

    cdef void _restore_authenticators(self, Signing signing, Scratch scratch) noexcept nogil:
        cdef Py_ssize_t row
        for row in range(signing.first, signing.end):
            if signing.how[row] == SIGNED_AS_ANSWER or signing.how[row] == SIGNED_BY_DIGEST:
                memcpy(&self._octets[row, 4], scratch.texts + 32 * (row - signing.first) + 16, 16)

    # ------------------------------------------------------------ MD5 over packet and secret

    cdef void _queue_digests(self, Signing signing, Scratch scratch) noexcept nogil:
        cdef Py_ssize_t row
        cdef uint32_t size
        cdef const uint8_t* secret
        for row in range(signing.first, signing.end):
            if signing.how[row] == SIGNED_AS_ANSWER or signing.how[row] == SIGNED_BY_DIGEST:
                secret = signing.secrets.octets_of(signing.which[row], &size)
                queue_response_authenticator(&scratch.queue, &self._octets[row, 0], get16(&self._octets[row, 2]),
                                             secret, size, scratch.digests + 32 * (row - signing.first))

    cdef void _compare_digests(self, Signing signing, Scratch scratch) noexcept nogil:
        cdef Py_ssize_t row
        for row in range(signing.first, signing.end):
            if ((signing.how[row] == SIGNED_AS_ANSWER or signing.how[row] == SIGNED_BY_DIGEST)
                    and not same(scratch.digests + 32 * (row - signing.first),
                                 scratch.texts + 32 * (row - signing.first) + 16, 16)):
                self._status[row] = Status.BAD_AUTHENTICATOR

    cdef void _write_digests(self, Signing signing, Scratch scratch) noexcept nogil:
        cdef Py_ssize_t row
        for row in range(signing.first, signing.end):
            if signing.how[row] == SIGNED_AS_ANSWER or signing.how[row] == SIGNED_BY_DIGEST:
                memcpy(&self._octets[row, 4], scratch.digests + 32 * (row - signing.first), 16)

    # ------------------------------------------------------------ Message-Authenticator

    cdef inline int _place(self, Signing signing, Py_ssize_t row) noexcept nogil:
        """Where a row's Message-Authenticator is; 0: none, or no longer of interest."""
        if signing.how[row] == SIGNED_BY_NOTHING or self._status[row] != Status.OK:
            return 0
        return self._offsets[row, <int> MESSAGE_AUTHENTICATOR]

    cdef void _queue_messages(self, Signing signing, Scratch scratch) noexcept nogil:
        """What it ought to be, into the digests; what it is waits in the text."""
        cdef Py_ssize_t row
        cdef int at
        for row in range(signing.first, signing.end):
            at = self._place(signing, row)
            if at:
                memcpy(scratch.texts + 32 * (row - signing.first), &self._octets[row, at], 16)
                queue_message_authenticator(&scratch.queue, &self._octets[row, 0], get16(&self._octets[row, 2]), at,
                                            &signing.secrets.md5[signing.which[row]], scratch.digests + 32 * (row - signing.first))

    cdef void _compare_messages(self, Signing signing, Scratch scratch) noexcept nogil:
        """One in an Accounting-Request is put back without a look at it, RFC 3579 3.3."""
        cdef Py_ssize_t row
        cdef int at
        for row in range(signing.first, signing.end):
            at = self._place(signing, row)
            if at:
                memcpy(&self._octets[row, at], scratch.texts + 32 * (row - signing.first), 16)
                if self._octets[row, 0] != 4 and not same(scratch.digests + 32 * (row - signing.first),
                                                          scratch.texts + 32 * (row - signing.first), 16):
                    self._status[row] = Status.BAD_AUTHENTICATOR

    cdef void _write_messages(self, Signing signing, Scratch scratch) noexcept nogil:
        cdef Py_ssize_t row
        for row in range(signing.first, signing.end):
            if self._place(signing, row):
                memcpy(&self._octets[row, self._place(signing, row)], scratch.digests + 32 * (row - signing.first), 16)
