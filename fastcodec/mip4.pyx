"""Mobile IPv4: numpy layouts of the packed structs and the one table of extensions."""
from typing import NamedTuple

from libc.stdint cimport uint8_t, uint16_t, uint64_t

from fastcodec.overlay import dtype_of
from fastcodec.status cimport Status
from fastcodec.wire cimport Shape, walk

cdef RegistrationRequest _request
cdef RegistrationRequest[::1] _requests = <RegistrationRequest[:1]> &_request
cdef RegistrationReply _reply
cdef RegistrationReply[::1] _replies = <RegistrationReply[:1]> &_reply
cdef Authentication _authentication
cdef Authentication[::1] _authentications = <Authentication[:1]> &_authentication
cdef GeneralizedAuthentication _generalized
cdef GeneralizedAuthentication[::1] _generalizeds = <GeneralizedAuthentication[:1]> &_generalized
cdef NonceRequest _nonce_request
cdef NonceRequest[::1] _nonce_requests = <NonceRequest[:1]> &_nonce_request
cdef NonceReply _nonce_reply
cdef NonceReply[::1] _nonce_replies = <NonceReply[:1]> &_nonce_reply
cdef NormalVendorExtension _vendor
cdef NormalVendorExtension[::1] _vendors = <NormalVendorExtension[:1]> &_vendor
cdef BootstrapAddress _bootstrap
cdef BootstrapAddress[::1] _bootstraps = <BootstrapAddress[:1]> &_bootstrap
cdef RevocationSupport _support
cdef RevocationSupport[::1] _supports = <RevocationSupport[:1]> &_support
cdef RegistrationRevocation _revocation
cdef RegistrationRevocation[::1] _revocations = <RegistrationRevocation[:1]> &_revocation
cdef RevocationAcknowledgment _acknowledgment
cdef RevocationAcknowledgment[::1] _acknowledgments = <RevocationAcknowledgment[:1]> &_acknowledgment
cdef TunnelData _tunnel
cdef TunnelData[::1] _tunnels = <TunnelData[:1]> &_tunnel
cdef GenericNotification _notification
cdef GenericNotification[::1] _notifications = <GenericNotification[:1]> &_notification
cdef NotificationAcknowledgment _noted
cdef NotificationAcknowledgment[::1] _noteds = <NotificationAcknowledgment[:1]> &_noted


LAYOUTS = {"RegistrationRequest": dtype_of(_requests), "RegistrationReply": dtype_of(_replies),
           "Authentication": dtype_of(_authentications), "GeneralizedAuthentication": dtype_of(_generalizeds),
           "NonceRequest": dtype_of(_nonce_requests), "NonceReply": dtype_of(_nonce_replies),
           "NormalVendorExtension": dtype_of(_vendors), "BootstrapAddress": dtype_of(_bootstraps),
           "RevocationSupport": dtype_of(_supports), "RegistrationRevocation": dtype_of(_revocations),
           "RevocationAcknowledgment": dtype_of(_acknowledgments), "TunnelData": dtype_of(_tunnels),
           "GenericNotification": dtype_of(_notifications), "NotificationAcknowledgment": dtype_of(_noteds)}


class Extension(NamedTuple):
    """What the walk must know of a type; whether it may be skipped is its number: 128 and above may."""
    name: str
    shape: int
    layout: str          # its struct, "" when this flow only passes it through
    single: bool         # a second one of the same subtype is malformed
    minimum: int         # octets of the value
    maximum: int


def _row(name, shape, layout="", single=False, minimum=0, maximum=0xffff):
    return Extension(name, shape, layout, single, minimum, maximum)


EXTENSIONS = {
    0: _row("padding", Shape.PAD),                                                               # RFC 5944 1.8
    32: _row("mn_ha", Shape.TLV, "Authentication", True, 4, 255),                                # RFC 5944 3.5.2
    33: _row("mn_fa", Shape.TLV, "Authentication", True, 4, 255),                                # RFC 5944 3.5.3
    34: _row("fa_ha", Shape.TLV, "Authentication", True, 4, 255),                                # RFC 5944 3.5.4
    36: _row("generalized", Shape.LONG, "GeneralizedAuthentication", True, 20),                  # RFC 4721 5
    38: _row("cvse", Shape.LONG, minimum=6),                                                     # RFC 3115 2.1
    40: _row("mn_fa_nonce_request", Shape.LONG, "NonceRequest", True, 4, 4),                     # RFC 3957 6.1
    41: _row("mn_fa_nonce_reply", Shape.LONG, single=True, minimum=14),                          # RFC 3957 6.2
    42: _row("mn_ha_nonce_request", Shape.LONG, "NonceRequest", True, 4, 4),                     # RFC 3957 6.3
    43: _row("mn_ha_nonce_reply", Shape.LONG, "NonceReply", True, 16),                           # RFC 3957 6.4
    44: _row("udp_tunnel_reply", Shape.SHORT, minimum=5, maximum=5),                             # RFC 3519 3.2
    45: _row("fa_error", Shape.SHORT, minimum=1, maximum=1),                                     # RFC 4636 3
    46: _row("gfa_address", Shape.TLV, minimum=6, maximum=6),                                    # RFC 4857 9.1
    47: _row("proxy_mip_must", Shape.LONG),                                                      # RFC 5563 5.1
    48: _row("gre_key", Shape.LONG, minimum=4, maximum=4),                                       # RFC 6245 5
    49: _row("route_optimization", Shape.SHORT),                                                 # RFC 6521 5.2-5.4
    50: _row("route_optimization_data", Shape.LONG),                                             # RFC 6521 5.5
    127: _row("experimental_must", Shape.LONG),                                                  # RFC 4064 4.1
    129: _row("skip_traversal", Shape.TLV),                                                      # RFC 2356 7.3
    130: _row("delivery_style", Shape.TLV),                                                      # RFC 3024 3.3
    131: _row("nai", Shape.TLV, single=True, minimum=1, maximum=255),                            # RFC 2794 2
    132: _row("challenge", Shape.TLV),                                                           # RFC 4721 4
    134: _row("nvse", Shape.TLV, "NormalVendorExtension", False, 8, 255),                        # RFC 3115 2.2
    136: _row("nai_carrying", Shape.SHORT),                                                      # RFC 3846 3-5
    137: _row("revocation_support", Shape.TLV, "RevocationSupport", True, 6, 6),                 # RFC 3543 3.2
    138: _row("link_layer_address", Shape.SHORT),                                                # RFC 4881 9
    139: _row("dynamic_ha", Shape.EITHER, minimum=4, maximum=4),                                 # RFC 4433 3.4
    140: _row("hierarchical_fa", Shape.TLV),                                                     # RFC 4857 9.2
    141: _row("replay_style", Shape.TLV),                                                        # RFC 4857 9.3
    142: _row("regional_lifetime", Shape.TLV),                                                   # RFC 4857 9.4
    144: _row("udp_tunnel_request", Shape.SHORT, minimum=5, maximum=5),                          # RFC 3519 3.1
    145: _row("message_string", Shape.SHORT),                                                    # RFC 4917 3
    147: _row("proxy_mip", Shape.SHORT),                                                         # RFC 5563 5.2-5.5
    148: _row("mobile_network", Shape.SHORT),                                                    # RFC 5177 4
    149: _row("trusted_networks", Shape.SHORT),                                                  # RFC 5265 3.4
    151: _row("service_selection", Shape.TLV, minimum=1, maximum=255),                           # RFC 5446 3
    152: _row("dual_stack", Shape.SHORT),                                                        # RFC 5454 2
    153: _row("route_optimization_indication", Shape.SHORT),                                     # RFC 6521 5.1
    154: _row("flow_binding", Shape.LONG),                                                       # RFC 7629 4.1, 4.2
    255: _row("experimental", Shape.SHORT),                                                      # RFC 4064 4.3
}

cdef enum:
    LONGEST = 0xffff     # an offset is 16 bits, as is a UDP length

cdef uint16_t[256] MINIMUM
cdef uint16_t[256] MAXIMUM
cdef uint8_t[256] SINGLE


def _derive():
    cdef int number
    for number in range(256):
        unknown = Shape.UNKNOWN_MUST if number < 128 else Shape.UNKNOWN_SKIP
        row = EXTENSIONS.get(number, _row("", unknown))
        SHAPES[number], SINGLE[number] = row.shape, row.single
        MINIMUM[number], MAXIMUM[number] = row.minimum, row.maximum


_derive()


cdef int walk_message(const uint8_t* p, int n, int fixed, Piece* out, int most) noexcept nogil:
    """Number of extensions behind the fixed part, or minus a Status. RFC 5944 1.8."""
    cdef int fault
    if n < fixed:
        return -Status.TOO_SHORT
    if n > LONGEST:
        return -Status.BAD_LENGTH
    return walk(p, n, fixed, SHAPES, out, most, &fault)


cdef int check_pieces(const Piece* pieces, int n, int* fault) noexcept nogil:
    """OK, or BAD_EXTENSION with the offset of the known extension whose length its RFC rules out."""
    cdef int k
    for k in range(n):
        if not MINIMUM[pieces[k].type] <= pieces[k].length <= MAXIMUM[pieces[k].type]:
            fault[0] = pieces[k].head
            return Status.BAD_EXTENSION
    return Status.OK


cdef int doubled_piece(const Piece* pieces, int n) noexcept nogil:
    """Index of the second one of a kind that must be single, or -1."""
    cdef int k
    for k in range(n):
        if SINGLE[pieces[k].type] and find_piece(pieces, k, pieces[k].type, pieces[k].subtype) >= 0:
            return k
    return -1


cdef inline bint may_be_doubled(const Piece* pieces, int n) noexcept nogil:
    """Whether a type that must be single comes twice, of whatever subtypes: nearly always not, and then all is said."""
    cdef uint64_t[4] seen
    cdef uint64_t bit
    cdef int k, type
    seen[0] = seen[1] = seen[2] = seen[3] = 0
    for k in range(n):
        type = pieces[k].type
        bit = (<uint64_t> SINGLE[type]) << (type & 63)
        if seen[type >> 6] & bit:
            return True
        seen[type >> 6] |= bit
    return False


cdef int find_piece(const Piece* pieces, int n, int type, int subtype) noexcept nogil:
    """Index of the first piece of that type and subtype (TLVs have subtype 0), or -1."""
    cdef int k
    for k in range(n):
        if pieces[k].type == type and pieces[k].subtype == subtype:
            return k
    return -1


cdef int fixed_size(int type) noexcept nogil:
    if type == MessageType.REGISTRATION_REQUEST:
        return sizeof(RegistrationRequest)
    if type == MessageType.REGISTRATION_REPLY:
        return sizeof(RegistrationReply)
    if type == MessageType.REGISTRATION_REVOCATION:
        return sizeof(RegistrationRevocation)
    if type == MessageType.REVOCATION_ACKNOWLEDGMENT:
        return sizeof(RevocationAcknowledgment)
    if type == MessageType.GENERIC_NOTIFICATION:
        return sizeof(GenericNotification)
    return sizeof(NotificationAcknowledgment) if type == MessageType.NOTIFICATION_ACKNOWLEDGMENT else 0


cdef int examine(const uint8_t* p, int n, int type, Piece* out, int most, int* found, int* fault) noexcept nogil:
    """Everything that can be said of a message without a key: a Status, its pieces, the offset of the fault."""
    cdef int twice
    found[0] = fault[0] = 0
    if n < 1:
        return Status.TOO_SHORT
    if p[0] != type or fixed_size(type) == 0:
        return Status.WRONG_TYPE
    fault[0] = n
    if n < fixed_size(type):
        return Status.TOO_SHORT
    if n > LONGEST:
        return Status.BAD_LENGTH
    found[0] = walk(p, n, fixed_size(type), SHAPES, out, most, fault)
    if found[0] < 0:
        twice, found[0] = found[0], 0
        return -twice
    if check_pieces(out, found[0], fault) != Status.OK:
        return Status.BAD_EXTENSION
    twice = doubled_piece(out, found[0]) if may_be_doubled(out, found[0]) else -1
    if twice >= 0:
        fault[0] = out[twice].head
        return Status.DOUBLED_EXTENSION
    return Status.OK
