# Mobile IPv6 layouts and numbers. The packed struct is the declaration; everything else derives from it.
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from fastcodec.wire cimport Piece

cpdef enum MobilityType:
    """Mobility Header types, RFC 6275 6.1.2-6.1.9."""
    BINDING_REFRESH_REQUEST = 0
    HOME_TEST_INIT = 1
    CARE_OF_TEST_INIT = 2
    HOME_TEST = 3
    CARE_OF_TEST = 4
    BINDING_UPDATE = 5
    BINDING_ACKNOWLEDGEMENT = 6
    BINDING_ERROR = 7

cpdef enum UpdateFlag:
    """Binding Update flags, RFC 6275 6.1.7 and the RFC beside each."""
    UPDATE_ACKNOWLEDGE = 0x8000
    UPDATE_HOME_REGISTRATION = 0x4000
    UPDATE_LINK_LOCAL = 0x2000
    UPDATE_KEY_MOBILITY = 0x1000
    UPDATE_MAP = 0x0800              # RFC 5380 4.1
    UPDATE_MOBILE_ROUTER = 0x0400    # RFC 3963 4.1
    UPDATE_PROXY = 0x0200            # RFC 5213 8.1
    UPDATE_FORCE_UDP = 0x0100        # RFC 5555 3.1.3
    UPDATE_TLV_HEADER = 0x0080       # RFC 5845 4
    UPDATE_BULK = 0x0040             # RFC 6602 5.1

cpdef enum AcknowledgementFlag:
    """Binding Acknowledgement flags, RFC 6275 6.1.8 and the RFC beside each."""
    ACKNOWLEDGED_KEY_MOBILITY = 0x80
    ACKNOWLEDGED_MOBILE_ROUTER = 0x40    # RFC 3963 4.2
    ACKNOWLEDGED_PROXY = 0x20            # RFC 5213 8.2

cpdef enum BindingStatus:
    """Status of a Binding Acknowledgement, RFC 6275 6.1.8 and the RFC beside each; below 128: accepted."""
    BINDING_ACCEPTED = 0
    BINDING_ACCEPTED_PREFIX_DISCOVERY = 1
    BINDING_REASON_UNSPECIFIED = 128
    BINDING_ADMINISTRATIVELY_PROHIBITED = 129
    BINDING_INSUFFICIENT_RESOURCES = 130
    HOME_REGISTRATION_NOT_SUPPORTED = 131
    NOT_HOME_SUBNET = 132
    NOT_HOME_AGENT_FOR_THIS_NODE = 133
    DUPLICATE_ADDRESS_DETECTION_FAILED = 134
    SEQUENCE_NUMBER_OUT_OF_WINDOW = 135
    EXPIRED_HOME_NONCE_INDEX = 136
    EXPIRED_CARE_OF_NONCE_INDEX = 137
    EXPIRED_NONCES = 138
    REGISTRATION_TYPE_CHANGE_DISALLOWED = 139
    MOBILE_ROUTER_OPERATION_NOT_PERMITTED = 140      # RFC 3963 4.2
    BINDING_INVALID_PREFIX = 141
    NOT_AUTHORIZED_FOR_PREFIX = 142
    FORWARDING_SETUP_FAILED = 143
    MIPV6_ID_MISMATCH = 144                          # RFC 4285 8
    MIPV6_MESG_ID_REQD = 145
    MIPV6_AUTH_FAIL = 146
    SERVICE_AUTHORIZATION_FAILED = 151               # RFC 5149 6
    PROXY_REG_NOT_ENABLED = 152                      # RFC 5213 8.9
    NOT_LMA_FOR_THIS_MOBILE_NODE = 153
    MAG_NOT_AUTHORIZED_FOR_PROXY_REG = 154
    NOT_AUTHORIZED_FOR_HOME_NETWORK_PREFIX = 155
    TIMESTAMP_MISMATCH = 156
    TIMESTAMP_LOWER_THAN_PREV_ACCEPTED = 157
    MISSING_HOME_NETWORK_PREFIX_OPTION = 158
    BCE_PBU_PREFIX_SET_DO_NOT_MATCH = 159
    MISSING_MN_IDENTIFIER_OPTION = 160
    MISSING_HANDOFF_INDICATOR_OPTION = 161
    MISSING_ACCESS_TECH_TYPE_OPTION = 162
    INVALID_CARE_OF_ADDRESS = 174

cpdef enum BindingErrorStatus:
    """Status of a Binding Error, RFC 6275 6.1.9."""
    UNKNOWN_BINDING = 1
    UNRECOGNIZED_MH_TYPE = 2

cpdef enum IPv4AddressStatus:
    """Status of an IPv4 Address Acknowledgement, RFC 5555 3.2.1; below 128: success."""
    IPV4_ADDRESS_SUCCESS = 0
    IPV4_ADDRESS_REASON_UNSPECIFIED = 128
    IPV4_ADDRESS_ADMINISTRATIVELY_PROHIBITED = 129
    IPV4_ADDRESS_INCORRECT = 130
    IPV4_ADDRESS_INVALID = 131
    IPV4_ADDRESS_NO_DYNAMIC_ASSIGNMENT = 132
    IPV4_ADDRESS_PREFIX_UNAUTHORIZED = 133

cpdef enum NatFlag:
    """Of NAT Detection, RFC 5555 3.2.2."""
    NAT_F = 0x8000                   # UDP encapsulation is forced

cpdef enum OptionType:
    """Mobility options, RFC 6275 6.2 and the RFC beside each."""
    OPTION_PAD1 = 0
    OPTION_PADN = 1
    OPTION_REFRESH_ADVICE = 2
    OPTION_ALTERNATE_CARE_OF_ADDRESS = 3
    OPTION_NONCE_INDICES = 4
    OPTION_AUTHORIZATION_DATA = 5
    OPTION_MOBILE_NETWORK_PREFIX = 6           # RFC 3963 4.3
    OPTION_MOBILE_NODE_IDENTIFIER = 8          # RFC 4283 3
    OPTION_AUTHENTICATION = 9                  # RFC 4285 5
    OPTION_REPLAY_PROTECTION = 10              # RFC 4285 6
    OPTION_VENDOR = 19                         # RFC 5094 3
    OPTION_SERVICE_SELECTION = 20              # RFC 5149 3
    OPTION_HOME_NETWORK_PREFIX = 22            # RFC 5213 8.3
    OPTION_TIMESTAMP = 27                      # RFC 5213 8.8
    OPTION_IPV4_HOME_ADDRESS = 29              # RFC 5555 3.1.1
    OPTION_IPV4_ACKNOWLEDGEMENT = 30           # RFC 5555 3.2.1
    OPTION_NAT_DETECTION = 31                  # RFC 5555 3.2.2
    OPTION_IPV4_CARE_OF_ADDRESS = 32           # RFC 5555 3.1.2

cpdef enum:
    PAYLOAD_PROTO = 59               # nothing follows, RFC 6275 6.1.1
    AUTHENTICATION_MN_HA = 1         # subtypes of option 9, RFC 4285 5.1, 5.2
    AUTHENTICATION_MN_AAA = 2
    HMAC_SHA1_SPI = 3                # RFC 4285 5.2
    MN_HA_SIZE = 12                  # octets of authentication data
    MN_AAA_SIZE = 20
    MOST_OPTIONS = 64                # a message with more is malformed
    LONGEST_MOBILITY = 2048          # Header Len is one octet, in units of 8

cdef packed struct BindingRefreshRequest:        # RFC 6275 6.1.2
    uint8_t payload_proto
    uint8_t header_length                        # octets / 8 - 1
    uint8_t type
    uint8_t reserved
    uint16_t checksum
    uint16_t reserved2

cdef packed struct TestInit:                     # Home and Care-of Test Init, RFC 6275 6.1.3, 6.1.4
    uint8_t payload_proto
    uint8_t header_length
    uint8_t type
    uint8_t reserved
    uint16_t checksum
    uint16_t reserved2
    uint64_t cookie

cdef packed struct Test:                         # Home and Care-of Test, RFC 6275 6.1.5, 6.1.6
    uint8_t payload_proto
    uint8_t header_length
    uint8_t type
    uint8_t reserved
    uint16_t checksum
    uint16_t nonce_index
    uint64_t cookie
    uint64_t keygen_token

cdef packed struct BindingUpdate:                # RFC 6275 6.1.7
    uint8_t payload_proto
    uint8_t header_length
    uint8_t type
    uint8_t reserved
    uint16_t checksum
    uint16_t sequence
    uint16_t flags
    uint16_t lifetime                            # units of 4 seconds; 0 deletes

cdef packed struct BindingAcknowledgement:       # RFC 6275 6.1.8
    uint8_t payload_proto
    uint8_t header_length
    uint8_t type
    uint8_t reserved
    uint16_t checksum
    uint8_t status
    uint8_t flags
    uint16_t sequence
    uint16_t lifetime                            # units of 4 seconds

cdef packed struct BindingError:                 # RFC 6275 6.1.9
    uint8_t payload_proto
    uint8_t header_length
    uint8_t type
    uint8_t reserved
    uint16_t checksum
    uint8_t status
    uint8_t reserved2
    uint8_t[16] home_address

cdef packed struct RefreshAdvice:                # option 2, RFC 6275 6.2.4
    uint8_t type
    uint8_t length
    uint16_t interval                            # units of 4 seconds

cdef packed struct AlternateCareOfAddress:       # option 3, RFC 6275 6.2.5
    uint8_t type
    uint8_t length
    uint8_t[16] address

cdef packed struct NonceIndices:                 # option 4, RFC 6275 6.2.6
    uint8_t type
    uint8_t length
    uint16_t home_nonce_index
    uint16_t care_of_nonce_index

cdef packed struct MobilityOption:               # options 5, 20: octets follow, RFC 6275 6.2.1
    uint8_t type
    uint8_t length

cdef packed struct NetworkPrefix:                # options 6, 22, RFC 3963 4.3, RFC 5213 8.3
    uint8_t type
    uint8_t length
    uint8_t reserved
    uint8_t prefix_length
    uint8_t[16] prefix

cdef packed struct MobileNodeIdentifier:         # option 8, RFC 4283 3; the identifier follows
    uint8_t type
    uint8_t length
    uint8_t subtype                              # 1: NAI

cdef packed struct MobilityAuthentication:       # option 9, RFC 4285 5; the authenticator follows
    uint8_t type
    uint8_t length
    uint8_t subtype
    uint32_t spi

cdef packed struct MobilityTimestamp:            # options 10 (NTP, RFC 4285 6), 27 (1970, 48.16 bits, RFC 5213 8.8)
    uint8_t type
    uint8_t length
    uint64_t timestamp

cdef packed struct MobilityVendor:               # option 19, RFC 5094 3; data follows
    uint8_t type
    uint8_t length
    uint32_t vendor
    uint8_t subtype

cdef packed struct IPv4HomeAddress:              # option 29, RFC 5555 3.1.1
    uint8_t type
    uint8_t length
    uint16_t prefix_and_flags                    # prefix length in the upper 6 bits; P = 0x0200
    uint32_t address

cdef packed struct IPv4Acknowledgement:          # option 30, RFC 5555 3.2.1
    uint8_t type
    uint8_t length
    uint8_t status                               # an IPv4AddressStatus
    uint8_t prefix_and_reserved                  # prefix length in the upper 6 bits
    uint32_t address

cdef packed struct NatDetection:                 # option 31, RFC 5555 3.2.2
    uint8_t type
    uint8_t length
    uint16_t flags                               # F = 0x8000
    uint32_t refresh_time                        # seconds; all ones: no keepalive

cdef packed struct IPv4CareOfAddress:            # option 32, RFC 5555 3.1.2
    uint8_t type
    uint8_t length
    uint16_t reserved
    uint32_t address

cdef int mobility_size(int type) noexcept nogil                  # octets of the fixed part, 0: unknown type
cdef int examine_mobility(const uint8_t* p, uint32_t n, int type, Piece* out, int most, int* found,
                          int* fault) noexcept nogil            # a Status; type -1: any
cdef int find_option(const uint8_t* p, const Piece* pieces, int n, int type, int subtype) noexcept nogil
cdef int padding_before(int type, int at) noexcept nogil         # octets that alignment asks for at offset `at`
cdef int padding_behind(int at) noexcept nogil                   # octets that complete a header ending at `at`
cdef int put_padding(uint8_t* at, int n) noexcept nogil          # Pad1 or one PadN; n
cdef bint is_canonical(const uint8_t* p, int n) noexcept nogil   # whether n octets are what put_padding writes
cdef uint16_t mobility_checksum(const uint8_t* p, uint32_t n, const uint8_t* source,
                                const uint8_t* destination) noexcept nogil       # 0 when the one inside is right
cdef uint32_t covered_by(const uint8_t* p, const Piece* authentication, const uint8_t* care_of_address,
                         const uint8_t* home_address, uint8_t* out) noexcept nogil
cdef bint is_at_end(const uint8_t* p, int n, const Piece* authentication) noexcept nogil
cdef bint is_fresh(uint16_t received, uint16_t last) noexcept nogil
