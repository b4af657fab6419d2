"""Mobile IPv4 messages as columns: where the extensions of every row are, authenticators checked and written."""
from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy, memset

from fastcodec import mip4
from fastcodec.authenticators cimport LAST_CHALLENGE
from fastcodec.columns cimport ColumnRows
from fastcodec.columns import Zeros, batch_of
from fastcodec.digest.jobs cimport (DIGEST_HMAC_MD5, DIGEST_HMAC_SHA1, DIGEST_HMAC_SHA256, DIGEST_KEY_MD5, DIGEST_KEY_SHA1,
                                    DIGEST_KEY_SHA256, DIGEST_MD5, queue_job, run_queue)
from fastcodec.errors import EncodeError
from fastcodec.extension_index cimport make_index
from fastcodec.key_table cimport KeyTable, keys_in
from fastcodec.mip4 cimport CHAP_SPI, MOST_EXTENSIONS, TUNNEL_DATA, SHAPES, examine, fixed_size
from fastcodec.mip4_messages import Mip4Message
from fastcodec.rows cimport Scratch
from fastcodec.rows import rows_of
from fastcodec.secret cimport ANY_ALGORITHM, HMAC_MD5, HMAC_SHA1, HMAC_SHA256, SecretArray
from fastcodec.status cimport Status
from fastcodec.wants import wants
from fastcodec.wire cimport Piece, Shape, get16, get32, same, walk

#   column: (extension type, subtype)
COLUMNS = {"nai": (131, 0), "mn_ha": (32, 0), "mn_aaa": (36, 1), "nonce_request": (42, 1), "nonce_reply": (43, 1),
           "challenge": (132, 0), "mn_fa": (33, 0), "fa_ha": (34, 0)}
AUTHENTICATORS = ("mn_ha", "mn_aaa", "mn_fa", "fa_ha")
FIXED = {1: "RegistrationRequest", 3: "RegistrationReply", 4: "TunnelData", 7: "RegistrationRevocation",
         15: "RevocationAcknowledgment", 22: "GenericNotification", 23: "NotificationAcknowledgment"}
cdef list COLUMN_NAMES = list(COLUMNS)
cdef dict LAYOUTS = {_number: mip4.LAYOUTS[_name] for _number, _name in FIXED.items()}
cdef enum:
    MN_AAA = 2
    CHALLENGE = 5
    COLUMN_COUNT = 8
    NO_COLUMN = 255
    TUNNEL_HEAD = 4
    LONGEST = 0xffff         # an offset is of 16 bits
    PART = 256               # rows whose digests are queued and compared together: they stay in the first caches
cdef uint8_t[256] COLUMN_OF              # of an extension type: each has one column at most
cdef uint8_t[COLUMN_COUNT] SUBTYPES
memset(COLUMN_OF, NO_COLUMN, sizeof(COLUMN_OF))
for _k, (_type, _subtype) in enumerate(COLUMNS.values()):
    COLUMN_OF[<int> _type], SUBTYPES[<int> _k] = _k, _subtype

cdef struct Rule:            # what `places_of` must know of an extension type
    uint16_t least, most     # octets of the value; least > most: the type is left to `examine`
    uint8_t head             # octets before the value
    uint8_t column, subtype  # its column, and the subtype that this is for

cdef Rule[256] RULES


cdef void _fill_rules():
    """From the one table of extensions. What may come once and has no column is left to `examine`, as are odd shapes."""
    cdef dict heads = {Shape.TLV: 2, Shape.UNKNOWN_SKIP: 2, Shape.SHORT: 3, Shape.LONG: 4}
    cdef int number, column
    for number in range(256):
        row, head, column = mip4.EXTENSIONS.get(number), heads.get(SHAPES[number], 0), COLUMN_OF[number]
        left = head == 0 or (row and row.single and column == NO_COLUMN)
        least, most = (1, 0) if left else (row.minimum, row.maximum) if row else (0, 0xffff)
        RULES[number] = Rule(least, most, head, <uint8_t> column, 0 if column == NO_COLUMN else SUBTYPES[column])


_fill_rules()


cdef inline int places_of(const uint8_t* p, uint32_t length, uint32_t at, uint16_t* offsets, uint16_t* sizes) noexcept nogil:
    """Number of extensions in p[at:length], those with a column placed; -1 where there is anything that `examine` must judge:
    what is wrong, padding, a type whose rule says so, a second one for a column, another subtype, 3 octets at the end."""
    cdef const Rule* rule
    cdef uint32_t size, subtype
    cdef int found = 0
    memset(offsets, 0, COLUMN_COUNT * sizeof(uint16_t))
    memset(sizes, 0, COLUMN_COUNT * sizeof(uint16_t))
    while at + 4 <= length:
        rule = &RULES[p[at]]
        if rule.head == 4:
            size, subtype, at = get16(p + at + 2), p[at + 1], at + 4
        elif rule.head == 2:
            size, subtype, at = p[at + 1], 0, at + 2
        else:
            size, subtype, at = <uint32_t> p[at + 1] - 1, 0, at + 3
        if size < rule.least or size > rule.most:
            return -1
        if rule.column != NO_COLUMN:
            if subtype != rule.subtype or offsets[rule.column]:
                return -1
            offsets[rule.column], sizes[rule.column] = <uint16_t> at, <uint16_t> size
        at += size
        found += 1
    return found if at == length and found <= MOST_EXTENSIONS else -1


cdef inline int digest_size(int algorithm) noexcept nogil:
    return 20 if algorithm == HMAC_SHA1 else 32 if algorithm == HMAC_SHA256 else 16


cdef class RegistrationBatch(ColumnRows):
    """Messages of one type: Registration Requests (`type` 1), Replies (3), or any of `FIXED`. `walk` first.

    Then columns, `index`, `verify`, `sign`. `offsets` and `sizes` (uint16, rows x columns in the order of `COLUMNS`)
    place the value of the first extension of each kind, 0: absent. `found` counts the extensions of a row.
    """
    def __init__(self, octets, lengths, type):
        ColumnRows.__init__(self, octets, lengths, type, COLUMN_NAMES, LAYOUTS)

    @classmethod
    def from_datagrams(cls, datagrams, type=None):
        """The rows of a list of messages, walked; `type` is that of the first unless given, rows of others become WRONG_TYPE."""
        return batch_of(cls, datagrams, type, 0, 1)

    @classmethod
    def from_template(cls, message, n, keys=None):
        """`n` rows like `message`, its empty authenticators made with `keys` (16 zeros without) until `sign`."""
        wants("message", message, Mip4Message)
        octets = message.encode(Zeros() if keys is None else keys)
        batch = cls(*rows_of(octets, n), octets[0])
        batch.walk()
        return batch

    def spi(self, str authenticator):
        """SPI of that authenticator of every row (uint32, a copy); 0 where there is none."""
        return self._spis(self._column(authenticator), 0)

    # ---- walking

    def walk(self):
        """Status of every row, and where its extensions are."""
        cdef Py_ssize_t row
        cdef uint32_t fixed = fixed_size(self.type)
        with nogil:
            for row in range(self.count):
                if fixed == 0 or not self._walk_quickly(row, fixed):
                    self._status[row] = <uint8_t> self._walk_row(row)

    cdef inline bint _walk_quickly(self, Py_ssize_t row, uint32_t fixed) noexcept nogil:
        """Whether the row is one of most: right, and without anything that only `examine` knows."""
        cdef const uint8_t* p = &self._octets[row, 0]
        cdef uint32_t length = self._lengths[row]
        cdef int found
        if length < fixed or length > LONGEST or p[0] != self.type:
            return False
        found = places_of(p, length, fixed, &self._offsets[row, 0], &self._sizes[row, 0])
        if found < 0:
            return False
        self._found[row], self._status[row] = <uint8_t> found, Status.OK
        return True

    cdef int _walk_row(self, Py_ssize_t row) noexcept nogil:
        cdef Piece[MOST_EXTENSIONS] pieces
        cdef int found = 0, fault, status, k, column
        cdef uint16_t* offsets = &self._offsets[row, 0]
        cdef uint16_t* sizes = &self._sizes[row, 0]
        memset(offsets, 0, COLUMN_COUNT * sizeof(uint16_t))
        memset(sizes, 0, COLUMN_COUNT * sizeof(uint16_t))
        self._found[row] = 0
        if self._lengths[row] == 0:
            return Status.TOO_SHORT
        if self.type == TUNNEL_DATA:
            return self._look_at_tunnel(row)
        status = examine(&self._octets[row, 0], <int> self._lengths[row], self.type, pieces, MOST_EXTENSIONS, &found,
                         &fault)
        self._found[row] = <uint8_t> found
        if status != Status.OK:
            return status
        for k in range(found):
            column = COLUMN_OF[pieces[k].type]
            if column != NO_COLUMN and pieces[k].subtype == SUBTYPES[column] and offsets[column] == 0:
                offsets[column], sizes[column] = pieces[k].offset, pieces[k].length
        return Status.OK

    cdef int _look_at_tunnel(self, Py_ssize_t row) noexcept nogil:
        """Tunnel Data has no extensions, RFC 3519 3.3."""
        if self._octets[row, 0] != TUNNEL_DATA:
            return Status.WRONG_TYPE
        return Status.OK if self._lengths[row] >= TUNNEL_HEAD else Status.TOO_SHORT

    def index(self):
        """Every extension of every row that is OK, in wire order: an `ExtensionIndex`. Padding is none."""
        return make_index(self, self.found)

    cdef int _pieces(self, Py_ssize_t row, Piece* out) noexcept nogil:
        cdef int fault
        return walk(&self._octets[row, 0], <int> self._lengths[row], fixed_size(self.type), SHAPES, out, MOST_EXTENSIONS, &fault)

    # ---- authenticators

    cdef int _column(self, str authenticator) except -1:
        if authenticator not in AUTHENTICATORS:
            raise EncodeError("authenticator", f"{authenticator!r} is none of {', '.join(AUTHENTICATORS)} (RFC 5944 3.5)")
        return COLUMN_NAMES.index(authenticator)

    def verify(self, keys, which=None, str authenticator="mn_ha"):
        """Check the authenticator ("mn_ha", which every registration has, RFC 5944 3.5.2; "mn_aaa", "mn_fa", "fa_ha") of every
        row that is OK.

        `keys` is a KeyTable, in which every row's SPI finds its key, or a SecretArray: then the row's is keys[which[row]]. A mapping
        from SPI to key, or one key for all rows, becomes one for this call. A row becomes NO_AUTHENTICATOR (absent, SPI unknown,
        index out of range) or BAD_AUTHENTICATOR. Returns `status`.
        """
        self._run(keys, which, authenticator, True)
        return self.status

    def sign(self, keys, which=None, str authenticator="mn_ha"):
        """Write the authenticator of every row that is OK, over what the row now holds. Returns `status`.

        A row whose room for it is not as long as what its key makes becomes BAD_AUTHENTICATOR.
        """
        self._run(keys, which, authenticator, False)
        return self.status

    cdef int _run(self, object keys, object which, str authenticator, bint check) except -1:
        cdef int column = self._column(authenticator)
        cdef object found = keys_in(keys, which)
        cdef SecretArray secrets = (<KeyTable> found).secrets if isinstance(found, KeyTable) else found
        cdef const uint32_t[::1] indices
        cdef Scratch scratch
        cdef Py_ssize_t first, end = 0
        cdef int chap
        indices = self._by_spi(found, self._offsets, column, 0) if isinstance(found, KeyTable) else self._indices(which, secrets)
        self._prepare(secrets, column)
        scratch = Scratch(min(self.count, PART), 17 + secrets.longest + (<uint32_t> self.width if secrets.has_keyed else 0))
        with nogil:
            while end < self.count:
                first, end = end, min(end + PART, self.count)
                chap = self._queue(secrets, indices, scratch, column, first, end)
                run_queue(&scratch.queue)
                if chap:
                    self._queue_chap(secrets, indices, scratch, column, first, end)
                self._finish(scratch, column, first, end, check)
        return 0

    cdef int _prepare(self, SecretArray secrets, int column) except -1:
        """Key states of the algorithms that the rows or the keys name."""
        cdef bint has_sha1 = secrets.has_algorithm, has_sha256 = secrets.has_algorithm
        cdef Py_ssize_t row
        for row in range(self.count):
            has_sha1 |= self._sizes[row, column] == 4 + 20
            has_sha256 |= self._sizes[row, column] == 4 + 32
        secrets.prepare(DIGEST_KEY_MD5)
        if has_sha1:
            secrets.prepare(DIGEST_KEY_SHA1)
        if has_sha256:
            secrets.prepare(DIGEST_KEY_SHA256)
        return 0

    cdef inline bint _is_chap(self, Py_ssize_t row, int column) noexcept nogil:
        return column == MN_AAA and get32(&self._octets[row, self._offsets[row, column]]) == CHAP_SPI

    cdef inline int _algorithm(self, SecretArray secrets, uint32_t which, Py_ssize_t row, int column) noexcept nogil:
        """What the key says, or the HMAC whose digest is as long as what is there."""
        cdef int size = self._sizes[row, column] - 4
        if secrets.algorithms[which] != ANY_ALGORITHM:
            return secrets.algorithms[which]
        return HMAC_SHA1 if size == 20 else HMAC_SHA256 if size == 32 else HMAC_MD5

    cdef int _queue(self, SecretArray secrets, const uint32_t[::1] which, Scratch scratch, int column, Py_ssize_t first,
                    Py_ssize_t end) noexcept nogil:
        """The digest over octet 0 to the SPI, RFC 5944 3.5.1, RFC 4721 6; CHAP rows: MD5 of the same, RFC 4721 8.

        How many those are. Rows without just the room that their digest needs are refused."""
        cdef Py_ssize_t row
        cdef int chap = 0
        cdef uint8_t* p
        cdef uint8_t* out
        cdef uint32_t covered
        cdef int algorithm
        cdef bint is_chap
        for row in range(first, end):
            if self._status[row] != Status.OK:
                continue
            if self._offsets[row, column] == 0 or which[row] >= secrets.count:
                self._status[row] = Status.NO_AUTHENTICATOR
                continue
            p, out, covered = &self._octets[row, 0], scratch.digests + 32 * (row - first), self._offsets[row, column] + 4
            algorithm, is_chap = self._algorithm(secrets, which[row], row, column), self._is_chap(row, column)
            if self._sizes[row, column] != 4 + (16 if is_chap else digest_size(algorithm)):
                self._status[row] = Status.BAD_AUTHENTICATOR
            elif is_chap:
                chap += 1
                queue_job(&scratch.queue, DIGEST_MD5, p, covered, NULL, 0, NULL, out)
            elif algorithm == HMAC_MD5:
                queue_job(&scratch.queue, DIGEST_HMAC_MD5, p, covered, NULL, 0, &secrets.md5[which[row]], out)
            elif algorithm == HMAC_SHA1:
                queue_job(&scratch.queue, DIGEST_HMAC_SHA1, p, covered, NULL, 0, &secrets.sha1[which[row]], out)
            elif algorithm == HMAC_SHA256:
                queue_job(&scratch.queue, DIGEST_HMAC_SHA256, p, covered, NULL, 0, &secrets.sha256[which[row]], out)
            else:
                self._queue_keyed(secrets, which[row], scratch, row, row - first, covered)
        return chap

    cdef void _queue_keyed(self, SecretArray secrets, uint32_t which, Scratch scratch, Py_ssize_t row, Py_ssize_t place,
                           uint32_t covered) noexcept nogil:
        """MD5(key || covered || key), RFC 2002 3.5.1."""
        cdef uint32_t size
        cdef const uint8_t* key = secrets.octets_of(which, &size)
        cdef uint8_t* text = scratch.texts + <size_t> scratch.text_size * place
        memcpy(text, key, size)
        memcpy(text + size, &self._octets[row, 0], covered)
        queue_job(&scratch.queue, DIGEST_MD5, text, size + covered, key, size, NULL, scratch.digests + 32 * place)

    cdef void _queue_chap(self, SecretArray secrets, const uint32_t[::1] which, Scratch scratch,
                          int column, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
        """MD5(ch[0] || key || MD5(C) || last 237 of ch); without a challenge ch is one zero octet."""
        cdef Py_ssize_t row
        cdef uint8_t zero = 0
        cdef const uint8_t* challenge
        cdef const uint8_t* key
        cdef uint8_t* text
        cdef uint32_t size, key_size, last, at
        for row in range(first, end):
            if self._status[row] != Status.OK or not self._is_chap(row, column):
                continue
            at, size, challenge = self._offsets[row, CHALLENGE], 1, &zero
            if 0 < at < self._offsets[row, column]:
                size, challenge = self._sizes[row, CHALLENGE], &self._octets[row, at]
            text, last = scratch.texts + <size_t> scratch.text_size * (row - first), min(size, <uint32_t> LAST_CHALLENGE)
            key = secrets.octets_of(which[row], &key_size)
            at = 1 if size else 0
            memcpy(text, challenge, at)
            memcpy(text + at, key, key_size)
            memcpy(text + at + key_size, scratch.digests + 32 * (row - first), 16)
            queue_job(&scratch.queue, DIGEST_MD5, text, at + key_size + 16, challenge + size - last, last, NULL,
                      scratch.digests + 32 * (row - first))
        run_queue(&scratch.queue)

    cdef void _finish(self, Scratch scratch, int column, Py_ssize_t first, Py_ssize_t end, bint check) noexcept nogil:
        """Compare, or write."""
        cdef Py_ssize_t row
        cdef uint8_t* at
        cdef const uint8_t* digest
        for row in range(first, end):
            if self._status[row] != Status.OK:
                continue
            at, digest = &self._octets[row, self._offsets[row, column]] + 4, scratch.digests + 32 * (row - first)
            if not check:
                memcpy(at, digest, self._sizes[row, column] - 4)
            elif not same(at, digest, self._sizes[row, column] - 4):
                self._status[row] = Status.BAD_AUTHENTICATOR
