# What every registration of a node has in common, be it its first, a renewal or a release, proven by MN-AAA or by MN-HA:
# the parts of a request, the look at a reply (RFC 5944 3.6), and the ends of an attempt.
from fastcodec.digest.jobs cimport DIGEST_HMAC_MD5, queue_job
from fastcodec.mip4 cimport (
    ACCEPTED, ACCEPTED_NO_SIMULTANEOUS, ALGORITHM_HMAC_MD5, BOOT_IPV6_CARE_OF_ADDRESS, BOOT_IPV6_HOME_ADDRESS,
    BOOT_IPV6_HOME_AGENT, EXT_MN_HA, EXT_MN_HA_NONCE_REPLY, EXT_NAI, EXT_NVSE, FLAG_D, FLAG_T, IDENTIFICATION_MISMATCH,
    REGISTRATION_REQUEST, REPLAY_NONCES, REPLAY_TIMESTAMPS, RegistrationReply, RegistrationRequest, SUBTYPE_NONCE,
    walk_message,
)
from fastcodec.wire cimport Piece, get16, get32, get64, put16, put64, same
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy
from loadgen.checks cimport NO_ACCEPT, WRONG_NODE, WRONG_PARAMETERS, check_lease, end_lease, report_violation
from loadgen.load cimport BOOTSTRAP, MOST_TRIES, REGISTRATION, RELEASE, RENEWAL, text_of
from loadgen.histogram cimport histogram_record
from loadgen.holding cimport NEVER, holding_add, tick_of, ticks_in, time_of
from loadgen.mobile_node cimport FAILED_NODE, MobileNode, REGISTERED, RELEASED, TIMED_OUT_NODE
from loadgen.pacer cimport scramble
from servers.engine.ntp cimport ntp_of
from servers.engine.parking cimport parking_leave
from servers.engine.stages cimport DONE, PARKED
from servers.engine.wheel cimport wheel_arm
from servers.net.node cimport Datagram, compose, draw

cdef enum:
    MS = 1000000
    SECOND = 1000000000
    FIXED_REPLY = 20
    MOST_EXTENSIONS = 32
    LONGEST_INTERVAL_MS = 16000          # of a node that has nothing yet
    MOST_DOUBLINGS = 20
    INFINITE = 0xffff                    # a lifetime, RFC 5944 3.3


# ---- ends of an attempt ----------------------------------------------------------------------------------------------

cdef void close(Load* load, Attempt* attempt, int state) noexcept nogil:
    if attempt.step > REGISTRATION:
        load.acts -= 1
    load.nodes[attempt.node].state = <uint8_t> state
    load.nodes[attempt.node].attempt = 0
    attempt.head.outcome = DONE
    parking_leave(&load.attempts, attempt.slot)


cdef void succeed(Load* load, Attempt* attempt, int state) noexcept nogil:
    load.tallies[attempt.step].succeeded += 1
    if attempt.step <= REGISTRATION:
        load.tallies[<int> BOOTSTRAP].succeeded += 1
        histogram_record(load.latencies[<int> BOOTSTRAP], load.now.monotonic - attempt.intended)
        load.last_success = load.now.monotonic
    close(load, attempt, state)


cdef void fail(Load* load, Attempt* attempt) noexcept nogil:
    """A refusal of the only request says that the FHA has leased nothing; of anything else nothing is known."""
    cdef MobileNode* node = &load.nodes[attempt.node]
    load.tallies[attempt.step].failed += 1
    if attempt.step <= REGISTRATION:
        load.tallies[<int> BOOTSTRAP].failed += 1
    if attempt.tries > 1 or attempt.step > REGISTRATION or (attempt.reply and is_accepted(attempt.reply.data[1])):
        node.is_unsure = True
    close(load, attempt, FAILED_NODE)


cdef void time_out(Load* load, Attempt* attempt) noexcept nogil:
    load.tallies[attempt.step].timed_out += 1
    if attempt.step <= REGISTRATION:
        load.tallies[<int> BOOTSTRAP].timed_out += 1
    if attempt.tries:
        load.nodes[attempt.node].is_unsure = True
    close(load, attempt, TIMED_OUT_NODE)


cdef inline bint is_accepted(int code) noexcept nogil:
    return code == ACCEPTED or code == ACCEPTED_NO_SIMULTANEOUS


# ---- request ---------------------------------------------------------------------------------------------------------

cdef uint8_t* begin_request(Load* load, Attempt* attempt) noexcept nogil:
    """RFC 5944 3.3: the fixed part, and the NAI; returns where the next extension goes. A node that has a THOAv4 names it."""
    cdef RegistrationRequest* rrq = <RegistrationRequest*> attempt.request
    cdef MobileNode* node = &load.nodes[attempt.node]
    cdef uint8_t* at = attempt.request + sizeof(RegistrationRequest)
    cdef uint32_t length
    cdef const uint8_t* nai = text_of(&load.columns.nai, attempt.node, &length)
    cdef uint64_t identification = identify(load, attempt)
    node.fha = attempt.fhas[attempt.fha_turn % attempt.fha_count]
    attempt.lifetime = 0 if attempt.step == RELEASE else load.lifetime_s
    rrq.type, rrq.flags = REGISTRATION_REQUEST, FLAG_D | FLAG_T
    put16(&rrq.lifetime, attempt.lifetime)
    rrq.home_address = node.address if attempt.step > REGISTRATION else 0
    rrq.home_agent, rrq.care_of_address = node.fha, node.care_of_address
    put64(&rrq.identification, identification)
    attempt.outstanding[attempt.tries % MOST_TRIES] = <uint32_t> identification
    at[0], at[1] = EXT_NAI, <uint8_t> length
    memcpy(at + 2, nai, length)
    return at + 2 + length


cdef uint64_t identify(const Load* load, const Attempt* attempt) noexcept nogil:
    """An NTP timestamp (RFC 5944 5.7.1), or the agent's nonce and one of the node's own (5.7.2), and then the same again
    until it is answered (3.6.3). The last bits name the node, so that a reply finds it."""
    cdef const RegistrationRequest* before = <const RegistrationRequest*> attempt.request
    cdef uint64_t mask = (<uint64_t> 1 << load.index_bits) - 1
    cdef uint64_t fresh
    if not goes_by_nonce(load, attempt):
        fresh = ntp_of(load.now.wall) + <uint64_t> load.clock_correction
    elif attempt.tries and get32(&before.identification) == load.nonces[attempt.node]:
        return get64(&before.identification)
    else:
        fresh = <uint64_t> load.nonces[attempt.node] << 32 | get32(draw(load.entropy, 4))
    return (fresh & ~mask) | attempt.node


cdef inline bint goes_by_nonce(const Load* load, const Attempt* attempt) noexcept nogil:
    """What the AAAH has to vouch for is judged by time, whatever the association says (radius.md 9.2)."""
    return attempt.by_association and load.nodes[attempt.node].replay == REPLAY_NONCES


cdef void send_request(Load* load, Attempt* attempt) noexcept nogil:
    """From the node's own address, RFC 5944 3.6.1.1. A full outbox is like a lost packet: the timer tries again."""
    cdef Datagram* datagram = compose(load.out, load.mip_port)
    memcpy(attempt.request + attempt.request_length - 16, attempt.digest, 16)
    if datagram:
        memcpy(datagram.data, attempt.request, attempt.request_length)
        datagram.length = attempt.request_length
        datagram.peer_address, datagram.peer_port = load.nodes[attempt.node].fha, load.fha_port
        datagram.local_address = load.nodes[attempt.node].care_of_address
    attempt.sent[attempt.tries % MOST_TRIES] = tick_of(&load.holding, load.now.monotonic)
    load.mip_sent += 1
    if attempt.tries:
        load.mip_retransmitted += 1
    elif attempt.step == RELEASE:                                         # from now on another may be given it
        end_lease(&load.checks, attempt.node, load.nodes[attempt.node].address, load.now.monotonic)
    attempt.reply = NULL
    attempt.head.outcome, attempt.head.stage = PARKED, STAGE_REPLY
    wheel_arm(&load.attempts.wheel, attempt.slot, load.now.monotonic + interval_after(load, attempt))
    attempt.tries += 1


cdef uint64_t interval_after(const Load* load, const Attempt* attempt) noexcept nogil:
    """Ns to the next try, twice the last (RFC 5944 3.6.3). A renewal's interval grows to the lifetime it asks for, and the
    last one ends with the lifetime that the node has, or with its stay."""
    cdef uint64_t doubled = (<uint64_t> load.first_timeout_ms << min(<int> attempt.tries, <int> MOST_DOUBLINGS)) * MS
    cdef const MobileNode* node = &load.nodes[attempt.node]
    cdef uint64_t end
    if not lasts_for_its_lifetime(attempt):
        return min(doubled, <uint64_t> LONGEST_INTERVAL_MS * MS)
    end = time_of(&load.holding, node.expires)
    if attempt.tries >= load.most_tries and tick_of(&load.holding, load.now.monotonic) < node.leaves:
        end = min(end, time_of(&load.holding, node.leaves))
    return min(min(doubled, <uint64_t> attempt.lifetime * SECOND), end - min(end, load.now.monotonic))


cdef bint lasts_for_its_lifetime(const Attempt* attempt) noexcept nogil:
    return attempt.step == RENEWAL and attempt.in_lifetime


cdef bint may_try_again(const Load* load, const Attempt* attempt) noexcept nogil:
    """A renewal, while the node has what it would renew: also after its tries, unless its stay is over."""
    cdef const MobileNode* node = &load.nodes[attempt.node]
    cdef uint32_t now = tick_of(&load.holding, load.now.monotonic)
    if not lasts_for_its_lifetime(attempt):
        return attempt.tries < load.most_tries
    if now >= node.expires:
        return False
    return attempt.tries < load.most_tries or (now < node.leaves and not load.is_leaving)


# ---- reply -----------------------------------------------------------------------------------------------------------

cdef void wait_on(Attempt* attempt) noexcept nogil:
    """This reply settles nothing; the timer still runs."""
    attempt.reply = NULL
    attempt.head.outcome, attempt.head.stage = PARKED, STAGE_REPLY


cdef bint open_reply(Load* load, Attempt* attempt) noexcept nogil:
    """Finds what the reply is made of. False: it settles nothing. Without 32, and 43 where a key was asked for, it is a
    hint from nobody in particular: counted, waited out (ruling 7)."""
    cdef const uint8_t* reply = attempt.reply.data
    cdef Piece[MOST_EXTENSIONS] pieces
    cdef int found = walk_message(reply, <int> attempt.reply.length, FIXED_REPLY, pieces, MOST_EXTENSIONS)
    if found < 0 or not nai_stands(pieces, found):
        load.mip_malformed += 1
        wait_on(attempt)
        return False
    attempt.is_for_other = not is_for_node(load, attempt, pieces, found)
    place_pieces(load, attempt, pieces, found)
    if attempt.authenticator_at and (attempt.nonce_at or attempt.by_association):
        return True
    if is_accepted(reply[1]):                                             # RFC 3957 3: no key, no authenticator, no success
        load.mip_bad_authenticator += 1
    else:
        load.mip4_codes[reply[1]] += 1
    wait_on(attempt)
    return False


cdef bint nai_stands(const Piece* pieces, int found) noexcept nogil:
    cdef int k
    for k in range(found):
        if pieces[k].type == EXT_NAI:
            return True
    return False


cdef bint is_for_node(const Load* load, const Attempt* attempt, const Piece* pieces, int found) noexcept nogil:
    """RFC 2794 2: the reply echoes the NAI."""
    cdef uint32_t length
    cdef const uint8_t* nai = text_of(&load.columns.nai, attempt.node, &length)
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
    if goes_by_nonce(load, attempt) and get32(reply + 16) == attempt.outstanding[(attempt.tries - 1) % MOST_TRIES]:
        load.nonces[attempt.node] = get32(reply + 12)                     # RFC 5944 5.7.2: whatever else it says
    if attempt.is_for_other:
        forbid(load, attempt, WRONG_NODE)
    elif is_accepted(reply[1]):
        take_reply(load, attempt)
    elif reply[1] == IDENTIFICATION_MISMATCH and get32(reply + 16) != attempt.outstanding[(attempt.tries - 1) % MOST_TRIES]:
        wait_on(attempt)                                                  # that request grew old at the agent, not our clock
    elif reply[1] == IDENTIFICATION_MISMATCH and not attempt.clock_told and may_try_again(load, attempt):
        correct_clock(load, attempt)
    else:
        fail(load, attempt)


cdef void forbid(Load* load, Attempt* attempt, int kind) noexcept nogil:
    """The reply says what must never be said."""
    report_violation(&load.checks, kind, attempt.node, attempt.node,
                     (<const RegistrationReply*> attempt.reply.data).home_address)
    fail(load, attempt)


cdef void correct_clock(Load* load, Attempt* attempt) noexcept nogil:
    """RFC 5944 3.6.2.3: adopt the agent's seconds, or its nonce, and ask again at once, with a new Identification."""
    cdef uint32_t theirs = get32(attempt.reply.data + 12), ours = <uint32_t> (ntp_of(load.now.wall) >> 32)
    if not goes_by_nonce(load, attempt):
        load.clock_correction = <int64_t> <int> (theirs - ours) << 32
    attempt.clock_told = True
    attempt.head.stage = STAGE_KEY                                        # taken up again in this pass's next run


cdef void take_reply(Load* load, Attempt* attempt) noexcept nogil:
    """It is granted; what was granted must be what the node may have."""
    cdef const RegistrationReply* reply = <const RegistrationReply*> attempt.reply.data
    if not attempt.has_accept:
        forbid(load, attempt, NO_ACCEPT)
    elif attempt.step > REGISTRATION and reply.home_address != load.nodes[attempt.node].address:
        forbid(load, attempt, WRONG_PARAMETERS)
    elif attempt.step == RELEASE:
        if get16(&reply.lifetime):                                        # RFC 5944 3.8.3.1: 0 answers 0
            forbid(load, attempt, WRONG_PARAMETERS)
        else:
            give_back(load, attempt)
    elif not parameters_fit(load, attempt):
        forbid(load, attempt, WRONG_PARAMETERS)
    else:
        take_lease(load, attempt, reply)


cdef void take_lease(Load* load, Attempt* attempt, const RegistrationReply* reply) noexcept nogil:
    """The lifetime counts from when the request was sent that was answered (RFC 5944 3.6.2.2)."""
    cdef MobileNode* node = &load.nodes[attempt.node]
    cdef uint32_t sent = attempt.sent[attempt.answered], granted = min(get16(&reply.lifetime), attempt.lifetime)
    cdef uint64_t until = time_of(&load.holding, sent) + <uint64_t> granted * SECOND
    if not check_lease(&load.checks, attempt.node, reply.home_address, load.now.monotonic, until):
        fail(load, attempt)
        return
    if get16(&reply.lifetime) > attempt.lifetime:                         # RFC 5944 3.4, ruling 14
        load.lifetimes_clipped += 1
    node.address, node.is_unsure = reply.home_address, node.is_unsure or attempt.tries > 1
    node.expires = NEVER if granted == INFINITE else tick_of(&load.holding, until)
    if not attempt.by_association:
        node.ha_spi = attempt.ha_spi
        memcpy(node.key, attempt.derived, 20)
        node.key_ends = end_of_key(attempt, sent)
        take_replay_method(load, attempt)
    histogram_record(load.latencies[attempt.step], load.now.monotonic - attempt.registration_started)
    succeed(load, attempt, REGISTERED)
    if load.stays:
        stay(load, attempt, granted)


cdef void take_replay_method(Load* load, const Attempt* attempt) noexcept nogil:
    """RFC 3957 6.4: what follows starts from the Identification of the reply that brings the key."""
    cdef MobileNode* node = &load.nodes[attempt.node]
    node.replay = REPLAY_TIMESTAMPS
    if get16(attempt.reply.data + attempt.nonce_at - 2) == REPLAY_NONCES:
        node.replay, load.uses_nonces = REPLAY_NONCES, True
        load.nonces[attempt.node] = get32(attempt.reply.data + 12)


cdef uint32_t end_of_key(const Attempt* attempt, uint32_t sent) noexcept nogil:
    """RFC 3957 6.4 gives a lifetime of 0 no meaning; Diameter's key lifetimes mean for ever by it (RFC 4004 8.1)."""
    cdef uint32_t lifetime = get32(attempt.reply.data + attempt.nonce_at - 16)
    cdef uint64_t ticks = ticks_in(<uint64_t> min(lifetime, <uint32_t> (1 << 22)) * SECOND)
    return <uint32_t> NEVER if not lifetime or sent + ticks >= NEVER else <uint32_t> (sent + ticks)


cdef void give_back(Load* load, Attempt* attempt) noexcept nogil:
    load.nodes[attempt.node].address = 0
    histogram_record(load.latencies[<int> RELEASE], load.now.monotonic - attempt.registration_started)
    succeed(load, attempt, RELEASED)


cdef void stay(Load* load, const Attempt* attempt, uint32_t granted) noexcept nogil:
    """Until its time is over; before that, at 75 to 85 % of the lifetime, it renews."""
    cdef MobileNode* node = &load.nodes[attempt.node]
    cdef uint32_t now = tick_of(&load.holding, load.now.monotonic), renewal, due
    if attempt.step == REGISTRATION:
        node.leaves = now + ticks_in(load.stay)
    due = now if load.is_leaving else node.leaves
    if load.renews and granted != INFINITE and not load.is_leaving:
        renewal = ticks_in(<uint64_t> granted * SECOND * (750 + scramble(attempt.node, load.jitter) % 101) // 1000)
        due = min(due, attempt.sent[attempt.answered] + max(renewal, ticks_in(SECOND)))
    holding_add(&load.holding, load.nodes, attempt.node, due)


cdef bint parameters_fit(const Load* load, const Attempt* attempt) noexcept nogil:
    """Home agent and THOAv4 are set, all three IPv6 addresses are there, and the IPv6 care-of address ends in the THOAv4
    (mission.md); in a private testbed prefix and home agent are known too."""
    cdef const RegistrationReply* reply = <const RegistrationReply*> attempt.reply.data
    cdef const uint8_t* octets = attempt.reply.data
    if attempt.by_association:                                            # these it has heard with its key
        return reply.home_agent == load.nodes[attempt.node].fha and get16(&reply.lifetime) != 0
    if not attempt.home_at or not attempt.agent_at or not attempt.care_of_at or not reply.home_address:
        return False
    if reply.home_agent != load.nodes[attempt.node].fha or not get16(&reply.lifetime):
        return False
    if memcmp(octets + attempt.care_of_at + 12, &reply.home_address, 4):
        return False
    return not load.has_expectations or (not memcmp(octets + attempt.care_of_at, load.ipv6_prefix, 12)
                                         and not memcmp(octets + attempt.agent_at, load.home_agent, 16))
