# The leases that the FHA lists at the end of a private testbed, against what the nodes hold (ruling 25; I3, I13).
from fastcodec.wire cimport get32
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy
from loadgen.fleet cimport Fleet
from loadgen.holding cimport tick_of
from loadgen.load cimport Load, text_of
from loadgen.staying cimport holds, may_hold


cdef class LeaseCheck:
    """Takes the FHA's leases in pieces, and keeps a bit a node and what it could not match. The fleet must have been told
    the pool."""
    cdef Fleet fleet
    cdef uint8_t[::1] seen                   # one bit a node: the FHA has its lease
    cdef list strange                        # (NAI, THOAv4) of leases that no node has named as its own
    cdef readonly bint told                  # whether the FHA has listed any leases, be it none

    def __init__(self, Fleet fleet):
        self.fleet, self.strange = fleet, []
        self.seen = bytearray(fleet.load.count // 8 + 1)

    def take(self, leases):
        """{NAI: THOAv4 packed}."""
        cdef Load* load = &self.fleet.load
        cdef uint32_t node, length, address
        cdef const uint8_t* name
        cdef bytes nai, packed
        self.told = True
        for nai, packed in leases.items():
            memcpy(&address, <const uint8_t*> packed, 4)
            node = holder_of(load, address)
            if node < load.count and load.nodes[node].address == address:
                name = text_of(&load.columns.nai, node, &length)
                if length == len(nai) and not memcmp(name, <const uint8_t*> nai, length):
                    self.seen[node // 8] |= 1 << node % 8
                    if may_hold(load, node, address, 0):
                        continue
            self.strange.append((nai, packed))

    def missing(self, uint64_t now):
        """[(node, THOAv4)] that nodes hold with certainty at `now` (monotonic ns), and the FHA does not."""
        cdef Load* load = &self.fleet.load
        cdef uint32_t node, tick = tick_of(&load.holding, now)
        return [(node, (<const uint8_t*> &load.nodes[node].address)[:4]) for node in range(load.count)
                if not self.seen[node // 8] >> node % 8 & 1 and holds(load, node, tick)]

    def overdue(self, uint64_t since):
        """[(node, THOAv4)] that the FHA has leased still, and no node has had since then (monotonic ns)."""
        cdef Load* load = &self.fleet.load
        cdef uint32_t node, tick = tick_of(&load.holding, since)
        return [(node, (<const uint8_t*> &load.nodes[node].address)[:4]) for node in range(load.count)
                if self.seen[node // 8] >> node % 8 & 1 and not may_hold(load, node, load.nodes[node].address, tick)]

    def unasked(self):
        """{NAI: THOAv4} that the FHA has leased to nodes that neither have it nor may have been given it."""
        cdef Load* load = &self.fleet.load
        cdef uint32_t node
        names = dict(self.strange)
        found = {}
        if not names:
            return found
        nodes = {nai: node for node, nai in enumerate(self.fleet.kept.nai) if nai in names}
        for nai, packed in names.items():
            if nai not in nodes or not may_have_been_given(load, nodes[nai], packed):
                found[nai] = packed
        return found


cdef uint32_t holder_of(const Load* load, uint32_t address) noexcept nogil:
    """The node that has said last that it holds the address; none: beyond every number of a node."""
    cdef uint32_t place = get32(<const uint8_t*> &address) - load.checks.network
    return load.checks.holder[place] - 1 if place < load.checks.size else 0xffffffff


cdef bint may_have_been_given(const Load* load, uint32_t node, bytes packed):
    cdef uint32_t address
    memcpy(&address, <const uint8_t*> packed, 4)
    return may_hold(load, node, address, 0)
