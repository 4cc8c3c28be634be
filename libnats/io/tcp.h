/* TCP sockets, non-blocking: the only way bytes come and go. */
#ifndef NATS_IO_TCP_H
#define NATS_IO_TCP_H

#include <polynats/status.h>

#include <stdbool.h>

/* An address ready to connect to. */
typedef struct nats__address {
    uint32_t len;
    uint8_t bytes[128]; /* a struct sockaddr_storage */
} nats__address;

bool nats__address_is_ipv6(const nats__address *address);

/* Begin to connect, from `local` (len 0: whatever the system takes). *done_out: it is connected
 * already. Errors: IO (text noted). */
nats_status nats__tcp_connect(const nats__address *address, const nats__address *local,
                              int *fd_out, bool *done_out);
/* The socket became writable: did it work? Errors: IO. */
nats_status nats__tcp_connected(int fd);
void nats__tcp_close(int fd);

/* Bytes moved; 0: would block; -1: failed (errno); for read, -2: end of file. SIGPIPE is never
 * raised. */
ptrdiff_t nats__tcp_read(int fd, void *data, size_t size);
ptrdiff_t nats__tcp_write(int fd, const void *data, size_t len);
/* The same, of something that goes on at once: the system may wait for the rest. */
ptrdiff_t nats__tcp_write_part(int fd, const void *data, size_t len);
/* Bytes written that the other end has not taken yet; -1: the system does not tell. */
int nats__tcp_unsent(int fd);

#endif
