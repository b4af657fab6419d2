"""A key or shared secret with its HMAC states prepared once, and one digest at a time for single messages."""
from fastcodec.digest.jobs cimport DIGEST_KEY_MD5, DIGEST_KEY_SHA1, Job, Queue, queue_job, run_queue
from fastcodec.errors import EncodeError


cdef void digest_now(DigestKind kind, const void* message, uint32_t length, const void* tail, uint32_t tail_length,
                     const Key* key, void* out) noexcept nogil:
    """The same engine as a batch uses, with a queue of one."""
    cdef Job job
    cdef Queue queue
    queue.jobs, queue.count, queue.room = &job, 0, 1
    queue_job(&queue, kind, message, length, tail, tail_length, key, out)
    run_queue(&queue)


cdef class Secret:
    """Octets of a key. Worth keeping when used again: preparing costs two blocks, half the price of a short HMAC."""

    def __cinit__(self, octets not None):
        self.octets = bytes(octets)
        if not self.octets:
            raise EncodeError("Secret", "must not be empty (RFC 2865 3)")

    def __repr__(self):
        return f"Secret(<{len(self.octets)} octets>)"

    def __eq__(self, other):
        return isinstance(other, Secret) and (<Secret> other).octets == self.octets

    def __hash__(self):
        return hash(self.octets)

    def __reduce__(self):
        return Secret, (self.octets,)

    def __bytes__(self):
        return self.octets

    cdef const Key* for_md5(self):
        if not self.has_md5:
            digest_now(DIGEST_KEY_MD5, <const uint8_t*> self.octets, <uint32_t> len(self.octets), NULL, 0, NULL, &self.md5)
            self.has_md5 = True
        return &self.md5

    cdef const Key* for_sha1(self):
        if not self.has_sha1:
            digest_now(DIGEST_KEY_SHA1, <const uint8_t*> self.octets, <uint32_t> len(self.octets), NULL, 0, NULL, &self.sha1)
            self.has_sha1 = True
        return &self.sha1


cdef Secret as_secret(object key):
    return <Secret> key if isinstance(key, Secret) else Secret(key)
