# Many mobile nodes and the NAS they attach through, as one node of the network: sockets 0 to `ports` - 1 speak RADIUS,
# the last one sends every registration, from the mobile node's own address.
from fastcodec.radius cimport NUMBERS
from fastcodec.wire cimport get32
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset
from loadgen import checks
from loadgen.bootstrap cimport begin_registration, run_bootstrap
from loadgen.checks cimport VIOLATIONS, Finding, checks_close, checks_open
from loadgen.histogram cimport LatencyHistogram
from loadgen.holding cimport holding_close, holding_due, holding_next, holding_open, tick_of
from loadgen.mobile_node cimport MobileNode, REGISTERED, TIMED_OUT_NODE, TRYING, is_engaged, is_under_way
from loadgen.pacer cimport Pacer, pace_node, pace_time
from loadgen.registration cimport STAGE_KEY, time_out
from loadgen.staying cimport begin_act, end_stays, holds
from servers.engine.counters cimport counts_of
from servers.engine.parking cimport parking_close, parking_open, parking_row, parking_take
from servers.engine.stages cimport GOOD, Head, Stage, queue_close, queue_open, run_stages
from servers.engine.wheel cimport wheel_expired, wheel_next
from servers.net.node cimport BATCH, Datagram
from servers.roles.radius_client cimport (
    IDENTIFIERS, Answer, accept_answer, check_message_authenticator, check_response_authenticator, client_close,
    client_expire, client_open, client_report, client_server, client_turn, match_answer,
)

cdef enum:
    FIXED_REPLY = 20                     # RFC 5944 3.4
    LONGEST_REPLY = 1500                 # octets of a datagram that is looked at, as at the FHA
    REGISTRATION_REPLY = 3
    SCRATCH = 256                        # octets a row may use of a batch's scratch space
    LOCATION = 64                        # octets a location's text may have, its length included
    STARTS = 256                         # bootstraps started before packets are looked at again
    KEPT_ACTS = 2                        # tries by its association before a node asks by MN-AAA

cdef Stage[4] ANSWER_STAGES = [
    <Stage> match_answer, <Stage> check_response_authenticator, <Stage> check_message_authenticator, <Stage> accept_answer,
]


STEP_NAMES = ("bootstrap", "access", "registration", "renewal", "release")


cdef class Fleet(Node):
    """`columns`: a servers.tables.subscribers_csv.Subscribers; `now`: monotonic ns."""

    def __cinit__(self, columns, Pacer pacer, *, uint32_t ports, uint32_t capacity, uint64_t now=0, **settings):
        cdef uint32_t count = <uint32_t> len(columns)
        memset(&self.load, 0, sizeof(Load))
        self.pace = pacer.pace
        self.load.count = count
        self.load.out, self.load.now, self.load.entropy = &self.out, &self.now, &self.entropy
        self.load.nodes = <MobileNode*> calloc(count, sizeof(MobileNode))
        self.load.nonces = <uint32_t*> calloc(count, sizeof(uint32_t))   # takes memory only when it is used
        self.load.scratch = <uint8_t*> calloc(BATCH, SCRATCH)
        self.load.locations = <uint8_t*> calloc(max(len(columns.locations), 1), LOCATION)
        self.answers = <Answer*> calloc(BATCH, sizeof(Answer))
        if (not self.load.nodes or not self.load.nonces or not self.load.scratch or not self.load.locations
                or not self.answers):
            raise MemoryError
        queue_open(&self.load.queue, BATCH)
        self.most_bootstraps = min(capacity, ports * <uint32_t> IDENTIFIERS)
        parking_open(&self.load.attempts, self.most_bootstraps + ACTS, sizeof(Attempt), now)
        holding_open(&self.load.holding, now)
        self.load.jitter = pacer.pace.keys[0]
        client_open(&self.load.client, ports, 0, 512, now)
        self.load.client.queue, self.load.client.out = &self.load.queue, &self.out
        self.load.client.entropy, self.load.client.counters = &self.entropy, &self.load.counters
        self.load.client.now, self.now.monotonic = &self.now, now
        self.take_columns(columns)

    def __dealloc__(self):
        free(self.load.nodes)
        free(self.load.nonces)
        free(self.load.scratch)
        free(self.load.locations)
        free(self.answers)
        queue_close(&self.load.queue)
        parking_close(&self.load.attempts)
        holding_close(&self.load.holding)
        client_close(&self.load.client)
        checks_close(&self.load.checks)

    def __init__(self, columns, Pacer pacer, *, uint32_t ports, uint32_t capacity, uint64_t now=0, uint64_t total,
                 uint32_t concurrency=0, uint64_t duration_ns=0, bint access_only=False, uint32_t tries=5,
                 uint32_t first_timeout_ms=1000, uint16_t lifetime_s=1800, bytes nas_address=b"\x7f\x00\x00\x01"):
        """`concurrency` 0: open loop at the pacer's rate. `total` bootstraps, or as many as begin within `duration_ns`."""
        self.load.index_bits = max(16, (self.load.count - 1).bit_length() if self.load.count > 1 else 1)
        self.load.mip_port, self.load.vendor = <uint16_t> ports, NUMBERS.vendor
        self.load.access_only, self.load.most_tries, self.load.lifetime_s = access_only, min(tries, MOST_TRIES), lifetime_s
        self.load.first_timeout_ms = first_timeout_ms
        memcpy(&self.load.nas_address, <const uint8_t*> nas_address, 4)
        self.total, self.concurrency, self.duration = total, concurrency, duration_ns

    def take_columns(self, columns):
        cdef const uint32_t[::1] spi = columns.spi
        cdef const uint16_t[::1] location = columns.location_index
        cdef bytes text
        cdef uint32_t k
        take_text(&self.load.columns.nai, columns.nai)
        take_text(&self.load.columns.key, columns.key)
        take_text(&self.load.columns.secret, columns.access_secret)
        self.load.columns.spi, self.load.columns.location = &spi[0], &location[0]
        for k in range(<uint32_t> len(columns.locations)):
            text = columns.locations[k].encode()[:LOCATION - 1] or b"nas"
            self.load.locations[LOCATION * k] = <uint8_t> len(text)
            memcpy(self.load.locations + LOCATION * k + 1, <const uint8_t*> text, len(text))
        self.kept = columns
        self.reset_figures()

    def reset_figures(self):
        """Counts and histograms start from zero: after a warm-up, when nothing is under way."""
        cdef LatencyHistogram histogram
        cdef int k
        if self.load.attempts.used:
            raise RuntimeError(f"{self.load.attempts.used} bootstraps are under way")
        self.histograms = [LatencyHistogram() for _ in range(STEPS + 1)]
        for k in range(STEPS):
            histogram = self.histograms[k]
            self.load.latencies[k] = histogram.pointer()
            memset(&self.load.tallies[k], 0, sizeof(Tally))
        histogram = self.histograms[STEPS]
        self.load.send_lag = histogram.pointer()
        memset(self.load.mip4_codes, 0, sizeof(self.load.mip4_codes))
        memset(self.load.radius_codes, 0, sizeof(self.load.radius_codes))
        memset(&self.load.counters, 0, sizeof(self.load.counters))
        self.load.mip_sent = self.load.mip_retransmitted = self.load.mip_received = self.load.mip_late = 0
        self.load.mip_duplicate = self.load.mip_unmatched = self.load.mip_malformed = self.load.mip_bad_authenticator = 0
        self.load.client.sent = self.load.client.retransmitted = self.load.client.received = self.load.client.late = 0
        self.load.client.duplicate = self.load.client.unmatched = self.load.client.malformed = 0
        self.load.client.bad_authenticator = self.load.client.timed_out = self.load.lifetimes_clipped = 0
        self.begun, self.started_at, self.load.last_success = 0, 0, 0

    def set_aaa(self, bytes address, uint16_t port, bytes secret, *, uint32_t first_timeout_ms=2000, uint32_t tries=5,
                str message_authenticator="yes", bint probes=True):
        """A server for the access step, the next in order of preference, or the new secret of one known."""
        client_server(&self.load.client, address, port, secret, message_authenticator, probes)
        self.load.client.first_timeout_ms, self.load.client.most_tries = first_timeout_ms, tries

    def set_fha(self, uint16_t port, *, bytes ipv6_prefix=b"", bytes home_agent=b"", uint32_t pool=0, uint32_t pool_size=0):
        """UDP port of the FHAs that the AAAH names; the rest is known of a private testbed only and then checked."""
        self.load.fha_port = port
        self.load.has_expectations = len(ipv6_prefix) == 16 and len(home_agent) == 16
        if self.load.has_expectations:
            memcpy(self.load.ipv6_prefix, <const uint8_t*> ipv6_prefix, 16)
            memcpy(self.load.home_agent, <const uint8_t*> home_agent, 16)
        checks_close(&self.load.checks)
        checks_open(&self.load.checks, pool, pool_size)

    def skip_access(self, bytes fha, bytes care_of_network):
        """Nodes register at this FHA from care_of_network + 1 + their place on; both packed addresses."""
        self.load.skips_access = True
        memcpy(self.load.known_fha, <const uint8_t*> fha, 4)
        self.load.care_of_network = get32(<const uint8_t*> care_of_network)

    def stay(self, uint64_t hold_ns, bint renew, bint release):
        """What becomes of nodes that are registered: they stay so long, renew meanwhile, give their lease back then."""
        self.load.stay, self.load.renews, self.load.releases = hold_ns, renew, release
        self.load.stays = hold_ns > 0 or release

    def start(self, uint64_t now, uint64_t skip=0):
        """From now on `tick` starts what is due; the schedule's first `skip` places were used before (warm-up)."""
        self.started_at, self.skipped = now, skip
        self.ends_at = now + self.duration if self.duration else 0

    def limit(self, uint64_t total, uint64_t duration_ns):
        """Another number of bootstraps, or another duration, from the next `start` on."""
        self.total, self.duration, self.stopped = total, duration_ns, False
        self.load.is_leaving = False

    def stop(self):
        """No more starts; what is under way goes on, and every stay ends now."""
        self.stopped = True
        with nogil:
            end_stays(&self.load)

    @property
    def bootstrapped(self):
        """Whether every bootstrap that will be begun has ended."""
        return (self.stopped or self.begun >= self.total or (self.ends_at and self.now.monotonic >= self.ends_at)) and (
            self.under_way() == 0)

    @property
    def done(self):
        return self.bootstrapped and not self.load.holding.count and not self.load.acts

    cdef uint32_t under_way(self) noexcept nogil:
        """Bootstraps."""
        return self.load.attempts.used - self.load.acts

    # ---- starts ------------------------------------------------------------------------------------------------------

    cdef void start_due(self) noexcept nogil:
        cdef void* rows[STARTS]
        cdef uint32_t n
        if self.stopped or not self.started_at or (self.ends_at and self.now.monotonic >= self.ends_at):
            return
        n = self.open_attempts(rows, STARTS)
        if n:
            client_turn(&self.load.client)
            self.load.scratch_used = 0
            run_bootstrap(&self.load, rows, <int> n)

    cdef uint32_t open_attempts(self, void** rows, uint32_t most) noexcept nogil:
        """Open loop: whatever is due by now. Closed loop: as many as are missing."""
        cdef uint32_t n = 0, node, slot
        cdef uint64_t due = self.now.monotonic
        cdef Attempt* attempt
        while n < most and self.begun < self.total:
            if self.concurrency and self.under_way() >= self.concurrency:
                break
            if not self.concurrency:
                due = self.started_at + pace_time(&self.pace, self.begun)
                if due > self.now.monotonic:
                    break
            node = pace_node(&self.pace, self.skipped + self.begun)
            if self.under_way() == self.most_bootstraps or is_engaged(&self.load.nodes[node]):
                break                                                  # late then, and counted so
            slot = parking_take(&self.load.attempts)
            attempt = <Attempt*> parking_row(&self.load.attempts, slot)
            memset(attempt, 0, <size_t> (<uint8_t*> &attempt.challenge - <uint8_t*> attempt))
            attempt.slot, attempt.node, attempt.intended, attempt.step = slot, node, due, ACCESS
            if self.load.nodes[node].state == REGISTERED:              # its lease of before may last
                self.load.nodes[node].is_unsure = True
            self.load.nodes[node].attempt, self.load.nodes[node].state = slot + 1, TRYING
            if self.load.skips_access:
                begin_registration(&self.load, attempt, self.load.known_fha)
            rows[n] = attempt
            n += 1
            self.begun += 1
        return n

    # ---- packets -----------------------------------------------------------------------------------------------------

    cdef void receive(self, Datagram* datagrams, uint32_t n) noexcept nogil:
        if datagrams[0].port == self.load.mip_port:
            self.receive_replies(datagrams, n)
        else:
            self.receive_answers(datagrams, n)
        if self.concurrency:
            self.start_due()

    cdef void receive_answers(self, Datagram* datagrams, uint32_t n) noexcept nogil:
        cdef void* rows[BATCH]
        cdef uint32_t k
        cdef int resumed = 0
        cdef Attempt* attempt
        for k in range(n):
            memset(&self.answers[k].head, 0, sizeof(Head))
            self.answers[k].datagram = &datagrams[k]
            rows[k] = &self.answers[k]
        run_stages(&self.load.client, ANSWER_STAGES, 4, rows, <int> n, &self.load.queue)
        for k in range(n):
            if self.answers[k].head.outcome != GOOD:
                continue
            attempt = <Attempt*> parking_row(&self.load.attempts, self.answers[k].transaction.owner)
            attempt.answer, attempt.head.outcome = &self.answers[k], GOOD
            rows[resumed] = attempt
            resumed += 1
        run_bootstrap(&self.load, rows, resumed)

    cdef void receive_replies(self, Datagram* datagrams, uint32_t n) noexcept nogil:
        """A second reply to a node in one batch waits for the next round: the first may turn out to be forged."""
        cdef void* rows[BATCH]
        cdef uint32_t left[BATCH]
        cdef uint32_t k, count = n, kept
        cdef int resumed
        cdef Attempt* attempt
        self.load.mip_received += n
        for k in range(n):
            left[k] = k
        while count:
            resumed = kept = 0
            for k in range(count):
                attempt = match_reply(&self.load, &datagrams[left[k]])
                if not attempt:
                    continue
                if attempt.reply:
                    left[kept] = left[k]
                    kept += 1
                    continue
                attempt.reply, attempt.head.outcome = &datagrams[left[k]], GOOD
                rows[resumed] = attempt
                resumed += 1
            run_bootstrap(&self.load, rows, resumed)
            count = kept

    # ---- time --------------------------------------------------------------------------------------------------------

    cdef bint tick(self) noexcept nogil:
        cdef bint more = self.give_up()
        more |= self.retransmit()
        more |= self.act()
        self.start_due()
        return more or self.next_start() == 1

    cdef bint give_up(self) noexcept nogil:
        cdef uint32_t owners[BATCH]
        cdef void* rows[BATCH]
        cdef bint more = False
        cdef uint32_t k, n = client_expire(&self.load.client, self.now.monotonic, owners, BATCH, &more)
        cdef Attempt* attempt
        for k in range(n):
            attempt = <Attempt*> parking_row(&self.load.attempts, owners[k])
            attempt.answer, attempt.head.outcome = NULL, GOOD
            rows[k] = attempt
        run_bootstrap(&self.load, rows, <int> n)
        return more

    cdef bint retransmit(self) noexcept nogil:
        """RFC 5944 3.6.3: a new Identification each time, but for one with a nonce; the next FHA when one was silent twice."""
        cdef uint32_t due[BATCH]
        cdef void* rows[BATCH]
        cdef uint32_t k, n = wheel_expired(&self.load.attempts.wheel, self.now.monotonic, due, BATCH)
        cdef int again = 0
        cdef Attempt* attempt
        for k in range(n):
            attempt = <Attempt*> parking_row(&self.load.attempts, due[k])
            if attempt.tries >= self.load.most_tries:
                time_out(&self.load, attempt)
                continue
            if attempt.tries >= KEPT_ACTS:                             # RFC 5944 3.8.2.1: silence is "no association"
                attempt.by_association = False
            if attempt.tries % 2 == 0:
                attempt.fha_turn += 1
            attempt.head.outcome, attempt.head.stage = GOOD, STAGE_KEY
            rows[again] = attempt
            again += 1
        run_bootstrap(&self.load, rows, again)
        return n == BATCH

    cdef bint act(self) noexcept nogil:
        """Renewals and releases that are due, as many as there is room for."""
        cdef uint32_t due[BATCH]
        cdef void* rows[BATCH]
        cdef uint32_t k, most = min(<uint32_t> BATCH, ACTS - self.load.acts), n
        cdef int acting = 0
        cdef Attempt* attempt
        if not most:
            return False
        n = holding_due(&self.load.holding, self.load.nodes, self.now.monotonic, due, most)
        for k in range(n):
            attempt = begin_act(&self.load, due[k])
            if attempt:
                rows[acting] = attempt
                acting += 1
        run_bootstrap(&self.load, rows, acting)
        return n == most and self.load.acts < ACTS

    cdef uint64_t next_start(self) noexcept nogil:
        """Monotonic ns of the next start; 1: at once; 0: none, or not by time."""
        cdef uint64_t due
        if (self.stopped or not self.started_at or self.begun >= self.total
                or (self.ends_at and self.now.monotonic >= self.ends_at)
                or self.under_way() == self.most_bootstraps
                or is_engaged(&self.load.nodes[pace_node(&self.pace, self.skipped + self.begun)])):
            return 0
        if self.concurrency:
            return 1 if self.under_way() < self.concurrency else 0
        due = self.started_at + pace_time(&self.pace, self.begun)
        if self.ends_at:
            due = min(due, self.ends_at)                               # where `done` looks at the clock again
        return due if due > self.now.monotonic else 1

    cdef uint64_t next_due(self) noexcept nogil:
        cdef uint64_t due = sooner(self.next_start(), wheel_next(&self.load.client.wheel))
        due = sooner(due, wheel_next(&self.load.attempts.wheel))
        return sooner(due, holding_next(&self.load.holding)) if self.load.acts < ACTS else due

    # ---- figures -----------------------------------------------------------------------------------------------------

    @property
    def lifetimes_clipped(self):
        """Replies that granted more than was asked for: the node takes what it asked for (RFC 5944 3.4, ruling 14)."""
        return self.load.lifetimes_clipped

    @property
    def in_flight(self):
        """Bootstraps under way."""
        return self.under_way()

    @property
    def holding(self):
        """Nodes that stay, those among them that renew or leave just now."""
        return self.load.holding.count + self.load.acts

    @property
    def started(self):
        """Bootstraps begun since the figures were reset."""
        return self.begun

    @property
    def first_start(self):
        """Monotonic ns of the first intended start."""
        return self.started_at

    @property
    def last_success(self):
        return self.load.last_success

    def tallies(self):
        """{step: (attempted, succeeded, failed, timed_out)}."""
        return {name: (self.load.tallies[k].attempted, self.load.tallies[k].succeeded, self.load.tallies[k].failed,
                       self.load.tallies[k].timed_out)
                for k, name in enumerate(STEP_NAMES)}

    def latencies(self):
        """{step: LatencyHistogram, ns}; `send_lag` among them."""
        return dict(zip((*STEP_NAMES, "send_lag"), self.histograms, strict=True))

    def packets(self):
        """The `packets` object of the result document, without kernel drops."""
        cdef Load* load = &self.load
        return {"sent": load.client.sent + load.mip_sent, "received": load.client.received + load.mip_received,
                "retransmitted": load.client.retransmitted + load.mip_retransmitted,
                "late": load.client.late + load.mip_late, "duplicate": load.client.duplicate + load.mip_duplicate,
                "unmatched": load.client.unmatched + load.mip_unmatched,
                "malformed": load.client.malformed + load.mip_malformed,
                "bad_authenticator": load.client.bad_authenticator + load.mip_bad_authenticator}

    def codes(self):
        """({RRP code: n}, {RADIUS code: n}) of authenticated replies, and of unsigned refusals."""
        return ({k: self.load.mip4_codes[k] for k in range(256) if self.load.mip4_codes[k]},
                {k: self.load.radius_codes[k] for k in range(256) if self.load.radius_codes[k]})

    def violations(self):
        """[(kind, node, other node, address packed)], at most 32 kept, and {kind: count} of all."""
        cdef Finding* found
        cdef uint32_t k
        kept = []
        for k in range(self.load.checks.kept_count):
            found = &self.load.checks.kept[k]
            kept.append((checks.Violation(found.kind).name.lower(), found.node, found.other, (<const uint8_t*> &found.address)[:4]))
        return kept, {checks.Violation(k).name.lower(): self.load.checks.counts[k] for k in range(VIOLATIONS)
                      if self.load.checks.counts[k]}

    def leases(self, uint64_t now=0):
        """{node index: THOAv4 packed} of every node that has one at `now` (monotonic ns; 0: when it acted last)."""
        cdef uint32_t tick = tick_of(&self.load.holding, now or self.now.monotonic)
        return {k: (<const uint8_t*> &self.load.nodes[k].address)[:4] for k in range(self.load.count)
                if holds(&self.load, k, tick)}

    def node_octets(self):
        """Octets of memory that one more node costs: its row and its columns."""
        nonce = sizeof(uint32_t) if self.load.uses_nonces else 0
        return sizeof(MobileNode) + nonce + self.kept.octets() / self.load.count

    def upstreams(self):
        """[{address, alive, asked, answered, ...}] of the RADIUS servers, in order of preference."""
        return client_report(&self.load.client)

    def counters(self):
        """{reason: count} of answers that were dropped."""
        return counts_of(&self.load.counters)


cdef inline uint64_t sooner(uint64_t a, uint64_t b) noexcept nogil:
    """0: never."""
    return min(a, b) if a and b else a or b


cdef int take_text(Text* text, column) except -1:
    """A column of octets that the fleet keeps."""
    cdef const uint8_t[::1] octets = column.blob
    cdef const uint32_t[::1] offsets
    if octets.shape[0] == 0:
        raise ValueError("every subscriber needs a NAI, an access secret and a key")
    text.octets, text.offsets, text.width = &octets[0], NULL, column.width
    if not column.width:
        offsets = column.offsets
        text.offsets = &offsets[0]
    return 0


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
        return NULL
    if not is_under_way(&load.nodes[node]):
        if load.nodes[node].state == TIMED_OUT_NODE:
            load.mip_late += 1
        else:
            load.mip_duplicate += 1
        return NULL
    attempt = <Attempt*> parking_row(&load.attempts, load.nodes[node].attempt - 1)
    for k in range(attempt.tries):
        if attempt.outstanding[k] == low:
            if not attempt.reply:
                attempt.answered = <uint8_t> k
            return attempt
    load.mip_unmatched += 1
    return NULL
