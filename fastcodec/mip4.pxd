# Mobile IPv4 layouts and numbers. The packed struct is the declaration; everything else derives from it.
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from fastcodec.wire cimport Piece

cpdef enum MessageType:
    """Mobile IPv4 message types, RFC 5944 1.8."""
    REGISTRATION_REQUEST = 1
    REGISTRATION_REPLY = 3
    TUNNEL_DATA = 4                # RFC 3519 3.3
    REGISTRATION_REVOCATION = 7
    REVOCATION_ACKNOWLEDGMENT = 15
    GENERIC_NOTIFICATION = 22      # RFC 6098 4.1
    NOTIFICATION_ACKNOWLEDGMENT = 23

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
    """Registration Reply codes, RFC 5944 3.4; FA_ and GFA_: from a foreign agent, CN_: from a correspondent node."""
    ACCEPTED = 0
    ACCEPTED_NO_SIMULTANEOUS = 1
    CONCURRENT_REGISTRATION = 2                  # RFC 6521 10
    FA_REASON_UNSPECIFIED = 64
    FA_ADMINISTRATIVELY_PROHIBITED = 65
    FA_INSUFFICIENT_RESOURCES = 66
    FA_MN_FAILED_AUTHENTICATION = 67
    FA_HA_FAILED_AUTHENTICATION = 68
    FA_LIFETIME_TOO_LONG = 69
    FA_POORLY_FORMED_REQUEST = 70
    FA_POORLY_FORMED_REPLY = 71
    FA_ENCAPSULATION_UNAVAILABLE = 72
    FA_RESERVED_UNAVAILABLE = 73                 # RFC 2002 3.4: Van Jacobson compression
    FA_REVERSE_TUNNEL_UNAVAILABLE = 74           # RFC 3024 3.4
    FA_REVERSE_TUNNEL_MANDATORY = 75
    FA_MN_TOO_DISTANT = 76
    FA_INVALID_CARE_OF_ADDRESS = 77
    FA_REGISTRATION_TIMEOUT = 78
    FA_DELIVERY_STYLE_UNSUPPORTED = 79           # RFC 3024 3.4
    FA_HOME_NETWORK_UNREACHABLE = 80
    FA_HA_HOST_UNREACHABLE = 81
    FA_HA_PORT_UNREACHABLE = 82
    FA_HA_UNREACHABLE = 88
    FA_VENDOR_SPECIFIC_REASON = 89               # no RFC found, other dissectors know it
    FA_NONZERO_HA_REQUIRED = 90                  # RFC 4433 7
    FA_NONZERO_HOME_ADDRESS_REQUIRED = 96        # RFC 2794 5
    FA_MISSING_NAI = 97
    FA_MISSING_HOME_AGENT = 98
    FA_MISSING_HOME_ADDRESS = 99
    FA_MN_CVSE_NOT_UNDERSTOOD = 100              # RFC 3115 2.4
    FA_HA_CVSE_NOT_UNDERSTOOD = 101
    FA_UNKNOWN_CHALLENGE = 104                   # RFC 4721 10
    FA_MISSING_CHALLENGE = 105
    FA_STALE_CHALLENGE = 106
    FA_MISSING_MN_FA = 107                       # RFC 3957 7
    FA_BAD_AAA_AUTHENTICATION = 108              # RFC 4721 10
    FA_HA_WRONG_CHALLENGE = 109
    GFA_REPLAY_PROTECTION_UNAVAILABLE = 110      # RFC 4857 9.5
    GFA_ZERO_CARE_OF_ADDRESS_UNSUPPORTED = 111
    FA_EXPERIMENTAL = 127                        # RFC 4064 7.3
    REASON_UNSPECIFIED = 128
    ADMINISTRATIVELY_PROHIBITED = 129
    INSUFFICIENT_RESOURCES = 130
    FAILED_AUTHENTICATION = 131
    FA_FAILED_AUTHENTICATION = 132               # from the home agent, about the foreign agent
    IDENTIFICATION_MISMATCH = 133
    POORLY_FORMED_REQUEST = 134
    TOO_MANY_BINDINGS = 135
    UNKNOWN_HOME_AGENT = 136
    REVERSE_TUNNEL_UNAVAILABLE = 137             # RFC 3024 3.4
    REVERSE_TUNNEL_MANDATORY = 138
    ENCAPSULATION_UNAVAILABLE = 139
    CVSE_NOT_UNDERSTOOD = 140                    # RFC 3115 2.4
    FA_CVSE_NOT_UNDERSTOOD = 141                 # from the home agent, about the foreign agent
    UDP_ENCAPSULATION_UNAVAILABLE = 142          # RFC 3519 3.5
    REDIRECT_HA_REQUIRED = 143                   # RFC 4433 7
    BAD_AAA_AUTHENTICATION = 144                 # RFC 4721 10
    ZERO_CARE_OF_ADDRESS = 145                   # RFC 4857 9.5
    DYNAMIC_GFA_UNSUPPORTED = 146
    MOBILE_NETWORK_ERROR = 147                   # RFC 5177 11
    MOBILE_NETWORK_DISALLOWED = 148
    PROXY_MIP_UNSUPPORTED = 149                  # RFC 5563 12.2
    PROXY_MIP_DISALLOWED = 150
    SERVICE_AUTHORIZATION_FAILED = 151           # RFC 5446 6
    MULTIPATH_NOT_ALLOWED = 152                  # RFC 7629 7
    INVALID_FLOW_BINDING_IDENTIFIER = 153
    EXPERIMENTAL = 192                           # RFC 4064 7.3
    FA_INVALID_HOME_AGENT_ADDRESS = 194          # RFC 5944 3.7.2
    CN_EXPIRED_HOME_NONCE_INDEX = 201            # RFC 6521 10
    CN_EXPIRED_CARE_OF_NONCE_INDEX = 202
    CN_EXPIRED_NONCES = 203

cpdef enum ExtensionType:
    """Extension types, RFC 5944 1.8 and the RFC beside each."""
    EXT_PADDING = 0                # RFC 5944 1.8
    EXT_MN_HA = 32                 # RFC 5944 3.5.2
    EXT_MN_FA = 33                 # RFC 5944 3.5.3
    EXT_FA_HA = 34                 # RFC 5944 3.5.4
    EXT_GENERALIZED = 36           # RFC 4721 5
    EXT_CVSE = 38                  # RFC 3115 2.1
    EXT_MN_FA_NONCE_REQUEST = 40   # RFC 3957 6.1
    EXT_MN_FA_NONCE_REPLY = 41     # RFC 3957 6.2
    EXT_MN_HA_NONCE_REQUEST = 42   # RFC 3957 6.3
    EXT_MN_HA_NONCE_REPLY = 43     # RFC 3957 6.4
    EXT_UDP_TUNNEL_REPLY = 44      # RFC 3519 3.2
    EXT_FA_ERROR = 45              # RFC 4636 3
    EXT_GFA_ADDRESS = 46           # RFC 4857 9.1
    EXT_PROXY_MIP_MUST = 47        # RFC 5563 5.1
    EXT_GRE_KEY = 48               # RFC 6245 5
    EXT_ROUTE_OPTIMIZATION = 49    # RFC 6521 10
    EXT_ROUTE_OPTIMIZATION_DATA = 50
    EXT_EXPERIMENTAL_MUST = 127    # RFC 4064 4.1
    EXT_SKIP_TRAVERSAL = 129       # RFC 2356
    EXT_DELIVERY_STYLE = 130       # RFC 3024 3.3
    EXT_NAI = 131                  # RFC 2794 2
    EXT_CHALLENGE = 132            # RFC 4721 4
    EXT_NVSE = 134                 # RFC 3115 2.2
    EXT_NAI_CARRYING = 136         # RFC 3846 3
    EXT_REVOCATION_SUPPORT = 137   # RFC 3543 3.2
    EXT_LINK_LAYER_ADDRESS = 138   # RFC 4881 10.1
    EXT_DYNAMIC_HA = 139           # RFC 4433 3.4
    EXT_HIERARCHICAL_FA = 140      # RFC 4857 9.2
    EXT_REPLAY_STYLE = 141         # RFC 4857 9.3
    EXT_REGIONAL_LIFETIME = 142    # RFC 4857 9.4
    EXT_UDP_TUNNEL_REQUEST = 144   # RFC 3519 3.1
    EXT_MESSAGE_STRING = 145       # RFC 4917 3
    EXT_PROXY_MIP = 147            # RFC 5563 5.2
    EXT_MOBILE_NETWORK = 148       # RFC 5177 4
    EXT_TRUSTED_NETWORKS = 149     # RFC 5265 3.4
    EXT_SERVICE_SELECTION = 151    # RFC 5446 3
    EXT_DUAL_STACK = 152           # RFC 5454 2
    EXT_ROUTE_OPTIMIZATION_INDICATION = 153      # RFC 6521 10
    EXT_FLOW_BINDING = 154         # RFC 7629 7
    EXT_EXPERIMENTAL = 255         # RFC 4064 4.3

cpdef enum RevocationFlag:
    """Flags of a Registration Revocation, RFC 3543 3.3."""
    REVOCATION_A = 0x8000          # sent by a home agent
    REVOCATION_I = 0x4000          # inform the mobile node

cpdef enum InformFlag:
    """The flag of an acknowledgment and of Revocation Support: another bit than in the revocation, RFC 3543 3.2, 3.4."""
    INFORM_I = 0x8000

cpdef enum TunnelRequestFlag:
    """RFC 3519 3.1."""
    REQUEST_F = 0x80               # tunnel even if no NAT is seen
    REQUEST_R = 0x40               # the foreign agent wants registration through it

cpdef enum TunnelReplyFlag:
    """RFC 3519 3.2."""
    REPLY_F = 0x8000

cpdef enum NotificationDirection:
    """Who notifies whom, RFC 6098 4.1."""
    MD_HA_TO_MN = 0
    MD_HA_TO_FA = 1
    MD_MN_TO_HA = 2
    MD_MN_TO_FA = 3
    MD_FA_TO_MN = 4
    MD_FA_TO_HA = 5

cpdef enum NotificationFlag:
    """RFC 6098 4.1."""
    NOTIFICATION_A = 0x8000        # an acknowledgment is wanted

cpdef enum:
    SUBTYPE_MN_AAA = 1             # of 36, RFC 4721 5
    SUBTYPE_NONCE = 1              # of 42 and 43, RFC 3957 6.3, 6.4
    CHAP_SPI = 2                   # RFC 4721 8
    MOST_EXTENSIONS = 32           # a request with more is malformed
    REPLAY_TIMESTAMPS = 2          # RFC 3957 4
    REPLAY_NONCES = 3
    ALGORITHM_HMAC_MD5 = 1         # RFC 2407 4.5
    ALGORITHM_HMAC_SHA = 2

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

cdef packed struct Authentication:           # extensions 32, 33, 34, RFC 5944 3.5.2-3.5.4; the authenticator follows
    uint8_t type
    uint8_t length                           # 4 + authenticator
    uint32_t spi

cdef packed struct GeneralizedAuthentication:    # extension 36, RFC 4721 5; the authenticator follows
    uint8_t type
    uint8_t subtype
    uint16_t length                          # 4 + authenticator, at least 20
    uint32_t spi

cdef packed struct NonceRequest:             # extensions 40 and 42, RFC 3957 6.1, 6.3
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

cdef packed struct TunnelData:               # RFC 3519 3.3; the inner packet follows
    uint8_t type
    uint8_t next_header                      # 4 IPv4, 41 IPv6, 47 GRE, 55 minimal encapsulation
    uint16_t reserved

cdef packed struct GenericNotification:      # RFC 6098 4.1
    uint8_t type
    uint8_t direction                        # a NotificationDirection
    uint16_t flags                           # A = 0x8000
    uint32_t home_address
    uint32_t home_agent
    uint32_t care_of_address
    uint64_t identification

cdef packed struct NotificationAcknowledgment:   # RFC 6098 4.2
    uint8_t type
    uint8_t direction
    uint8_t code                             # 0; 64-69 foreign agent, 128-133 home agent, 192-197 mobile node
    uint8_t reserved
    uint32_t home_address
    uint32_t home_agent
    uint32_t care_of_address
    uint64_t identification

cdef uint8_t[256] SHAPES                     # header shape of every extension type, from the one table
cdef int walk_message(const uint8_t* p, int n, int fixed, Piece* out, int most) noexcept nogil
cdef int check_pieces(const Piece* pieces, int n, int* fault) noexcept nogil    # a Status: impossible lengths
cdef int doubled_piece(const Piece* pieces, int n) noexcept nogil               # index, or -1
cdef int find_piece(const Piece* pieces, int n, int type, int subtype) noexcept nogil    # index of the first, or -1
cdef int fixed_size(int type) noexcept nogil                                    # before the extensions, or 0: not ours
cdef int examine(const uint8_t* p, int n, int type, Piece* out, int most, int* found, int* fault) noexcept nogil
