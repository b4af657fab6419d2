/* Control messages of a UDP socket: which local address, and where a run of equal datagrams is cut. */
#ifndef MIPSTORM_MMSG_H
#define MIPSTORM_MMSG_H
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#ifndef SO_MEMINFO
#define SO_MEMINFO 55
#endif

/* The local address a datagram was sent to (header destination, not the interface's) and the size of its segments. */
static inline void control_read(struct msghdr *m, uint32_t *local, uint32_t *segment)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
            memcpy(local, CMSG_DATA(c) + offsetof(struct in_pktinfo, ipi_addr), sizeof *local);
        else if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO)
            memcpy(segment, CMSG_DATA(c), sizeof *segment);
    }
}

static inline void *control_add(struct msghdr *m, int level, int type, size_t size)
{
    struct cmsghdr *c = (struct cmsghdr *)((char *)m->msg_control + m->msg_controllen);
    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(size);
    m->msg_controllen += CMSG_SPACE(size);
    return CMSG_DATA(c);
}

/* `m->msg_control` has room for both; 0 stands for "not given". */
static inline void control_write(struct msghdr *m, uint32_t local, uint16_t segment)
{
    m->msg_controllen = 0;
    if (local) {
        struct in_pktinfo info = {.ipi_spec_dst.s_addr = local};
        memcpy(control_add(m, IPPROTO_IP, IP_PKTINFO, sizeof info), &info, sizeof info);
    }
    if (segment)
        memcpy(control_add(m, SOL_UDP, UDP_SEGMENT, sizeof segment), &segment, sizeof segment);
}

/* Datagrams the kernel dropped on this socket since it was made; negative: an error. Since Linux 4.12. */
static inline int64_t dropped_by_kernel(int fd)
{
    uint32_t memory[SK_MEMINFO_VARS];
    socklen_t size = sizeof memory;
    if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &size) < 0 || size <= SK_MEMINFO_DROPS * sizeof memory[0])
        return -1;
    return memory[SK_MEMINFO_DROPS];
}
#endif
