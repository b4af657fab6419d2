# Agent discovery over ICMP, RFC 5944 2, RFC 1256 3.
from libc.stdint cimport uint8_t, uint16_t, uint32_t
from fastcodec.wire cimport Piece

cpdef enum IcmpType:
    """ICMP types of router discovery, RFC 1256 3."""
    ROUTER_ADVERTISEMENT = 9
    ROUTER_SOLICITATION = 10

cpdef enum AgentFlag:
    """Flags of the Mobility Agent Advertisement, RFC 5944 2.1.1 and the RFC beside each."""
    AGENT_R = 0x8000               # registration through a foreign agent required
    AGENT_B = 0x4000               # busy
    AGENT_H = 0x2000               # home agent
    AGENT_F = 0x1000               # foreign agent
    AGENT_M = 0x0800               # minimal encapsulation
    AGENT_G = 0x0400               # GRE
    AGENT_r = 0x0200               # reserved
    AGENT_T = 0x0100               # reverse tunnelling, RFC 3024 3.1
    AGENT_U = 0x0080               # UDP tunnelling, RFC 3519 3.4
    AGENT_X = 0x0040               # registration revocation, RFC 3543 3.1
    AGENT_I = 0x0020               # regional registration, RFC 4857

cpdef enum AdvertisedType:
    """Extension types of agent advertisements that are not registrations', or another there: RFC 5944 2.1 and the RFC beside each."""
    ADVERTISED_AGENT = 16
    ADVERTISED_PREFIX_LENGTHS = 19
    ADVERTISED_CHALLENGE = 24              # RFC 4721 2
    ADVERTISED_EXPERIMENT_MUST = 127       # RFC 4064 4.2
    ADVERTISED_LINK_LAYER_ADDRESS = 140    # RFC 4881 9
    ADVERTISED_EXPERIMENT = 255            # RFC 4064 4.4

cdef packed struct AgentAdvertisement:       # RFC 1256 3; router addresses and extensions follow
    uint8_t type
    uint8_t code                             # 0: routes common traffic, too; 16: does not
    uint16_t checksum
    uint8_t count                            # of router addresses
    uint8_t entry_size                       # 32-bit words of each
    uint16_t lifetime                        # seconds

cdef packed struct AgentSolicitation:        # RFC 1256 3
    uint8_t type
    uint8_t code
    uint16_t checksum
    uint32_t reserved

cdef packed struct MobilityAgent:            # extension 16, RFC 5944 2.1.1; care-of addresses follow
    uint16_t sequence                        # 0 after a start; 0xffff is followed by 256
    uint16_t lifetime                        # longest registration, seconds; 0xffff infinite
    uint16_t flags

cdef uint8_t[256] SHAPES                     # header shapes in advertisements
cdef int examine_advertisement(const uint8_t* p, int n, Piece* out, int most, int* found, int* fault) noexcept nogil
cdef int extensions_at(const uint8_t* p) noexcept nogil      # offset of the extensions of an advertisement that is OK
