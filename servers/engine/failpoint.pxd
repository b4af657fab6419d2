# Named points at which a server can be made to die, to stall or to fail, so that tests see what it leaves behind.
#
#   MIPSTORM_FAILPOINT=NAME[:NTH][:MODE]      fha_synced, fha_synced:200, aaah_sending:3:sleep
#
# NTH (1): the how manieth time that the point is reached. MODE: `kill` (SIGKILL to itself, the default), `sleep` (the thread
# that got there stands still for 1 s), `error` (the step fails with EIO; where there is a step that can fail). Then it is over.
# Always compiled in: a point that is not armed costs a load and a branch that is always predicted. A server says in its log
# that one is armed, and the report of a run names it under `relaxed`.
#
# A name begins with the process that it is meant for. The table's ANY_ is both: any of ANY_SENT is fha_sent or aaah_sent.

cpdef enum _Point:
    ANY_RECEIVED = 1               # the datagrams of one receive call are here, nothing is done with them
    ANY_SENDING = 2                # the outbox has something, nothing of it is sent
    ANY_SENT = 3                   # all of it is sent
    # the journal's writer thread; these three stand in the order of `journal_step` in store/journal.h
    ANY_WRITING = 4                # a group is about to be written; error: the write fails
    ANY_WRITTEN = 5                # it is written, not synced; error: the sync fails
    ANY_SYNCED = 6                 # it is synced, nobody has been told
    # compaction, at the start and while the server runs; error in all of them: the disk
    ANY_JOURNAL_CREATING = 7       # the next journal exists under its unfinished name
    ANY_JOURNAL_CREATED = 8        # it has its name, and is not in use
    ANY_IMAGE_WRITING = 9          # the first rows are in the image
    ANY_IMAGE_RENAMING = 10        # the image is on disk under its unfinished name
    ANY_IMAGE_RENAMED = 11         # it has its name, what it replaces is still there
    ANY_IMAGE_REMOVING = 12        # one of the files that it replaces is gone
    ANY_IMAGE_REMOVED = 13         # all are gone, their removal is perhaps not durable

    FHA_NEW = 20                   # a request is no duplicate, and is entered as the one under way
    FHA_ASKING = 21                # its Access-Request stands in the outbox
    FHA_ANSWERED = 22              # datagrams from the AAAH are here, not looked at
    FHA_ACCEPTED = 23              # an Access-Accept was verified and is usable
    FHA_RESERVED = 24              # the pool has given an address, the journal knows nothing of it
    FHA_APPENDED = 25              # the lease stands in the journal's ring
    FHA_COMMITTED = 26             # it is known that leases are durable, their replies are still parked
    FHA_RELEASING = 27             # a deregistration is about to enter the journal
    FHA_RELEASED = 28              # it stands in the ring, the address rests
    FHA_SWEEPING = 29              # leases have expired, nothing is done about it
    FHA_SWEPT = 30                 # their ends stand in the ring

    AAAH_RECORDING = 40            # an accounting record is about to enter the journal
    AAAH_RECORDED = 41             # it stands in the ring
    AAAH_COMMITTED = 42            # it is known that records are durable, their responses are still parked
    AAAH_REMEMBERING = 43          # what an Accept has assigned is about to enter the journal

cdef int armed                     # the point that something happens at; 0: none
cdef int failpoint_reached() noexcept nogil

# 0, or the errno that the step shall fail with.
cdef inline int failpoint(int point) noexcept nogil:
    return failpoint_reached() if armed == point else 0
