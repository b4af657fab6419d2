"""The address pool: lock-free, in memory that all workers share.

**Word and bitmap.** The word of an address alone decides who holds it: each move is one compare-and-swap on it. The
bitmap only finds: a set bit says "perhaps taken", a clear bit "worth trying". Two rules keep it from losing an
address:

1. Whoever moves a word to FREE clears the bit afterwards.
2. Whoever sets a bit looks at the word afterwards, and leases it if it is FREE.

Suppose a word is FREE for good and its bit is set. The last move to FREE was followed by a clearing (1), so the bit
was set after that by somebody who then saw the word (2): it was FREE, so he leased it, and it was not FREE for good.
Setting and clearing are read-modify-writes of one location, acquire and release, so "after" in the bitmap implies
"after" in the word. The other disagreement, a clear bit over a leased word, can happen (a slow rule 1 overtaken by a
quick lease) and costs the next search one failed attempt, which mends it. Clearing is therefore always safe, and a
sweep clears the bit over every FREE word: this takes back what a process killed between two steps had left behind.

**Honest exhaustion.** A search that finds every bit set proves nothing by itself: addresses may have come free behind
it. Each worker counts the moves to FREE it has completed. If the sum is the same before and after the search, no
release was completed in between, so at the end every address was leased, cooling, reserved, or in the hands of a call
still under way. As long as the sum stays the same the proof holds, and refusals cost as much as reading the counters.
"""
import fcntl
import ipaddress
import mmap
import os

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset
from servers.pool.atomics cimport fetch_or, load_acquire
from servers.pool.giving cimport pool_claim, pool_cool, pool_give, pool_reconcile, pool_state, pool_sweep
from servers.pool.taking cimport pool_take
from servers.pool.words cimport DETAIL, SECOND, STATE, htonl, ntohl, rested, state_of

cdef enum:
    PAGE = 4096

cdef struct Head:                  # first page of the shared memory: what an attaching process must agree on
    uint64_t magic
    uint32_t first
    uint32_t size
    uint32_t cool_down
    uint32_t workers

cdef uint64_t MAGIC = 0x316C6F6F706D69  # "mipool1"


cdef size_t octets_needed(uint64_t size, uint64_t workers) noexcept nogil:
    return PAGE + workers * sizeof(Line) + ((size + 63) // 64 + size) * 8


cdef class SharedPool:
    """A pool of one IPv4 network for several processes.

    `network`: CIDR, /8 to /32. `reserved`: addresses in it that are never leased; with `ends` also the first and the
    last one of a network of more than two (RFC 3021). `cool_down_s`: 0 to 86 400. `workers`: processes that may
    attach, 1 to 256. Every process needs a worker number of its own. Addresses are integers in host order, times
    seconds of one monotonic clock. Raises ValueError for a network, number or address that does not fit.
    """

    def __init__(self, str network not None, reserved=(), cool_down_s=0, workers=16, worker=0, ends=True):
        net = ipaddress.IPv4Network(network)
        if net.prefixlen < 8:
            raise ValueError(f"pool {network}: networks larger than /8 are not supported")
        if not 0 <= cool_down_s <= 86_400:
            raise ValueError(f"cool_down_s {cool_down_s}: 0 to 86400")
        if not 1 <= workers <= 256:
            raise ValueError(f"workers {workers}: 1 to 256")
        fd = os.memfd_create(f"pool {network}", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(fd, octets_needed(net.num_addresses, workers))
            fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
            self._map(fd, [MAGIC, int(net.network_address), net.num_addresses, cool_down_s, workers], worker)
            self._reserve(net, reserved, ends)
        except BaseException:
            if self.area is None:                      # else it is closed with the object
                os.close(fd)
            raise

    @classmethod
    def attach(cls, int fd, int worker):
        """The pool that another process made, by its `fd`, inherited or passed over a socket. It is duplicated here."""
        cdef SharedPool pool = cls.__new__(cls)
        own = os.dup(fd)
        try:
            pool._map(own, None, worker)
        except BaseException:
            os.close(own)
            raise
        return pool

    def _map(self, int fd, fresh, int worker):
        if os.fstat(fd).st_size < PAGE:
            raise ValueError("this file descriptor holds no address pool")
        area = mmap.mmap(fd, 0)
        cdef uint8_t[::1] octets = area
        cdef Head* head = <Head*> &octets[0]
        if fresh is not None:
            head.magic, head.first, head.size, head.cool_down, head.workers = fresh
        if head.magic != MAGIC or <size_t> octets.shape[0] < octets_needed(head.size, head.workers):
            raise ValueError("this file descriptor holds no address pool")
        if not 0 <= worker < <int> head.workers:
            raise ValueError(f"worker {worker}: this pool was made for 0 to {head.workers - 1}")
        self._point(&octets[0], worker)
        self.area, self.fd = area, fd
        bits = (<uint32_t> head.size).bit_length() - 1
        self.network = f"{ipaddress.IPv4Address(head.first)}/{32 - bits}"

    cdef void _point(self, uint8_t* at, uint32_t worker) noexcept:
        cdef Head* head = <Head*> at
        memset(&self.c, 0, sizeof(Pool))
        self.c.first, self.c.size, self.c.cool_down = head.first, head.size, head.cool_down
        self.c.workers, self.c.worker = head.workers, worker
        self.c.lines = <Line*> (at + PAGE)
        self.c.line = &self.c.lines[worker]
        self.c.map = <uint64_t*> (at + PAGE + head.workers * sizeof(Line))
        self.c.words = self.c.map + (head.size + 63) // 64
        self.c.hint = <uint32_t> (<uint64_t> ((head.size + 63) // 64) * worker // head.workers)
        self.c.swept = ~<uint64_t> 0                   # so that the first exhaustion looks for ended cool-downs

    def _reserve(self, net, reserved, ends):
        if self.c.size % 64:                           # bits beyond the last address are taken for ever
            self.c.map[self.c.size // 64] = ~<uint64_t> 0 << (self.c.size % 64)
        both = [net.network_address, net.broadcast_address] if ends and net.num_addresses > 2 else []
        for address in [*both, *map(ipaddress.IPv4Address, reserved)]:
            if address not in net:
                raise ValueError(f"reserved address {address} is not in the pool {net}")
            index = int(address) - self.c.first
            self.c.words[index] = <uint64_t> RESERVED << STATE
            fetch_or(&self.c.map[index // 64], <uint64_t> 1 << (index % 64))

    def __cinit__(self, *arguments, **settings):
        self.fd = -1

    def __dealloc__(self):
        if self.fd >= 0:                               # `area` may be gone already, when this was part of a cycle
            os.close(self.fd)

    @property
    def size(self):
        """Addresses of the network, reserved ones included."""
        return self.c.size

    @property
    def cool_down_s(self):
        return self.c.cool_down

    def take(self, uint64_t owner, double now, uint32_t wanted=0):
        """An address for this owner (a hash), `wanted` if it may have it; None when every address was unavailable."""
        cdef Request request = Request(owner, htonl(wanted), 0, 0)
        pool_take(&self.c, &request, 1, <uint64_t> (now * SECOND))
        return ntohl(request.address) if request.state == GRANTED else None

    def give(self, uint32_t address, uint64_t owner, double now):
        """False, and counted, unless the address was leased to this owner."""
        return pool_give(&self.c, htonl(address), owner, <uint64_t> (now * SECOND))

    def claim(self, uint32_t address, uint64_t owner):
        """Takes exactly this address, as at restart; False when it is reserved, outside or another owner's."""
        return pool_claim(&self.c, htonl(address), owner)

    def cool(self, uint32_t address, uint64_t owner, double until):
        """Puts the address to rest until then, as at restart; False as for `claim`."""
        return pool_cool(&self.c, htonl(address), owner, <uint64_t> (until * SECOND))

    def sweep(self, double now):
        """Ends all cool-downs that are over; returns how many."""
        return pool_sweep(&self.c, <uint64_t> (now * SECOND), self.c.size)

    def reconcile(self, leases, double now):
        """After a crash of this worker: `leases` are (address, owner) from its journal.

        Returns (those that could not be claimed, how many unacknowledged ones were given back).
        """
        rows = list(leases)
        cdef Lease* c = <Lease*> calloc(len(rows) or 1, sizeof(Lease))
        cdef uint32_t dropped
        if c == NULL:
            raise MemoryError
        try:
            for k, (address, owner) in enumerate(rows):
                c[k].owner, c[k].address = owner, htonl(address)
            dropped = pool_reconcile(&self.c, c, len(rows), <uint64_t> (now * SECOND))
            if dropped == 0xFFFFFFFFu:
                raise MemoryError
            return [row for k, row in enumerate(rows) if not c[k].held], dropped
        finally:
            free(c)

    def state(self, uint32_t address):
        return AddressState(pool_state(&self.c, htonl(address)))

    def leases(self):
        """(address, worker, tag) of every leased address, in order; the tag is the owner's hash folded to 32 bits."""
        cdef uint32_t index
        cdef uint64_t seen
        found = []
        for index in range(self.c.size):
            seen = load_acquire(&self.c.words[index])
            if state_of(seen) == LEASED:
                found.append((self.c.first + index, (seen >> (DETAIL + 22)) & 0xFF, seen & 0xFFFFFFFFu))
        return found

    def snapshot(self, double now=0.0):
        """Gauges free, leased, cooling, reserved (their sum is the size, always) and the workers' counters summed. Whose
        cool-down is over at `now` is free, although nobody has looked for an address since."""
        cdef uint64_t[4] states
        cdef uint64_t word
        cdef uint32_t k
        cdef Line total
        memset(states, 0, sizeof(states))
        memset(&total, 0, sizeof(Line))
        for k in range(self.c.size):                   # every word is counted once, in one state
            word = load_acquire(&self.c.words[k])
            states[<int> FREE if state_of(word) == COOLING and rested(word, <uint64_t> now) else <int> state_of(word)] += 1
        for k in range(self.c.workers):
            total.granted += load_acquire(&self.c.lines[k].granted)
            total.exhausted += load_acquire(&self.c.lines[k].exhausted)
            total.refused += load_acquire(&self.c.lines[k].refused)
            total.retries += load_acquire(&self.c.lines[k].retries)
            total.repaired += load_acquire(&self.c.lines[k].repaired)
        return {"size": self.c.size, "free": states[<int> FREE], "leased": states[<int> LEASED],
                "cooling": states[<int> COOLING], "reserved": states[<int> RESERVED], "granted": total.granted,
                "exhausted": total.exhausted, "refused": total.refused, "retries": total.retries,
                "repaired": total.repaired}
