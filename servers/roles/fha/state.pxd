# The rows and tables of the Foreign Home Agent.
from fastcodec.digest.jobs cimport Key, Queue
from libc.stdint cimport uint16_t, uint32_t, uint64_t, uint8_t
from servers.engine.counters cimport Counters
from servers.engine.parking cimport Parking
from servers.engine.stages cimport Head
from servers.net.node cimport Datagram, Entropy, Instant, Outbox
from servers.pool.bitmap cimport Pool
from servers.roles.radius_client cimport Answer, RadiusClient
from servers.store.journal cimport Journal
from servers.tables.bindings cimport Bindings
from servers.tables.budget cimport Budget
from servers.tables.hash cimport Table

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
    RRQ_ROOM = 1500                      # longest datagram that is looked at (ruling 15)

cdef struct Registration:                # a row: one Registration Request, from its arrival to its reply
    Head head
    uint8_t code                         # of the reply
    bint is_signed                       # there is a key to sign the reply with
    bint is_new_lease
    uint32_t slot                        # its own, in the parking
    uint32_t transaction                 # at the RADIUS client
    uint32_t newer                       # slot + 1 of a newer request of the same node that waits for this one
    Answer* answer                       # of the AAAH; NULL when there was none
    Datagram datagram                    # peer, and `octets` below
    uint64_t nai_hash
    uint64_t request_hash
    uint64_t identification
    uint64_t arrived                     # wall clock, ns
    uint64_t ticket                      # of the journal
    uint32_t lifetime                    # granted, s
    uint32_t address                     # THOAv4
    uint32_t mn_spi, ha_spi, aaa_spi, key_lifetime, aaa_lifetime
    uint16_t nai_at, nai_length          # value of extension 131
    uint16_t proof_at                    # first octet of extension 36
    uint16_t reply_length
    uint8_t nonce_length
    uint8_t[64] nonce
    uint8_t[16] home_address             # IPv6
    uint8_t[16] home_agent
    uint8_t[20] derived                  # MN-FHA key
    uint8_t[18] hiding                   # Request Authenticator and salt
    uint8_t[16] pad
    uint8_t[16] second_pad
    uint8_t[16] digest
    Key key
    uint8_t[480] reply
    uint8_t[1500] octets

cdef struct Fha:                         # all that a stage may touch
    Queue queue
    Outbox* out
    Instant* now
    Entropy* entropy
    Counters counters
    Parking waiting                      # Registrations
    Table pending                        # NAI -> slot of the request under way
    Bindings bindings
    Pool* pool
    Journal* journal
    RadiusClient client
    Budget requests, duplicates, mismatches, refusals
    uint32_t* ready                      # slots whose turn has come
    uint32_t ready_count
    uint32_t* held                       # ring of slots whose replies wait for the journal
    uint32_t held_first, held_count
    uint64_t seed                        # of hashes that strangers must not foresee
    uint64_t oldest_identification       # what came before a restart is refused
    uint64_t boot
    uint64_t sessions
    uint32_t address                     # ours, network order
    uint32_t pool_network, pool_mask     # network order
    uint32_t max_lifetime_s
    uint32_t window_s
    uint32_t vendor
    uint8_t[16] ipv6_prefix
    uint8_t ipv6_prefix_length
    uint8_t identifier_length
    uint8_t[64] identifier               # NAS-Identifier
    uint64_t granted, denied
