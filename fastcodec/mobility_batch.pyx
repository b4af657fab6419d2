"""Mobility Headers as columns: where the options of every row are, checksums and authenticators checked and written."""
import numpy as np

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy, memset

from fastcodec import mip6
from fastcodec.columns cimport ColumnRows
from fastcodec.columns import Zeros, batch_of
from fastcodec.digest.jobs cimport DIGEST_HMAC_SHA1, DIGEST_KEY_SHA1, DIGEST_SHA1, queue_job, run_queue
from fastcodec.errors import EncodeError
from fastcodec.fields cimport put_address6
from fastcodec.key_table cimport KeyTable, keys_in
from fastcodec.mip6 cimport (MN_AAA_SIZE, MN_HA_SIZE, MOST_OPTIONS, MobilityType, covered_by,
                             examine_mobility, is_at_end, mobility_checksum)
from fastcodec.extension_index cimport make_index
from fastcodec.mobility import MobilityMessage
from fastcodec.rows cimport Scratch
from fastcodec.rows import rows_of
from fastcodec.secret cimport SecretArray
from fastcodec.status cimport Status
from fastcodec.wants import wants
from fastcodec.wire cimport Piece, put16, same

#   column: (option type, first octet of its data, 0: any)
COLUMNS = {"alternate_care_of_address": (3, 0), "mobile_node_identifier": (8, 0), "mn_ha": (9, 1), "mn_aaa": (9, 2),
           "replay_protection": (10, 0), "service_selection": (20, 0), "home_network_prefix": (22, 0),
           "ipv4_home_address": (29, 0), "ipv4_acknowledgement": (30, 0), "nat_detection": (31, 0),
           "ipv4_care_of_address": (32, 0)}
cdef list COLUMN_NAMES = list(COLUMNS)
cdef dict LAYOUTS = {_number: mip6.LAYOUTS[_name] for _number, _name in mip6.MESSAGES.items()}
cdef enum:
    ALTERNATE_CARE_OF_ADDRESS
    MOBILE_NODE_IDENTIFIER
    MN_HA
    MN_AAA
    COLUMN_COUNT = 11
    ROOM = 32 + 2048             # octets that an authenticator covers at most
cdef uint8_t[COLUMN_COUNT] TYPES
cdef uint8_t[COLUMN_COUNT] SUBTYPES
for _k, (_type, _subtype) in enumerate(COLUMNS.values()):
    TYPES[<int> _k], SUBTYPES[<int> _k] = _type, _subtype


cdef class MobilityBatch(ColumnRows):
    """Mobility Headers of one `type`, a row each. `walk` first; then columns, `verify_checksums`, `verify`; or `sign`, `fill_checksums`.

    `offsets` and `sizes` (uint16, rows x columns in the order of `COLUMNS`) place the data of the first option of each kind, 0:
    absent. `found` counts the options of a row, padding left out. Addresses are arrays of rows x 16 octets, or one address for all.
    """
    def __init__(self, octets, lengths, type):
        ColumnRows.__init__(self, octets, lengths, type, COLUMN_NAMES, LAYOUTS)

    @classmethod
    def from_datagrams(cls, datagrams, type=None):
        """The rows of a list of messages, walked; `type` is that of the first unless given, rows of others become WRONG_TYPE."""
        return batch_of(cls, datagrams, type, 2, 5)

    @classmethod
    def from_template(cls, message, n):
        """`n` rows like `message`, its empty authenticators zeros until `sign`; then fill columns, and checksums last."""
        wants("message", message, MobilityMessage)
        octets = message.encode(Zeros(), source="::", destination="::", care_of_address="::")
        batch = cls(*rows_of(octets, n), octets[2])
        batch.walk()
        return batch

    def walk(self):
        """Status of every row, and where its options are."""
        cdef Py_ssize_t row
        with nogil:
            for row in range(self.count):
                self._status[row] = <uint8_t> self._walk_row(row)

    cdef int _walk_row(self, Py_ssize_t row) noexcept nogil:
        cdef Piece[MOST_OPTIONS] pieces
        cdef const uint8_t* p
        cdef int found = 0, fault, status, k, column
        memset(&self._offsets[row, 0], 0, COLUMN_COUNT * sizeof(uint16_t))
        memset(&self._sizes[row, 0], 0, COLUMN_COUNT * sizeof(uint16_t))
        self._found[row] = 0
        if self._lengths[row] == 0:
            return Status.TOO_SHORT
        p = &self._octets[row, 0]
        status = examine_mobility(p, self._lengths[row], self.type, pieces, MOST_OPTIONS, &found, &fault)
        self._found[row] = <uint8_t> found
        if status != Status.OK:
            return status
        for k in range(found):
            for column in range(COLUMN_COUNT):
                if (pieces[k].type == TYPES[column] and self._offsets[row, column] == 0
                        and (SUBTYPES[column] == 0 or SUBTYPES[column] == p[pieces[k].offset])):
                    self._offsets[row, column] = pieces[k].offset
                    self._sizes[row, column] = pieces[k].length
        return Status.OK

    def spi(self, str authenticator):
        """SPI of that authenticator of every row (uint32, a copy); 0 where there is none."""
        return self._spis(self._column(authenticator), 1)

    def index(self):
        """Every option of every row that is OK, in wire order: an `ExtensionIndex`. Padding is none; subtypes are 0."""
        return make_index(self, self.found)

    cdef int _pieces(self, Py_ssize_t row, Piece* out) noexcept nogil:
        cdef int found, fault
        examine_mobility(&self._octets[row, 0], self._lengths[row], self.type, out, MOST_OPTIONS, &found, &fault)
        return found

    # ---------------------------------------------------------------- checksums, RFC 6275 6.1.1

    def verify_checksums(self, sources, destinations):
        """Check the checksum of every row that is OK: else BAD_CHECKSUM. Returns `status`."""
        self._checksums(self._addresses(sources, "sources"), self._addresses(destinations, "destinations"), True)
        return self.status

    def fill_checksums(self, sources, destinations):
        """Write the checksum of every row that is OK. Returns `status`."""
        self._checksums(self._addresses(sources, "sources"), self._addresses(destinations, "destinations"), False)
        return self.status

    cdef int _checksums(self, const uint8_t[:, :] sources, const uint8_t[:, :] destinations, bint check) except -1:
        cdef Py_ssize_t row
        cdef uint32_t n
        cdef uint8_t* p
        with nogil:
            for row in range(self.count):
                if self._status[row] != Status.OK:
                    continue
                if self._lengths[row] < 8:          # a row that nobody walked
                    self._status[row] = Status.TOO_SHORT
                    continue
                p, n = &self._octets[row, 0], self._size(row)
                if not check:
                    put16(p + 4, 0)
                    put16(p + 4, mobility_checksum(p, n, &sources[row, 0], &destinations[row, 0]))
                elif mobility_checksum(p, n, &sources[row, 0], &destinations[row, 0]):
                    self._status[row] = Status.BAD_CHECKSUM
        return 0

    cdef inline uint32_t _size(self, Py_ssize_t row) noexcept nogil:
        """By the header, but never more than there is: columns may have been written since the walk."""
        return min(<uint32_t> (self._octets[row, 1] + 1) * 8, self._lengths[row])

    cdef const uint8_t[:, :] _addresses(self, object addresses, str field):
        """Rows of 16 octets, each row's contiguous; one address stands for all rows."""
        given = addresses if isinstance(addresses, np.ndarray) else np.frombuffer(_six(addresses, field), dtype=np.uint8)
        if given.dtype != np.uint8 or given.shape not in ((16,), (self.count, 16)):
            raise EncodeError(field, f"one address, or {self.count} x 16 octets are needed")
        return np.broadcast_to(np.ascontiguousarray(given), (self.count, 16))

    # ---------------------------------------------------------------- authenticators, RFC 4285 5

    cdef int _column(self, str authenticator) except -1:
        if authenticator not in ("mn_ha", "mn_aaa"):
            raise EncodeError("authenticator", f"{authenticator!r} is neither mn_ha nor mn_aaa (RFC 4285 5)")
        return MN_HA if authenticator == "mn_ha" else MN_AAA

    def verify(self, keys, home_addresses, care_of_addresses=None, which=None, str authenticator="mn_ha"):
        """Check the authenticator "mn_ha" or "mn_aaa" of every row that is OK.

        `keys` is a KeyTable, in which every row's SPI finds its key, or a SecretArray: then the row's is keys[which[row]]. A mapping
        from SPI to key, or one key for all rows, becomes one for this call. The care-of address of a Binding Update's row is that of
        its Alternate Care-of Address option, if there is one. A row becomes NO_AUTHENTICATOR (absent, SPI unknown, no care-of
        address, index out of range) or BAD_AUTHENTICATOR. Returns `status`.
        """
        self._run(keys, home_addresses, care_of_addresses, which, authenticator, True)
        return self.status

    def sign(self, keys, home_addresses, care_of_addresses=None, which=None, str authenticator="mn_ha"):
        """Write the authenticator of every row that is OK, over what the row now holds but its checksum. Returns `status`."""
        self._run(keys, home_addresses, care_of_addresses, which, authenticator, False)
        return self.status

    cdef int _run(self, object keys, object home, object care_of, object which, str authenticator, bint check) except -1:
        cdef int column = self._column(authenticator)
        cdef object found = keys_in(keys, which)
        cdef SecretArray secrets = (<KeyTable> found).secrets if isinstance(found, KeyTable) else found
        cdef const uint32_t[::1] indices
        cdef const uint8_t[:, :] homes = self._addresses(home, "home_addresses")
        cdef const uint8_t[:, :] care_ofs = self._addresses("::" if care_of is None else care_of, "care_of_addresses")
        cdef bint known = care_of is not None
        cdef Scratch scratch = Scratch(self.count, <uint32_t> min(self.width + 32, ROOM))
        indices = self._by_spi(found, self._offsets, column, 1) if isinstance(found, KeyTable) else self._indices(which, secrets)
        secrets.prepare(DIGEST_KEY_SHA1)
        with nogil:
            self._queue(secrets, homes, care_ofs, known, indices, scratch, column)
            run_queue(&scratch.queue)
            if column == MN_AAA:
                self._queue_outer(secrets, indices, scratch)
                run_queue(&scratch.queue)
            self._finish(scratch, column, check)
        return 0

    cdef void _queue(self, SecretArray secrets, const uint8_t[:, :] homes, const uint8_t[:, :] care_ofs, bint known,
                     const uint32_t[::1] which, Scratch scratch, int column) noexcept nogil:
        """MN-HA: HMAC-SHA1 of what is covered, RFC 4285 5.1. MN-AAA: its SHA1 first, 5.2."""
        cdef Piece piece
        cdef Py_ssize_t row
        cdef const uint8_t* care_of
        cdef uint8_t* text
        cdef uint32_t n
        cdef uint16_t size = 5 + (MN_HA_SIZE if column == MN_HA else MN_AAA_SIZE)
        for row in range(self.count):
            if self._status[row] != Status.OK:
                continue
            care_of = self._care_of(row, care_ofs, known)
            if self._offsets[row, column] == 0 or which[row] >= secrets.count or care_of == NULL:
                self._status[row] = Status.NO_AUTHENTICATOR
                continue
            if self._sizes[row, column] != size:
                self._status[row] = Status.BAD_AUTHENTICATOR
                continue
            text, piece.offset = scratch.texts + <size_t> scratch.text_size * row, self._offsets[row, column]
            n = covered_by(&self._octets[row, 0], &piece, care_of, &homes[row, 0], text)
            if column == MN_HA:
                queue_job(&scratch.queue, DIGEST_HMAC_SHA1, text, n, NULL, 0, &secrets.sha1[which[row]], scratch.digests + 32 * row)
            else:
                queue_job(&scratch.queue, DIGEST_SHA1, text, n, NULL, 0, NULL, scratch.digests + 32 * row)

    cdef const uint8_t* _care_of(self, Py_ssize_t row, const uint8_t[:, :] care_ofs, bint known) noexcept nogil:
        if self.type == MobilityType.BINDING_UPDATE and self._offsets[row, ALTERNATE_CARE_OF_ADDRESS]:
            return &self._octets[row, self._offsets[row, ALTERNATE_CARE_OF_ADDRESS]]
        return &care_ofs[row, 0] if known else NULL

    cdef void _queue_outer(self, SecretArray secrets, const uint32_t[::1] which, Scratch scratch) noexcept nogil:
        cdef Py_ssize_t row
        for row in range(self.count):
            if self._status[row] == Status.OK:
                queue_job(&scratch.queue, DIGEST_HMAC_SHA1, scratch.digests + 32 * row, 20, NULL, 0,
                          &secrets.sha1[which[row]], scratch.texts + <size_t> scratch.text_size * row)

    cdef void _finish(self, Scratch scratch, int column, bint check) noexcept nogil:
        cdef Py_ssize_t row
        cdef uint8_t* at
        cdef const uint8_t* ought
        cdef Piece piece
        cdef int size = MN_HA_SIZE if column == MN_HA else MN_AAA_SIZE
        for row in range(self.count):
            if self._status[row] != Status.OK:
                continue
            at = &self._octets[row, self._offsets[row, column] + 5]
            ought = scratch.digests + 32 * row if column == MN_HA else scratch.texts + <size_t> scratch.text_size * row
            if not check:
                memcpy(at, ought, size)
                continue
            piece.offset, piece.length = self._offsets[row, column], self._sizes[row, column]
            if not same(ought, at, size) or not is_at_end(&self._octets[row, 0], <int> self._size(row), &piece):
                self._status[row] = Status.BAD_AUTHENTICATOR


cdef bytes _six(object address, str field):
    cdef uint8_t[16] octets
    put_address6(address, octets, field)
    return octets[:16]
