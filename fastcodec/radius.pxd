# RADIUS header, numbers and slots.
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from fastcodec.digest.jobs cimport Key, Queue

cpdef enum Code:
    """RADIUS packet codes, RFC 2865 3, RFC 2866 3, RFC 5997 2, RFC 5176 2.3."""
    ACCESS_REQUEST = 1
    ACCESS_ACCEPT = 2
    ACCESS_REJECT = 3
    ACCOUNTING_REQUEST = 4
    ACCOUNTING_RESPONSE = 5
    ACCESS_CHALLENGE = 11
    STATUS_SERVER = 12
    STATUS_CLIENT = 13                       # reserved
    DISCONNECT_REQUEST = 40                  # RFC 5176 2.3
    DISCONNECT_ACK = 41
    DISCONNECT_NAK = 42
    COA_REQUEST = 43
    COA_ACK = 44
    COA_NAK = 45
    PROTOCOL_ERROR = 52                      # RFC 7930 4

cpdef enum:
    HEADER = 20
    LONGEST = 4096                           # RFC 2865 3
    MOST_ATTRIBUTES = 255                    # a packet with more is dropped
    VENDOR_SPECIFIC = 26

cpdef enum RequesterRole:
    """Values of Mipstorm-Requester-Role."""
    REQUESTER_NAS = 1
    REQUESTER_FHA = 2

cdef packed struct RadiusHeader:             # RFC 2865 3
    uint8_t code
    uint8_t identifier
    uint16_t length
    uint8_t[16] authenticator

# A slot is the name our code uses for an attribute; dictionary files say which (vendor, number) it stands for.
cpdef enum Slot:
    """What an attribute means to us; the number behind it comes from the dictionary (see `SLOT_NAMES`)."""
    NO_SLOT = 0
    USER_NAME
    USER_PASSWORD
    CHAP_PASSWORD
    NAS_IP_ADDRESS
    SERVICE_TYPE
    FRAMED_IP_ADDRESS
    REPLY_MESSAGE
    STATE
    CLASS
    SESSION_TIMEOUT
    CALLING_STATION_ID
    NAS_IDENTIFIER
    PROXY_STATE
    ACCT_SESSION_ID
    CHAP_CHALLENGE
    NAS_PORT_TYPE
    EAP_MESSAGE
    MESSAGE_AUTHENTICATOR
    ACCT_INTERIM_INTERVAL
    FRAMED_IPV6_PREFIX
    OPERATOR_NAME
    FRAMED_IPV6_ADDRESS
    REQUESTER_ROLE
    FHA_IP_ADDRESS
    FHA_FQDN
    CARE_OF_ADDRESS
    COA_TYPE
    IPV6_HOME_ADDRESS
    IPV6_HOME_AGENT
    REGISTRATION_LIFETIME
    DENIAL_CODE
    MN_AAA_SPI
    MN_AAA_DATA
    MN_AAA_AUTHENTICATOR
    KEY_REQUEST
    MN_FHA_MN_SPI
    MN_FHA_FHA_SPI
    AAA_SPI
    MN_FHA_NONCE
    MN_FHA_KEY
    MN_FHA_ALGORITHM
    MN_FHA_REPLAY_METHOD
    MN_FHA_KEY_LIFETIME
    ACCT_STATUS_TYPE
    FRAMED_POOL
    EVENT_TIMESTAMP
    ERROR_CAUSE
    ACCT_TERMINATE_CAUSE
    ACCT_MULTI_SESSION_ID
    CHARGEABLE_USER_IDENTITY
    SLOTS

cdef struct Numbers:                         # dictionary compiled for the walk and the writer
    uint32_t vendor                          # our enterprise number
    uint8_t[256] standard                    # attribute number -> slot
    uint8_t[256] ours                        # vendor attribute number -> slot
    uint8_t[64] number                       # slot -> number
    uint8_t[64] is_ours                      # slot -> 1 when it travels in a Vendor-Specific of ours

cdef struct Packet:                          # a walked packet: first place of each slot, all offsets from the header
    const uint8_t* octets
    uint32_t length                          # the header's Length; what follows it is padding (RFC 2865 3)
    uint16_t[64] offset                      # of the value, 0: absent
    uint8_t[64] size                         # of the value
    uint8_t[64] count                        # occurrences
    uint16_t attributes

cdef Numbers NUMBERS                         # filled from the dictionary at import; `configure` changes it
cdef int walk_packet(const uint8_t* p, uint32_t n, const Numbers* numbers, Packet* out) noexcept nogil  # a Status
# the same with other limits than LONGEST and MOST_ATTRIBUTES, at most 65535 each
cdef int walk_within(const uint8_t* p, uint32_t n, const Numbers* numbers, Packet* out, int longest,
                     int most_attributes) noexcept nogil
# offset of the first value of that slot behind offset `after` (0: from the start), 0 when there is none;
# the octet before a value is its length + 2, in a Vendor-Specific attribute too
cdef int next_occurrence(const Packet* packet, const Numbers* numbers, int slot, int after) noexcept nogil
# a writer given NULL, an empty value or one too long returns NULL: a chain of calls is checked once, at its end
cdef uint8_t* put_attribute(uint8_t* at, const Numbers* numbers, int slot, const void* value, int n) noexcept nogil
cdef uint8_t* put_integer(uint8_t* at, const Numbers* numbers, int slot, uint32_t value) noexcept nogil
cdef void queue_message_authenticator(Queue* queue, uint8_t* packet, uint32_t length, int ma_offset,
                                      const Key* secret_key, uint8_t* out16) noexcept nogil
cdef void queue_response_authenticator(Queue* queue, const uint8_t* packet, uint32_t length, const uint8_t* secret,
                                       uint32_t secret_length, uint8_t* out16) noexcept nogil
