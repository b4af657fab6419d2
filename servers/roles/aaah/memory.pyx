# What the AAAH must not forget in a restart: which FHAs may ask for a subscriber, and its last Identification.
from fastcodec.wire cimport hash_octets
from libc.stdint cimport uint32_t, uint64_t, uint8_t
from libc.string cimport memcpy
from servers.engine.reasons cimport JOURNAL_FAILED
from servers.roles.aaah.row cimport give_up
from servers.roles.aaah.state cimport Aaah, Question, SECOND, STATE_ROOM, StateRecord, SUBSCRIBER_STATE
from servers.store.journal cimport journal_append
from servers.tables.subscribers cimport Subscriber, find_subscriber, nai_of


cdef void remember(Aaah* aaah, Question* question) noexcept nogil:
    """One record; the Accept that changed something waits until it is durable."""
    cdef uint8_t[STATE_ROOM] octets
    cdef uint32_t length
    if aaah.journal == NULL:
        return
    length = write_state(aaah, question.subscriber, aaah.now.monotonic, aaah.now.wall, octets)
    question.ticket = journal_append(aaah.journal, octets, length, SUBSCRIBER_STATE)
    if not question.ticket:
        give_up(aaah, question, JOURNAL_FAILED)


cdef uint32_t write_state(const Aaah* aaah, const Subscriber* subscriber, uint64_t now, uint64_t wall,
                          void* octets) noexcept nogil:
    """A whole row, which replaces the one before it; its length."""
    cdef StateRecord* record = <StateRecord*> octets
    cdef uint64_t until = <uint64_t> subscriber.assigned_until * SECOND
    record.assigned_until = wall + (until - now) if until > now else 0
    record.identification, record.covered_hash = subscriber.identification, subscriber.covered_hash
    memcpy(record.fhas, subscriber.fhas, sizeof(record.fhas))
    record.nai_length = subscriber.nai_length
    memcpy(<uint8_t*> octets + sizeof(StateRecord), nai_of(aaah.subscribers, subscriber), subscriber.nai_length)
    return sizeof(StateRecord) + subscriber.nai_length


cdef void restore_state(Aaah* aaah, const StateRecord* record, uint64_t now, uint64_t wall) noexcept nogil:
    """The latest record of a NAI counts; a NAI that is no subscriber any more is forgotten."""
    cdef const uint8_t* nai = <const uint8_t*> record + sizeof(StateRecord)
    cdef Subscriber* subscriber = find_subscriber(aaah.subscribers, nai, record.nai_length,
                                                  hash_octets(nai, record.nai_length))
    if not subscriber:
        return
    subscriber.identification, subscriber.covered_hash = record.identification, record.covered_hash
    memcpy(subscriber.fhas, record.fhas, sizeof(record.fhas))
    subscriber.assigned_until = 0
    if record.assigned_until > wall:
        subscriber.assigned_until = <uint32_t> ((now + record.assigned_until - wall + SECOND - 1) // SECOND)
