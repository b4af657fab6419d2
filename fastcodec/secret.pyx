"""A key or shared secret with its HMAC states prepared once, and one digest at a time for single messages."""
from cpython.mem cimport PyMem_Calloc, PyMem_Free

from fastcodec.digest.jobs cimport DIGEST_KEY_MD5, DIGEST_KEY_SHA1, DIGEST_KEY_SHA256, Job, Queue, queue_job, run_queue
from fastcodec.errors import EncodeError
from fastcodec.fields cimport as_bytes
from fastcodec.wants import wants_list


cdef void digest_now(DigestKind kind, const void* message, uint32_t length, const void* tail, uint32_t tail_length,
                     const Key* key, void* out) noexcept nogil:
    """The same engine as a batch uses, with a queue of one."""
    cdef Job job
    cdef Queue queue
    queue.jobs, queue.count, queue.room = &job, 0, 1
    queue_job(&queue, kind, message, length, tail, tail_length, key, out)
    run_queue(&queue)


cpdef bytes key_octets(object key):
    """The octets of a Secret or of any buffer; TypeError for all else: bytes(16) would be a key of sixteen zeros."""
    if isinstance(key, Secret):
        return (<Secret> key).octets
    try:
        return as_bytes(key)
    except TypeError:
        raise TypeError(f"a key is octets or a Secret, not {type(key).__name__}") from None


ALGORITHMS = {"hmac-md5": HMAC_MD5, "hmac-sha1": HMAC_SHA1, "hmac-sha256": HMAC_SHA256, "keyed-md5": KEYED_MD5}


cdef class Secret:
    """Octets of a key. Worth keeping when used again: preparing costs two blocks, half the price of a short HMAC.

    `algorithm` is how a Mobile IP security association uses it: "hmac-md5", "hmac-sha1", "hmac-sha256", or "keyed-md5"
    (prefix and suffix, RFC 2002 3.5.1). Without one an authenticator's length tells which HMAC it is, and HMAC-MD5 signs.
    """

    def __cinit__(self, octets, algorithm=None):
        self.octets = key_octets(octets)
        if algorithm is not None and (not isinstance(algorithm, str) or algorithm not in ALGORITHMS):
            raise EncodeError("Secret.algorithm", f"{algorithm!r} is none of {', '.join(ALGORITHMS)}")
        self.algorithm = algorithm
        self.which = ANY_ALGORITHM if algorithm is None else ALGORITHMS[algorithm]
        if not self.octets:
            raise EncodeError("Secret", "must not be empty (RFC 2865 3)")

    def __repr__(self):
        return f"Secret(<{len(self.octets)} octets>)"

    def __eq__(self, other):
        return (isinstance(other, Secret) and (<Secret> other).octets == self.octets
                and (<Secret> other).which == self.which)

    def __hash__(self):
        return hash(self.octets)

    def __reduce__(self):
        return Secret, (self.octets, self.algorithm)

    def __bytes__(self):
        return self.octets

    cdef const Key* for_md5(self):
        if not self.has_md5:
            digest_now(DIGEST_KEY_MD5, <const uint8_t*> self.octets, <uint32_t> len(self.octets), NULL, 0, NULL,
                       &self.md5)
            self.has_md5 = True
        return &self.md5

    cdef const Key* for_sha1(self):
        if not self.has_sha1:
            digest_now(DIGEST_KEY_SHA1, <const uint8_t*> self.octets, <uint32_t> len(self.octets), NULL, 0, NULL,
                       &self.sha1)
            self.has_sha1 = True
        return &self.sha1

    cdef const Key* for_sha256(self):
        if not self.has_sha256:
            digest_now(DIGEST_KEY_SHA256, <const uint8_t*> self.octets, <uint32_t> len(self.octets), NULL, 0, NULL,
                       &self.sha256)
            self.has_sha256 = True
        return &self.sha256


cdef Secret as_secret(object key):
    return <Secret> key if isinstance(key, Secret) else Secret(key)


cdef class SecretArray:
    """Many keys or shared secrets, for the batch API: rows say by index which is theirs. Prepared in lanes, once.

    `count` is how many.
    """

    def __cinit__(self, secrets):
        cdef list given = wants_list("secrets", secrets, "secrets")
        cdef list octets = [key_octets(s) for s in given]
        cdef Py_ssize_t k
        if not all(octets):
            raise EncodeError("SecretArray", "an empty secret (RFC 2865 3)")
        self.count, self.blob = len(octets), b"".join(octets)
        self.octets = self.blob
        self.longest = max(map(len, octets), default=0)
        self.ends = <uint32_t*> PyMem_Calloc(self.count + 1, sizeof(uint32_t))
        self.algorithms = <uint8_t*> PyMem_Calloc(self.count + 1, 1)
        if self.ends == NULL or self.algorithms == NULL:
            raise MemoryError
        for k in range(self.count):
            self.ends[k + 1] = self.ends[k] + <uint32_t> len(<bytes> octets[k])
            if isinstance(given[k], Secret):
                self.algorithms[k] = <uint8_t> (<Secret> given[k]).which
                self.has_algorithm |= self.algorithms[k] != ANY_ALGORITHM
                self.has_keyed |= self.algorithms[k] == KEYED_MD5

    def __dealloc__(self):
        PyMem_Free(self.ends)
        PyMem_Free(self.algorithms)
        PyMem_Free(self.md5)
        PyMem_Free(self.sha1)
        PyMem_Free(self.sha256)

    def __len__(self):
        return self.count

    def __repr__(self):
        return f"SecretArray(<{self.count} secrets>)"

    def __reduce__(self):
        return SecretArray, (self.listed(),)

    cdef list listed(self):
        """Every secret, with its algorithm."""
        cdef Py_ssize_t k
        names = {number: name for name, number in ALGORITHMS.items()}
        return [Secret(<bytes> self.octets[self.ends[k]:self.ends[k + 1]], names.get(self.algorithms[k])) for k in range(self.count)]

    cdef const uint8_t* octets_of(self, uint32_t which, uint32_t* length) noexcept nogil:
        length[0] = self.ends[which + 1] - self.ends[which]
        return self.octets + self.ends[which]

    cdef int prepare(self, DigestKind kind) except -1:
        """States for `kind` (DIGEST_KEY_MD5, DIGEST_KEY_SHA1 or DIGEST_KEY_SHA256), the first time only."""
        cdef Key* keys = self.md5 if kind == DIGEST_KEY_MD5 else self.sha1 if kind == DIGEST_KEY_SHA1 else self.sha256
        cdef Queue queue
        cdef uint32_t k, length
        cdef const uint8_t* octets
        if keys != NULL or self.count == 0:
            return 0
        keys = <Key*> PyMem_Calloc(self.count, sizeof(Key))
        queue.jobs, queue.count = <Job*> PyMem_Calloc(self.count, sizeof(Job)), 0
        queue.room = <uint32_t> self.count
        if kind == DIGEST_KEY_MD5:
            self.md5 = keys
        elif kind == DIGEST_KEY_SHA1:
            self.sha1 = keys
        else:
            self.sha256 = keys
        if keys == NULL or queue.jobs == NULL:
            PyMem_Free(queue.jobs)
            raise MemoryError
        for k in range(queue.room):
            octets = self.octets_of(k, &length)
            queue_job(&queue, kind, octets, length, NULL, 0, NULL, &keys[k])
        run_queue(&queue)
        PyMem_Free(queue.jobs)
        return 0
