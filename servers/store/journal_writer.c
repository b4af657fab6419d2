/* The ring and the writer thread. The worker appends and kicks; the writer takes all that was appended since its last group,
 * writes and syncs it, says how far it came and looks again: while it syncs, the next group gathers, so a group grows with
 * the load and nothing waits at low load.
 *
 * A failed write or sync is final: after it the kernel may have dropped the pages, and a second sync that succeeds would
 * prove nothing. Running out of disk is not a failure: room is set aside ahead, and appends beyond it are refused. */
#define _GNU_SOURCE
#include "journal.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

enum { AHEAD = 1 << 20 };            /* octets of zeros written ahead at a time */

static uint64_t read_word(const uint64_t *p) { return __atomic_load_n(p, __ATOMIC_ACQUIRE); }
static void write_word(uint64_t *p, uint64_t v) { __atomic_store_n(p, v, __ATOMIC_RELEASE); }
static int read_flag(const int *p) { return __atomic_load_n(p, __ATOMIC_ACQUIRE); }
static void write_flag(int *p, int v) { __atomic_store_n(p, v, __ATOMIC_RELEASE); }

static int pass_by(int step) { (void)step; return 0; }
int (*journal_step)(int step) = pass_by;

static void signal_event(int event) {
    uint64_t one = 1;
    while (write(event, &one, sizeof one) < 0 && errno == EINTR) { }
}

/* ---- the worker's side ---- */

uint64_t journal_put(journal *j, const void *payload, uint32_t n, uint8_t type) {
    uint64_t octets = sizeof(journal_record) + journal_padded(n), durable = read_word(&j->durable);
    if (n > JOURNAL_PAYLOAD_MOST || octets > j->room - (j->appended - durable) || read_flag(&j->failed)
        || j->appended + octets > read_word(&j->limit)) {
        j->refused++;
        return 0;
    }
    j->records++;
    if (j->is_volatile) {
        write_word(&j->durable, j->appended += octets);
        return j->appended;
    }
    uint8_t *at = j->ring + (j->appended & (j->room - 1));
    journal_record *r = (journal_record *)at;
    uint64_t behind = durable > j->base ? durable - j->base : 0;
    *r = (journal_record){.length = n, .sequence = j->sequence++, .synced = JOURNAL_PAGE + behind,
                          .magic = JOURNAL_MAGIC, .type = type};
    if (n) memcpy(at + sizeof *r, payload, n);
    memset(at + sizeof *r + n, 0, journal_padded(n) - n);
    r->crc = journal_crc32c(j->nonce, at + 4, octets - 4);
    write_word(&j->appended, j->appended + octets);
    return j->appended;
}

/* Either the writer, going to sleep, sees what was appended before this, or this sees it sleeping. */
void journal_wake(journal *j) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (read_flag(&j->sleeping) && __atomic_exchange_n(&j->sleeping, 0, __ATOMIC_SEQ_CST)) signal_event(j->wake);
}

/* ---- the writer's side ---- */

static int has_work(const journal *j) { return !read_flag(&j->failed) && read_word(&j->appended) != j->durable; }

static void fail(journal *j, int error) {
    write_flag(&j->failed, error);
    signal_event(j->done);
}

/* Sets the next chunk aside when less than half of one is left. */
static void set_aside(journal *j) {
    uint64_t limit = j->limit;
    if (limit == UINT64_MAX || read_flag(&j->stop) || limit - read_word(&j->appended) >= j->chunk / 2) return;
    if (fallocate(j->file, 0, JOURNAL_PAGE + (off_t)(limit - j->base), (off_t)j->chunk) == 0) {
        write_word(&j->limit, limit + j->chunk);
        write_flag(&j->no_space, 0);
    } else if (errno == EOPNOTSUPP) {
        write_word(&j->limit, UINT64_MAX);             /* this file system cannot; a full disk will be a failed write */
    } else if (errno != EINTR) {
        write_flag(&j->no_space, errno);
    }
}

static int write_all(int file, const uint8_t *from, uint64_t n, uint64_t at) {
    while (n) {
        ssize_t done = pwrite(file, from, n, (off_t)at);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return done ? errno : EIO;
        from += done, n -= (uint64_t)done, at += (uint64_t)done;
    }
    return 0;
}

/* The first write to room that was only set aside changes the file's map, and a sync waits for that, too: it takes nearly
 * twice as long. So zeros are written ahead, synced here if nobody waits, else with the next group. */
static void write_zeros(journal *j) {
    static const uint8_t zeros[1 << 18];
    uint64_t appended = read_word(&j->appended), limit = read_word(&j->limit);
    uint64_t from = j->zeroed > appended ? j->zeroed : appended;
    if (limit == UINT64_MAX || limit <= from || from - appended >= AHEAD / 2) return;
    uint64_t to = limit - from > AHEAD ? from + AHEAD : limit;
    for (uint64_t at = from; at < to; at += sizeof zeros) {
        uint64_t n = to - at < sizeof zeros ? to - at : sizeof zeros;
        int error = write_all(j->file, zeros, n, JOURNAL_PAGE + (at - j->base));
        if (error) return fail(j, error);
    }
    j->zeroed = to;
    if (!has_work(j) && fdatasync(j->file) < 0) fail(j, errno);
}

static void commit(journal *j) {
    uint64_t from = j->durable, to = read_word(&j->appended);
    int error = journal_step(JOURNAL_WRITING);
    if (!error) error = write_all(j->file, j->ring + (from & (j->room - 1)), to - from, JOURNAL_PAGE + (from - j->base));
    if (!error) error = journal_step(JOURNAL_WRITTEN);
    if (!error && fdatasync(j->file) < 0) error = errno;
    if (!error) error = journal_step(JOURNAL_SYNCED);
    if (error) {
        fail(j, error);
        return;
    }
    j->commits++;
    write_word(&j->durable, to);
    signal_event(j->done);
}

static void sleep_until_woken(journal *j) {
    uint64_t count;
    __atomic_store_n(&j->sleeping, 1, __ATOMIC_SEQ_CST);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (has_work(j) || read_flag(&j->stop)) {
        write_flag(&j->sleeping, 0);
        return;
    }
    while (read(j->wake, &count, sizeof count) < 0 && errno == EINTR) { }
    write_flag(&j->sleeping, 0);
}

static void *write_groups(void *argument) {
    journal *j = argument;
    for (;;) {
        pthread_mutex_lock(&j->at_work);
        int worked = has_work(j);
        if (worked) commit(j);
        if (!read_flag(&j->failed)) set_aside(j);
        if (!read_flag(&j->failed)) write_zeros(j);
        pthread_mutex_unlock(&j->at_work);
        if (worked) continue;
        if (read_flag(&j->stop)) return NULL;
        sleep_until_woken(j);
    }
}

/* ---- opening, changing the file, closing ---- */

static uint8_t *map_twice(uint64_t room) {
    int memory = memfd_create("journal ring", MFD_CLOEXEC);
    if (memory < 0) return NULL;
    uint8_t *at = ftruncate(memory, (off_t)room) ? MAP_FAILED
                  : mmap(NULL, 2 * room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int half = 0; half < 2 && at != MAP_FAILED; half++)
        if (mmap(at + half * room, room, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, memory, 0) == MAP_FAILED) {
            munmap(at, 2 * room);
            at = MAP_FAILED;
        }
    close(memory);
    return at == MAP_FAILED ? NULL : at;
}

journal *journal_open(uint64_t room, uint64_t chunk) {
    journal *j = aligned_alloc(64, (sizeof *j + 63) / 64 * 64);
    if (!j) return NULL;
    memset(j, 0, sizeof *j);
    j->room = room, j->chunk = chunk, j->limit = UINT64_MAX, j->is_volatile = 1, j->file = -1;
    j->wake = eventfd(0, EFD_CLOEXEC), j->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&j->at_work, NULL);
    j->ring = j->wake < 0 || j->done < 0 ? NULL : map_twice(room);
    if (j->ring) return j;
    int error = errno;
    journal_shut(j);
    errno = error;
    return NULL;
}

/* A thread that takes no signals: they belong to the worker's loop. */
static int start(journal *j) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&j->thread, NULL, write_groups, j);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    j->started = !error;
    return error;
}

/* Waits until all that was appended is on disk; leaves `done` to whoever watches it. */
int journal_drain(journal *j) {
    while (!read_flag(&j->failed) && read_word(&j->durable) != j->appended) {
        journal_wake(j);
        poll(NULL, 0, 1);
    }
    return read_flag(&j->failed);
}

/* Goes on in `file`, whose first `reserved` octets are set aside. */
int journal_use(journal *j, int file, uint32_t nonce, uint64_t sequence, uint64_t reserved) {
    int error = journal_drain(j);
    pthread_mutex_lock(&j->at_work);
    if (!error) {
        j->file = file, j->nonce = nonce, j->sequence = sequence, j->is_volatile = 0;
        j->base = j->zeroed = j->appended;
        write_word(&j->limit, reserved ? j->base + reserved - JOURNAL_PAGE : UINT64_MAX);
    }
    pthread_mutex_unlock(&j->at_work);
    if (error) return error;
    if (!j->started) return start(j);
    journal_wake(j);                                   /* there is room to be filled with zeros */
    return 0;
}

void journal_stop(journal *j) {
    write_word(&j->limit, 0);                          /* whatever is appended from here on is refused */
    if (!j->started) return;
    write_flag(&j->stop, 1);
    signal_event(j->wake);
    pthread_join(j->thread, NULL);
    j->started = 0;
}

void journal_shut(journal *j) {
    journal_stop(j);
    if (j->ring) munmap(j->ring, 2 * j->room);
    if (j->wake >= 0) close(j->wake);
    if (j->done >= 0) close(j->done);
    pthread_mutex_destroy(&j->at_work);
    free(j);
}
