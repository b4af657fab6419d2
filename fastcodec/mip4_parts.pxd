# What stands in Mobile IPv4 extensions behind their header. The header structs are the shapes of RFC 5944 1.9-1.11.
from libc.stdint cimport uint8_t, uint16_t, uint32_t

cdef packed struct TlvHeader:                # RFC 5944 1.9
    uint8_t type
    uint8_t length

cdef packed struct ShortHeader:              # RFC 5944 1.11; the length counts the subtype
    uint8_t type
    uint8_t length
    uint8_t subtype

cdef packed struct LongHeader:               # RFC 5944 1.10; the length does not count the subtype
    uint8_t type
    uint8_t subtype
    uint16_t length

cdef packed struct VendorType:               # 38, RFC 3115 2.1; the value follows
    uint32_t vendor
    uint16_t vendor_type

cdef packed struct MnFaNonce:                # 41, RFC 3957 6.2: no replay method; the nonce follows
    uint32_t lifetime
    uint32_t aaa_spi
    uint32_t fa_spi
    uint16_t algorithm

cdef packed struct UdpTunnelReply:           # 44, RFC 3519 3.2
    uint8_t code                             # 0-63 assent, 64-255 decline
    uint16_t flags
    uint16_t keepalive                       # seconds; 0: 110

cdef packed struct UdpTunnelRequest:         # 144, RFC 3519 3.1
    uint8_t reserved1
    uint8_t flags
    uint8_t encapsulation                    # 0 as M and G say, 4 IPv4, 47 GRE, 55 minimal
    uint16_t reserved3

cdef packed struct FaError:                  # 45, RFC 4636 3
    uint8_t status

cdef packed struct AuthenticationMethod:     # 47/1, RFC 5563 5.1
    uint8_t method

cdef packed struct IdentifierKind:           # 147/2 and 147/3, RFC 5563 5.3, 5.4; the identifier follows
    uint8_t kind

cdef packed struct AccessTechnology:         # 147/4, RFC 5563 5.5
    uint8_t technology

cdef packed struct GreKey:                   # 48, RFC 6245 5
    uint32_t key

cdef packed struct HomeAgentAddress:         # 139, RFC 4433 3.4
    uint32_t home_agent

cdef packed struct MobileNetwork:            # 148/0, RFC 5177 4.1
    uint8_t prefix_length
    uint32_t prefix

cdef packed struct MobileNetworkReply:       # 148/1 and 148/2, RFC 5177 4.2
    uint8_t code
    uint8_t prefix_length
    uint8_t reserved
    uint32_t prefix

cdef packed struct OneReserved:              # 149, RFC 5265 3.4; 152/3, RFC 5454 2.3
    uint8_t reserved

cdef packed struct PrefixRequest:            # 152/1, RFC 5454 2.1
    uint8_t prefix_length                    # 255: a link-local address
    uint8_t[16] prefix

cdef packed struct PrefixReply:              # 152/2, RFC 5454 2.2
    uint8_t code
    uint8_t prefix_length
    uint8_t reserved
    uint8_t[16] prefix
