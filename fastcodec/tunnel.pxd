# Packets inside IPv4 packets: what wraps them and what is inside.
from libc.stdint cimport uint8_t, uint16_t, uint32_t

cpdef enum TunnelKind:
    """How a packet travels inside an IPv4 packet."""
    TUNNEL_IPV4 = 4                  # protocol 4, RFC 2003 3.1
    TUNNEL_UDP = 17                  # UDP port 434, message type 4, RFC 3519 3.3
    TUNNEL_IPV6 = 41                 # protocol 41, RFC 4213 3.5
    TUNNEL_GRE = 47                  # protocol 47, RFC 2784 2, RFC 2890 2
    TUNNEL_MINIMAL = 55              # protocol 55, RFC 2004 3
    TUNNEL_DSMIPV6 = 273             # UDP port 4191, RFC 5555 4.1

cpdef enum:
    LONGEST_TUNNEL_HEAD = 64         # octets that any kind adds before the packet
    GRE_IPV4 = 0x0800                # protocol types, RFC 2784 2.2, RFC 7676 3.1
    GRE_IPV6 = 0x86dd

cdef struct Tunnel:                  # what an IPv4 packet carries
    uint16_t kind                    # a TunnelKind
    uint8_t protocol                 # of what is inside: 4, 41; 55: its header must be rebuilt
    uint8_t version                  # of the packet inside
    bint has_key, has_sequence
    uint32_t key
    uint32_t sequence
    uint32_t head                    # offset of the header behind that of IPv4 (and UDP)
    uint32_t inner                   # offset of the packet; of what follows the minimal header
    uint32_t length                  # octets of the packet, by its own header

cdef int open_tunnel(const uint8_t* p, uint32_t n, Tunnel* out, int* fault) noexcept nogil        # a Status
cdef bint is_forbidden_source(const uint8_t* address) noexcept nogil                              # RFC 4213 3.6
cdef uint32_t rebuild_minimal(const uint8_t* p, const Tunnel* tunnel, uint8_t* out) noexcept nogil
