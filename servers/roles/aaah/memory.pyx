# What the AAAH must not forget in a restart: which FHAs may ask for a subscriber, and its last Identification.
from fastcodec.wire cimport mix_octets
from libc.stdint cimport uint32_t, uint64_t, uint8_t
from libc.string cimport memcpy
from servers.engine.counters cimport count_event
from servers.engine.failpoint cimport AAAH_REMEMBERING, failpoint
from servers.engine.reasons cimport JOURNAL_FAILED
from servers.roles.aaah.state cimport Aaah, Question, SAVE_WITHIN, SECOND, STATE_ROOM, StateRecord, SUBSCRIBER_STATE
from servers.store.journal cimport journal_append, journal_kick
from servers.tables.subscribers cimport Subscriber, find_subscriber, nai_of


cdef void remember(Aaah* aaah, Question* question) noexcept nogil:
    """One record, on disk within SAVE_WITHIN. The Accept does not wait for it: a crash before then costs no promise, since
    a NAI that is not remembered may be asked for by any FHA of its class (ruling 18), and the FHA refuses replays itself;
    a sync for every Accept would cost more than all the rest at low load."""
    cdef uint8_t[STATE_ROOM] octets
    cdef uint32_t length
    if aaah.journal == NULL:
        return
    length = write_state(aaah, question.subscriber, aaah.now.monotonic, aaah.now.wall, octets)
    failpoint(AAAH_REMEMBERING)
    if not journal_append(aaah.journal, octets, length, SUBSCRIBER_STATE):
        count_event(&aaah.counters, JOURNAL_FAILED)
    elif not aaah.save_at:
        aaah.save_at = aaah.now.monotonic + SAVE_WITHIN


cdef void save(Aaah* aaah) noexcept nogil:
    """Hands on what has to be on disk by now; what a reply waits for, at once."""
    if aaah.journal != NULL and (aaah.commits or aaah.save_at and aaah.now.monotonic >= aaah.save_at):
        aaah.commits, aaah.save_at = 0, 0
        journal_kick(aaah.journal)


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
                                                  mix_octets(nai, record.nai_length))
    if not subscriber:
        return
    subscriber.identification, subscriber.covered_hash = record.identification, record.covered_hash
    memcpy(subscriber.fhas, record.fhas, sizeof(record.fhas))
    subscriber.assigned_until = 0
    if record.assigned_until > wall:
        subscriber.assigned_until = <uint32_t> ((now + record.assigned_until - wall + SECOND - 1) // SECOND)
