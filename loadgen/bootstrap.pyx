# A bootstrapping mobile node, and the NAS in front of it, as a list of stages over a batch of attempts.
#
#   prepare_chap, write_access, send_access      step 1, 2 of mission.md      ... parked
#   read_accept                                  step 3
#   prepare_proof, write_request, send_request   step 4, RFC 5944 3.6.1      ... parked
#   read_reply, derive_key, prepare_key, check_reply, accept_reply           step 6, RFC 5944 3.6.2, RFC 3957 3
#
#   parked after    waits for        resumes at       on timeout
#   send_access     Access-Accept    read_accept      read_accept, without an answer: the access step timed out
#   send_request    the reply        read_reply       prepare_proof, with a new Identification (RFC 5944 3.6.3)
from fastcodec.digest.jobs cimport (
    DIGEST_HMAC_MD5, DIGEST_HMAC_SHA1, DIGEST_KEY_MD5, DIGEST_KEY_SHA1, DIGEST_MD5, queue_job,
)
from fastcodec.mip4 cimport (
    ACCEPTED, ACCEPTED_NO_SIMULTANEOUS, ALGORITHM_HMAC_MD5, BOOT_IPV6_CARE_OF_ADDRESS, BOOT_IPV6_HOME_ADDRESS,
    BOOT_IPV6_HOME_AGENT, EXT_GENERALIZED, EXT_MN_HA, EXT_MN_HA_NONCE_REPLY, EXT_MN_HA_NONCE_REQUEST, EXT_NAI,
    EXT_NVSE, FLAG_D, FLAG_T, IDENTIFICATION_MISMATCH, REGISTRATION_REQUEST, RegistrationReply, RegistrationRequest,
    SUBTYPE_MN_AAA, SUBTYPE_NONCE, walk_message,
)
from fastcodec.radius cimport (
    ACCESS_ACCEPT, CHAP_CHALLENGE, CHAP_PASSWORD, COA_TYPE, FHA_IP_ADDRESS, FRAMED_IP_ADDRESS, NAS_IDENTIFIER,
    NAS_IP_ADDRESS, NAS_PORT_TYPE, NUMBERS, REQUESTER_NAS, REQUESTER_ROLE, SERVICE_TYPE, USER_NAME, next_occurrence,
    put_attribute, put_integer,
)
from fastcodec.wire cimport Piece, get16, get32, put16, put32, put64, same
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy
from loadgen.checks cimport NO_ACCEPT, WRONG_NODE, WRONG_PARAMETERS, check_lease, report_violation
from loadgen.fleet cimport (
    ACCESS, ATTACHED, BOOTSTRAP, FAILED_NODE, MOST_FHAS_NAMED, MobileNode, REGISTERED, REGISTRATION, TIMED_OUT_NODE,
)
from loadgen.histogram cimport histogram_record
from servers.engine.ntp cimport ntp_of
from servers.engine.parking cimport parking_leave
from servers.engine.stages cimport DONE, GOOD, PARKED, Stage, run_stages
from servers.engine.wheel cimport wheel_arm
from servers.net.node cimport Datagram, compose, draw
from servers.roles.radius_client cimport (
    NO_TRANSACTION, client_begin, client_finish, client_send, client_take,
)

cdef enum:
    MS = 1000000
    SECOND = 1000000000
    MN_SPI = 4096                        # what a node wants to receive in a 32 (RFC 3957 6.3)
    SERVICE_FRAMED = 2                   # RFC 2865 5.6
    NAS_PORT_ETHERNET = 15               # RFC 2865 5.41
    CO_LOCATED = 1                       # of Mipstorm-CoA-Type
    FIXED_REPLY = 20
    MOST_EXTENSIONS = 32
    LONGEST_INTERVAL_MS = 16000


# ---- ends of an attempt ----------------------------------------------------------------------------------------------

cdef void close(Load* load, Attempt* attempt, int state) noexcept nogil:
    load.nodes[attempt.node].state = <uint8_t> state
    load.nodes[attempt.node].attempt = 0
    attempt.head.outcome = DONE
    parking_leave(&load.attempts, attempt.slot)


cdef void succeed(Load* load, Attempt* attempt, int step, int state) noexcept nogil:
    load.tallies[step].succeeded += 1
    load.tallies[<int> BOOTSTRAP].succeeded += 1
    histogram_record(load.latencies[<int> BOOTSTRAP], load.now.monotonic - attempt.intended)
    load.last_success = load.now.monotonic
    close(load, attempt, state)


cdef void fail(Load* load, Attempt* attempt, int step) noexcept nogil:
    load.tallies[step].failed += 1
    load.tallies[<int> BOOTSTRAP].failed += 1
    close(load, attempt, FAILED_NODE)


cdef void time_out(Load* load, Attempt* attempt, int step) noexcept nogil:
    load.tallies[step].timed_out += 1
    load.tallies[<int> BOOTSTRAP].timed_out += 1
    close(load, attempt, TIMED_OUT_NODE)


# ---- columns ---------------------------------------------------------------------------------------------------------

cdef inline const uint8_t* nai_of(const Load* load, const Attempt* attempt, uint32_t* length) noexcept nogil:
    cdef uint32_t start = load.columns.nai_offsets[attempt.node]
    length[0] = load.columns.nai_offsets[attempt.node + 1] - start
    return load.columns.nai + start


cdef inline const uint8_t* key_of(const Load* load, const Attempt* attempt, uint32_t* length) noexcept nogil:
    cdef uint32_t start = load.columns.key_offsets[attempt.node]
    length[0] = load.columns.key_offsets[attempt.node + 1] - start
    return load.columns.key + start


# ---- access: the node's credential, the NAS's question ---------------------------------------------------------------

cdef void prepare_chap(Load* load, Attempt* attempt) noexcept nogil:
    """RFC 2865 2.2: MD5(ident, secret, challenge), a fresh challenge of 16 octets each time."""
    cdef uint32_t start = load.columns.secret_offsets[attempt.node]
    cdef uint32_t length = load.columns.secret_offsets[attempt.node + 1] - start
    cdef uint8_t* scratch = load.scratch + load.scratch_used
    load.tallies[<int> BOOTSTRAP].attempted += 1
    load.tallies[<int> ACCESS].attempted += 1
    memcpy(attempt.challenge, draw(load.entropy, 16), 16)
    scratch[0] = attempt.challenge[0]
    memcpy(scratch + 1, load.columns.secret + start, length)
    load.scratch_used += 1 + length
    queue_job(&load.queue, DIGEST_MD5, scratch, 1 + length, attempt.challenge, 16, NULL, attempt.digest)


cdef void write_access(Load* load, Attempt* attempt) noexcept nogil:
    """The Access-Request of step 2, radius.md 9.1."""
    cdef uint32_t length
    cdef const uint8_t* nai = nai_of(load, attempt, &length)
    cdef const uint8_t* location = load.locations + 64 * load.columns.location[attempt.node]
    cdef uint8_t[17] chap
    cdef uint8_t* at
    attempt.transaction = client_take(&load.client, attempt.slot)
    if attempt.transaction == NO_TRANSACTION:             # Fleet starts no more than there are identifiers
        fail(load, attempt, ACCESS)
        return
    chap[0] = attempt.challenge[0]
    memcpy(chap + 1, attempt.digest, 16)
    at = client_begin(&load.client, attempt.transaction)
    at = put_attribute(at, &NUMBERS, USER_NAME, nai, <int> length)
    at = put_attribute(at, &NUMBERS, CHAP_PASSWORD, chap, 17)
    at = put_attribute(at, &NUMBERS, CHAP_CHALLENGE, attempt.challenge, 16)
    at = put_attribute(at, &NUMBERS, NAS_IP_ADDRESS, &load.nas_address, 4)
    at = put_attribute(at, &NUMBERS, NAS_IDENTIFIER, location + 1, location[0])
    at = put_integer(at, &NUMBERS, NAS_PORT_TYPE, NAS_PORT_ETHERNET)
    at = put_integer(at, &NUMBERS, SERVICE_TYPE, SERVICE_FRAMED)
    at = put_integer(at, &NUMBERS, REQUESTER_ROLE, REQUESTER_NAS)
    at = put_integer(at, &NUMBERS, COA_TYPE, CO_LOCATED)
    client_finish(&load.client, attempt.transaction, at, attempt.digest)


cdef void send_access(Load* load, Attempt* attempt) noexcept nogil:
    cdef uint64_t lag = load.now.monotonic - attempt.intended
    histogram_record(load.send_lag, lag)
    client_send(&load.client, attempt.transaction, attempt.digest, load.now.monotonic)
    attempt.answer = NULL
    attempt.head.outcome, attempt.head.stage = PARKED, STAGE_ACCEPT


cdef void read_accept(Load* load, Attempt* attempt) noexcept nogil:
    """radius.md 9.1: care-of address and FHAs in order of preference; then the registration starts."""
    cdef MobileNode* node = &load.nodes[attempt.node]
    if not attempt.answer:
        time_out(load, attempt, ACCESS)
        return
    load.radius_codes[attempt.answer.packet.octets[0]] += 1
    if attempt.answer.packet.octets[0] != ACCESS_ACCEPT:
        fail(load, attempt, ACCESS)
        return
    histogram_record(load.latencies[<int> ACCESS], load.now.monotonic - attempt.intended)
    if load.access_only:
        succeed(load, attempt, ACCESS, ATTACHED)
        return
    if not take_assignment(attempt, node):
        fail(load, attempt, ACCESS)
        return
    load.tallies[<int> ACCESS].succeeded += 1
    start_registration(load, attempt, load.now.monotonic)


cdef void start_registration(Load* load, Attempt* attempt, uint64_t when) noexcept nogil:
    load.tallies[<int> REGISTRATION].attempted += 1
    attempt.has_accept = True
    attempt.registration_started = when
    attempt.tries = attempt.fha_turn = 0
    attempt.clock_told = False


cdef void begin_registration(Load* load, Attempt* attempt, const uint8_t* fha) noexcept nogil:
    """Without access: at an FHA that is known, from the node's own care-of address, the network's + 1 + its place."""
    cdef MobileNode* node = &load.nodes[attempt.node]
    put32(&node.care_of_address, load.care_of_network + 1 + attempt.node)
    memcpy(&attempt.fhas[0], fha, 4)
    memcpy(&node.fha, fha, 4)
    attempt.fha_count = 1
    load.tallies[<int> BOOTSTRAP].attempted += 1
    histogram_record(load.send_lag, load.now.monotonic - attempt.intended)
    start_registration(load, attempt, attempt.intended)
    attempt.head.stage = STAGE_KEY


cdef bint take_assignment(Attempt* attempt, MobileNode* node) noexcept nogil:
    """False: an Accept that says nothing of where to register, or from which address."""
    cdef const uint8_t* octets = attempt.answer.packet.octets
    cdef int at = attempt.answer.packet.offset[<int> FHA_IP_ADDRESS]
    if attempt.answer.packet.size[<int> FRAMED_IP_ADDRESS] != 4:
        return False
    memcpy(&node.care_of_address, octets + attempt.answer.packet.offset[<int> FRAMED_IP_ADDRESS], 4)
    attempt.fha_count = 0
    while at and attempt.fha_count < MOST_FHAS_NAMED:
        if octets[at - 1] == 6:
            memcpy(&attempt.fhas[attempt.fha_count], octets + at, 4)
            attempt.fha_count += 1
        at = next_occurrence(&attempt.answer.packet, &NUMBERS, FHA_IP_ADDRESS, at)
    node.fha = attempt.fhas[0]
    return attempt.fha_count > 0


# ---- registration request --------------------------------------------------------------------------------------------

cdef void prepare_proof(Load* load, Attempt* attempt) noexcept nogil:
    cdef uint32_t length
    cdef const uint8_t* key = key_of(load, attempt, &length)
    queue_job(&load.queue, DIGEST_KEY_MD5, key, length, NULL, 0, NULL, &attempt.key)


cdef void write_request(Load* load, Attempt* attempt) noexcept nogil:
    """RFC 5944 3.3 and 3.6.1.3: fixed part, NAI, request for the MN-HA key, MN-AAA last (RFC 4721 6)."""
    cdef RegistrationRequest* rrq = <RegistrationRequest*> attempt.request
    cdef MobileNode* node = &load.nodes[attempt.node]
    cdef uint8_t* at = attempt.request + sizeof(RegistrationRequest)
    cdef uint32_t length
    cdef const uint8_t* nai = nai_of(load, attempt, &length)
    cdef uint64_t identification = identify(load, attempt)
    node.fha = attempt.fhas[attempt.fha_turn % attempt.fha_count]
    rrq.type, rrq.flags = REGISTRATION_REQUEST, FLAG_D | FLAG_T
    put16(&rrq.lifetime, load.lifetime_s)
    rrq.home_address, rrq.home_agent, rrq.care_of_address = 0, node.fha, node.care_of_address
    put64(&rrq.identification, identification)
    attempt.outstanding[attempt.tries] = <uint32_t> identification
    at[0], at[1] = EXT_NAI, <uint8_t> length
    memcpy(at + 2, nai, length)
    at += 2 + length
    at[0], at[1] = EXT_MN_HA_NONCE_REQUEST, SUBTYPE_NONCE
    put16(at + 2, 4)
    put32(at + 4, MN_SPI)
    at += 8
    at[0], at[1] = EXT_GENERALIZED, SUBTYPE_MN_AAA
    put16(at + 2, 20)
    put32(at + 4, load.columns.spi[attempt.node])
    at += 8
    attempt.request_length = <uint16_t> (at - attempt.request + 16)
    queue_job(&load.queue, DIGEST_HMAC_MD5, attempt.request, attempt.request_length - 16, NULL, 0, &attempt.key, attempt.digest)


cdef uint64_t identify(const Load* load, const Attempt* attempt) noexcept nogil:
    """An NTP timestamp (RFC 5944 5.7.1); the bits finer than the clock name the node, so that a reply finds it."""
    cdef uint64_t mask = (<uint64_t> 1 << load.index_bits) - 1
    return ((ntp_of(load.now.wall) + <uint64_t> load.clock_correction) & ~mask) | attempt.node


cdef void send_request(Load* load, Attempt* attempt) noexcept nogil:
    """From the node's own address, RFC 5944 3.6.1.1. A full outbox is like a lost packet: the timer tries again."""
    cdef Datagram* datagram = compose(load.out, load.mip_port)
    cdef uint64_t interval = min(<uint64_t> load.first_timeout_ms << attempt.tries, <uint64_t> LONGEST_INTERVAL_MS) * MS
    memcpy(attempt.request + attempt.request_length - 16, attempt.digest, 16)
    if datagram:
        memcpy(datagram.data, attempt.request, attempt.request_length)
        datagram.length = attempt.request_length
        datagram.peer_address, datagram.peer_port = load.nodes[attempt.node].fha, load.fha_port
        datagram.local_address = load.nodes[attempt.node].care_of_address
    attempt.sent = load.now.monotonic
    load.mip_sent += 1
    if attempt.tries:
        load.mip_retransmitted += 1
    attempt.tries += 1
    attempt.reply = NULL
    attempt.head.outcome, attempt.head.stage = PARKED, STAGE_REPLY
    wheel_arm(&load.attempts.wheel, attempt.slot, load.now.monotonic + interval)


# ---- registration reply ----------------------------------------------------------------------------------------------

cdef void wait_on(Attempt* attempt) noexcept nogil:
    """This reply settles nothing; the timer still runs."""
    attempt.reply = NULL
    attempt.head.outcome, attempt.head.stage = PARKED, STAGE_REPLY


cdef void read_reply(Load* load, Attempt* attempt) noexcept nogil:
    """RFC 5944 3.6.2.1. Without key and 32 it is a hint from nobody in particular: counted, waited out (ruling 7)."""
    cdef const uint8_t* reply = attempt.reply.data
    cdef Piece[MOST_EXTENSIONS] pieces
    cdef uint32_t length
    cdef const uint8_t* key = key_of(load, attempt, &length)
    cdef int found = walk_message(reply, <int> attempt.reply.length, FIXED_REPLY, pieces, MOST_EXTENSIONS)
    if found < 0 or not nai_stands(pieces, found):
        load.mip_malformed += 1
        wait_on(attempt)
        return
    attempt.is_for_other = not is_for_node(load, attempt, pieces, found)
    place_pieces(load, attempt, pieces, found)
    if not attempt.nonce_at or not attempt.authenticator_at:
        if reply[1] in (ACCEPTED, ACCEPTED_NO_SIMULTANEOUS):              # RFC 3957 3: no key, no authenticator, no success
            load.mip_bad_authenticator += 1
        else:
            load.mip4_codes[reply[1]] += 1
        wait_on(attempt)
        return
    attempt.ha_spi = get32(reply + attempt.nonce_at - 8)
    queue_job(&load.queue, DIGEST_KEY_SHA1, key, length, NULL, 0, NULL, &attempt.key)


cdef bint nai_stands(const Piece* pieces, int found) noexcept nogil:
    cdef int k
    for k in range(found):
        if pieces[k].type == EXT_NAI:
            return True
    return False


cdef bint is_for_node(const Load* load, const Attempt* attempt, const Piece* pieces, int found) noexcept nogil:
    """RFC 2794 2: the reply echoes the NAI."""
    cdef uint32_t length
    cdef const uint8_t* nai = nai_of(load, attempt, &length)
    cdef int k
    for k in range(found):
        if pieces[k].type == EXT_NAI:
            return pieces[k].length == length and not memcmp(attempt.reply.data + pieces[k].offset, nai, length)
    return False


cdef void place_pieces(const Load* load, Attempt* attempt, const Piece* pieces, int found) noexcept nogil:
    """What counts stands before the first 32; what stands behind it is not covered (RFC 5944 3.8.3.3)."""
    cdef const uint8_t* reply = attempt.reply.data
    cdef uint16_t at
    cdef int k
    attempt.nonce_at = attempt.nonce_length = attempt.authenticator_at = 0
    attempt.home_at = attempt.agent_at = attempt.care_of_at = 0
    for k in range(found):
        at = pieces[k].offset
        if pieces[k].type == EXT_MN_HA_NONCE_REPLY and pieces[k].subtype == SUBTYPE_NONCE and pieces[k].length >= 32:
            if get32(reply + at + 4) == load.columns.spi[attempt.node] and get16(reply + at + 12) == ALGORITHM_HMAC_MD5:
                attempt.nonce_at, attempt.nonce_length = at + 16, pieces[k].length - 16
        elif pieces[k].type == EXT_NVSE and pieces[k].length == 26 and get32(reply + at + 2) == load.vendor:
            if get16(reply + at + 6) == BOOT_IPV6_HOME_ADDRESS:
                attempt.home_at = at + 10
            elif get16(reply + at + 6) == BOOT_IPV6_HOME_AGENT:
                attempt.agent_at = at + 10
            elif get16(reply + at + 6) == BOOT_IPV6_CARE_OF_ADDRESS:
                attempt.care_of_at = at + 10
        elif pieces[k].type == EXT_MN_HA:
            if pieces[k].length == 20 and get32(reply + at) == MN_SPI:
                attempt.authenticator_at, attempt.covered_length = at + 4, at + 4
            return


cdef void derive_key(Load* load, Attempt* attempt) noexcept nogil:
    """RFC 3957 5: HMAC-SHA1(MN-AAA key, nonce, NAI)."""
    cdef uint32_t length
    cdef const uint8_t* nai = nai_of(load, attempt, &length)
    queue_job(&load.queue, DIGEST_HMAC_SHA1, attempt.reply.data + attempt.nonce_at, attempt.nonce_length, nai, length,
              &attempt.key, attempt.derived)


cdef void prepare_key(Load* load, Attempt* attempt) noexcept nogil:
    queue_job(&load.queue, DIGEST_KEY_MD5, attempt.derived, 20, NULL, 0, NULL, &attempt.key)


cdef void check_reply(Load* load, Attempt* attempt) noexcept nogil:
    queue_job(&load.queue, DIGEST_HMAC_MD5, attempt.reply.data, attempt.covered_length, NULL, 0, &attempt.key, attempt.digest)


cdef void accept_reply(Load* load, Attempt* attempt) noexcept nogil:
    """RFC 5944 3.6.2.1: only a reply whose 32 verifies under the node's own key says anything."""
    cdef const uint8_t* reply = attempt.reply.data
    if not same(attempt.digest, reply + attempt.authenticator_at, 16):
        load.mip_bad_authenticator += 1                                   # RFC 3957 3: reply and new key are discarded
        wait_on(attempt)
        return
    load.mip4_codes[reply[1]] += 1
    if attempt.is_for_other:
        report_violation(&load.checks, WRONG_NODE, attempt.node, attempt.node,
                         (<const RegistrationReply*> reply).home_address)
        fail(load, attempt, REGISTRATION)
    elif reply[1] in (ACCEPTED, ACCEPTED_NO_SIMULTANEOUS):
        register(load, attempt)
    elif reply[1] == IDENTIFICATION_MISMATCH and not attempt.clock_told and attempt.tries < load.most_tries:
        correct_clock(load, attempt)
    else:
        fail(load, attempt, REGISTRATION)


cdef void correct_clock(Load* load, Attempt* attempt) noexcept nogil:
    """RFC 5944 3.6.2.3: adopt the agent's seconds and ask again at once, with a new Identification."""
    cdef uint32_t theirs = get32(attempt.reply.data + 12), ours = <uint32_t> (ntp_of(load.now.wall) >> 32)
    load.clock_correction = <int64_t> <int> (theirs - ours) << 32
    attempt.clock_told = True
    attempt.head.stage = STAGE_KEY                                        # taken up again in this pass's next run


cdef void register(Load* load, Attempt* attempt) noexcept nogil:
    cdef const RegistrationReply* reply = <const RegistrationReply*> attempt.reply.data
    cdef MobileNode* node = &load.nodes[attempt.node]
    if not attempt.has_accept:
        report_violation(&load.checks, NO_ACCEPT, attempt.node, attempt.node, reply.home_address)
        fail(load, attempt, REGISTRATION)
        return
    if not parameters_fit(load, attempt):
        report_violation(&load.checks, WRONG_PARAMETERS, attempt.node, attempt.node, reply.home_address)
        fail(load, attempt, REGISTRATION)
        return
    if not check_lease(&load.checks, attempt.node, reply.home_address, load.now.monotonic,
                       attempt.sent + <uint64_t> min(get16(&reply.lifetime), load.lifetime_s) * SECOND):
        fail(load, attempt, REGISTRATION)
        return
    if get16(&reply.lifetime) > load.lifetime_s:                          # RFC 5944 3.4, ruling 14
        load.lifetimes_clipped += 1
    node.address, node.ha_spi = reply.home_address, attempt.ha_spi
    memcpy(node.key, attempt.derived, 20)
    histogram_record(load.latencies[<int> REGISTRATION], load.now.monotonic - attempt.registration_started)
    succeed(load, attempt, REGISTRATION, REGISTERED)


cdef bint parameters_fit(const Load* load, const Attempt* attempt) noexcept nogil:
    """Home agent and THOAv4 are set, all three IPv6 addresses are there, and the IPv6 care-of address ends in the THOAv4
    (mission.md); in a private testbed prefix and home agent are known too."""
    cdef const RegistrationReply* reply = <const RegistrationReply*> attempt.reply.data
    cdef const uint8_t* octets = attempt.reply.data
    if not attempt.home_at or not attempt.agent_at or not attempt.care_of_at or not reply.home_address:
        return False
    if reply.home_agent != load.nodes[attempt.node].fha or not get16(&reply.lifetime):
        return False
    if memcmp(octets + attempt.care_of_at + 12, &reply.home_address, 4):
        return False
    return not load.has_expectations or (not memcmp(octets + attempt.care_of_at, load.ipv6_prefix, 12)
                                         and not memcmp(octets + attempt.agent_at, load.home_agent, 16))


cdef Stage[12] STAGES = [
    <Stage> prepare_chap, <Stage> write_access, <Stage> send_access, <Stage> read_accept, <Stage> prepare_proof,
    <Stage> write_request, <Stage> send_request, <Stage> read_reply, <Stage> derive_key, <Stage> prepare_key,
    <Stage> check_reply, <Stage> accept_reply,
]


cdef void run_bootstrap(Load* load, void** rows, int n) noexcept nogil:
    """Also takes a row that a 133 sent back to an earlier stage."""
    cdef int k, again
    while n:
        run_stages(load, STAGES, 12, rows, n, &load.queue)
        again = 0
        for k in range(n):
            if (<Attempt*> rows[k]).head.outcome == GOOD:
                rows[again] = rows[k]
                again += 1
        n = again
