# Whose a Registration Reply is.
from fastcodec.wire cimport get32
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from loadgen.load cimport MOST_TRIES
from loadgen.mobile_node cimport TIMED_OUT_NODE, is_under_way
from servers.engine.parking cimport parking_row
from servers.roles.radius_client cimport note_stray

cdef enum:
    FIXED_REPLY = 20                     # RFC 5944 3.4
    LONGEST_REPLY = 1500                 # octets of a datagram that is looked at, as at the FHA
    REGISTRATION_REPLY = 3


cdef Attempt* match_reply(Load* load, Datagram* datagram) noexcept nogil:
    """The attempt that a Registration Reply belongs to by the low half of its Identification (RFC 5944 3.6.2.1), or NULL,
    counted (ruling 26)."""
    cdef uint32_t low, node, k
    cdef Attempt* attempt
    if not FIXED_REPLY <= datagram.length <= LONGEST_REPLY or datagram.data[0] != REGISTRATION_REPLY:
        load.mip_malformed += 1
        return NULL
    low = get32(datagram.data + 16)
    node = low & <uint32_t> ((<uint64_t> 1 << load.index_bits) - 1)
    if node >= load.count or datagram.peer_address != load.nodes[node].fha or datagram.peer_port != load.fha_port:
        load.mip_unmatched += 1
        if node < load.count and is_under_way(&load.nodes[node]):
            note_stray(&load.mip_stray, datagram, load.nodes[node].fha, load.fha_port)
        return NULL
    if not is_under_way(&load.nodes[node]):
        if load.nodes[node].state == TIMED_OUT_NODE:
            load.mip_late += 1
        else:
            load.mip_duplicate += 1
        return NULL
    attempt = <Attempt*> parking_row(&load.attempts, load.nodes[node].attempt - 1)
    for k in range(min(<uint32_t> attempt.tries, <uint32_t> MOST_TRIES)):
        if attempt.outstanding[k] == low:
            if not attempt.reply:
                attempt.answered = <uint8_t> k
            return attempt
    load.mip_unmatched += 1
    return NULL
