# The AAA server of the home operator as a list of stages over a batch of Access-Requests.
#
#   read_request            RFC 2865 3, RFC 3579 3.2   shape, client by source, Message-Authenticator present
#   check_message_authenticator                        nothing a stranger sends gets past here
#   answer_duplicate        RFC 5080 2.2.2             the same request again: the same octets again
#   find_subscriber                                    and what the request wants to prove with
#   prepare_proof, derive   RFC 4721 6, RFC 3957 5     CHAP of step 2; MN-AAA and the new key of step 5
#   decide                                             the rules of steps 2 and 5, first failure answers
#   write_reply, sign_reply, finish_reply
#
# No row of this role waits: its answer leaves with the batch that asked.
from fastcodec.digest.jobs cimport DIGEST_KEY_MD5, queue_job, run_queue
from fastcodec.radius cimport REQUESTER_FHA, REQUESTER_NAS
from fastcodec.wire cimport put32
from libc.stdint cimport uint32_t, uint64_t, uint8_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset
from servers.engine.counters cimport counts_of, offender_of
from servers.engine.stages cimport Head, Stage, queue_close, queue_open, run_stages
from servers.net.node cimport BATCH, Datagram, Node
from servers.roles.aaah.arrival cimport answer_duplicate, check_message_authenticator, read_request
from servers.roles.aaah.credential cimport derive, find_who_asks
from servers.roles.aaah.decision cimport decide
from servers.roles.aaah.reply cimport finish_reply, sign_reply, write_reply
from servers.roles.aaah.state cimport Aaah, Client, MOST_CLIENTS, MOST_FHAS, PolicyFha, Question, SCRATCH
from servers.tables.replies cimport ReplyCache
from servers.tables.subscribers cimport SubscriberTable


cdef Stage[9] STAGES = [
    <Stage> read_request, <Stage> check_message_authenticator, <Stage> answer_duplicate, <Stage> find_who_asks, <Stage> derive,
    <Stage> decide, <Stage> write_reply, <Stage> sign_reply, <Stage> finish_reply,
]


cdef class AaahRole(Node):
    """One AAAH worker. `configure` before the first datagram; `now` comes with every call (see servers.net.node)."""

    def __cinit__(self):
        memset(&self.aaah, 0, sizeof(Aaah))
        self.rows = <Question*> calloc(BATCH, sizeof(Question))
        self.aaah.scratch = <uint8_t*> calloc(BATCH, SCRATCH)
        if not self.rows or not self.aaah.scratch:
            raise MemoryError
        queue_open(&self.aaah.queue, 3 * BATCH)
        self.aaah.out, self.aaah.now, self.aaah.entropy = &self.out, &self.now, &self.entropy

    def __dealloc__(self):
        free(self.rows)
        free(self.aaah.scratch)
        queue_close(&self.aaah.queue)

    def __init__(self, SubscriberTable subscribers, ReplyCache replies, *, bytes care_of_network, uint32_t care_of_size,
                 bytes ipv6_home_prefix, bytes home_agent, uint32_t session_timeout_s=7200,
                 uint32_t registration_lifetime_s=1800, uint32_t key_lifetime_s=3600, uint32_t identification_window_s=7):
        """Addresses and prefixes as packed octets, network order."""
        self.subscriber_table, self.reply_cache = subscribers, replies
        self.aaah.subscribers, self.aaah.replies = &subscribers.subscribers, &replies.c
        memcpy(&self.aaah.care_of_network, <const uint8_t*> care_of_network, 4)
        self.aaah.care_of_size = care_of_size
        memcpy(self.aaah.ipv6_home_prefix, <const uint8_t*> ipv6_home_prefix, 16)
        memcpy(self.aaah.home_agent, <const uint8_t*> home_agent, 16)
        self.aaah.session_timeout_s, self.aaah.registration_lifetime_s = session_timeout_s, registration_lifetime_s
        self.aaah.key_lifetime_s, self.aaah.identification_window_s = key_lifetime_s, identification_window_s

    def add_client(self, bytes network, int prefix, bytes secret, *, uint32_t roles=1 << REQUESTER_NAS | 1 << REQUESTER_FHA,
                   bint denial_code=True):
        """A client network (packed address, prefix length) and its secret of 1-255 octets."""
        cdef Client* client
        if self.aaah.client_count == MOST_CLIENTS:
            raise ValueError(f"more than {MOST_CLIENTS} client networks")
        client = &self.aaah.clients[self.aaah.client_count]
        put32(&client.mask, <uint32_t> ((<uint64_t> 0xffffffff << (32 - prefix)) & 0xffffffff))
        memcpy(&client.network, <const uint8_t*> network, 4)
        client.network &= client.mask
        client.roles, client.denial_code, client.secret_length = roles, denial_code, <uint32_t> len(secret)
        memcpy(client.secret, <const uint8_t*> secret, client.secret_length)
        queue_job(&self.aaah.queue, DIGEST_KEY_MD5, client.secret, client.secret_length, NULL, 0, NULL, &client.secret_key)
        run_queue(&self.aaah.queue)
        self.aaah.client_count += 1

    def add_fha(self, bytes address, uint32_t weight=1, uint64_t classes=0xffffffffffffffff, bytes nas=b""):
        """An FHA of the policy: whom it serves, by subscription class (bit mask) and patterns of NAS-Identifiers, one a
        line, at most 255 octets (empty: any)."""
        cdef PolicyFha* fha
        if self.aaah.fha_count == MOST_FHAS:
            raise ValueError(f"more than {MOST_FHAS} FHAs in the policy")
        if len(nas) > 255:
            raise ValueError("the NAS-Identifier patterns of an FHA have more than 255 octets")
        fha = &self.aaah.fhas[self.aaah.fha_count]
        memcpy(&fha.address, <const uint8_t*> address, 4)
        fha.weight, fha.classes, fha.nas_length = weight, classes, <uint8_t> len(nas)
        memcpy(fha.nas, <const uint8_t*> nas, fha.nas_length)
        self.aaah.fha_count += 1

    cdef void receive(self, Datagram* datagrams, uint32_t n) noexcept nogil:
        cdef void* rows[BATCH]
        cdef uint32_t k
        for k in range(n):
            memset(&self.rows[k].head, 0, sizeof(Head))
            self.rows[k].datagram, self.rows[k].entry, self.rows[k].nai_hash = &datagrams[k], 0, 0
            rows[k] = &self.rows[k]
        self.aaah.scratch_used = 0
        run_stages(&self.aaah, STAGES, 9, rows, <int> n, &self.aaah.queue)

    def counters(self):
        """{reason: count} of everything that was counted."""
        return counts_of(&self.aaah.counters)

    def gauges(self):
        """{name: (now, most)} of what fills up."""
        cdef Aaah* aaah = &self.aaah
        return {"subscribers": (aaah.subscribers.count, aaah.subscribers.table.cap),
                "duplicate_cache": (aaah.replies.table.count, aaah.replies.capacity),
                "clients": (aaah.client_count, MOST_CLIENTS), "policy_fhas": (aaah.fha_count, MOST_FHAS)}

    def offender(self, str reason):
        """Text on the last datagram counted under a reason, for a log line."""
        return offender_of(&self.aaah.counters, reason)

    @property
    def replies_sent(self):
        """(accepts, rejects) written."""
        return self.aaah.accepted, self.aaah.rejected
