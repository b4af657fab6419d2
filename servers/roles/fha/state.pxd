# The rows and tables of the Foreign Home Agent.
from fastcodec.digest.jobs cimport Key, Queue
from fastcodec.radius cimport Packet
from libc.stdint cimport uint16_t, uint32_t, uint64_t, uint8_t
from servers.engine.counters cimport Counters
from servers.engine.parking cimport Parking
from servers.engine.stages cimport Head
from servers.net.node cimport Datagram, Entropy, Instant, Outbox
from servers.pool.bitmap cimport Pool
from servers.roles.radius_client cimport Answer, RadiusClient, Upstream
from servers.store.journal cimport Journal
from servers.tables.bindings cimport Bindings
from servers.tables.budget cimport Budget
from servers.tables.ended cimport Ended
from servers.tables.hash cimport Table
from servers.tables.replies cimport Replies

cdef enum:
    SECOND = 1000000000
    NEVER = 0x7fffffffffffffff           # ns, of a clock
    PORT_REGISTRATION = 0                # index of the socket that nodes send to
    MOST_EXTENSIONS = 32                 # that are served
    MOST_IN_REQUEST = 738                # that fit into RRQ_ROOM, two octets each
    PROOF_LONGEST = 1235                 # C travels in at most five attributes of 247 octets
    PROOF_PIECE = 247
    CHALLENGE_USED = 237                 # octets of a challenge that CHAP_SPI uses, RFC 4721 8
    SERVICE_FRAMED = 2                   # RFC 2865 5.6
    NAS_PORT_VIRTUAL = 5                 # RFC 2865 5.41
    CO_LOCATED = 1                       # of Mipstorm-CoA-Type
    WANT_MN_FHA = 1                      # of Mipstorm-Key-Request
    FHA_ALLOCATES = 0xfffffffe           # RFC 2865 5.8
    RECORD_ROOM = 512                    # octets of a Record, the longest NAI and an OldKey
    BOUND = 1                            # journal record types
    RELEASED = 2
    MOMENT = 3                           # the wall clock alone, ns: of an image that has no lease to say it
    STAGE_HASH = 1                       # places in STAGES
    STAGE_ANSWER = 6
    STAGE_JUDGE = 8
    STAGE_WRITE = 10
    STAGE_SEND = 12
    STAGE_COUNT = 13
    OVERLAP = 30                         # s that a replaced key is still good
    MOST_STATIC_KEYS = 256
    MOST_POOLS = 8
    POOL_NAME_LONGEST = 32
    RRQ_ROOM = 1500                      # longest datagram that is looked at (ruling 15)
    EVENT_WINDOW = 300                   # s that an order may be old, RFC 5176 6.3
    MOST_ORDERS = 1024                   # that wait for the journal
    MOST_REVOCATIONS = 4096              # under way
    STAGE_SEND_REVOCATION = 2            # place in REVOCATION_STAGES
    STAGE_SEND_ANSWER = 7                # place in ORDER_STAGES
    UNSUPPORTED_ATTRIBUTE = 401          # Error-Cause, RFC 5176 3.5
    MISSING_ATTRIBUTE = 402
    NAS_MISMATCH = 403
    INVALID_REQUEST = 404
    UNSUPPORTED_SERVICE = 405
    INVALID_ATTRIBUTE_VALUE = 407
    SESSION_NOT_FOUND = 503
    RESOURCES_UNAVAILABLE = 506

cdef struct StaticKey:                   # a mobility security association from the configuration, RFC 5944 3.2
    uint32_t spi
    uint8_t key_length
    uint8_t nai_length                   # 0: for every node
    uint8_t[32] key
    uint8_t[255] nai
    Key prepared

cdef struct NamedPool:                   # RFC 2869 5.18
    Pool* pool
    uint8_t name_length
    uint8_t[32] name

cdef struct Registration:                # a row: one Registration Request, from its arrival to its reply
    Head head
    uint8_t code                         # of the reply
    bint is_signed                       # there is a key to sign the reply with
    bint is_proven                       # its MN-HA authenticator is right
    bint is_chap                         # its MN-AAA authenticator is one of CHAP_SPI, RFC 4721 8
    bint wants_key                       # has an extension 42
    bint has_new_key                     # the AAAH has derived one
    bint has_addresses                   # the AAAH has assigned the IPv6 ones
    bint has_cvse                        # with a critical extension of a vendor
    bint by_nonce                        # its Identification is judged by nonces, not by time
    bint under_old_key
    bint has_waited                      # for an older request of its node; its turn has come
    bint is_new_lease
    uint8_t replay                       # method of its association, RFC 3957 4
    uint8_t revocation                   # bits of a Binding: what its extension 137 says
    uint8_t key_length                   # of `secret`
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
    uint64_t session_ends                # monotonic ns
    uint64_t session                     # number in Acct-Session-Id
    uint64_t class_hash, identity_hash   # of what the AAAH names the session by
    uint32_t lifetime                    # granted, s
    uint32_t most_lifetime               # the AAAH's limit for one registration, s
    uint32_t address                     # THOAv4
    uint32_t pool                        # index of the pool to lease from
    uint32_t assigned                    # THOAv4 that the AAAH has chosen, 0: we choose
    uint32_t asked_spi                   # of extension 42
    uint32_t mn_spi                      # written in the reply
    uint32_t ha_spi, aaa_spi, key_lifetime
    uint32_t replay_nonce                # expected; then the one of the reply
    uint16_t nai_at, nai_length          # value of extension 131
    uint16_t mn_ha_at                    # first octet of extension 32, 0: none
    uint16_t proof_at                    # first octet of extension 36, 0: none
    uint16_t challenge_at, challenge_length    # value of extension 132
    uint16_t mac_at                      # of the reply's authenticator
    uint16_t reply_length
    uint8_t nonce_length
    uint8_t[64] nonce
    uint8_t[16] home_address             # IPv6
    uint8_t[16] home_agent
    uint8_t[32] secret                   # MN-HA key, what `key` is prepared from
    uint8_t[18] hiding                   # Request Authenticator and salt
    uint8_t[16] pad
    uint8_t[16] second_pad
    uint8_t[16] digest
    Key key
    uint8_t[736] reply
    uint8_t[1500] octets

cdef struct Order:                       # a row: one Disconnect- or CoA-Request of an AAAH, RFC 5176
    Head head
    uint8_t code                         # of the answer
    uint32_t slot                        # its own, in the parking
    uint32_t cause                       # Error-Cause of a NAK
    uint64_t entry                       # handle in the duplicate cache
    uint64_t ticket                      # of the journal, 0: nothing to wait for
    Upstream* server                     # the AAAH
    Datagram datagram                    # peer, and `octets` below
    Packet packet
    uint8_t[16] authenticator            # as received
    uint8_t[16] message_authenticator
    uint8_t[16] digest
    uint8_t[8][16] digests               # under the secret of each server that may have sent it
    uint32_t reply_length
    uint8_t[1600] reply                  # what is copied into it came in 1500
    uint8_t[1500] octets

cdef struct Revocation:                  # a row: what a node is told when its binding has ended, RFC 3543
    Head head
    uint8_t tries
    uint8_t flags                        # bits of the Binding
    uint16_t port                        # that the node registered from
    uint32_t slot                        # its own, in the parking
    uint32_t home_address, care_of_address, local_address    # network order
    uint32_t identifier                  # Revocation Identifier
    uint32_t mn_spi, ha_spi              # written, and expected in the acknowledgment
    uint64_t ticket                      # of the journal, which has the end first
    uint64_t hash                        # in `told`, once sent
    uint8_t[16] digest
    Key key                              # the node's; the binding's is gone
    uint8_t[42] octets

cdef struct Acknowledgment:              # a row: one datagram that says it acknowledges a revocation, RFC 3543 3.4
    Head head
    Datagram* datagram
    Revocation* revocation
    uint32_t identifier                  # of that
    uint32_t mac_at
    uint8_t[16] digest

cdef struct Fha:                         # all that a stage may touch
    Queue queue
    Outbox* out
    Instant* now
    Entropy* entropy
    Counters counters
    Parking waiting                      # Registrations
    Table pending                        # NAI -> slot of the request under way
    Table outside                        # home address in no pool -> tag of its owner
    Bindings bindings
    Ended ended
    NamedPool[8] pools                   # the first serves those whom the AAAH names none for
    uint32_t pool_count
    Journal* journal
    RadiusClient client
    Parking orders                       # Orders
    uint32_t* orders_held                # ring of slots whose answers wait for the journal
    uint32_t orders_first, orders_count
    Replies* order_replies               # NULL: no orders are taken
    Parking revocations                  # Revocations
    Table told                           # home address and Revocation Identifier -> slot, of those that were sent
    uint32_t* revocations_new            # slots of those to be written yet, in order
    uint32_t revocations_new_count
    uint32_t* revocations_held           # ring of slots that wait for the journal
    uint32_t revocations_first, revocations_count
    Budget requests, duplicates, mismatches, forgeries, refusals
    uint32_t* ready                      # slots whose turn has come
    uint32_t ready_count
    uint32_t* held                       # ring of slots whose replies wait for the journal
    uint32_t held_first, held_count
    uint64_t seed                        # of hashes that strangers must not foresee
    uint64_t oldest_identification       # what came before a restart is refused
    uint64_t boot
    uint64_t sessions
    uint32_t address                     # ours, network order
    uint32_t max_lifetime_s
    uint32_t window_s
    uint32_t static_keys                 # how many
    uint8_t replay                       # method that new keys are asked for with
    bint strict                          # RFC 5944; False: RFC 3344, and reserved bits are ignored
    StaticKey* static_key
    uint32_t vendor
    uint8_t[16] ipv6_prefix
    uint8_t ipv6_prefix_length
    uint8_t identifier_length
    uint8_t[64] identifier               # NAS-Identifier
    uint64_t granted, denied
