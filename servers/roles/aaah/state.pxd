# The rows and tables of the AAAH.
from fastcodec.digest.jobs cimport Key, Queue
from fastcodec.radius cimport Packet
from libc.stdint cimport uint16_t, uint32_t, uint64_t, uint8_t
from servers.engine.counters cimport Counters
from servers.engine.parking cimport Parking
from servers.engine.stages cimport Head
from servers.net.node cimport Datagram, Entropy, Instant, Outbox
from servers.store.journal cimport Journal
from servers.tables.budget cimport Budget
from servers.tables.replies cimport Replies
from servers.tables.subscribers cimport Subscriber, Subscribers

cdef enum:
    PORT_ACCESS = 0                  # indexes of the sockets, RFC 2865 3, RFC 2866 3
    PORT_ACCOUNTING = 1
    STAGE_WRITE_REPLY = 6            # places in STAGES
    STAGE_SEND_REPLY = 8
    MOST_PROXY_STATES = 10
    MOST_NAMED = 4                   # FHAs in the Accept of step 3
    SERVICE_FRAMED = 2               # RFC 2865 5.6
    CO_LOCATED = 1                   # value of Mipstorm-CoA-Type
    WANT_MN_FHA = 1                  # bit of Mipstorm-Key-Request
    FHA_ALLOCATES = 0xfffffffe       # RFC 2865 5.8: the NAS (here the FHA) selects the address
    PROOF_LONGEST = 1235             # five pieces of 247
    SCRATCH = 1536                   # octets a row may use of the batch's scratch space
    SECOND = 1000000000
    SAVE_WITHIN = 200000000          # ns, until what is remembered of a subscriber is on disk
    NEWLINE = 10
    STAR = 42
    QUESTION_MARK = 63
    MOST_CLIENTS = 64
    MOST_FHAS = 32
    SUBSCRIBER_STATE = 1             # journal record types
    ACCOUNTING = 2
    ACCOUNTING_ROOM = 4112           # octets of an AccountingRecord and the longest packet
    LONGEST_REPLY = 4096             # octets, RFC 2865 3; Proxy-States come back however long they are
    STATE_ROOM = 304                 # octets of a StateRecord and the longest NAI

cdef enum Signing:                   # whether a client must send Message-Authenticator (CVE-2024-3596)
    SIGNING_NO = 0
    SIGNING_YES = 1
    SIGNING_AUTO = 2                 # from its first signed request on

cdef struct Client:                  # a RADIUS client network, RFC 2865 3: the source address chooses the secret
    uint32_t network                 # network order
    uint32_t mask
    uint32_t roles                   # bit mask of REQUESTER_ values it may claim
    uint8_t signing                  # a Signing
    bint denial_code                 # tell it why in Mipstorm-Denial-Code
    bint chap_without_data           # CHAP of step 5 is enough without the covered octets, radius.md 9.2
    uint64_t unsigned                # requests served without Message-Authenticator
    uint32_t secret_length
    uint8_t[256] secret
    Key secret_key

cdef struct PolicyFha:               # one FHA of the policy and whom it serves
    uint32_t address                 # network order
    uint32_t weight                  # 0: unhealthy, never named
    uint64_t classes                 # bit mask of subscription classes
    uint8_t nas_length               # octets of the NAS-Identifier patterns it is for, one a line; 0: any
    uint8_t[255] nas
    uint8_t pool_length              # octets of the name of the pool it shall lease from; 0: its own choice
    uint8_t[32] pool

cdef struct Question:                # a row: one request
    Head head
    uint8_t code                     # of the reply
    uint8_t denial                   # RRP code to suggest in a Reject, 0: none
    uint8_t role                     # REQUESTER_ value
    uint8_t named_count
    bint is_signed                   # it holds a Message-Authenticator
    bint by_chap                     # step 5: MN-AAA by CHAP_SPI
    bint is_news                     # the subscriber's state changed
    uint32_t slot                    # 1 + place in the parking of a reply that waits, 0: it does not
    Datagram* datagram
    Datagram* reply
    Client* client
    Subscriber* subscriber
    uint64_t entry                   # handle in the duplicate cache, 0: none
    uint64_t ticket                  # of the journal, 0: nothing to wait for
    uint64_t nai_hash
    const uint8_t* covered           # C of radius.md 9.2, RFC 4721 6
    uint32_t covered_length
    uint32_t address                 # care-of address granted
    uint32_t[4] named                # addresses of FHAs, in order of preference, network order
    uint8_t* pads                    # that hide User-Password, in the batch's scratch space
    Packet packet
    uint8_t[16] message_authenticator        # or the Request Authenticator of an Accounting-Request, as received
    uint8_t[16] digest
    Key md5_key                      # MN-AAA key, prepared
    Key sha1_key
    uint8_t[32] nonce                # and behind it nothing: the NAI is hashed as the tail
    uint8_t[20] derived              # MN-FHA key, RFC 3957 5
    uint8_t[16] covered_digest       # MD5(C), RFC 4721 8
    uint8_t[2] salt
    uint8_t[32] hidden
    uint8_t[16] pad

cdef struct Waiting:                 # a row that waits with its finished reply
    Question question
    Datagram reply
    uint8_t[4096] octets             # LONGEST_REPLY

cdef packed struct StateRecord:      # of the journal: what a subscriber must not lose in a restart; the NAI follows
    uint64_t assigned_until          # wall clock, ns
    uint64_t identification
    uint64_t covered_hash
    uint32_t[4] fhas                 # network order
    uint8_t nai_length

cdef packed struct AccountingRecord:  # of the journal; the packet follows
    uint64_t received                # wall clock, ns
    uint32_t client                  # network order
    uint16_t port

cdef struct Aaah:                    # all that a stage may touch
    Queue queue
    Outbox* out
    Instant* now
    Entropy* entropy
    Counters counters
    Replies* replies[2]              # by socket: identifiers are those of a pair of ports, RFC 5080 2.2.2
    Parking waiting                  # Waiting
    uint32_t* held                   # ring of slots whose replies wait for the journal
    uint32_t held_first, held_count
    uint32_t delayed                 # slots whose Rejects wait for their time
    Journal* journal                 # NULL: nothing is kept
    Budget watchdogs
    uint64_t seed                    # of hashes that strangers must not foresee
    Subscribers* subscribers
    Client[64] clients
    uint32_t client_count
    PolicyFha[32] fhas
    uint32_t fha_count
    uint32_t care_of_network         # network order; the care-of address is this + 1 + subscriber's row
    uint32_t care_of_size
    uint8_t[16] ipv6_home_prefix     # the home address is this + 1 + subscriber's row
    uint8_t[16] home_agent
    uint32_t session_timeout_s
    uint32_t registration_lifetime_s
    uint32_t key_lifetime_s
    uint32_t identification_window_s
    bint offers_timestamps, offers_nonces    # replay protection of new associations, RFC 3957 4
    uint64_t reject_delay            # ns, towards NASs
    uint8_t* scratch                 # for proofs that came in several pieces
    uint32_t scratch_used
    uint64_t accepted, rejected
    uint64_t accounted               # records given to the journal
    uint64_t save_at                 # monotonic ns at which the journal is handed on, 0: nothing to save
    uint32_t commits                 # records that replies wait for, not handed on yet
