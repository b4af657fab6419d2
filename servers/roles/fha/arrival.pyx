# A Registration Request arrives: shape, duplicates, one exchange at a time for each node.
from fastcodec.mip4 cimport (
    CHAP_SPI, EXT_CHALLENGE, EXT_CVSE, EXT_FA_HA, EXT_GENERALIZED, EXT_MN_HA, EXT_MN_HA_NONCE_REQUEST, EXT_NAI,
    EXT_REVOCATION_SUPPORT, FAILED_AUTHENTICATION, FLAG_R_RESERVED, FLAG_X_RESERVED, POORLY_FORMED_REQUEST,
    REGISTRATION_REQUEST, RegistrationRequest, SHAPES, SUBTYPE_MN_AAA, SUBTYPE_NONCE, find_piece, walk_message,
)
from fastcodec.status cimport (
    BAD_EXTENSION, DOUBLED_EXTENSION, EXTENSION_OVERRUN, NO_AUTHENTICATOR, OK, TOO_SHORT, WRONG_TYPE,
)
from fastcodec.wire cimport Piece, get32, get64, walk
from libc.stdint cimport uint32_t, uint64_t, uint8_t
from libc.string cimport memcmp, memcpy, memset
from servers.engine.counters cimport count_event
from servers.failpoint cimport FHA_NEW, failpoint
from servers.engine.parking cimport parking_row
from servers.engine.reasons cimport (
    AGENT_UNKNOWN, BAD_NAI, BAD_SOURCE, DUPLICATE_ANSWERED, DUPLICATE_PENDING, NODE_BUDGET, NO_NAI, POORLY_FORMED,
    RESERVED_SPI, SUPERSEDED, TABLE_FULL,
)
from servers.engine.stages cimport DONE, GOOD, PARKED
from servers.net.node cimport Datagram
from servers.roles.fha.revocation cimport support_of
from servers.roles.fha.row cimport drop, end_row, leave, nai_of, refuse, refuse_unknown, rrq_of
from servers.roles.fha.state cimport Fha, MOST_EXTENSIONS, MOST_IN_REQUEST, PROOF_LONGEST, Registration, STAGE_JUDGE
from servers.tables.bindings cimport Binding, find_binding
from servers.tables.budget cimport budget_allows
from servers.tables.hash cimport NO_ROW, hash_word, seeded_hash, table_find, table_insert, table_next, table_prefetch


cdef enum:
    DOT = 46
    AT = 64
    BACKSLASH = 92


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
    cdef int found
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
        read_malformed(fha, row, -found)
    else:
        read_extensions(fha, row, pieces, found, OK)


cdef void read_malformed(Fha* fha, Registration* row, int fault) noexcept nogil:
    """More extensions than are served, or one that cannot be one: who has proven who it is before hears of it, 134
    (ruling 10), everybody else nothing. An unknown type below 128 is silence always, RFC 5944 1.8."""
    cdef Piece[MOST_IN_REQUEST] pieces
    cdef int end = <int> row.datagram.length, at = 0
    cdef int found = walk(row.octets, end, sizeof(RegistrationRequest), SHAPES, pieces, MOST_IN_REQUEST, &at)
    if found in (-EXTENSION_OVERRUN, -BAD_EXTENSION):
        found = walk(row.octets, at, sizeof(RegistrationRequest), SHAPES, pieces, MOST_IN_REQUEST, &at)
    if found < 0:
        drop(fha, row, -found)
    elif find_piece(pieces, found, EXT_MN_HA, 0) < 0 and find_piece(pieces, found, EXT_GENERALIZED, SUBTYPE_MN_AAA) < 0:
        drop(fha, row, fault)
    else:
        read_extensions(fha, row, pieces, found, fault)


cdef void read_extensions(Fha* fha, Registration* row, const Piece* pieces, int found, int fault) noexcept nogil:
    """The pieces of a request; `fault`: a Status, what is wrong with it so far."""
    if find_piece(pieces, found, EXT_FA_HA, 0) >= 0:                  # RFC 5944 3.8.2.1 c
        drop(fha, row, AGENT_UNKNOWN)
        return
    read_covered(fha, row, pieces, found, fault)
    if row.head.outcome == GOOD:
        find_hashes(fha, row)


cdef void read_covered(Fha* fha, Registration* row, const Piece* pieces, int found, int fault) noexcept nogil:
    """What counts ends where the last authorization-enabling extension begins (RFC 5944 3.6.1.3): MN-AAA if there is
    one, else MN-HA. Nothing behind it is covered, and nothing behind it is looked at."""
    cdef int proof = find_piece(pieces, found, EXT_GENERALIZED, SUBTYPE_MN_AAA)
    cdef int k, mn_ha = find_piece(pieces, proof if proof >= 0 else found, EXT_MN_HA, 0)
    cdef int covered = proof if proof >= 0 else mn_ha if mn_ha >= 0 else found
    cdef const Piece* behind = pieces + proof + 1
    cdef bint is_doubled = proof >= 0 and find_piece(behind, found - proof - 1, EXT_GENERALIZED, SUBTYPE_MN_AAA) >= 0
    for k in range(covered):
        if pieces[k].type == EXT_NAI:
            if row.nai_at:
                is_doubled = True
            else:
                row.nai_at, row.nai_length = pieces[k].offset, pieces[k].length
        elif pieces[k].type == EXT_MN_HA_NONCE_REQUEST and pieces[k].subtype == SUBTYPE_NONCE:
            is_doubled |= row.wants_key
            row.wants_key = True
            row.asked_spi = get32(row.octets + pieces[k].offset) if pieces[k].length == 4 else 0
        elif pieces[k].type == EXT_CHALLENGE:
            is_doubled |= row.challenge_at != 0
            row.challenge_at, row.challenge_length = pieces[k].offset, pieces[k].length
        elif pieces[k].type == EXT_REVOCATION_SUPPORT:
            row.revocation = support_of(row.octets + pieces[k].offset, pieces[k].length)
        elif pieces[k].type == EXT_CVSE:
            row.has_cvse = True
        elif pieces[k].type == EXT_MN_HA:
            is_doubled |= k != mn_ha
    check_proofs(fha, row, &pieces[proof] if proof >= 0 else NULL, &pieces[mn_ha] if mn_ha >= 0 else NULL)
    if row.head.outcome == GOOD:
        check_form(fha, row, DOUBLED_EXTENSION if is_doubled and not fault else fault)


cdef void check_proofs(Fha* fha, Registration* row, const Piece* proof, const Piece* mn_ha) noexcept nogil:
    """At least one authenticator, and every one such that it can be checked."""
    if (not proof and not mn_ha) or (proof and proof.length != 20) or (mn_ha and mn_ha.length != 20):
        refuse_unknown(fha, row, NO_AUTHENTICATOR)
    elif proof and get32(row.octets + proof.offset) < 256 and get32(row.octets + proof.offset) != CHAP_SPI:
        drop(fha, row, RESERVED_SPI)                                  # RFC 5944 1.6: no association
    elif not row.nai_length:
        drop(fha, row, NO_NAI)
    elif row.nai_length > 253 or not nai_is_sound(nai_of(row), row.nai_length) or (proof and proof.head + 8 > PROOF_LONGEST):
        drop(fha, row, BAD_NAI)
    else:
        row.proof_at = proof.head if proof else 0
        row.mn_ha_at = mn_ha.head if mn_ha else 0
        row.is_chap = proof and get32(row.octets + proof.offset) == CHAP_SPI


cdef bint nai_is_sound(const uint8_t* nai, int length) noexcept nogil:
    """RFC 4282 2.1, as far as it keeps strange octets from logs and peers: no control characters, no octets that UTF-8
    never has, no empty part between dots, no second @ but behind a backslash."""
    cdef int k, ats = 0
    cdef uint8_t octet, before = DOT
    for k in range(length):
        octet = nai[k]
        if octet < 0x20 or octet == 0x7f or octet in (0xc0, 0xc1) or octet >= 0xf5 or octet == DOT == before:
            return False
        if octet == AT and before != BACKSLASH:
            ats += 1
        before = octet
    return ats < 2


cdef void check_form(Fha* fha, Registration* row, int fault) noexcept nogil:
    """The refusal is written when the node has proven who it is."""
    if fault:
        refuse(fha, row, POORLY_FORMED_REQUEST, fault)
    elif row.proof_at and row.mn_ha_at and not fha.strict:            # RFC 3344 3.8.2.1: exactly one
        refuse(fha, row, FAILED_AUTHENTICATION, DOUBLED_EXTENSION)
    elif fha.strict and rrq_of(row).flags & (FLAG_R_RESERVED | FLAG_X_RESERVED):
        refuse(fha, row, POORLY_FORMED_REQUEST, POORLY_FORMED)
    elif row.wants_key and row.asked_spi < 256:                       # nothing to sign the reply with (RFC 3957 3)
        refuse(fha, row, POORLY_FORMED_REQUEST, POORLY_FORMED)


cdef void find_hashes(Fha* fha, Registration* row) noexcept nogil:
    row.identification = get64(&rrq_of(row).identification)
    row.nai_hash = seeded_hash(nai_of(row), row.nai_length, fha.seed)
    row.request_hash = seeded_hash(row.octets, row.datagram.length, fha.seed)
    table_prefetch(&fha.bindings.by_nai, row.nai_hash)
    table_prefetch(&fha.pending, row.nai_hash)


cdef Registration* pending_of(Fha* fha, const Registration* row) noexcept nogil:
    """What is under way for the node and needs the AAAH, or does not, as this one does: a stranger can keep the AAAH busy
    in a node's name, and that must not stand in the way of what the node's own key allows."""
    cdef uint32_t at = 0, slot = table_find(&fha.pending, row.nai_hash, &at)
    cdef Registration* other
    while slot != NO_ROW:
        other = <Registration*> parking_row(&fha.waiting, slot)
        if ((other.proof_at == 0) == (row.proof_at == 0) and other.nai_length == row.nai_length
                and not memcmp(nai_of(other), nai_of(row), row.nai_length)):
            return other
        slot = table_next(&fha.pending, row.nai_hash, &at)
    return NULL


cdef void find_node(Fha* fha, Registration* row) noexcept nogil:
    """Ruling 1: the same octets share the exchange or get the same reply; a new Identification waits, the newest only.
    Nothing is to be asked of the AAAH without a proof for it, nor for another home agent: it would give no key and no
    reason (radius.md 9.2), while the node's own key signs 136 (ruling 11)."""
    if not row.has_waited:
        take_turn(fha, row)
    if not row.proof_at or row.is_proven and rrq_of(row).home_agent != fha.address:
        row.head.stage = STAGE_JUDGE


cdef void take_turn(Fha* fha, Registration* row) noexcept nogil:
    cdef Registration* under_way = pending_of(fha, row)
    cdef Binding* binding = find_binding(&fha.bindings, nai_of(row), row.nai_length, row.nai_hash)
    if under_way != NULL and is_repeated(fha, row, under_way):
        drop(fha, row, DUPLICATE_PENDING)
    elif binding != NULL and binding.request_hash == row.request_hash:
        repeat_reply(fha, row, binding)
    elif not budget_allows(&fha.requests, claimant(row), fha.now.monotonic):
        drop(fha, row, NODE_BUDGET)
    elif under_way != NULL and under_way.newer and not may_supersede(fha, row, newer_of(fha, under_way)):
        drop(fha, row, SUPERSEDED)
    elif under_way != NULL:
        if under_way.newer:
            drop(fha, newer_of(fha, under_way), SUPERSEDED)
        under_way.newer = row.slot + 1
        row.head.outcome = PARKED
    elif not table_insert(&fha.pending, row.nai_hash, row.slot):
        drop(fha, row, TABLE_FULL)
    else:
        failpoint(FHA_NEW)


cdef uint64_t claimant(const Registration* row) noexcept nogil:
    """Whose budget pays: the node's when its own key has spoken, else the name's as this source uses it. Strangers who know
    a NAI then spend their own, and the node keeps its ten requests a second (ruling 16)."""
    return row.nai_hash if row.proof_at == 0 else hash_word(row.datagram.peer_address, row.nai_hash)


cdef bint may_supersede(Fha* fha, const Registration* row, const Registration* waiting) noexcept nogil:
    """What nobody has proven yet takes no place from another source."""
    return row.proof_at == 0 or row.datagram.peer_address == waiting.datagram.peer_address


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
