/* Drives any RADIUS server with Access-Requests (CHAP, valid Message-Authenticator) in a closed loop and counts what
 * comes back. Every request is made before the clock starts: per identifier of each source port a ring of
 * --generations packets, each of another subscriber with another Request Authenticator, so that no server can take one
 * for a duplicate. While the clock runs a reply only causes the next packet of its identifier to be sent: system calls,
 * no digests, except the check of one reply in --verify (its Response Authenticator). Subscribers: the CSV of the load
 * generator (nai, access_secret). Last line: JSON. */
#define _GNU_SOURCE
#include "options.h"
#include "radius.h"
#include "udp.h"
#include <sys/random.h>

enum { IDS = 256, PORTS = 16, LINE = 1024 };
enum { FIXED = 128 };        /* more octets than a request has without its two names */

static Option options[] = {
    {"port", NULL, "port of the server on 127.0.0.1"}, {"secret-file", NULL, "file with the shared secret"},
    {"subscribers", NULL, "CSV with nai and access_secret"}, {"seconds", "3", "how long"},
    {"window", "512", "requests in flight"},
    {"batch", "64", "datagrams a call"}, {"generations", "4", "packets an identifier goes through"},
    {"timeout", "1", "seconds until an unanswered request is given up"},
    {"verify", "64", "check one reply in so many, 0: none"},
    {"echo", "0", "1: the server sends requests back"}, {"cpu", "0", "core"}, {"gso", "0", "1: requests leave as runs"},
    {"pids", "", "the server's processes, comma between"}, {"nas-identifier", "nas-1", "NAS-Identifier"}, {0}};

typedef struct { char nai[254], secret[129]; } Subscriber;
typedef struct { double sent; int generation, busy; } Slot;

static struct { Subscriber *rows; size_t count; } subscribers;
static struct { long sent, accepted, rejected, bad, timed_out, verified; } counts;
static Link links[PORTS];
static Slot slots[PORTS][IDS];
static uint8_t *packets;
static size_t stride;                             /* of the packets: close together, or the caches are measured */
static Piece pieces[PIECES], out[PIECES];
static Secret secret;
static struct sockaddr_in server;
static int generations, ports, ids, verify, echo, request_octets;
static long replies_seen;
static uint32_t reply_octets;

static int column(char *line, const char *name) {
    int i = 0;
    for (char *save, *field = strtok_r(line, ",\r\n", &save); field; field = strtok_r(NULL, ",\r\n", &save), i++)
        if (!strcmp(field, name)) return i;
    fprintf(stderr, "no column %s in the subscribers\n", name);
    exit(2);
}

static void field(const char *line, int column, char *out, size_t room) {
    while (column-- && line) line = (line = strchr(line, ',')) ? line + 1 : NULL;
    size_t n = line ? strcspn(line, ",\r\n") : 0;
    if (!n || n >= room) { fprintf(stderr, "a subscriber without nai or access_secret\n"); exit(2); }
    memcpy(out, line, n);
    out[n] = 0;
}

static void subscribers_read(const char *path) {
    char line[LINE], copy[LINE];
    FILE *f = fopen(path, "r");
    if (!f || !fgets(line, sizeof line, f)) { fprintf(stderr, "%s: no subscribers there\n", path); exit(2); }
    int nai = column(strcpy(copy, line), "nai"), word = column(strcpy(copy, line), "access_secret");
    while (fgets(line, sizeof line, f)) {
        if (!(subscribers.count & (subscribers.count - 1)))      /* a power of two: full */
            subscribers.rows = reallocarray(subscribers.rows, 2 * subscribers.count + 1, sizeof(Subscriber));
        if (!subscribers.rows) die("reallocarray");
        Subscriber *s = &subscribers.rows[subscribers.count++];
        field(line, nai, s->nai, sizeof s->nai);
        field(line, word, s->secret, sizeof s->secret);
    }
    fclose(f);
    if (!subscribers.count) { fprintf(stderr, "%s: no subscribers there\n", path); exit(2); }
}

static void draw(uint8_t *at) { if (getrandom(at, 16, 0) != 16) die("getrandom"); }

/* RFC 2865 sections 5.3 and 5.40: identifier, password and challenge hashed */
static void chap(uint8_t *p, const char *password) {
    uint8_t challenge[16], hashed[1 + 128 + 16], value[17];
    size_t n = strlen(password);
    draw(challenge);
    hashed[0] = value[0] = challenge[0];
    memcpy(hashed + 1, password, n);
    memcpy(hashed + 1 + n, challenge, 16);
    md5(hashed, 1 + n + 16, value + 1);
    attribute(p, CHAP_PASSWORD, value, sizeof value);
    attribute(p, CHAP_CHALLENGE, challenge, sizeof challenge);
}

static void request_put(uint8_t *p, int id, const Subscriber *s, const char *nas) {
    uint8_t random[16];
    header_put(p, ACCESS_REQUEST, id);
    attribute_authenticator(p);
    attribute(p, USER_NAME, s->nai, strlen(s->nai));
    chap(p, s->secret);
    attribute_number(p, NAS_IP_ADDRESS, INADDR_LOOPBACK);
    attribute(p, NAS_IDENTIFIER, nas, strlen(nas));
    attribute_number(p, NAS_PORT_TYPE, 19);        /* Wireless - IEEE 802.11 */
    attribute_number(p, SERVICE_TYPE, 2);          /* Framed */
    attribute_vendor(p, REQUESTER_ROLE, 1);        /* NAS */
    draw(random);
    request_sign(p, &secret, random);
}

static uint8_t *packet(int port, int id, int generation) {
    return packets + (((size_t)port * IDS + id) * generations + generation) * stride;
}

static void prepare(const char *nas) {
    size_t n = 0, longest = 0;
    for (size_t i = 0; i < subscribers.count; i++)
        if (strlen(subscribers.rows[i].nai) > longest) longest = strlen(subscribers.rows[i].nai);
    stride = (FIXED + strlen(nas) + longest + 63) / 64 * 64;
    packets = aligned_alloc(64, (size_t)ports * IDS * generations * stride);
    if (!packets) die("aligned_alloc");
    for (int g = 0; g < generations; g++)
        for (int port = 0; port < ports; port++)
            for (int id = 0; id < ids; id++, n++)
                request_put(packet(port, id, g), id, &subscribers.rows[n % subscribers.count], nas);
    request_octets = length_of(packet(0, 0, 0));
}

static Piece next_of(int port, int id, double t) {
    Slot *slot = &slots[port][id];
    slot->generation = (slot->generation + 1) % generations;
    slot->sent = t;
    slot->busy = 1;
    uint8_t *p = packet(port, id, slot->generation);
    counts.sent++;
    return (Piece){p, length_of(p), server, {0}};
}

/* Whole, and of an identifier that waits. */
static int expected(int port, const Piece *reply) {
    const uint8_t *p = reply->data;
    return reply->length >= HEADER && length_of(p) >= HEADER && (echo || length_of(p) <= reply->length)
           && slots[port][p[1]].busy;
}

static int authentic(const uint8_t *reply, const uint8_t *request) {
    uint8_t right[16];
    if (echo || !verify || replies_seen++ % verify) return 1;
    response_authenticator(reply, request + 4, &secret, right);
    counts.verified++;
    return !memcmp(right, reply + 4, 16);
}

/* One reply; whether it frees its identifier. */
static int take(int port, const Piece *reply) {
    const uint8_t *p = reply->data;
    int accept = p[0] == (echo ? ACCESS_REQUEST : ACCESS_ACCEPT);
    if (!expected(port, reply) || !(accept || p[0] == ACCESS_REJECT)
        || !authentic(p, packet(port, p[1], slots[port][p[1]].generation))) {
        counts.bad++;
        return 0;
    }
    if (accept) counts.accepted++;
    else counts.rejected++;
    slots[port][p[1]].busy = 0;
    reply_octets = reply->length;
    return 1;
}

static void turn(int port, int batch, double t) {
    int n = udp_receive(links[port], batch, pieces), m = 0;
    for (int i = 0; i < n; i++) if (take(port, &pieces[i])) out[m++] = next_of(port, pieces[i].data[1], t);
    udp_send(links[port], out, m);
}

static void expire(double t, double timeout) {
    for (int port = 0; port < ports; port++) {
        int m = 0;
        for (int id = 0; id < ids; id++) {
            if (slots[port][id].busy && t - slots[port][id].sent < timeout) continue;
            counts.timed_out += slots[port][id].busy;
            out[m++] = next_of(port, id, t);
        }
        udp_send(links[port], out, m);
    }
}

/* User and system time of the processes, from /proc/PID/stat (fields 14 and 15). */
static double cpu_of(const char *list) {
    double sum = 0;
    for (char *end = (char *)list; *end; end += *end == ',') {
        char path[64], line[LINE];
        long pid = strtol(end, &end, 10);
        unsigned long user = 0, system = 0;
        snprintf(path, sizeof path, "/proc/%ld/stat", pid);
        FILE *f = fopen(path, "r");
        if (!f || !fgets(line, sizeof line, f) || (*end && *end != ',')) {
            fprintf(stderr, "--pids %s: no such process\n", list);
            exit(2);
        }
        fclose(f);
        sscanf(strrchr(line, ')') + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
        sum += (double)(user + system) / sysconf(_SC_CLK_TCK);
    }
    return sum;
}

static double drive(double seconds, double timeout, int batch) {
    int epoll = epoll_create1(0);
    for (int port = 0; port < ports; port++) watch(epoll, links[port].fd, port);
    struct epoll_event events[PORTS];
    double start = now(), t = start, checked = start;
    expire(t, timeout);                            /* nothing is out yet: sends the first of every identifier */
    for (; t < start + seconds; t = now()) {
        int ready = epoll_wait(epoll, events, PORTS, 50);
        for (int e = 0; e < ready; e++) turn(events[e].data.u32, batch, t);
        if (t - checked > timeout / 4) { expire(t, timeout); checked = t; }
    }
    return t - start;
}

int main(int argc, char **argv) {
    options_read(options, argc, argv);
    double seconds = number(options, "seconds", 0.05, 600), timeout = number(options, "timeout", 0.05, 60);
    int window = number(options, "window", 1, IDS * PORTS), batch = number(options, "batch", 1, MOST);
    ports = (window + IDS - 1) / IDS;
    ids = window / ports;
    generations = number(options, "generations", 2, 64);
    verify = number(options, "verify", 0, 1e6);
    echo = number(options, "echo", 0, 1);
    secret = secret_read(text(options, "secret-file"));
    server = loopback(INADDR_LOOPBACK, number(options, "port", 1, 65535));
    subscribers_read(text(options, "subscribers"));
    prepare(text(options, "nas-identifier"));
    for (int port = 0; port < ports; port++) {
        struct sockaddr_in at = loopback(INADDR_LOOPBACK, 0);
        links[port] = udp_open(&at, number(options, "gso", 0, 1), 0);
        udp_connect(&links[port], &server);
    }
    pin(number(options, "cpu", 0, 1023));
    double before = cpu_of(text(options, "pids")), own = clock_of(CLOCK_PROCESS_CPUTIME_ID);
    double spent = drive(seconds, timeout, batch);
    own = clock_of(CLOCK_PROCESS_CPUTIME_ID) - own;
    double cpu = cpu_of(text(options, "pids")) - before;
    long answered = counts.accepted + counts.rejected;
    printf("{\"sent\": %ld, \"accepted\": %ld, \"rejected\": %ld", counts.sent, counts.accepted, counts.rejected);
    printf(", \"bad\": %ld, \"timed_out\": %ld, \"verified\": %ld", counts.bad, counts.timed_out, counts.verified);
    printf(", \"per_s\": %.0f, \"seconds\": %.3f", answered / spent, spent);
    printf(", \"request_octets\": %d, \"reply_octets\": %u", request_octets, reply_octets);
    printf(", \"server_cpu_us\": %.3f, \"server_busy\": %.3f", answered ? cpu / answered * 1e6 : 0, cpu / spent);
    printf(", \"client_cpu_us\": %.3f, \"client_busy\": %.3f}\n", answered ? own / answered * 1e6 : 0, own / spent);
    return answered ? 0 : 1;
}
