# A Registration Request arrives: shape, duplicates, one exchange with the AAAH at a time for each node.
from fastcodec.mip4 cimport (
    EXT_GENERALIZED, EXT_MN_HA_NONCE_REQUEST, EXT_NAI, FLAG_R_RESERVED, FLAG_X_RESERVED, POORLY_FORMED_REQUEST,
    REGISTRATION_REQUEST, RegistrationRequest, SUBTYPE_MN_AAA, SUBTYPE_NONCE, walk_message,
)
from fastcodec.status cimport DOUBLED_EXTENSION, NO_AUTHENTICATOR, TOO_SHORT, WRONG_TYPE
from fastcodec.wire cimport Piece, get16, get32, get64
from libc.stdint cimport uint32_t, uint8_t
from libc.string cimport memcmp, memcpy, memset
from servers.engine.counters cimport count_event
from servers.engine.parking cimport parking_row
from servers.engine.reasons cimport (
    BAD_NAI, BAD_SOURCE, DUPLICATE_ANSWERED, DUPLICATE_PENDING, NODE_BUDGET, NO_NAI, POORLY_FORMED, RESERVED_SPI,
    SUPERSEDED, TABLE_FULL,
)
from servers.engine.stages cimport DONE, PARKED
from servers.net.node cimport Datagram
from servers.roles.fha.row cimport drop, end_row, leave, nai_of, refuse, rrq_of
from servers.roles.fha.state cimport Fha, MOST_EXTENSIONS, PROOF_LONGEST, Registration
from servers.tables.bindings cimport Binding, find_binding
from servers.tables.budget cimport budget_allows
from servers.tables.hash cimport NO_ROW, hash_octets, table_find, table_insert, table_next, table_prefetch


cdef void* open_row(Fha* fha, uint32_t slot, const Datagram* datagram) noexcept nogil:
    cdef Registration* row = <Registration*> parking_row(&fha.waiting, slot)
    memset(row, 0, <size_t> (<uint8_t*> &row.nonce - <uint8_t*> row))
    row.slot, row.datagram, row.arrived = slot, datagram[0], fha.now.wall
    row.datagram.data = row.octets
    memcpy(row.octets, datagram.data, datagram.length)
    return row


cdef void read_request(Fha* fha, Registration* row) noexcept nogil:
    """RFC 5944 3.8.2.1: without an authorization-enabling extension that somebody can check, silence."""
    cdef Piece[MOST_EXTENSIONS] pieces
    cdef int k, found, nais = 0, proofs = 0, keys = 0
    if row.datagram.length < sizeof(RegistrationRequest):
        drop(fha, row, TOO_SHORT)
        return
    if row.octets[0] != REGISTRATION_REQUEST:
        drop(fha, row, WRONG_TYPE)
        return
    if not row.datagram.peer_port or row.datagram.peer_address in (<uint32_t> 0, <uint32_t> 0xffffffff, fha.address):
        drop(fha, row, BAD_SOURCE)
        return
    found = walk_message(row.octets, <int> row.datagram.length, sizeof(RegistrationRequest), pieces, MOST_EXTENSIONS)
    if found < 0:
        drop(fha, row, -found)
        return
    for k in range(found):
        if pieces[k].type == EXT_NAI and not proofs:
            nais += 1
            if nais == 1:                                              # the one that the AAAH compares with User-Name
                row.nai_at, row.nai_length = pieces[k].offset, pieces[k].length
        elif pieces[k].type == EXT_MN_HA_NONCE_REQUEST and pieces[k].subtype == SUBTYPE_NONCE and not proofs:
            keys += 1
            row.mn_spi = get32(row.octets + pieces[k].offset) if pieces[k].length == 4 else 0
        elif pieces[k].type == EXT_GENERALIZED and pieces[k].subtype == SUBTYPE_MN_AAA:
            proofs += 1
            row.proof_at = pieces[k].head
    check_proof(fha, row, nais, proofs, keys)


cdef void check_proof(Fha* fha, Registration* row, int nais, int proofs, int keys) noexcept nogil:
    """What lies behind the MN-AAA authenticator is not covered by it and was not looked at (RFC 4721 6)."""
    if not proofs or row.proof_at + 8 + 16 > row.datagram.length or get16(row.octets + row.proof_at + 2) != 20:
        drop(fha, row, NO_AUTHENTICATOR)
    elif get32(row.octets + row.proof_at + 4) < 256:                  # RFC 5944 1.6: reserved, no association
        drop(fha, row, RESERVED_SPI)
    elif not nais or not row.nai_length:
        drop(fha, row, NO_NAI)
    elif row.nai_length > 253 or row.proof_at + 8 > PROOF_LONGEST:
        drop(fha, row, BAD_NAI)
    else:
        if nais > 1 or proofs > 1 or keys > 1:
            refuse(fha, row, POORLY_FORMED_REQUEST, DOUBLED_EXTENSION)
        elif rrq_of(row).flags & (FLAG_R_RESERVED | FLAG_X_RESERVED):
            refuse(fha, row, POORLY_FORMED_REQUEST, POORLY_FORMED)
        elif not keys or row.mn_spi < 256:                            # nothing to sign the reply with (RFC 3957 3)
            refuse(fha, row, POORLY_FORMED_REQUEST, POORLY_FORMED)
        row.identification = get64(&rrq_of(row).identification)
        row.nai_hash = hash_octets(nai_of(row), row.nai_length, fha.seed)
        row.request_hash = hash_octets(row.octets, row.datagram.length, fha.seed)
        table_prefetch(&fha.bindings.by_nai, row.nai_hash)
        table_prefetch(&fha.pending, row.nai_hash)


cdef Registration* pending_of(Fha* fha, const Registration* row) noexcept nogil:
    cdef uint32_t at = 0, slot = table_find(&fha.pending, row.nai_hash, &at)
    cdef Registration* other
    while slot != NO_ROW:
        other = <Registration*> parking_row(&fha.waiting, slot)
        if other.nai_length == row.nai_length and not memcmp(nai_of(other), nai_of(row), row.nai_length):
            return other
        slot = table_next(&fha.pending, row.nai_hash, &at)
    return NULL


cdef void find_node(Fha* fha, Registration* row) noexcept nogil:
    """Ruling 1: the same octets share the exchange or get the same reply; a new Identification waits, the newest only."""
    cdef Registration* under_way = pending_of(fha, row)
    cdef Binding* binding = find_binding(&fha.bindings, nai_of(row), row.nai_length, row.nai_hash)
    if under_way != NULL and is_repeated(fha, row, under_way):
        drop(fha, row, DUPLICATE_PENDING)
    elif binding != NULL and binding.request_hash == row.request_hash:
        repeat_reply(fha, row, binding)
    elif not budget_allows(&fha.requests, row.nai_hash, fha.now.monotonic):
        drop(fha, row, NODE_BUDGET)
    elif under_way != NULL:
        if under_way.newer:
            drop(fha, newer_of(fha, under_way), SUPERSEDED)
        under_way.newer = row.slot + 1
        row.head.outcome = PARKED
    elif not table_insert(&fha.pending, row.nai_hash, row.slot):
        drop(fha, row, TABLE_FULL)


cdef bint is_repeated(Fha* fha, const Registration* row, const Registration* under_way) noexcept nogil:
    """The octets of the request under way, or of the one that waits for it."""
    return row.request_hash == under_way.request_hash or (
        under_way.newer != 0 and row.request_hash == newer_of(fha, under_way).request_hash)


cdef inline Registration* newer_of(Fha* fha, const Registration* row) noexcept nogil:
    return <Registration*> parking_row(&fha.waiting, row.newer - 1)


cdef void repeat_reply(Fha* fha, Registration* row, Binding* binding) noexcept nogil:
    """RFC 5944 3.8.2.2: a duplicate of an accepted request extends nothing; the same octets go out again."""
    if not budget_allows(&fha.duplicates, row.nai_hash, fha.now.monotonic):
        drop(fha, row, NODE_BUDGET)
        return
    count_event(&fha.counters, DUPLICATE_ANSWERED)
    leave(fha, row, binding.reply, binding.reply_length)
    end_row(fha, row, DONE)
