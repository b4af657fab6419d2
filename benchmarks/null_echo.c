/* Sends every datagram back, cut or padded to --reply octets: what a RADIUS server of these sizes would be without
 * work. Prints {"port": N} when it listens and its counts, as JSON, when it is told to stop (SIGTERM, SIGINT). */
#define _GNU_SOURCE
#include "options.h"
#include "udp.h"

static Option options[] = {{"port", "0", "port on 127.0.0.1, 0: any"}, {"reply", "180", "octets of a reply"},
    {"cpu", "1", "core"}, {"batch", "64", "datagrams a call"}, {"gso", "0", "1: runs as one buffer, both ways"}, {0}};

static volatile sig_atomic_t stopped;
static void on_signal(int signal) { (void)signal; stopped = 1; }

int main(int argc, char **argv) {
    static Piece pieces[PIECES];
    options_read(options, argc, argv);
    int batch = number(options, "batch", 1, MOST);
    uint32_t reply = number(options, "reply", 20, ROOM);
    struct sockaddr_in at = loopback(INADDR_LOOPBACK, number(options, "port", 0, 65535));
    Link link = udp_open(&at, number(options, "gso", 0, 1), 0);
    pin(number(options, "cpu", 0, 1023));
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = on_signal}, NULL);
    sigaction(SIGINT, &(struct sigaction){.sa_handler = on_signal}, NULL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    printf("{\"port\": %d}\n", ntohs(at.sin_port));
    fflush(stdout);
    long requests = 0;
    int epoll = watch(epoll_create1(0), link.fd, 0);
    for (struct epoll_event event; !stopped;) {
        if (epoll_wait(epoll, &event, 1, -1) <= 0) continue;
        int n = udp_receive(link, batch, pieces);
        for (int i = 0; i < n; i++) pieces[i].length = reply;
        udp_send(link, pieces, n);
        requests += n;
    }
    printf("{\"requests\": %ld, \"cpu_us_per_request\": %.3f}\n", requests,
           requests ? clock_of(CLOCK_PROCESS_CPUTIME_ID) / requests * 1e6 : 0);
    return 0;
}
