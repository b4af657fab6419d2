"""Mobile IPv6: numpy layouts of the packed structs, the one table of mobility options, the walk, the checksum."""
from typing import NamedTuple

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy, memset

from fastcodec.fields cimport whole
from fastcodec.headers cimport Protocol, add_up, finish, pseudo_header
from fastcodec.overlay import dtype_of
from fastcodec.status cimport Status

cdef BindingRefreshRequest _refresh
cdef BindingRefreshRequest[::1] _refreshes = <BindingRefreshRequest[:1]> &_refresh
cdef TestInit _init
cdef TestInit[::1] _inits = <TestInit[:1]> &_init
cdef Test _test
cdef Test[::1] _tests = <Test[:1]> &_test
cdef BindingUpdate _update
cdef BindingUpdate[::1] _updates = <BindingUpdate[:1]> &_update
cdef BindingAcknowledgement _acknowledgement
cdef BindingAcknowledgement[::1] _acknowledgements = <BindingAcknowledgement[:1]> &_acknowledgement
cdef BindingError _error
cdef BindingError[::1] _errors = <BindingError[:1]> &_error
cdef RefreshAdvice _advice
cdef RefreshAdvice[::1] _advices = <RefreshAdvice[:1]> &_advice
cdef AlternateCareOfAddress _alternate
cdef AlternateCareOfAddress[::1] _alternates = <AlternateCareOfAddress[:1]> &_alternate
cdef NonceIndices _indices
cdef NonceIndices[::1] _indiceses = <NonceIndices[:1]> &_indices
cdef MobilityOption _option
cdef MobilityOption[::1] _options = <MobilityOption[:1]> &_option
cdef NetworkPrefix _prefix
cdef NetworkPrefix[::1] _prefixes = <NetworkPrefix[:1]> &_prefix
cdef MobileNodeIdentifier _identifier
cdef MobileNodeIdentifier[::1] _identifiers = <MobileNodeIdentifier[:1]> &_identifier
cdef MobilityAuthentication _authentication
cdef MobilityAuthentication[::1] _authentications = <MobilityAuthentication[:1]> &_authentication
cdef MobilityTimestamp _timestamp
cdef MobilityTimestamp[::1] _timestamps = <MobilityTimestamp[:1]> &_timestamp
cdef MobilityVendor _vendor
cdef MobilityVendor[::1] _vendors = <MobilityVendor[:1]> &_vendor
cdef IPv4HomeAddress _home4
cdef IPv4HomeAddress[::1] _home4s = <IPv4HomeAddress[:1]> &_home4
cdef IPv4Acknowledgement _acknowledged4
cdef IPv4Acknowledgement[::1] _acknowledged4s = <IPv4Acknowledgement[:1]> &_acknowledged4
cdef NatDetection _nat
cdef NatDetection[::1] _nats = <NatDetection[:1]> &_nat
cdef IPv4CareOfAddress _care_of4
cdef IPv4CareOfAddress[::1] _care_of4s = <IPv4CareOfAddress[:1]> &_care_of4

LAYOUTS = {"BindingRefreshRequest": dtype_of(_refreshes), "TestInit": dtype_of(_inits), "Test": dtype_of(_tests),
           "BindingUpdate": dtype_of(_updates), "BindingAcknowledgement": dtype_of(_acknowledgements),
           "BindingError": dtype_of(_errors), "RefreshAdvice": dtype_of(_advices),
           "AlternateCareOfAddress": dtype_of(_alternates), "NonceIndices": dtype_of(_indiceses),
           "MobilityOption": dtype_of(_options), "NetworkPrefix": dtype_of(_prefixes),
           "MobileNodeIdentifier": dtype_of(_identifiers), "MobilityAuthentication": dtype_of(_authentications),
           "MobilityTimestamp": dtype_of(_timestamps), "MobilityVendor": dtype_of(_vendors),
           "IPv4HomeAddress": dtype_of(_home4s), "IPv4Acknowledgement": dtype_of(_acknowledged4s),
           "NatDetection": dtype_of(_nats), "IPv4CareOfAddress": dtype_of(_care_of4s)}
MESSAGES = {MobilityType.BINDING_REFRESH_REQUEST: "BindingRefreshRequest", MobilityType.HOME_TEST_INIT: "TestInit",
            MobilityType.CARE_OF_TEST_INIT: "TestInit", MobilityType.HOME_TEST: "Test",
            MobilityType.CARE_OF_TEST: "Test", MobilityType.BINDING_UPDATE: "BindingUpdate",
            MobilityType.BINDING_ACKNOWLEDGEMENT: "BindingAcknowledgement",
            MobilityType.BINDING_ERROR: "BindingError"}


class Option(NamedTuple):
    """What the walk and the writer must know of a type; unknown types are skipped, RFC 6275 6.2.1."""
    name: str
    layout: str          # its struct
    minimum: int         # octets of the data
    maximum: int
    every: int           # alignment every*n + offset, from octet 0 of the Mobility Header
    offset: int


# The authentication option asks for 4n+1; 8n+5 is that, too, and makes a message that ends with it complete.
OPTIONS = {
    2: Option("refresh_advice", "RefreshAdvice", 2, 2, 2, 0),                            # RFC 6275 6.2.4
    3: Option("alternate_care_of_address", "AlternateCareOfAddress", 16, 16, 8, 6),      # RFC 6275 6.2.5
    4: Option("nonce_indices", "NonceIndices", 4, 4, 2, 0),                              # RFC 6275 6.2.6
    5: Option("authorization_data", "MobilityOption", 0, 255, 8, 2),                     # RFC 6275 6.2.7
    6: Option("mobile_network_prefix", "NetworkPrefix", 18, 18, 8, 4),                   # RFC 3963 4.3
    8: Option("mobile_node_identifier", "MobileNodeIdentifier", 2, 255, 1, 0),           # RFC 4283 3
    9: Option("authentication", "MobilityAuthentication", 5, 255, 8, 5),                 # RFC 4285 5
    10: Option("replay_protection", "MobilityTimestamp", 8, 8, 8, 2),                    # RFC 4285 6
    19: Option("vendor", "MobilityVendor", 5, 255, 4, 2),                                # RFC 5094 3
    20: Option("service_selection", "MobilityOption", 1, 255, 1, 0),                     # RFC 5149 3
    22: Option("home_network_prefix", "NetworkPrefix", 18, 18, 8, 4),                    # RFC 5213 8.3
    27: Option("timestamp", "MobilityTimestamp", 8, 8, 8, 2),                            # RFC 5213 8.8
    29: Option("ipv4_home_address", "IPv4HomeAddress", 6, 6, 4, 0),                      # RFC 5555 3.1.1
    30: Option("ipv4_acknowledgement", "IPv4Acknowledgement", 6, 6, 4, 0),               # RFC 5555 3.2.1
    31: Option("nat_detection", "NatDetection", 6, 6, 4, 0),                             # RFC 5555 3.2.2
    32: Option("ipv4_care_of_address", "IPv4CareOfAddress", 6, 6, 4, 0),                 # RFC 5555 3.1.2
}

cdef uint8_t[256] MINIMUM
cdef uint8_t[256] MAXIMUM
cdef uint8_t[256] EVERY
cdef uint8_t[256] OFFSET
cdef uint8_t[256] SIZES      # octets of the fixed part by type


def _derive():
    cdef int number
    for number in range(256):
        row = OPTIONS.get(number, Option("", "", 0, 255, 1, 0))
        MINIMUM[number], MAXIMUM[number] = row.minimum, row.maximum
        EVERY[number], OFFSET[number] = row.every, row.offset
        SIZES[number] = LAYOUTS[MESSAGES[number]].itemsize if number in MESSAGES else 0


_derive()


cdef int mobility_size(int type) noexcept nogil:
    return SIZES[type & 255]


# ---------------------------------------------------------------- the walk

cdef inline int walk_options(const uint8_t* p, int n, int at, Piece* out, int most, int* fault) noexcept nogil:
    """Number of options in p[at:n] without padding, or minus a Status with the offset of the culprit in `fault`."""
    cdef int found = 0
    while at < n:
        fault[0] = at
        if p[at] == OptionType.OPTION_PAD1:
            at += 1
            continue
        if n - at < 2 or p[at + 1] > n - at - 2:
            return -Status.EXTENSION_OVERRUN
        if p[at] != OptionType.OPTION_PADN:
            if found == most:
                return -Status.TOO_MANY_EXTENSIONS
            if not MINIMUM[p[at]] <= p[at + 1] <= MAXIMUM[p[at]]:
                return -Status.BAD_EXTENSION
            out[found].type, out[found].subtype = p[at], 0
            out[found].head, out[found].offset, out[found].length = <uint16_t> at, <uint16_t> (at + 2), p[at + 1]
            found += 1
        at += 2 + p[at + 1]
    return found


cdef int examine_mobility(const uint8_t* p, uint32_t n, int type, Piece* out, int most, int* found,
                          int* fault) noexcept nogil:
    """Everything that can be said of a Mobility Header without addresses and keys, RFC 6275 6.1.1, 9.2.

    Octets behind its Header Len are no part of it: the payload protocol 59 says that nothing follows (RFC 8200 4.7).
    """
    cdef int total
    found[0], fault[0] = 0, <int> n
    if n < 8:
        return Status.TOO_SHORT
    fault[0] = 0
    if p[0] != PAYLOAD_PROTO:
        return Status.WRONG_TYPE
    fault[0] = 2
    if SIZES[p[2]] == 0 or (type >= 0 and p[2] != type):
        return Status.WRONG_TYPE
    fault[0], total = 1, (p[1] + 1) * 8
    if total < SIZES[p[2]]:
        return Status.TOO_SHORT
    if <uint32_t> total > n:
        return Status.BAD_LENGTH
    total = walk_options(p, total, SIZES[p[2]], out, most, fault)
    found[0] = max(total, 0)
    return Status.OK if total >= 0 else -total


cdef int find_option(const uint8_t* p, const Piece* pieces, int n, int type, int subtype) noexcept nogil:
    """Index of the first option of that type (and, when it is not 0, first octet), or -1."""
    cdef int k
    for k in range(n):
        if pieces[k].type == type and (subtype == 0 or (pieces[k].length and p[pieces[k].offset] == subtype)):
            return k
    return -1


# ---------------------------------------------------------------- padding, RFC 6275 6.2.1-6.2.3

cdef int padding_before(int type, int at) noexcept nogil:
    return (OFFSET[type & 255] + EVERY[type & 255] - at % EVERY[type & 255]) % EVERY[type & 255]


cdef int padding_behind(int at) noexcept nogil:
    return -at & 7


cdef int put_padding(uint8_t* at, int n) noexcept nogil:
    memset(at, 0, n)
    if n > 1:
        at[0], at[1] = OptionType.OPTION_PADN, <uint8_t> (n - 2)
    return n


cdef bint is_canonical(const uint8_t* p, int n) noexcept nogil:
    cdef int k
    if n > 1 and (p[0] != OptionType.OPTION_PADN or p[1] != n - 2):
        return False
    for k in range(2 if n > 1 else 0, n):
        if p[k]:
            return False
    return True


# ---------------------------------------------------------------- checksum, authenticators, sequence numbers

cdef uint16_t mobility_checksum(const uint8_t* p, uint32_t n, const uint8_t* source,
                                const uint8_t* destination) noexcept nogil:
    """RFC 6275 6.1.1: over the pseudo-header of RFC 8200 8.1 with protocol 135, home addresses in place."""
    return finish(add_up(p, n, pseudo_header(source, destination, 16, n, Protocol.MOBILITY_HEADER)))


cdef uint32_t covered_by(const uint8_t* p, const Piece* authentication, const uint8_t* care_of_address,
                         const uint8_t* home_address, uint8_t* out) noexcept nogil:
    """What an authentication option covers, RFC 4285 5.1: care-of address, home address, the header through its SPI
    with the checksum as zero. `out` has room for LONGEST_MOBILITY + 32 octets; how many there are."""
    cdef uint32_t n = authentication.offset + 5
    memcpy(out, care_of_address, 16)
    memcpy(out + 16, home_address, 16)
    memcpy(out + 32, p, n)
    memset(out + 36, 0, 2)
    return 32 + n


cdef bint is_at_end(const uint8_t* p, int n, const Piece* authentication) noexcept nogil:
    """Behind an authentication option comes nothing but padding, or, behind MN-HA, an MN-AAA option: else the message is
    discarded, RFC 4285 5."""
    cdef int at = authentication.offset + authentication.length
    cdef bint may_follow = p[authentication.offset] == AUTHENTICATION_MN_HA
    while at < n:
        if p[at] == OptionType.OPTION_PAD1:
            at += 1
            continue
        if n - at < 2:
            return False
        if p[at] == OptionType.OPTION_AUTHENTICATION and may_follow and n - at > 2 and p[at + 2] == AUTHENTICATION_MN_AAA:
            may_follow = False
        elif p[at] != OptionType.OPTION_PADN:
            return False
        at += 2 + p[at + 1]
    return True


cdef bint is_fresh(uint16_t received, uint16_t last) noexcept nogil:
    return 1 <= <uint16_t> (received - last) <= 32767


def sequence_is_fresh(received, last):
    """Whether a Binding Update's sequence number follows the last accepted one, modulo 65536. RFC 6275 9.5.1."""
    return is_fresh(<uint16_t> whole(received, "received", 0, 0xffff), <uint16_t> whole(last, "last", 0, 0xffff))
