"""Agent Advertisements as columns: checked, their extensions placed, checksums written."""
import numpy as np

from libc.stdint cimport uint8_t, uint16_t, uint32_t

from fastcodec import agent_discovery
from fastcodec.agent_discovery cimport ADVERTISED_AGENT, SHAPES, examine_advertisement, extensions_at
from fastcodec.agents import AgentAdvertisement
from fastcodec.extension_index cimport make_index
from fastcodec.errors import EncodeError
from fastcodec.headers cimport add_up, finish
from fastcodec.mip4 cimport MOST_EXTENSIONS
from fastcodec.rows cimport Rows
from fastcodec.rows import packed, rows_of
from fastcodec.status cimport Status
from fastcodec.wants import wants
from fastcodec.wire cimport Piece, put16, walk

cdef enum:
    HEAD = 8                 # octets that an advertisement has at least
    AGENT = 6                # octets of extension 16 before its addresses


cdef class AgentBatch(Rows):
    """ICMP messages of RFC 5944 2.1. `walk` first; then columns, `index`, `sum_up`.

    `agents` (uint16) places the value of the first Mobility Agent Advertisement of every row, 0: absent; `found` counts
    its extensions, `begins` is where they start.
    """
    cdef readonly object agents, found, begins
    cdef uint16_t[::1] _agents
    cdef uint8_t[::1] _found
    cdef uint32_t[::1] _begins

    def __init__(self, octets, lengths):
        Rows.__init__(self, octets, lengths)
        self.agents, self.found = np.zeros(self.count, dtype=np.uint16), np.zeros(self.count, dtype=np.uint8)
        self.begins = np.zeros(self.count, dtype=np.uint32)
        self._agents, self._found, self._begins = self.agents, self.found, self.begins

    @classmethod
    def from_datagrams(cls, datagrams):
        """The rows of a list of messages, walked."""
        batch = cls(*packed(datagrams))
        batch.walk()
        return batch

    @classmethod
    def from_template(cls, message, n):
        """`n` rows like an AgentAdvertisement; then fill columns and `sum_up`."""
        wants("message", message, AgentAdvertisement)
        batch = cls(*rows_of(message.encode(), n))
        batch.walk()
        return batch

    @property
    def fixed(self):
        """The ICMP part as a structured array in network order, a view."""
        return self._view("AgentAdvertisement", 0)

    @property
    def mobility_agent(self):
        """The Mobility Agent Advertisement in the same way, where it stands alike in all rows (as after a template)."""
        if self.count == 0 or self.agents[0] == 0 or (self.agents != self.agents[0]).any():
            raise EncodeError("mobility_agent", "does not stand alike in all rows")
        return self._view("MobilityAgent", int(self.agents[0]))

    def _view(self, name, Py_ssize_t at):
        layout = agent_discovery.LAYOUTS[name]
        if self.count == 0:
            return np.empty(0, dtype=layout)
        if self.width < at + layout.itemsize:
            raise EncodeError("octets", f"rows of {self.width} octets cannot hold {at + layout.itemsize}")
        return self.octets[:, at:at + layout.itemsize].view(layout)[:, 0]

    def walk(self):
        """Status of every row, and where its extensions are."""
        cdef Py_ssize_t row
        with nogil:
            for row in range(self.count):
                self._status[row] = <uint8_t> self._walk_row(row)

    cdef int _walk_row(self, Py_ssize_t row) noexcept nogil:
        cdef Piece[MOST_EXTENSIONS] pieces
        cdef int found = 0, fault, k, status
        self._agents[row], self._found[row], self._begins[row] = 0, 0, 0
        if self._lengths[row] == 0:
            return Status.TOO_SHORT
        status = examine_advertisement(&self._octets[row, 0], <int> self._lengths[row], pieces, MOST_EXTENSIONS, &found, &fault)
        if status != Status.OK:
            return status
        self._found[row], self._begins[row] = <uint8_t> found, <uint32_t> extensions_at(&self._octets[row, 0])
        for k in range(found):
            if pieces[k].type == ADVERTISED_AGENT and pieces[k].length >= AGENT and self._agents[row] == 0:
                self._agents[row] = pieces[k].offset
        return Status.OK

    def index(self):
        """Every extension of every row that is OK, in wire order: an `ExtensionIndex`. Padding is none."""
        return make_index(self, self.found)

    cdef int _pieces(self, Py_ssize_t row, Piece* out) noexcept nogil:
        cdef int fault
        return walk(&self._octets[row, 0], <int> self._lengths[row], <int> self._begins[row], SHAPES, out, MOST_EXTENSIONS, &fault)

    def sum_up(self):
        """Write the checksum of every row, over what it now holds."""
        cdef Py_ssize_t row
        with nogil:
            for row in range(self.count):
                if self._lengths[row] >= HEAD:
                    put16(&self._octets[row, 2], 0)
                    put16(&self._octets[row, 2], finish(add_up(&self._octets[row, 0], self._lengths[row], 0)))
