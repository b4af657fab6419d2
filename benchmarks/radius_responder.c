/* Answers every Access-Request with an Access-Accept that is right in every octet that a client checks: same
 * Identifier, Response Authenticator and Message-Authenticator under the secret; a care-of address, an FHA, a class and
 * a lifetime inside. It looks nothing up: the clients measured against it (the generator, radclient) are the limit, not
 * it. Prints {"port": N} when it listens and its counts, as JSON, when it is told to stop (SIGTERM, SIGINT). */
#define _GNU_SOURCE
#include "options.h"
#include "radius.h"
#include "udp.h"

static Option options[] = {{"secret-file", NULL, "file with the shared secret"},
    {"port", "0", "port on 127.0.0.1, 0: any"}, {"cpu", "1", "core"}, {"batch", "64", "datagrams a call"},
    {"gso", "0", "1: replies leave as runs"},
    {"fha", "127.0.0.1", "address named in the Accept"}, {0}};

static volatile sig_atomic_t stopped;
static void on_signal(int signal) { (void)signal; stopped = 1; }

static Piece pieces[PIECES];
static long requests, ignored;

static void template(uint8_t *p, const char *fha) {
    header_put(p, ACCESS_ACCEPT, 0);
    attribute_authenticator(p);
    attribute_vendor(p, FHA_IP_ADDRESS, ntohl(inet_addr(fha)));
    attribute_vendor(p, COA_TYPE, 1);
    attribute_number(p, SESSION_TIMEOUT, 3600);
    attribute_number(p, FRAMED_IP_ADDRESS, 0);
    attribute(p, CLASS, "0123456789abcdef", 16);
}

/* Where the value of an attribute of the template stands. */
static uint32_t value_at(const uint8_t *p, int type) {
    uint32_t at = HEADER;
    while (p[at] != type) at += p[at + 1];
    return at + 2;
}

static int answer(Piece *request, const uint8_t *accept, uint32_t address_at, const Secret *secret) {
    uint8_t authenticator[16], *p = request->data;
    uint32_t address = htonl(0x7f400001 + (uint32_t)requests % (1 << 20));
    if (request->length < HEADER || p[0] != ACCESS_REQUEST || length_of(p) > request->length) return 0;
    memcpy(authenticator, p + 4, 16);
    request->length = length_of(accept);
    memcpy(p + 2, accept + 2, request->length - 2);
    p[0] = ACCESS_ACCEPT;
    memcpy(p + address_at, &address, 4);
    reply_sign(p, authenticator, secret);
    requests++;
    return 1;
}

static int answer_all(int n, const uint8_t *accept, uint32_t address_at, const Secret *secret) {
    static uint8_t rooms[PIECES][ROOM];      /* a run's pieces lie end to end: replies may be longer than requests */
    int kept = 0;
    for (int i = 0; i < n; i++) {
        memcpy(rooms[kept], pieces[i].data, pieces[i].length < ROOM ? pieces[i].length : ROOM);
        pieces[kept] = pieces[i];
        pieces[kept].data = rooms[kept];
        if (answer(&pieces[kept], accept, address_at, secret)) kept++;
        else ignored++;
    }
    return kept;
}

int main(int argc, char **argv) {
    options_read(options, argc, argv);
    Secret secret = secret_read(text(options, "secret-file"));
    int batch = number(options, "batch", 1, MOST);
    struct sockaddr_in at = loopback(INADDR_LOOPBACK, number(options, "port", 0, 65535));
    Link link = udp_open(&at, number(options, "gso", 0, 1), 0);
    uint8_t accept[ROOM];
    template(accept, text(options, "fha"));
    uint32_t address_at = value_at(accept, FRAMED_IP_ADDRESS);
    pin(number(options, "cpu", 0, 1023));
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = on_signal}, NULL);
    sigaction(SIGINT, &(struct sigaction){.sa_handler = on_signal}, NULL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    printf("{\"port\": %d, \"reply_octets\": %u}\n", ntohs(at.sin_port), length_of(accept));
    fflush(stdout);
    int epoll = watch(epoll_create1(0), link.fd, 0);
    for (struct epoll_event event; !stopped;) {
        if (epoll_wait(epoll, &event, 1, -1) <= 0) continue;
        int n = answer_all(udp_receive(link, batch, pieces), accept, address_at, &secret);
        udp_send(link, pieces, n);
    }
    printf("{\"requests\": %ld, \"ignored\": %ld, \"cpu_us_per_request\": %.3f}\n", requests, ignored,
           requests ? clock_of(CLOCK_PROCESS_CPUTIME_ID) / requests * 1e6 : 0);
    return 0;
}
