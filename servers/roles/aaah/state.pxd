# The rows and tables of the AAAH.
from fastcodec.digest.jobs cimport Key, Queue
from fastcodec.radius cimport Packet
from libc.stdint cimport uint32_t, uint64_t, uint8_t
from servers.engine.counters cimport Counters
from servers.engine.stages cimport Head
from servers.net.node cimport Datagram, Entropy, Instant, Outbox
from servers.tables.replies cimport Replies
from servers.tables.subscribers cimport Subscriber, Subscribers

cdef enum:
    MOST_PROXY_STATES = 10
    SERVICE_FRAMED = 2               # RFC 2865 5.6
    CO_LOCATED = 1                   # value of Mipstorm-CoA-Type
    WANT_MN_FHA = 1                  # bit of Mipstorm-Key-Request
    FHA_ALLOCATES = 0xfffffffe       # RFC 2865 5.8: the NAS (here the FHA) selects the address
    PROOF_LONGEST = 1235             # five pieces of 247
    SCRATCH = 1536                   # octets a row may use of the batch's scratch space
    SECOND = 1000000000
    NEWLINE = 10
    STAR = 42
    QUESTION_MARK = 63
    MOST_CLIENTS = 64
    MOST_FHAS = 32

cdef struct Client:                  # a RADIUS client network, RFC 2865 3: the source address chooses the secret
    uint32_t network                 # network order
    uint32_t mask
    uint32_t roles                   # bit mask of REQUESTER_ values it may claim
    bint denial_code                 # tell it why in Mipstorm-Denial-Code
    uint32_t secret_length
    uint8_t[256] secret
    Key secret_key

cdef struct PolicyFha:               # one FHA of the policy and whom it serves
    uint32_t address                 # network order
    uint32_t weight                  # 0: unhealthy, never named
    uint64_t classes                 # bit mask of subscription classes
    uint8_t nas_length               # octets of the NAS-Identifier patterns it is for, one a line; 0: any
    uint8_t[255] nas

cdef struct Question:                # a row: one Access-Request
    Head head
    uint8_t code                     # of the reply
    uint8_t denial                   # RRP code to suggest in a Reject, 0: none
    uint8_t role                     # REQUESTER_ value
    Datagram* datagram
    Datagram* reply
    Client* client
    Subscriber* subscriber
    uint64_t entry                   # handle in the duplicate cache, 0: none
    uint64_t nai_hash
    const uint8_t* covered           # C of radius.md 9.2, RFC 4721 6
    uint32_t covered_length
    uint32_t fhas                    # bit mask: named to the NAS, or that may ask
    uint32_t address                 # care-of address granted
    Packet packet
    uint8_t[16] message_authenticator
    uint8_t[16] digest
    Key md5_key                      # MN-AAA key, prepared
    Key sha1_key
    uint8_t[32] nonce                # and behind it nothing: the NAI is hashed as the tail
    uint8_t[20] derived              # MN-FHA key, RFC 3957 5
    uint8_t[2] salt
    uint8_t[32] hidden
    uint8_t[16] pad

cdef struct Aaah:                    # all that a stage may touch
    Queue queue
    Outbox* out
    Instant* now
    Entropy* entropy
    Counters counters
    Replies* replies
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
    uint8_t* scratch                 # for proofs that came in several pieces
    uint32_t scratch_used
    uint64_t accepted, rejected
