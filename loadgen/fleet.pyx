# Many mobile nodes and the NAS they attach through, as one node of the network: sockets 0 to `ports` - 1 speak RADIUS,
# the last one sends every registration, from the mobile node's own address.
from fastcodec.radius cimport NUMBERS
from fastcodec.wire cimport get32
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset
from loadgen.bootstrap cimport run_bootstrap
from loadgen.checks cimport checks_close, checks_open
from loadgen.columns cimport take_columns
from loadgen.figures cimport clear_counts, codes_of, not_begun_of, packets_of, strays_of, tallies_of, violations_of
from loadgen.histogram cimport LatencyHistogram
from loadgen.holding cimport holding_close, holding_due, holding_next, holding_open, tick_of
from loadgen.load cimport ACTS, Attempt, LOCATION, MOST_TRIES, STEPS
from loadgen.matching cimport match_reply
from loadgen.mobile_node cimport MobileNode
from loadgen.pacer cimport Pacer
from loadgen.registration cimport STAGE_KEY, may_try_again, time_out
from loadgen.starts cimport all_begun, next_start, open_attempts, under_way
from loadgen.staying cimport begin_act, end_stays, holds
from servers.engine.counters cimport counts_of
from servers.engine.parking cimport parking_close, parking_open, parking_row
from servers.engine.stages cimport GOOD, queue_close, queue_open
from servers.engine.wheel cimport wheel_expired, wheel_next
from servers.net.node cimport BATCH, Datagram
from servers.roles.radius_client cimport (
    IDENTIFIERS, Answer, client_close, client_expire, client_open, client_receive, client_report, client_server, client_turn,
)

cdef enum:
    SCRATCH = 256                        # octets a row may use of a batch's scratch space
    STARTS = 256                         # bootstraps started before packets are looked at again
    KEPT_ACTS = 2                        # tries by its association before a node asks by MN-AAA


cdef class Fleet(Node):
    """`columns`: a servers.tables.subscribers_csv.Subscribers; `now`: monotonic ns."""

    def __cinit__(self, columns, Pacer pacer, *, uint32_t ports, uint32_t capacity, uint64_t now=0, **settings):
        cdef uint32_t count = <uint32_t> len(columns)
        memset(&self.load, 0, sizeof(Load))
        self.starts.pace = pacer.pace
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
        self.starts.most = min(capacity, ports * <uint32_t> IDENTIFIERS)
        parking_open(&self.load.attempts, self.starts.most + ACTS, sizeof(Attempt), now)
        holding_open(&self.load.holding, now)
        self.load.jitter = pacer.pace.keys[0]
        client_open(&self.load.client, ports, 0, 512, now)
        self.load.client.queue, self.load.client.out = &self.load.queue, &self.out
        self.load.client.entropy, self.load.client.counters = &self.entropy, &self.load.counters
        self.load.client.now, self.now.monotonic = &self.now, now
        take_columns(&self.load, columns)
        self.kept = columns
        self.reset_figures()

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
        self.starts.total, self.starts.concurrency, self.starts.duration = total, concurrency, duration_ns

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
        histogram = self.histograms[STEPS]
        self.load.send_lag = histogram.pointer()
        clear_counts(&self.load)
        self.starts.begun, self.starts.started_at = 0, 0

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
        self.starts.started_at, self.starts.skipped = now, skip
        self.starts.ends_at = now + self.starts.duration if self.starts.duration else 0

    def limit(self, uint64_t total, uint64_t duration_ns):
        """Another number of bootstraps, or another duration, from the next `start` on."""
        self.starts.total, self.starts.duration, self.starts.stopped = total, duration_ns, False
        self.load.is_leaving = False

    def stop(self):
        """No more starts; what is under way goes on, and every stay ends now."""
        self.starts.stopped = True
        with nogil:
            end_stays(&self.load)

    @property
    def bootstrapped(self):
        """Whether every bootstrap that will be begun has ended."""
        return all_begun(&self.starts, &self.load) and under_way(&self.load) == 0

    @property
    def done(self):
        return self.bootstrapped and not self.load.holding.count and not self.load.acts

    # ---- starts ------------------------------------------------------------------------------------------------------

    cdef void start_due(self) noexcept nogil:
        cdef void* rows[STARTS]
        cdef uint32_t n
        if not self.starts.started_at or all_begun(&self.starts, &self.load):
            return
        n = open_attempts(&self.starts, &self.load, rows, STARTS)
        if n:
            client_turn(&self.load.client)
            self.load.scratch_used = 0
            run_bootstrap(&self.load, rows, <int> n)

    # ---- packets -----------------------------------------------------------------------------------------------------

    cdef void receive(self, Datagram* datagrams, uint32_t n) noexcept nogil:
        if datagrams[0].port == self.load.mip_port:
            self.receive_replies(datagrams, n)
        else:
            self.receive_answers(datagrams, n)
        if self.starts.concurrency:
            self.start_due()

    cdef void receive_answers(self, Datagram* datagrams, uint32_t n) noexcept nogil:
        cdef void* rows[BATCH]
        cdef uint32_t k, count = client_receive(&self.load.client, datagrams, n, self.answers, rows)
        cdef Attempt* attempt
        cdef Answer* answer
        for k in range(count):
            answer = <Answer*> rows[k]
            attempt = <Attempt*> parking_row(&self.load.attempts, answer.transaction.owner)
            attempt.answer, attempt.head.outcome = answer, GOOD
            rows[k] = attempt
        run_bootstrap(&self.load, rows, <int> count)

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
        return more or next_start(&self.starts, &self.load) == 1

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
            if not may_try_again(&self.load, attempt):
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
            self.load.acts_full = self.now.monotonic
            return False
        n = holding_due(&self.load.holding, self.load.nodes, self.now.monotonic, due, most)
        for k in range(n):
            attempt = begin_act(&self.load, due[k])
            if attempt:
                rows[acting] = attempt
                acting += 1
        run_bootstrap(&self.load, rows, acting)
        return n == most and self.load.acts < ACTS

    cdef uint64_t next_due(self) noexcept nogil:
        cdef uint64_t due = sooner(next_start(&self.starts, &self.load), wheel_next(&self.load.client.wheel))
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
        return under_way(&self.load)

    @property
    def holding(self):
        """Nodes that stay, those among them that renew or leave just now."""
        return self.load.holding.count + self.load.acts

    @property
    def started(self):
        """Bootstraps begun since the figures were reset."""
        return self.starts.begun

    @property
    def first_start(self):
        """Monotonic ns of the first intended start."""
        return self.starts.started_at

    @property
    def last_success(self):
        return self.load.last_success

    def tallies(self):
        """{step: (attempted, succeeded, failed, timed_out)}."""
        return tallies_of(&self.load)

    def not_begun(self):
        """{why: bootstraps} that an open loop could not begin while the servers were silent; they count as failed."""
        return not_begun_of(&self.load)

    def latencies(self):
        """{step: LatencyHistogram, ns}; `send_lag` among them."""
        return dict(zip((*tallies_of(&self.load), "send_lag"), self.histograms, strict=True))

    def packets(self):
        """The `packets` object of the result document, without kernel drops."""
        return packets_of(&self.load)

    def codes(self):
        """({RRP code: n}, {RADIUS code: n}) of authenticated replies, and of unsigned refusals."""
        return codes_of(&self.load)

    def strays(self):
        """[(step, (count, source, asked))] of unmatched answers from where nothing was asked; both as (address, port)."""
        return strays_of(&self.load)

    def violations(self):
        """[(kind, node, other node, address packed)], at most 32 kept, and {kind: count} of all."""
        return violations_of(&self.load)

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
