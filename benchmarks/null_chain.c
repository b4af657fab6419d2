/* The null chain: the six packets of a bootstrap through three processes, with the system calls that they cost and no
 * work.
 *
 *   C (NAS and mobile nodes)  --access request-->  B (stands for the AAAH)  --access accept-->  C
 *   C  --RRQ-->  A (stands for the FHA)  --request-->  B  --accept-->  A  --RRP-->  C
 *
 * It is the ceiling for whole bootstraps a second on this machine; servers are quoted as a ratio to it. The NAS side
 * and A own one socket for each 256 packets of the window, as RADIUS identifiers demand, and use them in turn; nodes
 * have addresses of their own. With --gso 1 the links to and from B carry runs of equal datagrams as one buffer. With
 * --window 1 the latencies are printed. Last line: JSON. */
#define _GNU_SOURCE
#include "options.h"
#include "udp.h"
#include <sys/resource.h>
#include <sys/wait.h>

enum { ACCESS_REQUEST, ACCESS_ACCEPT, RRQ, REQUEST, ACCEPT, RRP, KINDS };
enum { PORTS = 16, SAMPLES = 1 << 20, NODES = 1 << 20 };
enum { NODE_NETWORK = 0x7f400001 };                           /* nodes are 127.64.0.1 and up */

/* The only payload that means anything: who the packet is about, and where A must send the RRP. */
typedef struct { uint32_t node, kind, address; uint16_t port; } Mark;

static Option options[] = {
    {"seconds", "3", "how long"}, {"window", "512", "bootstraps in flight"}, {"batch", "64", "datagrams a call"},
    {"sizes", "150,180,96,300,310,185", "octets of access request, access accept, RRQ, request, accept, RRP"},
    {"gso", "0", "1: offload on the links of B"}, {"client-cpu", "0", "core of C"},
    {"server-cpu", "1", "core of A and B"}, {0}};

static uint32_t sizes[KINDS];
static int batch, ports, gso, server_cpu;
static struct sockaddr_in a_at, b_at;
static Piece pieces[PIECES];

static Mark mark_of(const Piece *p) { Mark m; memcpy(&m, p->data, sizeof m); return m; }

static void become(Piece *p, uint32_t kind, const struct sockaddr_in *peer) {
    memcpy(p->data + offsetof(Mark, kind), &kind, sizeof kind);
    p->length = sizes[kind];
    if (peer) p->peer = *peer;
}

/* B answers what it gets: the kind decides the size. */
static void run_b(Link b) {
    int epoll = watch(epoll_create1(0), b.fd, 0);
    for (struct epoll_event event;;) {
        if (epoll_wait(epoll, &event, 1, -1) <= 0) continue;
        int n = udp_receive(b, batch, pieces);
        for (int i = 0; i < n; i++) become(&pieces[i], mark_of(&pieces[i]).kind + 1, NULL);
        udp_send(b, pieces, n);
    }
}

static void ask_b(Link to_b, int n) {
    for (int i = 0; i < n; i++) {
        Mark m = mark_of(&pieces[i]);
        m.address = pieces[i].peer.sin_addr.s_addr;
        m.port = pieces[i].peer.sin_port;
        memcpy(pieces[i].data, &m, sizeof m);
        become(&pieces[i], REQUEST, &b_at);
    }
    udp_send(to_b, pieces, n);
}

static void answer_nodes(Link a, int n) {
    for (int i = 0; i < n; i++) {
        Mark m = mark_of(&pieces[i]);
        struct sockaddr_in node = {.sin_family = AF_INET, .sin_addr.s_addr = m.address, .sin_port = m.port};
        become(&pieces[i], RRP, &node);
    }
    udp_send(a, pieces, n);
}

static void run_a(Link a, Link *to_b) {
    int epoll = watch(epoll_create1(0), a.fd, PORTS);
    for (int i = 0; i < ports; i++) watch(epoll, to_b[i].fd, i);
    struct epoll_event events[PORTS + 1];
    for (uint32_t turn = 0;;) {
        int ready = epoll_wait(epoll, events, PORTS + 1, -1);
        for (int e = 0; e < ready; e++) {
            uint32_t from = events[e].data.u32;
            int n = udp_receive(from == PORTS ? a : to_b[from], batch, pieces);
            if (from != PORTS) answer_nodes(a, n);
            else if (n) ask_b(to_b[turn++ % ports], n);
        }
    }
}

/* C keeps a window of bootstraps going. */
static struct {
    Link nas[PORTS], nodes;
    uint8_t rooms[MOST][ROOM];
    Piece out[MOST];
    uint32_t next, turn;
    long started, done, lost, samples;
    double access_sent, rrq_sent;
    float registration[SAMPLES], bootstrap[SAMPLES];
} c;

static void access_requests(int n) {
    for (int i = 0; i < n; i++) {
        Mark m = {.node = c.next++ % NODES};
        memcpy(c.rooms[i], &m, sizeof m);
        c.out[i].data = c.rooms[i];
        become(&c.out[i], ACCESS_REQUEST, &b_at);
    }
    c.access_sent = now();
    c.started += n;
    udp_send(c.nas[c.turn++ % ports], c.out, n);
}

static void registrations(int n) {
    for (int i = 0; i < n; i++) {
        pieces[i].local.s_addr = htonl(NODE_NETWORK + mark_of(&pieces[i]).node);
        become(&pieces[i], RRQ, &a_at);
    }
    c.rrq_sent = now();
    udp_send(c.nodes, pieces, n);
}

static void replies(int n, int window) {
    double t = now();
    c.done += n;
    if (window > 1 || !n || c.samples == SAMPLES) return;
    c.registration[c.samples] = (t - c.rrq_sent) * 1e6;
    c.bootstrap[c.samples++] = (t - c.access_sent) * 1e6;
}

static void fill(int window) {
    for (long room; (room = window - (c.started - c.done - c.lost)) > 0;) access_requests(room < batch ? room : batch);
}

static double run_c(double seconds, int window) {
    int epoll = watch(epoll_create1(0), c.nodes.fd, PORTS);
    for (int i = 0; i < ports; i++) watch(epoll, c.nas[i].fd, i);
    struct epoll_event events[PORTS + 1];
    double start = now(), last = start, t = start;
    for (; t < start + seconds; t = now()) {
        fill(window);
        int ready = epoll_wait(epoll, events, PORTS + 1, 50);
        for (int e = 0; e < ready; e++) {
            uint32_t from = events[e].data.u32;
            int n = udp_receive(from == PORTS ? c.nodes : c.nas[from], batch, pieces);
            if (from == PORTS) replies(n, window);
            else registrations(n);
            last = now();
        }
        if (!ready && now() - last > 0.2) { c.lost = c.started - c.done; last = now(); }   /* refill the window */
    }
    return t - start;
}

static pid_t server(void (*run)(void)) {
    pid_t pid = fork();
    if (pid < 0) die("fork");
    if (pid) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pin(server_cpu);
    run();
    _exit(1);
}

static Link a_link, b_link, up_links[PORTS];
static void start_a(void) { run_a(a_link, up_links); }
static void start_b(void) { run_b(b_link); }

static double cpu_of(const struct rusage *u) {
    return u->ru_utime.tv_sec + u->ru_stime.tv_sec + (u->ru_utime.tv_usec + u->ru_stime.tv_usec) * 1e-6;
}

static double stop(pid_t pid) {
    struct rusage usage;
    kill(pid, SIGTERM);
    wait4(pid, NULL, 0, &usage);
    return cpu_of(&usage);
}

static int ascending(const void *a, const void *b) { float x = *(float *)a, y = *(float *)b; return (x > y) - (x < y); }

static void latencies(const char *name, float *us) {
    qsort(us, c.samples, sizeof *us, ascending);
    printf(", \"%s_us\": {\"p50\": %.1f, \"p99\": %.1f}", name, us[c.samples / 2], us[c.samples * 99 / 100]);
}

static void read_sizes(const char *list) {
    char *end = (char *)list;
    for (int i = 0; i < KINDS; i++, end += *end == ',') {
        sizes[i] = strtoul(end, &end, 10);
        if (sizes[i] >= sizeof(Mark) && sizes[i] <= ROOM) continue;
        fprintf(stderr, "--sizes: six numbers from %zu to %d\n", sizeof(Mark), ROOM);
        exit(2);
    }
}

int main(int argc, char **argv) {
    options_read(options, argc, argv);
    double seconds = number(options, "seconds", 0.05, 60);
    int window = number(options, "window", 1, 256 * PORTS), client_cpu = number(options, "client-cpu", 0, 1023);
    server_cpu = number(options, "server-cpu", 0, 1023);
    batch = number(options, "batch", 1, MOST);
    gso = number(options, "gso", 0, 1);
    ports = (window + 255) / 256;
    read_sizes(text(options, "sizes"));
    struct sockaddr_in any = {.sin_family = AF_INET}, at;
    a_at = b_at = loopback(INADDR_LOOPBACK, 0);
    a_link = udp_open(&a_at, 0, 0);
    b_link = udp_open(&b_at, gso, 0);
    for (int i = 0; i < ports; i++) {
        at = loopback(INADDR_LOOPBACK, 0);
        up_links[i] = udp_open(&at, gso, 0);
        at = loopback(INADDR_LOOPBACK, 0);
        c.nas[i] = udp_open(&at, gso, 0);
    }
    c.nodes = udp_open(&any, 0, 1);
    pid_t a = server(start_a), b = server(start_b);
    pin(client_cpu);
    double client = clock_of(CLOCK_PROCESS_CPUTIME_ID), spent = run_c(seconds, window);
    client = clock_of(CLOCK_PROCESS_CPUTIME_ID) - client;
    double servers = stop(a) + stop(b);
    printf("{\"bootstraps_per_s\": %.0f, \"bootstraps\": %ld, \"lost\": %ld, \"seconds\": %.3f",
           c.done / spent, c.done, c.lost, spent);
    printf(", \"window\": %d, \"batch\": %d, \"gso\": %d", window, batch, gso);
    printf(", \"cpu_us_per_bootstrap\": %.3f, \"server_busy\": %.3f", servers / c.done * 1e6, servers / spent);
    printf(", \"client_cpu_us_per_bootstrap\": %.3f, \"client_busy\": %.3f", client / c.done * 1e6, client / spent);
    if (c.samples) { latencies("registration", c.registration); latencies("bootstrap", c.bootstrap); }
    printf("}\n");
    return c.done ? 0 : 1;
}
