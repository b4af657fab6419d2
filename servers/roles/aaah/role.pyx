# The AAA server of the home operator as a list of stages over a batch of requests.
#
#   read_request            RFC 2865 3, RFC 3579 3.2   shape, client by source, what authenticates the packet
#   check_authenticator                                nothing a stranger sends gets past here
#   take_up                 RFC 5997 3, RFC 5080 2.2.2 Status-Server, duplicates; accounting (RFC 2866 4.1) is recorded
#   find_who_asks           RFC 2865 2.2, 5.2          the subscriber; PAP or CHAP of step 2, MN-AAA of step 5
#   derive                  RFC 4721 6, 8, RFC 3957 5  the proof of step 5 and the new key
#   decide                  radius.md 9.1, 9.2, 10     the rules of both steps; what a restart must not forget
#   write_reply, sign_reply, send_reply                (Status-Server and accounting come here from take_up)
#
#   parked in       waits for                        resumes at    on timeout
#   send_reply      the commit of accounting         send_reply    never: a failed journal drops it
#   send_reply      the time of a Reject to a NAS    send_reply    (that is what resumes it)
from fastcodec.digest.jobs cimport DIGEST_KEY_MD5, queue_job, run_queue
from fastcodec.radius cimport REQUESTER_FHA, REQUESTER_NAS
from fastcodec.wire cimport get64, put32
from ipaddress import IPv4Address
from libc.stdint cimport uint32_t, uint64_t, uint8_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset
from servers.engine.counters cimport counts_of, offender_of
from servers.failpoint cimport AAAH_COMMITTED, failpoint
from servers.engine.parking cimport parking_close, parking_open
from servers.engine.stages cimport Stage, queue_close, queue_open, run_stages
from servers.engine.wheel cimport wheel_next
from servers.net.node cimport BATCH, Datagram, Node, draw, open_outbox
from servers.roles.aaah.arrival cimport check_authenticator, read_request, take_up
from servers.roles.aaah.credential cimport find_who_asks
from servers.roles.aaah.decision cimport decide
from servers.roles.aaah.memory cimport restore_state, save, write_state
from servers.roles.aaah.proof cimport derive
from servers.roles.aaah.reply cimport send_reply, sign_reply, write_reply
from servers.roles.aaah.state cimport (
    Aaah, Client, LONGEST_REPLY, MOST_CLIENTS, MOST_FHAS, PolicyFha, Question, SCRATCH, SIGNING_AUTO, SIGNING_NO, SIGNING_YES,
    STATE_ROOM, StateRecord, SUBSCRIBER_STATE, Waiting,
)
from servers.roles.aaah.waiting cimport take_committed, take_due
from servers.store.journal cimport JournalWriter
from servers.tables.budget cimport budget_close, budget_open
from servers.tables.replies cimport ReplyCache
from servers.tables.subscribers cimport Subscriber, SubscriberTable

SIGNING = {"no": SIGNING_NO, "yes": SIGNING_YES, "auto": SIGNING_AUTO}

cdef Stage[9] STAGES = [
    <Stage> read_request, <Stage> check_authenticator, <Stage> take_up, <Stage> find_who_asks, <Stage> derive,
    <Stage> decide, <Stage> write_reply, <Stage> sign_reply, <Stage> send_reply,
]


cdef class AaahRole(Node):
    """One AAAH worker: socket 0 takes Access-Requests, socket 1 Accounting-Requests. Clients and FHAs are added before the
    first datagram; the time comes with every call (see servers.net.node)."""

    def __cinit__(self, SubscriberTable subscribers, ReplyCache replies, *, uint32_t capacity=16384, **settings):
        """`capacity`: replies that may wait at once."""
        memset(&self.aaah, 0, sizeof(Aaah))
        self.rows = <Question*> calloc(BATCH, sizeof(Question))
        self.aaah.scratch = <uint8_t*> calloc(BATCH, SCRATCH)
        self.aaah.held = <uint32_t*> calloc(capacity, sizeof(uint32_t))
        if not self.rows or not self.aaah.scratch or not self.aaah.held:
            raise MemoryError
        open_outbox(&self.out, LONGEST_REPLY)
        queue_open(&self.aaah.queue, 8 * BATCH)         # a password of 128 octets has eight pads
        parking_open(&self.aaah.waiting, capacity, sizeof(Waiting), 0)
        budget_open(&self.aaah.watchdogs, 10)           # reliability A41
        self.aaah.out, self.aaah.now, self.aaah.entropy = &self.out, &self.now, &self.entropy

    def __dealloc__(self):
        free(self.rows)
        free(self.aaah.scratch)
        free(self.aaah.held)
        queue_close(&self.aaah.queue)
        parking_close(&self.aaah.waiting)
        budget_close(&self.aaah.watchdogs)

    def __init__(self, SubscriberTable subscribers, ReplyCache replies, *, bytes care_of_network, uint32_t care_of_size,
                 bytes ipv6_home_prefix, bytes home_agent, uint32_t session_timeout_s=7200,
                 uint32_t registration_lifetime_s=1800, uint32_t key_lifetime_s=3600, uint32_t identification_window_s=7,
                 JournalWriter journal=None, uint32_t reject_delay_ms=0, ReplyCache accounting_replies=None,
                 bint timestamps=True, bint nonces=True, uint32_t capacity=16384):
        """Addresses and prefixes as packed octets, network order. `timestamps`, `nonces`: which replay protection new
        associations may have; an FHA says what it would like. `journal`: of a loaded store; None or volatile: what
        was assigned and accounted is forgotten at the end."""
        self.subscriber_table, self.reply_caches = subscribers, (replies, accounting_replies or ReplyCache(8192))
        self.aaah.subscribers = &subscribers.subscribers
        self.aaah.replies[0], self.aaah.replies[1] = &replies.c, &(<ReplyCache> self.reply_caches[1]).c
        memcpy(&self.aaah.care_of_network, <const uint8_t*> care_of_network, 4)
        self.aaah.care_of_size = care_of_size
        memcpy(self.aaah.ipv6_home_prefix, <const uint8_t*> ipv6_home_prefix, 16)
        memcpy(self.aaah.home_agent, <const uint8_t*> home_agent, 16)
        self.aaah.session_timeout_s, self.aaah.registration_lifetime_s = session_timeout_s, registration_lifetime_s
        self.aaah.key_lifetime_s, self.aaah.identification_window_s = key_lifetime_s, identification_window_s
        self.aaah.offers_timestamps, self.aaah.offers_nonces = timestamps, nonces
        self.aaah.reject_delay = <uint64_t> reject_delay_ms * 1000000
        self.aaah.seed = get64(draw(&self.entropy, 8))
        self.journal = journal
        if journal is not None and not journal.is_volatile:
            self.aaah.journal = journal.c

    def add_client(self, bytes network, int prefix, bytes secret, *, uint32_t roles=1 << REQUESTER_NAS | 1 << REQUESTER_FHA,
                   bint denial_code=True, str require_message_authenticator="yes", bint chap_without_data=False):
        """A client network (packed address, prefix length) and its secret of 1-255 octets."""
        cdef Client* client
        if self.aaah.client_count == MOST_CLIENTS:
            raise ValueError(f"more than {MOST_CLIENTS} client networks")
        client = &self.aaah.clients[self.aaah.client_count]
        put32(&client.mask, <uint32_t> ((<uint64_t> 0xffffffff << (32 - prefix)) & 0xffffffff))
        memcpy(&client.network, <const uint8_t*> network, 4)
        client.network &= client.mask
        client.roles, client.denial_code, client.secret_length = roles, denial_code, <uint32_t> len(secret)
        client.signing, client.chap_without_data = SIGNING[require_message_authenticator], chap_without_data
        memcpy(client.secret, <const uint8_t*> secret, client.secret_length)
        queue_job(&self.aaah.queue, DIGEST_KEY_MD5, client.secret, client.secret_length, NULL, 0, NULL, &client.secret_key)
        run_queue(&self.aaah.queue)
        self.aaah.client_count += 1

    def add_fha(self, bytes address, uint32_t weight=1, uint64_t classes=0xffffffffffffffff, bytes nas=b"",
                bytes pool=b""):
        """An FHA of the policy: whom it serves, by subscription class (bit mask) and patterns of NAS-Identifiers, one a
        line, at most 255 octets (empty: any). `pool`: which of its pools it leases from, at most 32 octets (empty: its
        own choice)."""
        cdef PolicyFha* fha
        if self.aaah.fha_count == MOST_FHAS:
            raise ValueError(f"more than {MOST_FHAS} FHAs in the policy")
        if len(pool) > 32:
            raise ValueError("the name of a pool has more than 32 octets")
        if len(nas) > 255:
            raise ValueError("the NAS-Identifier patterns of an FHA have more than 255 octets")
        fha = &self.aaah.fhas[self.aaah.fha_count]
        memcpy(&fha.address, <const uint8_t*> address, 4)
        fha.weight, fha.classes, fha.nas_length = weight, classes, <uint8_t> len(nas)
        memcpy(fha.nas, <const uint8_t*> nas, fha.nas_length)
        fha.pool_length = <uint8_t> len(pool)
        memcpy(fha.pool, <const uint8_t*> pool, fha.pool_length)
        self.aaah.fha_count += 1

    def clear_fhas(self):
        """A new policy begins; what subscribers were told stays."""
        self.aaah.fha_count = 0

    def use_subscribers(self, SubscriberTable subscribers):
        """From the next datagram on. What the old table knew of subscribers who are still there is taken over; those with
        new keys keep it, too. The policy's class masks must be of this table: add the FHAs anew."""
        subscribers.adopt(self.subscriber_table)
        self.subscriber_table, self.aaah.subscribers = subscribers, &subscribers.subscribers

    cdef void receive(self, Datagram* datagrams, uint32_t n) noexcept nogil:
        cdef void* rows[BATCH]
        cdef uint32_t k
        for k in range(n):
            memset(&self.rows[k], 0, <size_t> (<uint8_t*> &self.rows[k].packet - <uint8_t*> &self.rows[k]))
            self.rows[k].datagram = &datagrams[k]
            rows[k] = &self.rows[k]
        self.aaah.scratch_used = 0
        run_stages(&self.aaah, STAGES, 9, rows, <int> n, &self.aaah.queue)
        save(&self.aaah)

    cdef bint tick(self) noexcept nogil:
        """Commits, and Rejects whose time has come; True when there may be more."""
        cdef void* rows[BATCH]
        cdef int committed, due
        committed = take_committed(&self.aaah, rows, BATCH)
        if committed:
            failpoint(AAAH_COMMITTED)
        run_stages(&self.aaah, STAGES, 9, rows, committed, &self.aaah.queue)
        due = take_due(&self.aaah, rows, BATCH)
        run_stages(&self.aaah, STAGES, 9, rows, due, &self.aaah.queue)
        save(&self.aaah)
        return committed == BATCH or due == BATCH

    cdef uint64_t next_due(self) noexcept nogil:
        cdef uint64_t due = wheel_next(&self.aaah.waiting.wheel)
        return min(due, self.aaah.save_at) if due and self.aaah.save_at else due or self.aaah.save_at

    def restore(self, int kind, bytes payload, uint64_t now, uint64_t wall):
        """One journal record, in the journal's order; before the first datagram. False: the record is not valid."""
        cdef const StateRecord* record = <const StateRecord*> <const uint8_t*> payload
        if kind != SUBSCRIBER_STATE or len(payload) < <Py_ssize_t> sizeof(StateRecord) or (
                len(payload) != <Py_ssize_t> sizeof(StateRecord) + record.nai_length):
            return False
        restore_state(&self.aaah, record, now, wall)
        return True

    def records(self, uint64_t now, uint64_t wall):
        """What is remembered of each subscriber, as journal records, for an image: yields (type, payload)."""
        cdef uint8_t[STATE_ROOM] octets
        cdef Subscriber* subscriber
        cdef uint32_t k, length
        for k in range(self.aaah.subscribers.count):
            subscriber = &self.aaah.subscribers.rows[k]
            if subscriber.identification or subscriber.assigned_until:
                length = write_state(&self.aaah, subscriber, now, wall, octets)
                yield SUBSCRIBER_STATE, (<const uint8_t*> octets)[:length]

    def clients(self):
        """Of each client: its network, whether it must sign its requests by now, how many came unsigned."""
        cdef Client* client
        cdef uint32_t k
        listed = []
        for k in range(self.aaah.client_count):
            client = &self.aaah.clients[k]
            prefix = bin(int.from_bytes((<const uint8_t*> &client.mask)[:4], "big")).count("1")
            listed.append({"network": f"{IPv4Address((<const uint8_t*> &client.network)[:4])}/{prefix}",
                           "must_sign": client.signing == SIGNING_YES, "unsigned": client.unsigned})
        return listed

    def counters(self):
        """{reason: count} of everything that was counted."""
        return counts_of(&self.aaah.counters)

    def gauges(self, uint64_t now=0):
        """{name: (now, most)} of what fills up."""
        cdef Aaah* aaah = &self.aaah
        return {"subscribers": (aaah.subscribers.count, aaah.subscribers.table.cap),
                "duplicate_cache": (aaah.replies[0].table.count, aaah.replies[0].capacity),
                "replies_waiting": (aaah.waiting.used, aaah.waiting.capacity),
                "clients": (aaah.client_count, MOST_CLIENTS), "policy_fhas": (aaah.fha_count, MOST_FHAS)}

    def offender(self, str reason):
        """Text on the last datagram counted under a reason, for a log line."""
        return offender_of(&self.aaah.counters, reason)

    @property
    def replies_sent(self):
        """(accepts, rejects) written."""
        return self.aaah.accepted, self.aaah.rejected

    @property
    def accounted(self):
        """Accounting records given to the journal since the start."""
        return self.aaah.accounted

    @property
    def under_way(self):
        """Replies that wait for the journal or for their time."""
        return self.aaah.waiting.used
