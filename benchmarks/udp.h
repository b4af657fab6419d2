/* Datagrams in batches on loopback, the way the servers move them: recvmmsg and sendmmsg, optionally own source
 * addresses (IP_PKTINFO) and runs of equal datagrams as one buffer (UDP_SEGMENT, UDP_GRO). A received run is handed
 * out as single pieces, so that the programs know no difference. */
#ifndef BENCH_UDP_H
#define BENCH_UDP_H
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 256, ROOM = 1024, CONTROL = 64 };                  /* datagrams a call, octets each, of its control */
enum { RUNS = 8, RUN_ROOM = 1 << 16, SEGMENTS = 64 };           /* runs a call, octets each, datagrams in one we send */
enum { KERNEL_SEGMENTS = 128, PIECES = RUNS * KERNEL_SEGMENTS }; /* in one that we may get: linux/udp.h */

typedef struct { uint8_t *data; uint32_t length; struct sockaddr_in peer; struct in_addr local; } Piece;
/* runs: offload; addressed: pieces carry their local address; connected: the kernel keeps the route and the peer */
typedef struct { int fd, runs, addressed, connected; } Link;

/* One process has one of these: buffers to receive into and headers to send with. */
static struct {
    struct mmsghdr in[MOST], out[PIECES];
    struct iovec in_vector[MOST], out_vector[PIECES];
    struct sockaddr_in from[MOST];
    uint8_t in_control[MOST][CONTROL], out_control[PIECES][CONTROL];
    uint8_t rooms[MOST][ROOM], run_rooms[RUNS][RUN_ROOM];
} udp;

static inline double clock_of(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static inline double now(void) { return clock_of(CLOCK_MONOTONIC); }

static inline void die(const char *what) { perror(what); exit(1); }

static inline void pin(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set)) die("sched_setaffinity");
}

static inline struct sockaddr_in loopback(uint32_t address, uint16_t port) {
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(address), .sin_port = htons(port)};
}

/* A bound socket, non-blocking, with buffers for a whole window; its address is left in `at`. */
static inline Link udp_open(struct sockaddr_in *at, int runs, int addressed) {
    Link link = {socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), runs, addressed, 0};
    int size = 8 << 20, on = 1;
    socklen_t n = sizeof *at;
    if (link.fd < 0) die("socket");
    if (setsockopt(link.fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))       /* needs CAP_NET_ADMIN */
        setsockopt(link.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (setsockopt(link.fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size))
        setsockopt(link.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    if (runs && setsockopt(link.fd, SOL_UDP, UDP_GRO, &on, sizeof on)) die("UDP_GRO");
    if (addressed && setsockopt(link.fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on)) die("IP_PKTINFO");
    if (bind(link.fd, (void *)at, n)) die("bind");
    getsockname(link.fd, (void *)at, &n);
    return link;
}

static inline void udp_connect(Link *link, const struct sockaddr_in *peer) {
    if (connect(link->fd, (const void *)peer, sizeof *peer)) die("connect");
    link->connected = 1;
}

static inline int watch(int epoll, int fd, uint32_t tag) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = tag};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) die("epoll_ctl");
    return epoll;
}

/* What the control messages of a received datagram say: its segment size (0: one piece) and the address it came to. */
static inline int read_control(struct msghdr *header, struct in_addr *local) {
    int segment = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) memcpy(&segment, CMSG_DATA(c), sizeof segment);
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
            *local = ((struct in_pktinfo *)CMSG_DATA(c))->ipi_addr;
    }
    return segment;
}

/* Row i of what was received as single pieces; the last of a run may be shorter. An empty datagram is none. */
static inline int split(int i, Piece *pieces) {
    struct in_addr local = {0};
    uint8_t *data = udp.in_vector[i].iov_base;
    uint32_t left = udp.in[i].msg_len, segment = read_control(&udp.in[i].msg_hdr, &local);
    uint32_t size = segment ? segment : left;
    int n = 0;
    for (; left && n < KERNEL_SEGMENTS; n++, data += size, left -= size) {
        if (size > left) size = left;
        pieces[n] = (Piece){data, size, udp.from[i], local};
    }
    return n;
}

/* At most `batch` datagrams, or RUNS runs, into `pieces`, which has PIECES rows; they point into the buffers above. */
static inline int udp_receive(Link link, int batch, Piece *pieces) {
    int most = link.runs ? RUNS : batch, count = 0;
    for (int i = 0; i < most; i++) {
        udp.in_vector[i] = link.runs ? (struct iovec){udp.run_rooms[i], RUN_ROOM} : (struct iovec){udp.rooms[i], ROOM};
        udp.in[i].msg_hdr = (struct msghdr){.msg_name = &udp.from[i], .msg_namelen = sizeof udp.from[i],
            .msg_iov = &udp.in_vector[i], .msg_iovlen = 1};
        if (!link.runs && !link.addressed) continue;
        udp.in[i].msg_hdr.msg_control = udp.in_control[i];
        udp.in[i].msg_hdr.msg_controllen = CONTROL;
    }
    int n = recvmmsg(link.fd, udp.in, most, MSG_DONTWAIT, NULL);
    if (n < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNREFUSED) die("recvmmsg");
    for (int i = 0; i < n; i++) count += split(i, pieces + count);
    return count;
}

static inline void put_control(struct msghdr *header, uint8_t *room, int level, int type, const void *value, size_t n) {
    struct cmsghdr *c = (struct cmsghdr *)room;
    *c = (struct cmsghdr){.cmsg_len = CMSG_LEN(n), .cmsg_level = level, .cmsg_type = type};
    memcpy(CMSG_DATA(c), value, n);
    header->msg_control = room;
    header->msg_controllen = CMSG_SPACE(n);
}

/* How many of the n pieces can leave as one run: same peer, same length. */
static inline int run_of(const Piece *pieces, int n) {
    const Piece *first = pieces;
    int k = 1;
    while (k < n && k < SEGMENTS && pieces[k].length == first->length && pieces[k].peer.sin_port == first->peer.sin_port
           && pieces[k].peer.sin_addr.s_addr == first->peer.sin_addr.s_addr) k++;
    return k;
}

static inline void send_all(int fd, struct mmsghdr *m, int n) {
    for (int done = 0; done < n;) {
        int k = sendmmsg(fd, m + done, n - done, 0);
        if (k < 0 && errno != EINTR && errno != EAGAIN && errno != ECONNREFUSED) die("sendmmsg");
        if (k > 0) done += k;
    }
}

static inline void udp_send(Link link, Piece *pieces, int n) {
    int messages = 0;
    for (int at = 0, run; at < n; at += run, messages++) {
        struct msghdr *header = &udp.out[messages].msg_hdr;
        run = link.runs ? run_of(pieces + at, n - at) : 1;
        for (int i = at; i < at + run; i++) udp.out_vector[i] = (struct iovec){pieces[i].data, pieces[i].length};
        *header = (struct msghdr){.msg_iov = &udp.out_vector[at], .msg_iovlen = run};
        if (!link.connected) { header->msg_name = &pieces[at].peer; header->msg_namelen = sizeof pieces[at].peer; }
        if (run > 1) {
            uint16_t size = pieces[at].length;
            put_control(header, udp.out_control[messages], SOL_UDP, UDP_SEGMENT, &size, sizeof size);
        } else if (link.addressed) {
            struct in_pktinfo source = {.ipi_spec_dst = pieces[at].local};
            put_control(header, udp.out_control[messages], IPPROTO_IP, IP_PKTINFO, &source, sizeof source);
        }
    }
    send_all(link.fd, udp.out, messages);
}
#endif
