# The emulated mobile nodes, as columns and small rows; what a node needs only while it bootstraps is an Attempt.
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from fastcodec.digest.jobs cimport Key, Queue
from loadgen.checks cimport Checks
from loadgen.histogram cimport Histogram
from loadgen.holding cimport Holding
from loadgen.mobile_node cimport MobileNode
from servers.engine.counters cimport Counters
from servers.engine.parking cimport Parking
from servers.engine.stages cimport Head
from servers.net.node cimport Datagram, Entropy, Instant, Outbox
from servers.roles.radius_client cimport Answer, RadiusClient, Stray

cdef enum:
    MOST_TRIES = 16
    MOST_FHAS_NAMED = 4
    LOCATION = 64                    # octets a location's text may have, its length included
    ACTS = 4096                      # renewals and releases under way at once, beside the bootstraps

cdef struct Text:                    # a column; all of one width, or row i is octets[offsets[i]:offsets[i+1]]
    const uint8_t* octets
    const uint32_t* offsets          # NULL: all are `width` octets
    uint32_t width

cdef inline const uint8_t* text_of(const Text* text, uint32_t row, uint32_t* length) noexcept nogil:
    if not text.offsets:
        length[0] = text.width
        return text.octets + <size_t> text.width * row
    length[0] = text.offsets[row + 1] - text.offsets[row]
    return text.octets + text.offsets[row]

cdef struct Columns:                 # what the subscribers file says
    Text nai, key, secret
    const uint32_t* spi
    const uint16_t* location

cdef enum Step:
    BOOTSTRAP = 0
    ACCESS = 1
    REGISTRATION = 2
    RENEWAL = 3
    RELEASE = 4
    STEPS = 5

cdef struct Tally:                   # attempted = succeeded + failed + timed_out + in flight
    uint64_t attempted, succeeded, failed, timed_out

cdef enum Hindrance:                 # why a bootstrap that is due cannot begin
    NO_HINDRANCE = 0
    NO_ROOM = 1                      # all rows wait for servers
    STILL_UNDER_WAY = 2              # the node's last one waits for a server
    NODE_ENGAGED = 3                 # it stays, or has only just begun
    HINDRANCES = 4

cdef struct Attempt:                 # a row: one bootstrap, renewal or release under way
    Head head
    uint8_t step                     # the one it is in
    uint8_t tries                    # registration requests sent
    uint8_t answered                 # place of the request among the last ones that the reply at hand answers
    uint8_t fha_count
    uint8_t fha_turn                 # which of the named FHAs is asked
    bint by_association              # MN-HA under the key held, no AAAH
    bint clock_told                  # a 133 has corrected the clock once
    bint has_accept
    bint is_for_other                # the reply at hand names another node
    bint in_lifetime                 # an act: begun while the node had its lease
    uint32_t slot
    uint32_t node
    uint32_t transaction
    uint64_t intended                # ns: when it was due
    uint64_t registration_started
    Answer* answer
    Datagram* reply                  # while it is looked at
    uint32_t[4] fhas
    uint32_t[16] outstanding         # low halves of the last Identifications sent; the k-th at k % 16
    uint16_t lifetime                # asked for, s
    uint16_t covered_length
    uint16_t nonce_at, nonce_length, authenticator_at
    uint16_t home_at, agent_at, care_of_at
    uint32_t ha_spi
    uint8_t[16] challenge
    uint32_t[16] sent                # ticks at which those requests left
    uint8_t[20] derived
    uint8_t[20] digest
    Key key
    uint16_t request_length
    uint8_t[352] request             # 24 + 255 + 8 + 24

cdef struct Load:                    # all that a stage may touch
    Queue queue
    Outbox* out
    Instant* now
    Entropy* entropy
    Counters counters
    RadiusClient client
    Parking attempts                 # its wheel times the nodes' retransmissions
    MobileNode* nodes
    uint32_t* nonces                 # of each node: high half of its next Identification (RFC 5944 5.7.2), where that is one
    bint uses_nonces                 # some node has been told to
    Columns columns
    uint32_t count
    Checks checks
    Holding holding                  # the nodes that stay
    Tally[5] tallies
    uint64_t[4] not_begun            # bootstraps that failed before their first request, by Hindrance
    Histogram* latencies[5]
    Histogram* send_lag
    uint64_t[256] mip4_codes
    uint64_t[256] radius_codes
    uint64_t mip_sent, mip_retransmitted, mip_received, mip_late, mip_duplicate, mip_unmatched, mip_malformed
    uint64_t mip_bad_authenticator, lifetimes_clipped
    Stray mip_stray                  # of the unmatched
    uint64_t last_success            # monotonic ns
    uint32_t index_bits              # of an Identification's low half that name the node
    uint16_t mip_port                # index of the socket registrations leave through
    uint16_t fha_port                # UDP port of the FHAs
    uint16_t lifetime_s
    uint32_t most_tries
    uint32_t first_timeout_ms
    uint32_t nas_address
    uint32_t vendor
    int64_t clock_correction         # NTP units, learnt from a 133
    uint64_t stay                    # ns that a node stays after its bootstrap
    uint32_t acts                    # renewals and releases under way
    uint64_t acts_full               # monotonic ns at which there was no room for another, last
    uint32_t jitter                  # of renewal times, from the seed
    bint stays, renews, releases
    bint is_leaving                  # told to stop: every stay ends now
    bint access_only
    bint skips_access                # registers at `known_fha` from a care-of address of its own
    uint8_t[4] known_fha
    uint32_t care_of_network         # host order
    bint has_expectations            # a private testbed: prefixes and home agent are known
    uint8_t[16] ipv6_prefix          # of the FHA
    uint8_t[16] home_agent
    uint8_t* locations               # LOCATION octets each: length, text
    uint8_t* scratch
    uint32_t scratch_used
