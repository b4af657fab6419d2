# The Foreign Home Agent as a list of stages over a batch of Registration Requests of directly registering nodes.
#
#   read_request     RFC 5944 3.8.2.1                what cannot be answered under a key is silence
#   find_node        RFC 5944 3.8.2.2                duplicates, one exchange a node at a time
#   ask_aaah         radius.md 9.2                   the Access-Request of step 5
#   send_question                                    ... parked
#   read_answer, take_key   RFC 2868 3.5, RFC 3957   what the AAAH assigned; the derived key
#   judge            RFC 5944 3.8.2, 5.7.1           care-of address, home agent, flags, Identification
#   lease_address                                    a THOAv4 of the pool, and its journal record
#   write_reply, hold_reply, send_reply              RFC 5944 3.8.3.3
#
#   parked after    waits for                        resumes at     on timeout
#   find_node       the node's request under way     ask_aaah       it ends with that request's own end
#   send_question   the AAAH's answer                read_answer    read_answer, without an answer: 128
#   hold_reply      the journal's commit             send_reply     never: a failed journal drops it
from fastcodec.digest.jobs cimport DIGEST_HMAC_MD5, DIGEST_KEY_MD5, DIGEST_MD5, queue_job, run_queue
from fastcodec.mip4 cimport (
    ACCEPTED, ACCEPTED_NO_SIMULTANEOUS, ADMINISTRATIVELY_PROHIBITED, ALGORITHM_HMAC_MD5, BOOT_IPV6_CARE_OF_ADDRESS,
    BOOT_IPV6_HOME_ADDRESS, BOOT_IPV6_HOME_AGENT, ENCAPSULATION_UNAVAILABLE, EXT_GENERALIZED, EXT_MN_HA,
    EXT_MN_HA_NONCE_REPLY, EXT_MN_HA_NONCE_REQUEST, EXT_NAI, EXT_NVSE, FAILED_AUTHENTICATION, FLAG_D, FLAG_G, FLAG_M,
    FLAG_R_RESERVED, FLAG_S, FLAG_X_RESERVED, IDENTIFICATION_MISMATCH, INSUFFICIENT_RESOURCES, POORLY_FORMED_REQUEST,
    REASON_UNSPECIFIED, REGISTRATION_REPLY, REGISTRATION_REQUEST, REPLAY_TIMESTAMPS, RegistrationReply, RegistrationRequest,
    SUBTYPE_MN_AAA, SUBTYPE_NONCE, UNKNOWN_HOME_AGENT, walk_message,
)
from fastcodec.radius cimport (
    AAA_SPI, ACCESS_ACCEPT, ACCESS_REJECT, ACCT_SESSION_ID, CARE_OF_ADDRESS, COA_TYPE, DENIAL_CODE, FRAMED_IP_ADDRESS,
    IPV6_HOME_ADDRESS, IPV6_HOME_AGENT, KEY_REQUEST, MN_AAA_AUTHENTICATOR, MN_AAA_DATA, MN_AAA_SPI, MN_FHA_ALGORITHM,
    MN_FHA_FHA_SPI, MN_FHA_KEY, MN_FHA_KEY_LIFETIME, MN_FHA_MN_SPI, MN_FHA_NONCE, MN_FHA_REPLAY_METHOD, NAS_IDENTIFIER,
    NAS_IP_ADDRESS, NAS_PORT_TYPE, NUMBERS, REGISTRATION_LIFETIME, REQUESTER_FHA, REQUESTER_ROLE, SERVICE_TYPE,
    SESSION_TIMEOUT, USER_NAME, put_attribute, put_integer,
)
from fastcodec.status cimport DOUBLED_EXTENSION, NO_AUTHENTICATOR, TOO_MANY_EXTENSIONS, TOO_SHORT, WRONG_TYPE
from fastcodec.wire cimport Piece, get16, get32, get64, put16, put32, put64
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy, memset
from servers.engine.counters cimport count_event, count_offence, counts_of, offender_of
from servers.engine.ntp cimport is_newer, is_within, ntp_of
from servers.engine.parking cimport NO_SLOT_FREE, parking_close, parking_leave, parking_open, parking_row, parking_take
from servers.engine.reasons cimport (
    AAA_REJECTED, AAA_TIMEOUT, AAA_UNUSABLE, BAD_NAI, BAD_SOURCE, CARE_OF_REFUSED, DUPLICATE_ANSWERED, DUPLICATE_PENDING,
    ENCAPSULATION_REFUSED, EXPIRED, HOME_ADDRESS_REFUSED, HOME_AGENT_REFUSED, IDENTIFICATION_REFUSED, JOURNAL_FAILED,
    NODE_BUDGET, NO_NAI, OUTBOX_FULL, POOL_EXHAUSTED, POORLY_FORMED, REPLY_LIMIT, RESERVED_SPI, SUPERSEDED, TABLE_FULL,
)
from servers.engine.stages cimport DONE, DROPPED, GOOD, PARKED, Stage, queue_close, queue_open, run_stages
from servers.engine.wheel cimport wheel_expired, wheel_next
from servers.net.node cimport ROOM, compose, draw
from servers.pool.bitmap cimport GRANTED, Request, SharedPool, pool_claim, pool_give, pool_take
from servers.roles.radius_client cimport (
    NO_TRANSACTION, accept_answer, check_message_authenticator, check_response_authenticator, client_begin, client_close,
    client_expire, client_finish, client_open, client_send, client_server, client_take, client_turn, match_answer, request_octets,
)
from servers.store.journal cimport (
    JournalWriter, journal_append, journal_durable, journal_failed, journal_kick,
)
from servers.tables.bindings cimport (
    Record, add_binding, bindings_close, bindings_open, find_binding, remove_binding, set_expiry,
)
from servers.tables.budget cimport budget_allows, budget_close, budget_open
from servers.tables.hash cimport (
    NO_ROW, hash_octets, hash_word, table_close, table_find, table_insert, table_next, table_open, table_prefetch, table_remove,
)

cdef enum:
    SECOND = 1000000000
    PORT_REGISTRATION = 0                # index of the socket that nodes send to
    MOST_EXTENSIONS = 32
    PROOF_LONGEST = 1235                 # C travels in at most five attributes of 247 octets
    PROOF_PIECE = 247
    SERVICE_FRAMED = 2                   # RFC 2865 5.6
    NAS_PORT_VIRTUAL = 5                 # RFC 2865 5.41
    CO_LOCATED = 1                       # of Mipstorm-CoA-Type
    WANT_MN_FHA = 1                      # of Mipstorm-Key-Request
    FHA_ALLOCATES = 0xfffffffe           # RFC 2865 5.8
    RECORD_ROOM = 320                    # octets of a Record and the longest NAI
    BOUND = 1                            # journal record types
    RELEASED = 2
    STAGE_ASK = 2                        # places in STAGES
    STAGE_ANSWER = 4
    STAGE_SEND = 10


# ---- ends of a row ---------------------------------------------------------------------------------------------------

cdef inline const RegistrationRequest* rrq_of(const Registration* row) noexcept nogil:
    return <const RegistrationRequest*> row.octets


cdef inline const uint8_t* nai_of(const Registration* row) noexcept nogil:
    return row.octets + row.nai_at


cdef void end_row(Fha* fha, Registration* row, int outcome) noexcept nogil:
    """The row is over; a newer request of the same node that waited takes its place."""
    cdef Registration* newer
    row.head.outcome = <uint8_t> outcome
    if table_remove(&fha.pending, row.nai_hash, row.slot) and row.newer:
        newer = <Registration*> parking_row(&fha.waiting, row.newer - 1)
        table_insert(&fha.pending, newer.nai_hash, newer.slot)
        newer.head.outcome, newer.head.stage = GOOD, STAGE_ASK
        fha.ready[fha.ready_count] = newer.slot
        fha.ready_count += 1
    parking_leave(&fha.waiting, row.slot)


cdef void drop(Fha* fha, Registration* row, int reason) noexcept nogil:
    """Silence: there is no key to sign a reply with, or none is due."""
    count_offence(&fha.counters, reason, &row.datagram)
    end_row(fha, row, DROPPED)


cdef void refuse(Fha* fha, Registration* row, int code, int reason) noexcept nogil:
    """A reply with this code will be written; the first reason counts."""
    if row.code == ACCEPTED or row.code == ACCEPTED_NO_SIMULTANEOUS:
        row.code = <uint8_t> code
        count_offence(&fha.counters, reason, &row.datagram)


# ---- the stages, in order --------------------------------------------------------------------------------------------

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


cdef void ask_aaah(Fha* fha, Registration* row) noexcept nogil:
    """The Access-Request of step 5, radius.md 9.2: C itself, in pieces, with its SPI and authenticator."""
    cdef const RegistrationRequest* rrq = rrq_of(row)
    cdef uint8_t* at
    cdef uint8_t[16] session
    cdef uint32_t covered = row.proof_at + 8, piece = 0
    row.transaction = client_take(&fha.client, row.slot)
    if row.transaction == NO_TRANSACTION:
        drop(fha, row, TABLE_FULL)
        return
    fha.sessions += 1
    row.ha_spi = 256 + <uint32_t> (hash_word(fha.sessions, fha.seed) % <uint32_t> (0xffffff00))
    at = client_begin(&fha.client, row.transaction)
    at = put_attribute(at, &NUMBERS, USER_NAME, nai_of(row), row.nai_length)
    at = put_attribute(at, &NUMBERS, MN_AAA_SPI, row.octets + row.proof_at + 4, 4)
    while piece < covered:
        at = put_attribute(at, &NUMBERS, MN_AAA_DATA, row.octets + piece, min(covered - piece, <uint32_t> PROOF_PIECE))
        piece += PROOF_PIECE
    at = put_attribute(at, &NUMBERS, MN_AAA_AUTHENTICATOR, row.octets + covered, 16)
    at = put_attribute(at, &NUMBERS, NAS_IP_ADDRESS, &fha.address, 4)
    at = put_attribute(at, &NUMBERS, NAS_IDENTIFIER, fha.identifier, fha.identifier_length)
    at = put_integer(at, &NUMBERS, NAS_PORT_TYPE, NAS_PORT_VIRTUAL)
    at = put_integer(at, &NUMBERS, SERVICE_TYPE, SERVICE_FRAMED)
    at = put_integer(at, &NUMBERS, REQUESTER_ROLE, REQUESTER_FHA)
    at = put_attribute(at, &NUMBERS, CARE_OF_ADDRESS, &rrq.care_of_address, 4)
    at = put_integer(at, &NUMBERS, COA_TYPE, CO_LOCATED)
    write_session(fha, session)
    at = put_attribute(at, &NUMBERS, ACCT_SESSION_ID, session, 16)
    at = put_integer(at, &NUMBERS, REGISTRATION_LIFETIME, get16(&rrq.lifetime))
    at = put_integer(at, &NUMBERS, KEY_REQUEST, WANT_MN_FHA)
    at = put_integer(at, &NUMBERS, MN_FHA_MN_SPI, row.mn_spi)
    at = put_integer(at, &NUMBERS, MN_FHA_FHA_SPI, row.ha_spi)
    client_finish(&fha.client, row.transaction, at, row.digest)


cdef void write_session(Fha* fha, uint8_t* out) noexcept nogil:
    """Boot number and lease number in hexadecimal: never repeated (RFC 2866 5.5)."""
    cdef uint64_t number = (fha.boot << 32) | <uint32_t> fha.sessions
    cdef int k, digit
    for k in range(16):
        digit = number >> (60 - 4 * k) & 15
        out[k] = <uint8_t> (digit + 48 if digit < 10 else digit + 87)


cdef void send_question(Fha* fha, Registration* row) noexcept nogil:
    client_send(&fha.client, row.transaction, row.digest, fha.now.monotonic)
    row.answer = NULL
    row.head.outcome, row.head.stage = PARKED, STAGE_ANSWER


cdef inline const uint8_t* attribute(const Registration* row, int slot) noexcept nogil:
    return row.answer.packet.octets + row.answer.packet.offset[slot]


cdef inline int size_of(const Registration* row, int slot) noexcept nogil:
    return row.answer.packet.size[slot]


cdef inline uint32_t integer(const Registration* row, int slot) noexcept nogil:
    return get32(attribute(row, slot)) if size_of(row, slot) == 4 else 0


cdef void read_answer(Fha* fha, Registration* row) noexcept nogil:
    """Rulings 6 and 7: no usable answer is 128, a Reject 131 or what the AAAH said; such replies carry no 32."""
    cdef uint32_t denial
    if not row.answer:
        refuse_unsigned(fha, row, REASON_UNSPECIFIED, AAA_TIMEOUT)
    elif row.answer.packet.octets[0] == ACCESS_REJECT:
        denial = integer(row, DENIAL_CODE)
        refuse_unsigned(fha, row, denial if 128 <= denial <= 192 else FAILED_AUTHENTICATION, AAA_REJECTED)
    elif not accept_is_usable(row):
        refuse_unsigned(fha, row, REASON_UNSPECIFIED, AAA_UNUSABLE)
    else:
        take_assignment(fha, row)


cdef void refuse_unsigned(Fha* fha, Registration* row, int code, int reason) noexcept nogil:
    """Not more than 100 a second and source, and never longer than the request (reliability M4)."""
    if not budget_allows(&fha.refusals, hash_word(row.datagram.peer_address, fha.seed), fha.now.monotonic):
        drop(fha, row, REPLY_LIMIT)
        return
    row.code, row.is_signed = <uint8_t> code, False
    count_offence(&fha.counters, reason, &row.datagram)


cdef bint accept_is_usable(const Registration* row) noexcept nogil:
    """All that an RRP needs is there, once and of the right size, and the FHA may allocate."""
    cdef const uint8_t* count = row.answer.packet.count
    return (row.answer.packet.octets[0] == ACCESS_ACCEPT and integer(row, FRAMED_IP_ADDRESS) == FHA_ALLOCATES
            and size_of(row, IPV6_HOME_ADDRESS) == 16 and size_of(row, IPV6_HOME_AGENT) == 16
            and count[<int> MN_FHA_KEY] == 1 and size_of(row, MN_FHA_KEY) == 34
            and 16 <= size_of(row, MN_FHA_NONCE) <= 64 and integer(row, AAA_SPI)
            and integer(row, MN_FHA_MN_SPI) == row.mn_spi and integer(row, MN_FHA_FHA_SPI) >= 256
            and integer(row, MN_FHA_ALGORITHM) == ALGORITHM_HMAC_MD5
            and integer(row, MN_FHA_REPLAY_METHOD) == REPLAY_TIMESTAMPS and integer(row, MN_FHA_KEY_LIFETIME))


cdef void take_assignment(Fha* fha, Registration* row) noexcept nogil:
    """Copies what the reply needs and queues both pads that hide the key: MD5(secret, Request Authenticator, salt) and
    MD5(secret, c1), RFC 2868 3.5."""
    cdef const uint8_t* hidden = attribute(row, MN_FHA_KEY)
    cdef uint32_t authorised = integer(row, SESSION_TIMEOUT)
    row.is_signed = True
    row.aaa_spi, row.ha_spi = integer(row, AAA_SPI), integer(row, MN_FHA_FHA_SPI)
    row.key_lifetime = integer(row, MN_FHA_KEY_LIFETIME)
    row.aaa_lifetime = integer(row, REGISTRATION_LIFETIME) if size_of(row, REGISTRATION_LIFETIME) else fha.max_lifetime_s
    if authorised and authorised < row.aaa_lifetime:
        row.aaa_lifetime = authorised
    row.nonce_length = <uint8_t> size_of(row, MN_FHA_NONCE)
    memcpy(row.nonce, attribute(row, MN_FHA_NONCE), row.nonce_length)
    memcpy(row.home_address, attribute(row, IPV6_HOME_ADDRESS), 16)
    memcpy(row.home_agent, attribute(row, IPV6_HOME_AGENT), 16)
    memcpy(row.hiding, request_octets(&fha.client, row.transaction) + 4, 16)
    memcpy(row.hiding + 16, hidden, 2)
    queue_job(&fha.queue, DIGEST_MD5, fha.client.server.secret, fha.client.server.secret_length, row.hiding, 18, NULL, row.pad)
    queue_job(&fha.queue, DIGEST_MD5, fha.client.server.secret, fha.client.server.secret_length, hidden + 2, 16, NULL,
              row.second_pad)


cdef void take_key(Fha* fha, Registration* row) noexcept nogil:
    """Unhides length and key; a length that is not 20 is a key that is missing (RFC 3957 5)."""
    cdef const uint8_t* hidden
    cdef int k
    if not row.is_signed:
        return
    hidden = attribute(row, MN_FHA_KEY) + 2
    if hidden[0] ^ row.pad[0] != 20:
        refuse_unsigned(fha, row, REASON_UNSPECIFIED, AAA_UNUSABLE)
        return
    for k in range(15):
        row.derived[k] = hidden[1 + k] ^ row.pad[1 + k]
    for k in range(5):
        row.derived[15 + k] = hidden[16 + k] ^ row.second_pad[k]
    queue_job(&fha.queue, DIGEST_KEY_MD5, row.derived, 20, NULL, 0, NULL, &row.key)


cdef void judge(Fha* fha, Registration* row) noexcept nogil:
    """RFC 5944 3.8.2.1, 3.8.2.3, 3.8.3.2, after authentication, so that every refusal is signed."""
    cdef const RegistrationRequest* rrq = rrq_of(row)
    cdef Binding* binding
    if not row.is_signed:
        return
    binding = find_binding(&fha.bindings, nai_of(row), row.nai_length, row.nai_hash)
    if rrq.home_agent != fha.address:
        refuse(fha, row, UNKNOWN_HOME_AGENT, HOME_AGENT_REFUSED)
    elif rrq.flags & (FLAG_M | FLAG_G):
        refuse(fha, row, ENCAPSULATION_UNAVAILABLE, ENCAPSULATION_REFUSED)
    elif rrq.home_address and ((binding and rrq.home_address != binding.address) or (not binding and rrq.lifetime)):
        refuse(fha, row, ADMINISTRATIVELY_PROHIBITED, HOME_ADDRESS_REFUSED)
    elif not care_of_is_valid(fha, row):
        refuse(fha, row, ADMINISTRATIVELY_PROHIBITED, CARE_OF_REFUSED)
    if not identification_is_fresh(fha, row, binding):                 # a wrong clock is told, whatever else is wrong
        if not budget_allows(&fha.mismatches, row.nai_hash, fha.now.monotonic):
            drop(fha, row, REPLY_LIMIT)
            return
        row.code = ACCEPTED
        refuse(fha, row, IDENTIFICATION_MISMATCH, IDENTIFICATION_REFUSED)
    row.lifetime = min(min(<uint32_t> get16(&rrq.lifetime), row.aaa_lifetime), fha.max_lifetime_s)
    if row.code == ACCEPTED and rrq.flags & FLAG_S:
        row.code = ACCEPTED_NO_SIMULTANEOUS


cdef bint identification_is_fresh(Fha* fha, const Registration* row, const Binding* binding) noexcept nogil:
    """RFC 5944 5.7.1: within the window of our clock and newer than all accepted before, also before a restart."""
    return (is_within(row.identification, ntp_of(fha.now.wall), fha.window_s)
            and (not fha.oldest_identification or is_newer(row.identification, fha.oldest_identification))
            and (not binding or is_newer(row.identification, binding.identification)))


cdef bint care_of_is_valid(const Fha* fha, const Registration* row) noexcept nogil:
    """Reliability M5: a co-located care-of address is the packet's source, and no address tunnels must not go to.
    Loopback is valid exactly where we listen on loopback (ruling 2)."""
    cdef uint32_t care_of = get32(&rrq_of(row).care_of_address), ours = get32(&fha.address)
    if not rrq_of(row).lifetime and rrq_of(row).care_of_address == rrq_of(row).home_address:
        return True                                                    # ruling 13
    return (rrq_of(row).care_of_address == row.datagram.peer_address and rrq_of(row).flags & FLAG_D
            and care_of >> 24 != 0 and care_of >> 28 != 14 and care_of != <uint32_t> 0xffffffff and care_of >> 16 != 0xa9fe
            and (care_of >> 24 != 127 or ours >> 24 == 127)
            and (rrq_of(row).care_of_address & fha.pool_mask) != fha.pool_network and care_of != ours)


cdef void lease_address(Fha* fha, Registration* row) noexcept nogil:
    """The lease is the NAI's: who has one keeps it. The journal has it before anybody hears of it."""
    cdef Binding* binding
    if not row.is_signed or row.code not in (ACCEPTED, ACCEPTED_NO_SIMULTANEOUS):
        return
    binding = find_binding(&fha.bindings, nai_of(row), row.nai_length, row.nai_hash)
    if not row.lifetime:
        deregister(fha, row, binding)
        return
    if binding:
        row.address = binding.address
    else:
        take_address(fha, row)
    if row.code in (ACCEPTED, ACCEPTED_NO_SIMULTANEOUS) and not journal_binding(fha, row):
        if row.is_new_lease:
            pool_give(fha.pool, row.address, row.nai_hash, fha.now.monotonic)
        refuse(fha, row, INSUFFICIENT_RESOURCES, JOURNAL_FAILED)


cdef void take_address(Fha* fha, Registration* row) noexcept nogil:
    cdef Request request
    request.owner, request.wanted = row.nai_hash, 0
    pool_take(fha.pool, &request, 1, fha.now.monotonic)
    if request.state != GRANTED:
        refuse(fha, row, INSUFFICIENT_RESOURCES, POOL_EXHAUSTED)
        return
    row.address, row.is_new_lease = request.address, True


cdef void deregister(Fha* fha, Registration* row, Binding* binding) noexcept nogil:
    """RFC 5944 3.8.2.2; nothing to delete is success (ruling 13)."""
    row.address = rrq_of(row).home_address
    if binding:
        row.address = binding.address
        release(fha, binding)


cdef void release(Fha* fha, Binding* binding) noexcept nogil:
    """Binding and lease end together (I14). A release that is not in the journal only ends later, by its lifetime."""
    cdef uint8_t[RECORD_ROOM] octets
    cdef Record* record = <Record*> octets
    memset(record, 0, sizeof(Record))
    record.written, record.address, record.nai_length = fha.now.wall, binding.address, binding.nai_length
    memcpy(octets + sizeof(Record), binding.nai, binding.nai_length)
    journal_append(fha.journal, octets, sizeof(Record) + binding.nai_length, RELEASED)
    pool_give(fha.pool, binding.address, binding.hash, fha.now.monotonic)
    remove_binding(&fha.bindings, binding)


cdef bint journal_binding(Fha* fha, Registration* row) noexcept nogil:
    cdef uint8_t[RECORD_ROOM] octets
    cdef Record* record = <Record*> octets
    record.written, record.expires = fha.now.wall, fha.now.wall + <uint64_t> row.lifetime * SECOND
    record.identification, record.address = row.identification, row.address
    record.care_of_address, record.mn_spi, record.ha_spi = rrq_of(row).care_of_address, row.mn_spi, row.ha_spi
    memcpy(record.key, row.derived, 20)
    record.nai_length = <uint8_t> row.nai_length
    memcpy(octets + sizeof(Record), nai_of(row), row.nai_length)
    row.ticket = journal_append(fha.journal, octets, sizeof(Record) + row.nai_length, BOUND)
    return row.ticket != 0


# ---- the reply -------------------------------------------------------------------------------------------------------

cdef void write_reply(Fha* fha, Registration* row) noexcept nogil:
    """RFC 5944 3.4, 3.8.3.3: fixed part, NAI, key, IPv6 parameters, then 32 over all of it under the new key."""
    cdef RegistrationReply* reply = <RegistrationReply*> row.reply
    cdef const RegistrationRequest* rrq = rrq_of(row)
    cdef uint8_t* at = row.reply + sizeof(RegistrationReply)
    cdef bint accepted = row.code in (ACCEPTED, ACCEPTED_NO_SIMULTANEOUS)
    reply.type, reply.code, reply.home_agent = REGISTRATION_REPLY, row.code, fha.address
    put16(&reply.lifetime, <uint16_t> min(row.lifetime, <uint32_t> 0xffff) if accepted else 0)
    reply.home_address = row.address if accepted else rrq.home_address
    reply.identification = rrq.identification
    if row.code == IDENTIFICATION_MISMATCH:                            # RFC 5944 5.7.1: our clock's seconds
        put32(&reply.identification, <uint32_t> (ntp_of(fha.now.wall) >> 32))
    at[0], at[1] = EXT_NAI, <uint8_t> row.nai_length
    memcpy(at + 2, nai_of(row), row.nai_length)
    at += 2 + row.nai_length
    if row.is_signed:
        at = write_key(row, at)
        if accepted and row.lifetime:
            at = write_bootstrap(fha, row, at)
        at[0], at[1] = EXT_MN_HA, 20
        put32(at + 2, row.mn_spi)
        at += 6
        queue_job(&fha.queue, DIGEST_HMAC_MD5, row.reply, <uint32_t> (at - row.reply), NULL, 0, &row.key, row.digest)
        at += 16
    row.reply_length = <uint16_t> (at - row.reply)


cdef uint8_t* write_key(const Registration* row, uint8_t* at) noexcept nogil:
    """RFC 3957 6.4."""
    at[0], at[1] = EXT_MN_HA_NONCE_REPLY, SUBTYPE_NONCE
    put16(at + 2, 16 + row.nonce_length)
    put32(at + 4, row.key_lifetime)
    put32(at + 8, row.aaa_spi)
    put32(at + 12, row.ha_spi)
    put16(at + 16, ALGORITHM_HMAC_MD5)
    put16(at + 18, REPLAY_TIMESTAMPS)
    memcpy(at + 20, row.nonce, row.nonce_length)
    return at + 20 + row.nonce_length


cdef uint8_t* write_bootstrap(const Fha* fha, const Registration* row, uint8_t* at) noexcept nogil:
    """Ruling 21. The IPv6 care-of address is our prefix and the THOAv4."""
    cdef uint8_t[16] care_of
    memcpy(care_of, fha.ipv6_prefix, 16)
    memcpy(care_of + 12, &row.address, 4)
    at = write_address(fha, at, BOOT_IPV6_HOME_ADDRESS, 128, row.home_address)
    at = write_address(fha, at, BOOT_IPV6_HOME_AGENT, 128, row.home_agent)
    return write_address(fha, at, BOOT_IPV6_CARE_OF_ADDRESS, fha.ipv6_prefix_length, care_of)


cdef uint8_t* write_address(const Fha* fha, uint8_t* at, int kind, uint8_t prefix, const uint8_t* address) noexcept nogil:
    """NVSE, RFC 3115 2.2: its Length counts two reserved octets."""
    at[0], at[1], at[2], at[3] = EXT_NVSE, 26, 0, 0
    put32(at + 4, fha.vendor)
    put16(at + 8, kind)
    at[10], at[11] = prefix, 0
    memcpy(at + 12, address, 16)
    return at + 28


cdef void hold_reply(Fha* fha, Registration* row) noexcept nogil:
    """Signs, binds, and lets the reply wait until the journal has made the binding durable."""
    if row.is_signed:
        memcpy(row.reply + row.reply_length - 16, row.digest, 16)
    if row.code not in (ACCEPTED, ACCEPTED_NO_SIMULTANEOUS) or not row.lifetime:
        return
    if not bind(fha, row):
        drop(fha, row, TABLE_FULL)
        return
    if journal_durable(fha.journal) < row.ticket:
        row.head.outcome, row.head.stage = PARKED, STAGE_SEND
        fha.held[(fha.held_first + fha.held_count) % fha.waiting.capacity] = row.slot
        fha.held_count += 1


cdef bint bind(Fha* fha, Registration* row) noexcept nogil:
    cdef Binding* binding = find_binding(&fha.bindings, nai_of(row), row.nai_length, row.nai_hash)
    if not binding:
        binding = add_binding(&fha.bindings, nai_of(row), row.nai_length, row.nai_hash)
        if not binding:
            return False
    binding.address, binding.care_of_address = row.address, rrq_of(row).care_of_address
    binding.request_hash, binding.identification = row.request_hash, row.identification
    binding.mn_spi, binding.ha_spi = row.mn_spi, row.ha_spi
    memcpy(binding.key, row.derived, 20)
    memcpy(binding.reply, row.reply, row.reply_length)
    binding.reply_length = row.reply_length
    set_expiry(&fha.bindings, binding, fha.now.monotonic + <uint64_t> row.lifetime * SECOND)
    return True


cdef void send_reply(Fha* fha, Registration* row) noexcept nogil:
    if row.code in (ACCEPTED, ACCEPTED_NO_SIMULTANEOUS):
        fha.granted += 1
    else:
        fha.denied += 1
    leave(fha, row, row.reply, row.reply_length)
    end_row(fha, row, DONE)


cdef void leave(Fha* fha, Registration* row, const uint8_t* octets, uint32_t length) noexcept nogil:
    """To where the request came from, from where it came to, RFC 5944 3.8.3.1. A reply that finds no room is lost like
    one the network loses: the node asks again and gets the same octets."""
    cdef Datagram* reply = compose(fha.out, PORT_REGISTRATION)
    if not reply:
        count_event(&fha.counters, OUTBOX_FULL)
        return
    reply.peer_address, reply.peer_port = row.datagram.peer_address, row.datagram.peer_port
    reply.local_address = row.datagram.local_address
    memcpy(reply.data, octets, length)
    reply.length = length


cdef Stage[11] STAGES = [
    <Stage> read_request, <Stage> find_node, <Stage> ask_aaah, <Stage> send_question, <Stage> read_answer, <Stage> take_key,
    <Stage> judge, <Stage> lease_address, <Stage> write_reply, <Stage> hold_reply, <Stage> send_reply,
]
cdef Stage[4] ANSWER_STAGES = [
    <Stage> match_answer, <Stage> check_response_authenticator, <Stage> check_message_authenticator, <Stage> accept_answer,
]


cdef class FhaRole(Node):
    """One FHA worker: socket 0 takes registrations, sockets 1 to `ports` are its RADIUS client's."""

    def __cinit__(self, SharedPool pool, JournalWriter journal, *, uint32_t capacity=16384, uint32_t ports=16, uint64_t now=0,
                  **settings):
        """`capacity`: requests under way at once; `now`: monotonic ns."""
        memset(&self.fha, 0, sizeof(Fha))
        self.pool_owner, self.journal_owner = pool, journal
        self.fha.pool, self.fha.journal = &pool.c, journal.c
        self.fha.out, self.fha.now, self.fha.entropy = &self.out, &self.now, &self.entropy
        self.answers = <Answer*> calloc(BATCH, sizeof(Answer))
        self.fha.ready = <uint32_t*> calloc(capacity, sizeof(uint32_t))
        self.fha.held = <uint32_t*> calloc(capacity, sizeof(uint32_t))
        if not self.answers or not self.fha.ready or not self.fha.held or not table_open(&self.fha.pending, capacity):
            raise MemoryError
        queue_open(&self.fha.queue, 2 * BATCH)
        parking_open(&self.fha.waiting, capacity, sizeof(Registration), now)
        bindings_open(&self.fha.bindings, pool.c.size, now)
        client_open(&self.fha.client, ports, 1, ROOM, now)
        self.fha.client.queue, self.fha.client.out = &self.fha.queue, &self.out
        self.fha.client.entropy, self.fha.client.counters = &self.entropy, &self.fha.counters
        budget_open(&self.fha.requests, 10)                            # ruling 16
        budget_open(&self.fha.duplicates, 10)
        budget_open(&self.fha.mismatches, 1)                           # ruling 3
        budget_open(&self.fha.refusals, 100)                           # reliability M4

    def __dealloc__(self):
        free(self.answers)
        free(self.fha.ready)
        free(self.fha.held)
        table_close(&self.fha.pending)
        queue_close(&self.fha.queue)
        parking_close(&self.fha.waiting)
        bindings_close(&self.fha.bindings)
        client_close(&self.fha.client)
        budget_close(&self.fha.requests)
        budget_close(&self.fha.duplicates)
        budget_close(&self.fha.mismatches)
        budget_close(&self.fha.refusals)

    def __init__(self, SharedPool pool, JournalWriter journal, *, bytes address, bytes pool_network, bytes pool_mask,
                 bytes ipv6_prefix, uint8_t ipv6_prefix_length=64, bytes identifier=b"fha", uint32_t max_lifetime_s=1800,
                 uint32_t window_s=7, uint64_t boot=0, uint32_t capacity=16384, uint32_t ports=16, uint64_t now=0):
        """Addresses, masks and prefixes as packed octets, network order."""
        memcpy(&self.fha.address, <const uint8_t*> address, 4)
        memcpy(&self.fha.pool_network, <const uint8_t*> pool_network, 4)
        memcpy(&self.fha.pool_mask, <const uint8_t*> pool_mask, 4)
        memcpy(self.fha.ipv6_prefix, <const uint8_t*> ipv6_prefix, 16)
        self.fha.ipv6_prefix_length, self.fha.vendor = ipv6_prefix_length, NUMBERS.vendor
        self.fha.identifier_length = <uint8_t> min(len(identifier), 64)
        memcpy(self.fha.identifier, <const uint8_t*> identifier, self.fha.identifier_length)
        self.fha.max_lifetime_s, self.fha.window_s, self.fha.boot = max_lifetime_s, window_s, boot
        self.fha.seed = get64(draw(&self.entropy, 8))

    def set_aaah(self, bytes address, uint16_t port, bytes secret, *, uint32_t first_timeout_ms=1000, uint32_t tries=5,
                 bint require_message_authenticator=True):
        """The RADIUS server of step 5; `address` packed, `secret` 1-255 octets."""
        client_server(&self.fha.client, address, port, secret, require_message_authenticator)
        self.fha.client.first_timeout_ms, self.fha.client.most_tries = first_timeout_ms, tries

    cdef void receive(self, Datagram* datagrams, uint32_t n) noexcept nogil:
        if datagrams[0].port == PORT_REGISTRATION:
            self.receive_requests(datagrams, n)
        else:
            self.receive_answers(datagrams, n)
        self.run_ready()
        journal_kick(self.fha.journal)

    cdef void receive_requests(self, Datagram* datagrams, uint32_t n) noexcept nogil:
        cdef void* rows[BATCH]
        cdef uint32_t k, slot
        cdef int taken = 0
        client_turn(&self.fha.client)
        for k in range(n):
            if datagrams[k].length > RRQ_ROOM:
                count_offence(&self.fha.counters, TOO_MANY_EXTENSIONS, &datagrams[k])
                continue
            slot = parking_take(&self.fha.waiting)
            if slot == NO_SLOT_FREE:
                count_offence(&self.fha.counters, TABLE_FULL, &datagrams[k])
                continue
            rows[taken] = open_row(&self.fha, slot, &datagrams[k])
            taken += 1
        run_stages(&self.fha, STAGES, 11, rows, taken, &self.fha.queue)

    cdef void receive_answers(self, Datagram* datagrams, uint32_t n) noexcept nogil:
        cdef void* rows[BATCH]
        cdef uint32_t k
        cdef int resumed = 0
        cdef Registration* row
        for k in range(n):
            memset(&self.answers[k].head, 0, sizeof(Head))
            self.answers[k].datagram = &datagrams[k]
            rows[k] = &self.answers[k]
        run_stages(&self.fha.client, ANSWER_STAGES, 4, rows, <int> n, &self.fha.queue)
        for k in range(n):
            if self.answers[k].head.outcome != GOOD:
                continue
            row = <Registration*> parking_row(&self.fha.waiting, self.answers[k].transaction.owner)
            row.answer, row.head.outcome = &self.answers[k], GOOD
            rows[resumed] = row
            resumed += 1
        run_stages(&self.fha, STAGES, 11, rows, resumed, &self.fha.queue)

    cdef void run_ready(self) noexcept nogil:
        """Requests that waited for an older one of their node, which is over now."""
        cdef void* rows[BATCH]
        cdef int n
        while self.fha.ready_count:
            n = 0
            while self.fha.ready_count and n < BATCH:
                self.fha.ready_count -= 1
                rows[n] = parking_row(&self.fha.waiting, self.fha.ready[self.fha.ready_count])
                n += 1
            run_stages(&self.fha, STAGES, 11, rows, n, &self.fha.queue)

    cdef bint tick(self) noexcept nogil:
        """Commits, retransmissions, unanswered questions, lifetimes; True when there may be more."""
        cdef bint more = self.release_held()
        more |= self.give_up()
        more |= self.expire()
        self.run_ready()
        journal_kick(self.fha.journal)
        return more

    cdef bint release_held(self) noexcept nogil:
        """The replies whose bindings are durable, in the order of their tickets. After a failed sync none is."""
        cdef void* rows[BATCH]
        cdef uint64_t durable = journal_durable(self.fha.journal)
        cdef Registration* row
        cdef int n = 0
        while self.fha.held_count and n < BATCH:
            row = <Registration*> parking_row(&self.fha.waiting, self.fha.held[self.fha.held_first])
            if row.ticket > durable and not journal_failed(self.fha.journal):
                break
            self.fha.held_first = (self.fha.held_first + 1) % self.fha.waiting.capacity
            self.fha.held_count -= 1
            if row.ticket > durable:
                drop(&self.fha, row, JOURNAL_FAILED)
                continue
            row.head.outcome = GOOD
            rows[n] = row
            n += 1
        run_stages(&self.fha, STAGES, 11, rows, n, &self.fha.queue)
        return n == BATCH

    cdef bint give_up(self) noexcept nogil:
        cdef uint32_t[BATCH] owners
        cdef void* rows[BATCH]
        cdef bint more = False
        cdef uint32_t k, n = client_expire(&self.fha.client, self.now.monotonic, owners, BATCH, &more)
        cdef Registration* row
        for k in range(n):
            row = <Registration*> parking_row(&self.fha.waiting, owners[k])
            row.answer, row.head.outcome = NULL, GOOD
            rows[k] = row
        run_stages(&self.fha, STAGES, 11, rows, <int> n, &self.fha.queue)
        return more

    cdef bint expire(self) noexcept nogil:
        """RFC 5944 3.8: nobody is told when a binding expires."""
        cdef uint32_t[BATCH] due
        cdef uint32_t k, n = wheel_expired(&self.fha.bindings.rows.wheel, self.now.monotonic, due, BATCH)
        for k in range(n):
            count_event(&self.fha.counters, EXPIRED)
            release(&self.fha, <Binding*> parking_row(&self.fha.bindings.rows, due[k]))
        return n == BATCH

    cdef uint64_t next_due(self) noexcept nogil:
        return earlier(wheel_next(&self.fha.client.wheel), wheel_next(&self.fha.bindings.rows.wheel))

    def restore(self, int kind, bytes payload, uint64_t now, uint64_t wall):
        """One journal record, in the journal's order; call before the first datagram. False: the record is not valid."""
        cdef const Record* record = <const Record*> <const uint8_t*> payload
        if len(payload) < <Py_ssize_t> sizeof(Record) or len(payload) < <Py_ssize_t> sizeof(Record) + record.nai_length:
            return False
        remember_clock(&self.fha, record)
        return restore_binding(&self.fha, record, kind == RELEASED, now, wall)

    def records(self, uint64_t now, uint64_t wall):
        """Every binding as a journal record, for an image: yields (type, payload)."""
        cdef Binding* binding
        cdef Record record
        for row in self.bound_rows():
            binding = <Binding*> parking_row(&self.fha.bindings.rows, row)
            memset(&record, 0, sizeof(Record))
            record.written, record.expires = wall, wall + (binding.expires - now if binding.expires > now else 0)
            record.identification, record.address = binding.identification, binding.address
            record.care_of_address, record.mn_spi, record.ha_spi = (
                binding.care_of_address, binding.mn_spi, binding.ha_spi)
            memcpy(record.key, binding.key, 20)
            record.nai_length = binding.nai_length
            yield BOUND, (<const uint8_t*> &record)[:sizeof(Record)] + binding.nai[:binding.nai_length]

    cdef list bound_rows(self):
        cdef uint32_t row
        return [row for row in range(self.fha.bindings.rows.capacity)
                if (<Binding*> parking_row(&self.fha.bindings.rows, row)).nai_length]

    def leases(self):
        """{NAI octets: THOAv4 packed} of every binding."""
        cdef Binding* binding
        held = {}
        for row in self.bound_rows():
            binding = <Binding*> parking_row(&self.fha.bindings.rows, row)
            held[binding.nai[:binding.nai_length]] = (<const uint8_t*> &binding.address)[:4]
        return held

    def counters(self):
        """{reason: count} of everything that was counted."""
        return counts_of(&self.fha.counters)

    def offender(self, str reason):
        """Text on the last datagram counted under a reason, for a log line."""
        return offender_of(&self.fha.counters, reason)

    @property
    def replies_sent(self):
        """(accepting, refusing) Registration Replies."""
        return self.fha.granted, self.fha.denied

    @property
    def under_way(self):
        """Requests that wait for the AAAH, for an older request of their node, or for the journal."""
        return self.fha.waiting.used


cdef inline uint64_t earlier(uint64_t a, uint64_t b) noexcept nogil:
    return min(a, b) if a and b else a or b


cdef void* open_row(Fha* fha, uint32_t slot, const Datagram* datagram) noexcept nogil:
    cdef Registration* row = <Registration*> parking_row(&fha.waiting, slot)
    memset(row, 0, <size_t> (<uint8_t*> &row.nonce - <uint8_t*> row))
    row.slot, row.datagram = slot, datagram[0]
    row.datagram.data = row.octets
    memcpy(row.octets, datagram.data, datagram.length)
    return row


# ---- restart ---------------------------------------------------------------------------------------------------------

cdef void remember_clock(Fha* fha, const Record* record) noexcept nogil:
    """After a restart an Identification from before the journal's end is refused with 133 (reliability I10)."""
    remember_moment(fha, ntp_of(record.written))
    if record.identification:
        remember_moment(fha, record.identification)


cdef void remember_moment(Fha* fha, uint64_t moment) noexcept nogil:
    if not fha.oldest_identification or is_newer(moment, fha.oldest_identification):
        fha.oldest_identification = moment


cdef bint forget_binding(Fha* fha, Binding* binding, uint64_t now) noexcept nogil:
    if binding:
        pool_give(fha.pool, binding.address, binding.hash, now)
        remove_binding(&fha.bindings, binding)
    return True


cdef bint restore_binding(Fha* fha, const Record* record, bint ended, uint64_t now, uint64_t wall) noexcept nogil:
    """The latest record of a NAI counts; what has expired meanwhile is not restored."""
    cdef const uint8_t* nai = <const uint8_t*> record + sizeof(Record)
    cdef uint64_t hash = hash_octets(nai, record.nai_length, fha.seed)
    cdef Binding* binding = find_binding(&fha.bindings, nai, record.nai_length, hash)
    if ended or record.expires <= wall:
        return forget_binding(fha, binding, now)
    if not binding:
        if not pool_claim(fha.pool, record.address, hash):
            return False
        binding = add_binding(&fha.bindings, nai, record.nai_length, hash)
        if not binding:
            return False
    binding.address, binding.care_of_address = record.address, record.care_of_address
    binding.identification, binding.mn_spi, binding.ha_spi = record.identification, record.mn_spi, record.ha_spi
    memcpy(binding.key, record.key, 20)
    set_expiry(&fha.bindings, binding, now + record.expires - wall)
    return True
