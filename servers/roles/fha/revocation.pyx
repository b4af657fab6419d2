# A node hears that its binding has ended, although neither it nor its lifetime has ended it (RFC 3543): a Registration
# Revocation from the registration port, again after 1 s and 2 s, until the node acknowledges it or 4 s more have passed.
#
# Only home and foreign agents revoke: a node that registers itself deregisters (RFC 3543 1, RFC 5944 3.8.2.2), and what
# comes as type 7 is no request like any other that is none. A restart forgets what is under way here: the node then finds
# out when it renews, as one does that has never said that it knows revocation.
from fastcodec.digest.jobs cimport DIGEST_HMAC_MD5, queue_job
from fastcodec.mip4 cimport (
    EXT_MN_HA, EXT_REVOCATION_SUPPORT, REGISTRATION_REVOCATION, RegistrationRevocation, RevocationSupport,
)
from fastcodec.wire cimport get16, put16, put32
from libc.stdint cimport int32_t, uint32_t, uint64_t, uint8_t
from libc.string cimport memcpy, memset
from servers.engine.counters cimport count_event
from servers.engine.parking cimport NO_SLOT_FREE, parking_leave, parking_row, parking_take
from servers.engine.reasons cimport OUTBOX_FULL, RETRANSMITTED, REVOCATION_UNANSWERED, REVOKED, TABLE_FULL
from servers.engine.stages cimport DROPPED, PARKED
from servers.engine.wheel cimport wheel_arm
from servers.net.node cimport Datagram, compose
from servers.roles.fha.state cimport Fha, MOST_REVOCATIONS, PORT_REGISTRATION, Revocation, SECOND, STAGE_SEND_REVOCATION
from servers.store.journal cimport journal_durable
from servers.tables.bindings cimport Binding, KNOWS_INFORM, SUPPORTS_REVOCATION
from servers.tables.hash cimport NO_ROW, hash_word, table_find, table_insert, table_next, table_remove

cdef enum:
    TRIES = 3
    I_OF_SUPPORT = 0x8000                # RFC 3543 3.2
    A_OF_REVOCATION = 0x8000             # RFC 3543 3.3: by a home agent
    I_OF_REVOCATION = 0x4000
    SIGNED = 26                          # octets under the authenticator, RFC 5944 3.5.1: 20 and those of 32 up to its SPI


# ---- support, RFC 3543 3.2 -----------------------------------------------------------------------------------------------

cdef uint8_t support_of(const uint8_t* value, int length) noexcept nogil:
    """The bits of a Binding that an extension 137 stands for."""
    if length != 6:
        return 0
    return SUPPORTS_REVOCATION | KNOWS_INFORM if get16(value) & I_OF_SUPPORT else SUPPORTS_REVOCATION


cdef uint8_t* put_support(const Fha* fha, uint8_t revocation, uint8_t* at) noexcept nogil:
    """Ours, to a node that has said so: the I bit is used when both know it."""
    cdef RevocationSupport* support = <RevocationSupport*> at
    support.type, support.length = EXT_REVOCATION_SUPPORT, 6
    put16(&support.flags, I_OF_SUPPORT if revocation & KNOWS_INFORM else 0)
    put32(&support.timestamp, stamp_of(fha.now.wall))
    return at + sizeof(RevocationSupport)


# ---- the message ---------------------------------------------------------------------------------------------------------

cdef Revocation* open_revocation(Fha* fha, const Binding* binding) noexcept nogil:
    """What the node of a binding will be told, before that is taken apart. NULL: it does not know revocation, its key is
    over, or there is no room (counted); the binding ends all the same."""
    cdef uint32_t slot, now = stamp_of(fha.now.wall)
    cdef Revocation* row
    if not binding.revocation & SUPPORTS_REVOCATION or fha.now.monotonic >= binding.key_expires:
        return NULL
    slot = parking_take(&fha.revocations)
    if slot == NO_SLOT_FREE:
        count_event(&fha.counters, TABLE_FULL)
        return NULL
    row = <Revocation*> parking_row(&fha.revocations, slot)
    memset(row, 0, sizeof(Revocation))
    row.slot, row.flags, row.key = slot, binding.revocation, binding.prepared
    row.mn_spi, row.ha_spi = binding.mn_spi, binding.ha_spi
    row.home_address, row.care_of_address = binding.address, binding.care_of_address
    row.port, row.local_address = binding.port, binding.local_address
    row.identifier = now if <int32_t> (now - binding.stamp) > 0 else binding.stamp + 1     # else it looks like a replay
    row.hash = hash_word(<uint64_t> row.home_address << 32 | row.identifier, fha.seed)
    return row


cdef void announce(Fha* fha, Revocation* row, uint64_t ticket) noexcept nogil:
    """The binding's end is in the journal's hands, or, without a ticket, it has not ended."""
    if not row:
        return
    row.ticket = ticket
    if not ticket:
        end_revocation(fha, row)
        return
    fha.revocations_new[fha.revocations_new_count] = row.slot
    fha.revocations_new_count += 1


cdef void write_revocation(Fha* fha, Revocation* row) noexcept nogil:
    """RFC 3543 3.3, with the node's MN-HA (3.5)."""
    cdef RegistrationRevocation* message = <RegistrationRevocation*> row.octets
    cdef uint8_t* at = row.octets + sizeof(RegistrationRevocation)
    message.type, message.home_address, message.home_domain_address = REGISTRATION_REVOCATION, row.home_address, fha.address
    message.foreign_domain_address = row.care_of_address
    put16(&message.flags, A_OF_REVOCATION | (I_OF_REVOCATION if row.flags & KNOWS_INFORM else 0))
    put32(&message.revocation_identifier, row.identifier)
    at[0], at[1] = EXT_MN_HA, 20
    put32(at + 2, row.mn_spi)
    queue_job(&fha.queue, DIGEST_HMAC_MD5, row.octets, SIGNED, NULL, 0, &row.key, row.digest)


cdef void hold_revocation(Fha* fha, Revocation* row) noexcept nogil:
    """After a crash a binding whose end the journal has lost goes on, and its node must not think otherwise."""
    memcpy(row.octets + SIGNED, row.digest, 16)
    if journal_durable(fha.journal) < row.ticket:
        row.head.outcome, row.head.stage = PARKED, STAGE_SEND_REVOCATION
        fha.revocations_held[(fha.revocations_first + fha.revocations_count) % <uint32_t> MOST_REVOCATIONS] = row.slot
        fha.revocations_count += 1


cdef void send_revocation(Fha* fha, Revocation* row) noexcept nogil:
    """To where the node registered from; the same octets each time."""
    cdef Datagram* datagram
    if row.tries == TRIES:
        count_event(&fha.counters, REVOCATION_UNANSWERED)
        end_revocation(fha, row)
        return
    datagram = compose(fha.out, PORT_REGISTRATION)
    if datagram:
        datagram.peer_address, datagram.peer_port = row.care_of_address, row.port
        datagram.local_address = row.local_address
        memcpy(datagram.data, row.octets, sizeof(row.octets))
        datagram.length = sizeof(row.octets)
    else:                                                              # lost, as the network might have lost it
        count_event(&fha.counters, OUTBOX_FULL)
    if row.tries:
        count_event(&fha.counters, RETRANSMITTED)
    else:
        count_event(&fha.counters, REVOKED)
        table_insert(&fha.told, row.hash, row.slot)
    row.tries += 1
    row.head.outcome, row.head.stage = PARKED, STAGE_SEND_REVOCATION
    wheel_arm(&fha.revocations.wheel, row.slot, fha.now.monotonic + (<uint64_t> SECOND << (row.tries - 1)))


cdef void end_revocation(Fha* fha, Revocation* row) noexcept nogil:
    """The key goes with it."""
    cdef uint32_t slot = row.slot
    table_remove(&fha.told, row.hash, slot)
    memset(row, 0, sizeof(Revocation))
    row.head.outcome = DROPPED
    parking_leave(&fha.revocations, slot)


cdef Revocation* find_revocation(Fha* fha, uint32_t home_address, uint32_t identifier) noexcept nogil:
    """Sent, and not over; NULL: there is none."""
    cdef uint64_t hash = hash_word(<uint64_t> home_address << 32 | identifier, fha.seed)
    cdef uint32_t at = 0, slot = table_find(&fha.told, hash, &at)
    cdef Revocation* row
    while slot != NO_ROW:
        row = <Revocation*> parking_row(&fha.revocations, slot)
        if row.home_address == home_address and row.identifier == identifier:
            return row
        slot = table_next(&fha.told, hash, &at)
    return NULL
