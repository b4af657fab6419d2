# What stands in Mobile IPv4 extensions behind their header. The header structs are the shapes of RFC 5944 1.9-1.11.
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

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
    uint8_t code                             # a TunnelReplyCode; 0-63 assent, 64-255 decline
    uint16_t flags
    uint16_t keepalive                       # seconds; 0: 110

cdef packed struct UdpTunnelRequest:         # 144, RFC 3519 3.1
    uint8_t reserved1
    uint8_t flags
    uint8_t encapsulation                    # 0 as M and G say, 4 IPv4, 47 GRE, 55 minimal
    uint16_t reserved3

cdef packed struct FaError:                  # 45, RFC 4636 3
    uint8_t status

cdef packed struct RegionalAddress:          # 46, 140, RFC 4857 9.1, 9.2
    uint16_t reserved
    uint32_t address

cdef packed struct RegionalReplay:           # 141, RFC 4857 9.3
    uint16_t style                           # a RegionalReplayStyle
    uint64_t identification                  # where the replay protection starts

cdef packed struct RegionalLifetime:         # 142, RFC 4857 9.4
    uint16_t reserved
    uint32_t lifetime                        # seconds; 0 deregistered, 0xffff infinite

cdef packed struct AuthenticationMethod:     # 47/1, RFC 5563 5.1
    uint8_t method                           # a ProxyAuthentication

cdef packed struct IdentifierKind:           # 147/2 and 147/3, RFC 5563 5.3, 5.4; the identifier follows
    uint8_t kind                             # a DeviceIdKind or a SubscriberIdKind

cdef packed struct AccessTechnology:         # 147/4, RFC 5563 5.5
    uint8_t technology                       # a ProxyAccess

cdef packed struct GreKey:                   # 48, RFC 6245 5
    uint32_t key

cdef packed struct OptimizationReply:        # 49/1, RFC 6521 5.2
    uint8_t flags_and_code                   # three OptimizationFlags, five bits of OptimizationCode

cdef packed struct NonceIndexes:             # 49/2, RFC 6521 5.3; the authenticator follows
    uint8_t reserved
    uint16_t home_nonce_index
    uint16_t care_of_nonce_index

cdef packed struct Capability:               # 153/1, RFC 6521 5.1; with S a mobile router's home address follows
    uint8_t flags                            # CapabilityFlags

cdef packed struct TraversalAddresses:       # 129, RFC 2356 7.3
    uint16_t reserved
    uint32_t towards_home_agent
    uint32_t towards_mobile_node

cdef packed struct EthernetAddress:          # 138/3, RFC 4881 9.3
    uint8_t[6] address

cdef packed struct Eui64:                    # 138/4, RFC 4881 9.4
    uint8_t[8] address

cdef packed struct AgentAddress:             # 138/5 and 138/7, RFC 4881 9.5, 9.7
    uint32_t address

cdef packed struct AccessPoint:              # 138/6, RFC 4881 9.6
    uint32_t identifier

cdef packed struct Multipath:                # 154/1, RFC 7629 4.1
    uint8_t access_technology                # of the interface, RFC 5213 8.5
    uint8_t label                            # of the interface, 1-255
    uint8_t binding                          # 1-254
    uint8_t flags                            # MultipathFlags

cdef packed struct FlowBinding:              # 154/2, RFC 7629 4.2; bindings, format and selector follow
    uint8_t action                           # a FlowAction
    uint8_t count                            # of bindings, 1-8

cdef packed struct HomeAgentAddress:         # 139, RFC 4433 3.4
    uint32_t home_agent

cdef packed struct MobileNetwork:            # 148/0, RFC 5177 4.1
    uint8_t prefix_length
    uint32_t prefix

cdef packed struct MobileNetworkReply:       # 148/1 and 148/2, RFC 5177 4.2
    uint8_t code                             # a MobileNetworkCode
    uint8_t prefix_length
    uint8_t reserved
    uint32_t prefix

cdef packed struct OneReserved:              # 149, RFC 5265 3.4; 152/3, RFC 5454 2.3
    uint8_t reserved

cdef packed struct PrefixRequest:            # 152/1, RFC 5454 2.1
    uint8_t prefix_length                    # 255: a link-local address
    uint8_t[16] prefix

cdef packed struct PrefixReply:              # 152/2, RFC 5454 2.2
    uint8_t code                             # a PrefixReplyCode; 0-7 accept, 8-255 reject
    uint8_t prefix_length
    uint8_t reserved
    uint8_t[16] prefix
