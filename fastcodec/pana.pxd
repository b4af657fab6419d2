# PANA layouts and numbers, RFC 5191. The packed struct is the declaration; everything else derives from it.
from libc.stdint cimport uint8_t, uint16_t, uint32_t

cpdef enum PanaType:
    """Message types, RFC 5191 7; request and answer share one and differ in a flag."""
    PANA_CLIENT_INITIATION = 1
    PANA_AUTH = 2
    PANA_TERMINATION = 3
    PANA_NOTIFICATION = 4

cpdef enum PanaFlag:
    """Header flags, RFC 5191 6.2, RFC 5873 4."""
    PANA_REQUEST = 0x8000
    PANA_START = 0x4000
    PANA_COMPLETE = 0x2000
    PANA_REAUTHENTICATION = 0x1000
    PANA_PING = 0x0800
    PANA_IP_RECONFIGURATION = 0x0400
    PANA_PREAUTHENTICATION = 0x0200

cpdef enum AvpCode:
    """Attribute-value pairs, RFC 5191 8."""
    AVP_AUTH = 1
    AVP_EAP_PAYLOAD = 2
    AVP_INTEGRITY_ALGORITHM = 3
    AVP_KEY_ID = 4
    AVP_NONCE = 5
    AVP_PRF_ALGORITHM = 6
    AVP_RESULT_CODE = 7
    AVP_SESSION_LIFETIME = 8
    AVP_TERMINATION_CAUSE = 9

cpdef enum HandOffAvp:
    """Codes of our vendor pairs, by which a PAA hands a node its care-of address and its FHA; vendor 32473 unless configured otherwise."""
    HAND_OFF_FHA_ADDRESS = 2         # IPv4, once to four times, best first
    HAND_OFF_FHA_NAME = 3            # a domain name
    HAND_OFF_CARE_OF_ADDRESS = 4     # IPv4, co-located
    HAND_OFF_FA_ADDRESS = 5          # IPv4
    HAND_OFF_ADDRESS_TYPE = 6        # 1 co-located, 2 of a foreign agent, 3 co-located behind one
    HAND_OFF_PREFIX_LENGTH = 100     # of the care-of address
    HAND_OFF_ROUTER = 101            # IPv4

cpdef enum PanaResult:
    """Result-Code, RFC 5191 8.7."""
    PANA_SUCCESS = 0
    PANA_AUTHENTICATION_REJECTED = 1
    PANA_AUTHORIZATION_REJECTED = 2

cpdef enum TerminationCause:
    """RFC 5191 8.9."""
    CAUSE_LOGOUT = 1
    CAUSE_ADMINISTRATIVE = 4
    CAUSE_SESSION_TIMEOUT = 8

cpdef enum PrfAlgorithm:
    """Of IKEv2's registry, RFC 5191 8.6, RFC 4868 4."""
    PRF_HMAC_SHA1 = 2
    PRF_HMAC_SHA2_256 = 5

cpdef enum IntegrityAlgorithm:
    """Of IKEv2's registry, RFC 5191 8.3, RFC 4868 4."""
    AUTH_HMAC_SHA1_160 = 7
    AUTH_HMAC_SHA2_256_128 = 12

cpdef enum:
    AVP_VENDOR_FLAG = 0x8000         # a vendor id follows the header, RFC 5191 6.3
    MOST_AVPS = 64                   # a message with more is malformed

cdef packed struct PanaHeader:       # RFC 5191 6.2
    uint16_t reserved
    uint16_t length                  # of all
    uint16_t flags
    uint16_t type
    uint32_t session
    uint32_t sequence

cdef packed struct Avp:              # RFC 5191 6.3; the value follows, and zeros to a multiple of 4
    uint16_t code
    uint16_t flags
    uint16_t length                  # of the value alone
    uint16_t reserved

cdef packed struct NumberAvp:
    uint16_t code
    uint16_t flags
    uint16_t length
    uint16_t reserved
    uint32_t value

cdef packed struct VendorAvp:
    uint16_t code
    uint16_t flags
    uint16_t length                  # of the value, without the vendor id
    uint16_t reserved
    uint32_t vendor

cdef struct AvpPiece:                # one pair of a message: where it is, not a copy
    uint16_t code
    bint vendor                      # has a vendor id
    uint16_t head                    # offset of its header
    uint16_t offset                  # of the value
    uint16_t length                  # of the value

cdef int examine_pana(const uint8_t* p, uint32_t n, AvpPiece* out, int most, int* found, int* fault) noexcept nogil
cdef int check_pana(const uint8_t* p, const AvpPiece* pieces, int found, int* fault) noexcept nogil
cdef int find_avp(const AvpPiece* pieces, int found, int code) noexcept nogil
