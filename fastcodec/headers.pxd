# IPv4, IPv6 and UDP headers as far as tunnels and captures need them; tunnel headers; the Internet checksum.
from libc.stdint cimport uint8_t, uint16_t, uint32_t

cpdef enum Protocol:
    """IP protocol numbers that the codec looks into."""
    HOP_BY_HOP = 0                           # RFC 8200 4.3
    PROTOCOL_ICMP = 1                        # RFC 792
    IP_IN_IP = 4                             # RFC 2003 3.1
    PROTOCOL_TCP = 6                         # RFC 9293 3.1
    PROTOCOL_UDP = 17                        # RFC 768
    IPV6_IN_IP = 41                          # RFC 4213 3.5
    ROUTING_HEADER = 43                      # RFC 8200 4.4
    FRAGMENT_HEADER = 44                     # RFC 8200 4.5
    GRE = 47                                 # RFC 2784 2
    AUTHENTICATION_HEADER = 51               # RFC 4302 2
    MINIMAL = 55                             # RFC 2004 3
    PROTOCOL_ICMPV6 = 58                     # RFC 4443 1
    NO_NEXT_HEADER = 59                      # RFC 8200 4.7
    DESTINATION_OPTIONS = 60                 # RFC 8200 4.6
    MOBILITY_HEADER = 135                    # RFC 6275 6.1.1

cpdef enum:
    DONT_FRAGMENT = 0x4000                   # of IPv4Header.fragment, RFC 791 3.1
    MORE_FRAGMENTS = 0x2000
    FRAGMENT_OFFSET = 0x1fff                 # units of 8 octets
    GRE_CHECKSUM = 0x8000                    # of GreHeader.flags, RFC 2784 2.1
    GRE_KEY = 0x2000                         # RFC 2890 2
    GRE_SEQUENCE = 0x1000
    MINIMAL_SOURCE = 0x80                    # of MinimalHeader.flags: the original source is there, RFC 2004 3.1
    TUNNEL_DATA = 4                          # message type, RFC 3519 3.3
    MOBILE_IP_PORT = 434
    DSMIPV6_PORT = 4191                      # RFC 5555 4.1

cdef packed struct IPv4Header:               # RFC 791 3.1; options follow
    uint8_t version_length                   # 4, and octets of the header / 4
    uint8_t tos
    uint16_t total_length
    uint16_t identification
    uint16_t fragment
    uint8_t ttl
    uint8_t protocol
    uint16_t checksum
    uint32_t source
    uint32_t destination

cdef packed struct IPv6Header:               # RFC 8200 3
    uint32_t version_class_flow              # 6, traffic class, flow label
    uint16_t payload_length
    uint8_t next_header
    uint8_t hop_limit
    uint8_t[16] source
    uint8_t[16] destination

cdef packed struct UdpHeader:                # RFC 768
    uint16_t source_port
    uint16_t destination_port
    uint16_t length
    uint16_t checksum

cdef packed struct GreHeader:                # RFC 2784 2; checksum and reserved, key, sequence follow as flagged
    uint16_t flags
    uint16_t protocol_type                   # 0x0800 or 0x86dd

cdef packed struct MinimalHeader:            # RFC 2004 3.1; the original source follows as flagged
    uint8_t protocol
    uint8_t flags
    uint16_t checksum
    uint32_t destination                     # the original one

cdef packed struct TunnelData:               # RFC 3519 3.3; the packet follows
    uint8_t type                             # 4
    uint8_t next_header
    uint16_t reserved

cdef packed struct HomeAddressOption:        # destination option 201, RFC 6275 6.3; at 8n+6
    uint8_t type
    uint8_t length                           # 16
    uint8_t[16] home_address

cdef packed struct RoutingType2:             # RFC 6275 6.4.1
    uint8_t next_header
    uint8_t length                           # 2
    uint8_t type                             # 2
    uint8_t segments_left                    # 1
    uint32_t reserved
    uint8_t[16] home_address

cpdef enum:
    HOME_ADDRESS_OPTION = 201                # RFC 6275 6.3

cpdef enum Fragment:
    """What part of its datagram a packet is."""
    WHOLE = 0
    FIRST = 1
    LATER = 2

cdef struct Located:                         # where the upper layer of an IP packet is
    uint8_t version                          # 4 or 6
    uint8_t protocol                         # of the upper layer, a Protocol
    uint8_t fragment                         # a Fragment; the upper layer of a LATER one is no header
    uint16_t source_port                     # of UDP
    uint16_t destination_port
    uint32_t source                          # offset of the address that checksums use: the home address, if it is told
    uint32_t destination
    uint32_t upper                           # offset of the upper layer's header
    uint32_t payload                         # offset of what UDP carries; else `upper`
    uint32_t length                          # octets of the payload
    uint32_t size                            # octets of the whole packet by its own header

cdef uint32_t add_up(const uint8_t* p, uint32_t n, uint32_t sum) noexcept nogil       # RFC 1071
cdef uint16_t finish(uint32_t sum) noexcept nogil                                     # folded, complemented
cdef uint32_t pseudo_header(const uint8_t* source, const uint8_t* destination, int width, uint32_t length,
                            int protocol) noexcept nogil
cdef int locate(const uint8_t* p, uint32_t n, Located* out, int* fault) noexcept nogil    # a Status
cdef bint checksum_is_right(const uint8_t* p, const Located* at) noexcept nogil       # of UDP or the Mobility Header
cdef uint8_t* put_ipv4(uint8_t* at, uint32_t source, uint32_t destination, int protocol, uint32_t length, int tos,
                       int ttl, int identification, int fragment) noexcept nogil
cdef uint8_t* put_ipv6(uint8_t* at, const uint8_t* source, const uint8_t* destination, int next_header,
                       uint32_t length, int hop_limit) noexcept nogil
cdef uint8_t* put_home_address(uint8_t* at, int next_header, const uint8_t* home_address) noexcept nogil
cdef uint8_t* put_routing(uint8_t* at, int next_header, const uint8_t* home_address) noexcept nogil
