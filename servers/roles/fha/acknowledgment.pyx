# A Revocation Acknowledgment arrives (RFC 3543 3.4): of what, and whether the node itself says so. Else silence.
from fastcodec.digest.jobs cimport DIGEST_HMAC_MD5, queue_job
from fastcodec.mip4 cimport EXT_MN_HA, RevocationAcknowledgment, find_piece, walk_message
from fastcodec.status cimport NO_AUTHENTICATOR, TOO_SHORT
from fastcodec.wire cimport Piece, get32, same
from servers.engine.counters cimport count_event, count_offence
from servers.engine.reasons cimport BAD_MN_HA, REVOCATION_ANSWERED, REVOCATION_UNMATCHED, UNKNOWN_SPI
from servers.engine.stages cimport DONE, DROPPED
from servers.roles.fha.revocation cimport end_revocation, find_revocation
from servers.roles.fha.state cimport MOST_EXTENSIONS


cdef void refuse(Fha* fha, Acknowledgment* row, int reason) noexcept nogil:
    row.head.outcome = DROPPED
    count_offence(&fha.counters, reason, row.datagram)


cdef void match_acknowledgment(Fha* fha, Acknowledgment* row) noexcept nogil:
    """RFC 3543 3.4: home address and Revocation Identifier are those of a revocation under way; 3.5: with MN-HA."""
    cdef Piece[MOST_EXTENSIONS] pieces
    cdef const RevocationAcknowledgment* message = <const RevocationAcknowledgment*> row.datagram.data
    cdef int found, at
    if row.datagram.length < sizeof(RevocationAcknowledgment):
        refuse(fha, row, TOO_SHORT)
        return
    found = walk_message(row.datagram.data, <int> row.datagram.length, sizeof(RevocationAcknowledgment), pieces, MOST_EXTENSIONS)
    if found < 0:
        refuse(fha, row, -found)
        return
    at = find_piece(pieces, found, EXT_MN_HA, 0)
    row.identifier = get32(&message.revocation_identifier)
    row.revocation = find_revocation(fha, message.home_address, row.identifier)
    if at < 0 or pieces[at].length != 20:
        refuse(fha, row, NO_AUTHENTICATOR)
    elif not row.revocation:
        refuse(fha, row, REVOCATION_UNMATCHED)
    elif get32(row.datagram.data + pieces[at].offset) != row.revocation.ha_spi:
        refuse(fha, row, UNKNOWN_SPI)
    else:
        row.mac_at = pieces[at].offset + 4
        queue_job(&fha.queue, DIGEST_HMAC_MD5, row.datagram.data, row.mac_at, NULL, 0, &row.revocation.key, row.digest)


cdef void check_acknowledgment(Fha* fha, Acknowledgment* row) noexcept nogil:
    """One before it in the same batch may have ended the revocation."""
    if row.revocation.identifier != row.identifier or not row.revocation.tries:
        refuse(fha, row, REVOCATION_UNMATCHED)
    elif not same(row.digest, row.datagram.data + row.mac_at, 16):
        refuse(fha, row, BAD_MN_HA)
    else:
        count_event(&fha.counters, REVOCATION_ANSWERED)
        end_revocation(fha, row.revocation)
        row.head.outcome = DONE
