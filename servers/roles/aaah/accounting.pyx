# Accounting, RFC 2866: the packet as it came goes into the journal, and is acknowledged when it is there for good.
from fastcodec.radius cimport (
    ACCOUNTING_RESPONSE, ACCT_SESSION_ID, ACCT_STATUS_TYPE, CHAP_PASSWORD, NAS_IDENTIFIER,
    NAS_IP_ADDRESS, USER_PASSWORD,
)
from libc.stdint cimport uint8_t
from libc.string cimport memcpy
from servers.engine.failpoint cimport AAAH_RECORDED, AAAH_RECORDING, failpoint
from servers.engine.reasons cimport JOURNAL_FAILED, POORLY_FORMED
from servers.roles.aaah.row cimport give_up
from servers.roles.aaah.state cimport ACCOUNTING, ACCOUNTING_ROOM, Aaah, AccountingRecord, Question, STAGE_WRITE_REPLY
from servers.store.journal cimport journal_append


cdef void record_accounting(Aaah* aaah, Question* question) noexcept nogil:
    """RFC 2866 4.1: no answer to what could not be recorded; the client sends it again."""
    if not is_complete(question):
        give_up(aaah, question, POORLY_FORMED)
        return
    if aaah.journal and not append(aaah, question):
        give_up(aaah, question, JOURNAL_FAILED)
        return
    question.code = ACCOUNTING_RESPONSE
    question.head.stage = STAGE_WRITE_REPLY


cdef bint is_complete(Question* question) noexcept nogil:
    """RFC 2866 4.1, 5.13: what must be there, and that no password is."""
    cdef const uint8_t* size = question.packet.size
    return (question.packet.count[<int> ACCT_STATUS_TYPE] == 1 and size[<int> ACCT_STATUS_TYPE] == 4
            and question.packet.count[<int> ACCT_SESSION_ID] == 1 and size[<int> ACCT_SESSION_ID]
            and (size[<int> NAS_IP_ADDRESS] == 4 or size[<int> NAS_IDENTIFIER])
            and not question.packet.count[<int> USER_PASSWORD] and not question.packet.count[<int> CHAP_PASSWORD])


cdef bint append(Aaah* aaah, Question* question) noexcept nogil:
    cdef uint8_t[ACCOUNTING_ROOM] octets
    cdef AccountingRecord* record = <AccountingRecord*> octets
    record.received = aaah.now.wall
    record.client, record.port = question.datagram.peer_address, question.datagram.peer_port
    memcpy(octets + sizeof(AccountingRecord), question.packet.octets, question.packet.length)
    failpoint(AAAH_RECORDING)
    question.ticket = journal_append(aaah.journal, octets, sizeof(AccountingRecord) + question.packet.length, ACCOUNTING)
    aaah.commits += 1
    aaah.accounted += question.ticket != 0
    failpoint(AAAH_RECORDED)
    return question.ticket != 0
