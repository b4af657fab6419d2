"""Digests for people and tests, on the queue that the servers use.

Single messages are a queue of one. The `_batch` functions take packed rows: `rows` uint8[n, room], `lengths` uint32[n]
(octets of each row that count), `out` uint8[n, digest size], written; they release the GIL and raise before they begin.
"""
cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset

cdef extern from "digest/digest.h" nogil:
    void digest_run(Queue* queue)
    uint32_t digest_widest()
    uint32_t digest_width()
    int digest_use_width(uint32_t octets)

cdef dict KEY_KINDS = {"md5": DIGEST_KEY_MD5, "sha1": DIGEST_KEY_SHA1, "sha256": DIGEST_KEY_SHA256}
cdef dict HMAC_KINDS = {"md5": DIGEST_HMAC_MD5, "sha1": DIGEST_HMAC_SHA1, "sha256": DIGEST_HMAC_SHA256}
cdef dict SIZES = {"md5": 16, "sha1": 20, "sha256": 32}

cdef enum:
    ROWS_AT_ONCE = 1024


cdef void run_queue(Queue* queue) noexcept nogil:
    digest_run(queue)


cdef void run_one(DigestKind kind, const void* message, uint32_t length, const Key* key, void* out) noexcept nogil:
    cdef Job job
    cdef Queue queue = Queue(&job, 0, 1)
    queue_job(&queue, kind, message, length, NULL, 0, key, out)
    digest_run(&queue)


cdef uint32_t checked_length(const uint8_t[::1] data) except? 0:
    if data.shape[0] > 0xffffffff:
        raise ValueError(f"{data.shape[0]} octets: a message holds at most 4 294 967 295")
    return <uint32_t> data.shape[0]


cdef inline const uint8_t* start_of(const uint8_t[::1] data) noexcept nogil:
    return &data[0] if data.shape[0] else NULL


cdef bytes digest_of(DigestKind kind, const uint8_t[::1] data, const Key* key, Py_ssize_t size):
    cdef uint32_t length = checked_length(data)
    cdef bytes out = PyBytes_FromStringAndSize(NULL, size)
    run_one(kind, start_of(data), length, key, PyBytes_AS_STRING(out))
    return out


def md5(data) -> bytes:
    """MD5 of one message (RFC 1321): 16 octets."""
    return digest_of(DIGEST_MD5, data, NULL, 16)


def sha1(data) -> bytes:
    """SHA1 of one message (FIPS 180-4 6.1): 20 octets."""
    return digest_of(DIGEST_SHA1, data, NULL, 20)


def hmac_md5(key, data) -> bytes:
    """HMAC-MD5 of one message (RFC 2104): 16 octets. A key used again is cheaper as a PreparedKey."""
    return PreparedKey("md5", key).sign(data)


def hmac_sha1(key, data) -> bytes:
    """HMAC-SHA1 of one message (RFC 2104): 20 octets."""
    return PreparedKey("sha1", key).sign(data)


def hmac_sha256(key, data) -> bytes:
    """HMAC-SHA256 of one message (RFC 2104): 32 octets."""
    return PreparedKey("sha256", key).sign(data)


def compare(a, b) -> bool:
    """Whether two byte strings are equal, in a time that depends on their length alone."""
    cdef const uint8_t[::1] x = a, y = b
    if x.shape[0] != y.shape[0]:
        return False
    return digest_equal(start_of(x), start_of(y), checked_length(x)) != 0


cdef object hash_name(object name):
    if name not in KEY_KINDS:
        raise ValueError(f"hash {name!r}: one of md5, sha1, sha256")
    return name


@cython.auto_pickle(False)
cdef class PreparedKey:
    """One HMAC key as the two states behind its padded block (RFC 2104); `hash` is md5, sha1 or sha256."""
    cdef Key key
    cdef readonly str hash

    def __init__(self, str hash, key):
        cdef const uint8_t[::1] raw = key
        self.hash = hash_name(hash)
        run_one(KEY_KINDS[hash], start_of(raw), checked_length(raw), NULL, &self.key)

    def __dealloc__(self):
        memset(&self.key, 0, sizeof(Key))

    def __repr__(self) -> str:
        return f"PreparedKey({self.hash!r}, ...)"

    def sign(self, data) -> bytes:
        """The HMAC of one message."""
        return digest_of(HMAC_KINDS[self.hash], data, &self.key, SIZES[self.hash])

    def verify(self, data, digest) -> bool:
        """Whether `digest` is the HMAC of `data`, compared in constant time."""
        return compare(self.sign(data), digest)


@cython.auto_pickle(False)
cdef class PreparedKeys:
    """A key for each row of a batch: `rows` uint8[n, room] of raw keys, `lengths` uint32[n]; prepared in lanes."""
    cdef Key* keys
    cdef readonly str hash
    cdef Py_ssize_t count

    def __init__(self, str hash, const uint8_t[:, ::1] rows, const uint32_t[::1] lengths):
        self.hash = hash_name(hash)
        check_rows(rows, lengths)
        free(self.keys)
        self.count = rows.shape[0]
        self.keys = <Key*> calloc(max(self.count, 1), sizeof(Key))
        if self.keys is NULL:
            raise MemoryError
        run_rows(KEY_KINDS[hash], rows, lengths, NULL, 0, <uint8_t*> self.keys, sizeof(Key))

    def __dealloc__(self):
        if self.keys is not NULL:
            memset(self.keys, 0, self.count * sizeof(Key))
            free(self.keys)

    def __len__(self) -> int:
        return self.count

    def __repr__(self) -> str:
        return f"<{self.count} PreparedKeys, {self.hash}>"


cdef int check_rows(const uint8_t[:, ::1] rows, const uint32_t[::1] lengths) except -1:
    cdef Py_ssize_t i
    if lengths.shape[0] != rows.shape[0]:
        raise ValueError(f"{rows.shape[0]} rows but {lengths.shape[0]} lengths")
    for i in range(rows.shape[0]):
        if lengths[i] > rows.shape[1]:
            raise ValueError(f"row {i}: length {lengths[i]} is beyond the row's {rows.shape[1]} octets")
    return 0


cdef int run_rows(DigestKind kind, const uint8_t[:, ::1] rows, const uint32_t[::1] lengths, const Key* keys,
                  Py_ssize_t key_step, uint8_t* out, Py_ssize_t out_step) except -1:
    """A job a row; row i uses keys[i * key_step] and writes at out + i * out_step."""
    cdef Py_ssize_t i, n = rows.shape[0], room = rows.shape[1]
    cdef const uint8_t* first = &rows[0, 0] if n and room else NULL
    cdef Queue queue = Queue(<Job*> malloc(ROWS_AT_ONCE * sizeof(Job)), 0, ROWS_AT_ONCE)
    if queue.jobs is NULL:
        raise MemoryError
    with nogil:
        for i in range(n):
            queue_job(&queue, kind, first + i * room, lengths[i], NULL, 0, keys + i * key_step, out + i * out_step)
            if queue.count == queue.room:
                digest_run(&queue)
        digest_run(&queue)
    free(queue.jobs)
    return 0


cdef int run_batch(DigestKind kind, const uint8_t[:, ::1] rows, const uint32_t[::1] lengths, const Key* keys,
                   Py_ssize_t key_step, uint8_t[:, ::1] out, Py_ssize_t size) except -1:
    check_rows(rows, lengths)
    if out.shape[0] != rows.shape[0] or out.shape[1] != size:
        raise ValueError(f"out is [{out.shape[0]}, {out.shape[1]}], must be [{rows.shape[0]}, {size}]")
    if rows.shape[0] == 0:
        return 0
    return run_rows(kind, rows, lengths, keys, key_step, &out[0, 0], size)


cdef int run_hmac_batch(str hash, object keys, const uint8_t[:, ::1] rows, const uint32_t[::1] lengths,
                        uint8_t[:, ::1] out) except -1:
    cdef const Key* first
    cdef Py_ssize_t step
    if isinstance(keys, PreparedKey):
        first, step = &(<PreparedKey> keys).key, 0
    elif isinstance(keys, PreparedKeys):
        if (<PreparedKeys> keys).count != rows.shape[0]:
            raise ValueError(f"{rows.shape[0]} rows but {(<PreparedKeys> keys).count} keys")
        first, step = (<PreparedKeys> keys).keys, 1
    else:
        raise TypeError(f"keys: PreparedKey or PreparedKeys, not {type(keys).__name__}")
    if keys.hash != hash:
        raise ValueError(f"keys prepared for {keys.hash}, not for {hash}")
    return run_batch(HMAC_KINDS[hash], rows, lengths, first, step, out, SIZES[hash])


def md5_batch(const uint8_t[:, ::1] rows, const uint32_t[::1] lengths, uint8_t[:, ::1] out) -> None:
    """MD5 of each row; `out` uint8[n, 16]."""
    run_batch(DIGEST_MD5, rows, lengths, NULL, 0, out, 16)


def hmac_md5_batch(keys, const uint8_t[:, ::1] rows, const uint32_t[::1] lengths, uint8_t[:, ::1] out) -> None:
    """HMAC-MD5 of each row under one PreparedKey, or each under its own of PreparedKeys; `out` uint8[n, 16]."""
    run_hmac_batch("md5", keys, rows, lengths, out)


def hmac_sha1_batch(keys, const uint8_t[:, ::1] rows, const uint32_t[::1] lengths, uint8_t[:, ::1] out) -> None:
    """HMAC-SHA1 of each row; `out` uint8[n, 20]."""
    run_hmac_batch("sha1", keys, rows, lengths, out)


def hmac_sha256_batch(keys, const uint8_t[:, ::1] rows, const uint32_t[::1] lengths, uint8_t[:, ::1] out) -> None:
    """HMAC-SHA256 of each row; `out` uint8[n, 32]."""
    run_hmac_batch("sha256", keys, rows, lengths, out)


def widths() -> tuple:
    """Vector widths in octets that this machine offers, narrowest first; 1 stands for one message at a time."""
    return tuple(w for w in (1, 16, 32, 64) if w <= digest_widest())


def width() -> int:
    """The width in use."""
    return digest_width() or digest_widest()


def use_width(uint32_t octets) -> None:
    """Uses this width from now on, in the whole process (tests and benchmarks); not while another thread digests."""
    if digest_use_width(octets):
        raise ValueError(f"width {octets}: this machine offers {', '.join(map(str, widths()))}")
