# A mobile node, and the NAS in front of it, as a list of stages over a batch of attempts.
#
#   prepare_chap, write_access, send_access      step 1, 2 of mission.md      ... parked
#   read_accept                                  step 3
#   prepare_proof, write_request, send_request   step 4, RFC 5944 3.6.1      ... parked
#   read_reply, derive_key, prepare_key, check_reply, accept_reply           step 6, RFC 5944 3.6.2, RFC 3957 3
#
# A renewal or a release enters at prepare_proof. By its association it proves itself with MN-HA under the key that the
# node has, and its reply goes from read_reply to check_reply.
#
#   parked after    waits for        resumes at       on timeout
#   send_access     Access-Accept    read_accept      read_accept, without an answer: the access step timed out
#   send_request    the reply        read_reply       prepare_proof, with an Identification as RFC 5944 3.6.3 says
from fastcodec.digest.jobs cimport (
    DIGEST_HMAC_MD5, DIGEST_HMAC_SHA1, DIGEST_KEY_MD5, DIGEST_KEY_SHA1, DIGEST_MD5, queue_job,
)
from fastcodec.mip4 cimport (
    EXT_GENERALIZED, EXT_MN_HA, EXT_MN_HA_NONCE_REQUEST, SUBTYPE_MN_AAA, SUBTYPE_NONCE,
)
from fastcodec.radius cimport (
    ACCESS_ACCEPT, CHAP_CHALLENGE, CHAP_PASSWORD, COA_TYPE, FHA_IP_ADDRESS, FRAMED_IP_ADDRESS, NAS_IDENTIFIER,
    NAS_IP_ADDRESS, NAS_PORT_TYPE, NUMBERS, REQUESTER_NAS, REQUESTER_ROLE, SERVICE_TYPE, USER_NAME, next_occurrence,
    put_attribute, put_integer,
)
from fastcodec.wire cimport get32, put16, put32
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy
from loadgen.load cimport ACCESS, BOOTSTRAP, MOST_FHAS_NAMED, REGISTRATION, text_of
from loadgen.histogram cimport histogram_record
from loadgen.mobile_node cimport ATTACHED, MobileNode
from loadgen.registration cimport (
    MN_SPI, STAGE_ACCEPT, STAGE_CHECK, STAGE_KEY, accept_reply, begin_request, check_reply, fail, open_reply, send_request,
    succeed, time_out,
)
from servers.engine.stages cimport GOOD, PARKED, Stage, run_stages
from servers.net.node cimport draw
from servers.roles.radius_client cimport (
    NO_TRANSACTION, client_begin, client_finish, client_send, client_take,
)

cdef enum:
    SERVICE_FRAMED = 2                   # RFC 2865 5.6
    NAS_PORT_ETHERNET = 15               # RFC 2865 5.41
    CO_LOCATED = 1                       # of Mipstorm-CoA-Type


# ---- access: the node's credential, the NAS's question ---------------------------------------------------------------

cdef void prepare_chap(Load* load, Attempt* attempt) noexcept nogil:
    """RFC 2865 2.2: MD5(ident, secret, challenge), a fresh challenge of 16 octets each time."""
    cdef uint32_t length
    cdef const uint8_t* secret = text_of(&load.columns.secret, attempt.node, &length)
    cdef uint8_t* scratch = load.scratch + load.scratch_used
    load.tallies[<int> BOOTSTRAP].attempted += 1
    load.tallies[<int> ACCESS].attempted += 1
    memcpy(attempt.challenge, draw(load.entropy, 16), 16)
    scratch[0] = attempt.challenge[0]
    memcpy(scratch + 1, secret, length)
    load.scratch_used += 1 + length
    queue_job(&load.queue, DIGEST_MD5, scratch, 1 + length, attempt.challenge, 16, NULL, attempt.digest)


cdef void write_access(Load* load, Attempt* attempt) noexcept nogil:
    """The Access-Request of step 2, radius.md 9.1."""
    cdef uint32_t length
    cdef const uint8_t* nai = text_of(&load.columns.nai, attempt.node, &length)
    cdef const uint8_t* location = load.locations + 64 * load.columns.location[attempt.node]
    cdef uint8_t[17] chap
    cdef uint8_t* at
    attempt.transaction = client_take(&load.client, attempt.slot)
    if attempt.transaction == NO_TRANSACTION:             # Fleet starts no more than there are identifiers
        fail(load, attempt)
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
        time_out(load, attempt)
        return
    load.radius_codes[attempt.answer.packet.octets[0]] += 1
    if attempt.answer.packet.octets[0] != ACCESS_ACCEPT:
        fail(load, attempt)
        return
    histogram_record(load.latencies[<int> ACCESS], load.now.monotonic - attempt.intended)
    if load.access_only:
        succeed(load, attempt, ATTACHED)
        return
    if not take_assignment(attempt, node):
        fail(load, attempt)
        return
    load.tallies[<int> ACCESS].succeeded += 1
    start_registration(load, attempt, load.now.monotonic)


cdef void start_registration(Load* load, Attempt* attempt, uint64_t when) noexcept nogil:
    load.tallies[<int> REGISTRATION].attempted += 1
    attempt.step, attempt.has_accept = REGISTRATION, True
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


# ---- registration ----------------------------------------------------------------------------------------------------

cdef void prepare_proof(Load* load, Attempt* attempt) noexcept nogil:
    cdef uint32_t length
    cdef const uint8_t* key
    if attempt.by_association:
        key, length = load.nodes[attempt.node].key, 20
    else:
        key = text_of(&load.columns.key, attempt.node, &length)
    queue_job(&load.queue, DIGEST_KEY_MD5, key, length, NULL, 0, NULL, &attempt.key)


cdef void write_request(Load* load, Attempt* attempt) noexcept nogil:
    """RFC 5944 3.6.1.3, RFC 4721 6: the authenticator last. MN-HA bears the SPI of the key's reply (RFC 3957 6.4)."""
    cdef uint8_t* at = begin_request(load, attempt)
    if attempt.by_association:
        at[0], at[1] = EXT_MN_HA, 20
        put32(at + 2, load.nodes[attempt.node].ha_spi)
        at += 6
    else:
        at = ask_for_key(load, attempt, at)
    attempt.request_length = <uint16_t> (at - attempt.request + 16)
    queue_job(&load.queue, DIGEST_HMAC_MD5, attempt.request, attempt.request_length - 16, NULL, 0, &attempt.key, attempt.digest)


cdef uint8_t* ask_for_key(const Load* load, const Attempt* attempt, uint8_t* at) noexcept nogil:
    """Request for the MN-HA key, then MN-AAA."""
    at[0], at[1] = EXT_MN_HA_NONCE_REQUEST, SUBTYPE_NONCE
    put16(at + 2, 4)
    put32(at + 4, MN_SPI)
    at += 8
    at[0], at[1] = EXT_GENERALIZED, SUBTYPE_MN_AAA
    put16(at + 2, 20)
    put32(at + 4, load.columns.spi[attempt.node])
    return at + 8


cdef void read_reply(Load* load, Attempt* attempt) noexcept nogil:
    cdef uint32_t length
    cdef const uint8_t* key
    if not open_reply(load, attempt):
        return
    if attempt.by_association:
        attempt.head.stage = STAGE_CHECK
        return
    key = text_of(&load.columns.key, attempt.node, &length)
    attempt.ha_spi = get32(attempt.reply.data + attempt.nonce_at - 8)
    queue_job(&load.queue, DIGEST_KEY_SHA1, key, length, NULL, 0, NULL, &attempt.key)


cdef void derive_key(Load* load, Attempt* attempt) noexcept nogil:
    """RFC 3957 5: HMAC-SHA1(MN-AAA key, nonce, NAI)."""
    cdef uint32_t length
    cdef const uint8_t* nai = text_of(&load.columns.nai, attempt.node, &length)
    queue_job(&load.queue, DIGEST_HMAC_SHA1, attempt.reply.data + attempt.nonce_at, attempt.nonce_length, nai, length,
              &attempt.key, attempt.derived)


cdef void prepare_key(Load* load, Attempt* attempt) noexcept nogil:
    queue_job(&load.queue, DIGEST_KEY_MD5, attempt.derived, 20, NULL, 0, NULL, &attempt.key)


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
