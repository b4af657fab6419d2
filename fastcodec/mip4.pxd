# Mobile IPv4 layouts and numbers. The packed struct is the declaration; everything else derives from it.
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from fastcodec.wire cimport Piece

cpdef enum MessageType:
    """Mobile IPv4 message types, RFC 5944 1.8."""
    REGISTRATION_REQUEST = 1
    REGISTRATION_REPLY = 3
    REGISTRATION_REVOCATION = 7
    REVOCATION_ACKNOWLEDGMENT = 15

cpdef enum Flag:
    """Registration Request flags, RFC 5944 3.3."""
    FLAG_S = 0x80
    FLAG_B = 0x40
    FLAG_D = 0x20
    FLAG_M = 0x10
    FLAG_G = 0x08
    FLAG_R_RESERVED = 0x04
    FLAG_T = 0x02
    FLAG_X_RESERVED = 0x01

cpdef enum ReplyCode:
    """Registration Reply codes of a home agent, RFC 5944 3.4, RFC 3024 3.4, RFC 4721 10."""
    ACCEPTED = 0
    ACCEPTED_NO_SIMULTANEOUS = 1
    REASON_UNSPECIFIED = 128
    ADMINISTRATIVELY_PROHIBITED = 129
    INSUFFICIENT_RESOURCES = 130
    FAILED_AUTHENTICATION = 131
    FA_FAILED_AUTHENTICATION = 132
    IDENTIFICATION_MISMATCH = 133
    POORLY_FORMED_REQUEST = 134
    TOO_MANY_BINDINGS = 135
    UNKNOWN_HOME_AGENT = 136
    REVERSE_TUNNEL_UNAVAILABLE = 137
    REVERSE_TUNNEL_MANDATORY = 138
    ENCAPSULATION_UNAVAILABLE = 139
    CVSE_NOT_UNDERSTOOD = 140
    BAD_AAA_AUTHENTICATION = 144

cpdef enum ExtensionType:
    """Extension types, RFC 5944 1.8 and the RFC beside each."""
    EXT_PADDING = 0                # RFC 5944 1.8
    EXT_MN_HA = 32                 # RFC 5944 3.5.2
    EXT_FA_HA = 34                 # RFC 5944 3.5.4
    EXT_GENERALIZED = 36           # RFC 4721 5
    EXT_CVSE = 38                  # RFC 3115 2.1
    EXT_MN_HA_NONCE_REQUEST = 42   # RFC 3957 6.3
    EXT_MN_HA_NONCE_REPLY = 43     # RFC 3957 6.4
    EXT_NAI = 131                  # RFC 2794 2
    EXT_CHALLENGE = 132            # RFC 4721 4
    EXT_NVSE = 134                 # RFC 3115 2.2
    EXT_REVOCATION_SUPPORT = 137   # RFC 3543 3.2

cpdef enum:
    SUBTYPE_MN_AAA = 1             # of 36, RFC 4721 5
    SUBTYPE_NONCE = 1              # of 42 and 43, RFC 3957 6.3, 6.4
    CHAP_SPI = 2                   # RFC 4721 8
    MOST_EXTENSIONS = 32           # a request with more is malformed
    REPLAY_TIMESTAMPS = 2          # RFC 3957 4
    REPLAY_NONCES = 3
    ALGORITHM_HMAC_MD5 = 1         # RFC 2407 4.5

cpdef enum BootstrapType:
    """Vendor types of our NVSEs, vendor 32473 unless configured otherwise."""
    BOOT_IPV6_HOME_ADDRESS = 1
    BOOT_IPV6_HOME_AGENT = 2
    BOOT_IPV6_CARE_OF_ADDRESS = 3

cdef packed struct RegistrationRequest:      # RFC 5944 3.3
    uint8_t type
    uint8_t flags
    uint16_t lifetime                        # seconds; 0 deregisters, 0xffff infinite
    uint32_t home_address
    uint32_t home_agent
    uint32_t care_of_address
    uint64_t identification                  # NTP timestamp, RFC 5944 5.7.1

cdef packed struct RegistrationReply:        # RFC 5944 3.4
    uint8_t type
    uint8_t code
    uint16_t lifetime
    uint32_t home_address
    uint32_t home_agent
    uint64_t identification

cdef packed struct Authentication:           # extension 32, RFC 5944 3.5.2; the authenticator follows
    uint8_t type
    uint8_t length                           # 4 + authenticator
    uint32_t spi

cdef packed struct GeneralizedAuthentication:    # extension 36, RFC 4721 5; the authenticator follows
    uint8_t type
    uint8_t subtype
    uint16_t length                          # 4 + authenticator, at least 20
    uint32_t spi

cdef packed struct NonceRequest:             # extension 42, RFC 3957 6.3
    uint8_t type
    uint8_t subtype
    uint16_t length                          # 4
    uint32_t mn_spi                          # the SPI the mobile node wants to receive

cdef packed struct NonceReply:               # extension 43, RFC 3957 6.4; the nonce follows
    uint8_t type
    uint8_t subtype
    uint16_t length                          # 16 + nonce
    uint32_t lifetime                        # of the key, seconds
    uint32_t aaa_spi
    uint32_t ha_spi                          # the mobile node writes it into later 32s
    uint16_t algorithm                       # RFC 2407 4.5
    uint16_t replay_method                   # RFC 3957 4

cdef packed struct NormalVendorExtension:    # extension 134, RFC 3115 2.2; the value follows
    uint8_t type
    uint8_t length                           # 8 + value
    uint16_t reserved
    uint32_t vendor
    uint16_t vendor_type

cdef packed struct BootstrapAddress:         # value of our NVSEs
    uint8_t prefix_length
    uint8_t reserved
    uint8_t[16] address

cdef packed struct RevocationSupport:        # extension 137, RFC 3543 3.2
    uint8_t type
    uint8_t length                           # 6
    uint16_t flags                           # I = 0x8000
    uint32_t timestamp                       # of the sender's clock, seconds

cdef packed struct RegistrationRevocation:   # RFC 3543 3.3
    uint8_t type
    uint8_t reserved
    uint16_t flags                           # A = 0x8000: sent by a home agent; I = 0x4000
    uint32_t home_address
    uint32_t home_domain_address             # the home agent
    uint32_t foreign_domain_address          # the foreign agent, or the co-located care-of address
    uint32_t revocation_identifier           # a timestamp

cdef packed struct RevocationAcknowledgment:     # RFC 3543 3.4
    uint8_t type
    uint8_t reserved
    uint16_t flags                           # I = 0x8000: not the bit of the revocation
    uint32_t home_address
    uint32_t revocation_identifier           # copied

cdef uint8_t[256] SHAPES                     # header shape of every extension type, from the one table
cdef int walk_message(const uint8_t* p, int n, int fixed, Piece* out, int most) noexcept nogil
cdef int check_pieces(const Piece* pieces, int n, int* fault) noexcept nogil    # a Status: impossible lengths
cdef int doubled_piece(const Piece* pieces, int n) noexcept nogil               # index, or -1
cdef int find_piece(const Piece* pieces, int n, int type, int subtype) noexcept nogil    # index of the first, or -1
cdef int fixed_size(int type) noexcept nogil                                    # 24, 20, or 0: not ours
cdef int examine(const uint8_t* p, int n, int type, Piece* out, int most, int* found, int* fault) noexcept nogil
