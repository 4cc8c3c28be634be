#include "io/tcp.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"

/* Who reports it says that a connection was wanted, and to where. */
static nats_status fail(int error)
{
    return nats__fail(NATS_ERR_IO, NULL, "%s", strerror(error));
}

static sa_family_t family(const nats__address *address)
{
    struct sockaddr_storage storage;
    memcpy(&storage, address->bytes, sizeof storage);
    return storage.ss_family;
}

bool nats__address_is_ipv6(const nats__address *address)
{
    return family(address) == AF_INET6;
}

static nats_status bind_to(int fd, const nats__address *address, const nats__address *local)
{
    struct sockaddr_storage storage;
    memcpy(&storage, local->bytes, sizeof storage);
    if (storage.ss_family != family(address)) {
        return nats__fail(NATS_ERR_IO, "local_address", "local_address is %s, the server's is not",
                          storage.ss_family == AF_INET6 ? "IPv6" : "IPv4");
    }
    /* Which port is settled by connect(), when it is known that one pair of ports is free. */
    int on = 1;
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (bind(fd, (const struct sockaddr *)&storage, local->len) != 0) {
        return nats__fail(NATS_ERR_IO, "local_address", "local_address: %s", strerror(errno));
    }
    return NATS_OK;
}

nats_status nats__tcp_connect(const nats__address *address, const nats__address *local,
                              int *fd_out, bool *done_out)
{
    struct sockaddr_storage storage;
    memcpy(&storage, address->bytes, sizeof storage);
    *done_out = false;
    *fd_out = -1;
    int fd = socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return fail(errno);
    }

    /* A lone publish must not wait for the acknowledgement of the one before. */
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    nats_status status = local->len > 0 ? bind_to(fd, address, local) : NATS_OK;
    if (status != NATS_OK) {
        close(fd);
        return status;
    }
    if (connect(fd, (const struct sockaddr *)&storage, address->len) == 0) {
        *done_out = true;
    } else if (errno != EINPROGRESS && errno != EINTR) {
        int error = errno;
        close(fd);
        return fail(error);
    }
    *fd_out = fd;
    return NATS_OK;
}

nats_status nats__tcp_connected(int fd)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0) {
        error = errno;
    }
    return error == 0 ? NATS_OK : fail(error);
}

void nats__tcp_close(int fd)
{
    if (fd >= 0) {
        /* A child of fork() may have it too: the server learns of the end all the same. */
        shutdown(fd, SHUT_RDWR);
        close(fd);
    }
}

static bool would_block(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

ptrdiff_t nats__tcp_read(int fd, void *data, size_t size)
{
    ssize_t n = recv(fd, data, size, 0);
    if (n > 0) {
        return n;
    }
    if (n == 0) {
        return -2;
    }
    return would_block(errno) ? 0 : -1;
}

static ptrdiff_t write_with(int fd, const void *data, size_t len, int flags)
{
    ssize_t n = send(fd, data, len, MSG_NOSIGNAL | flags);
    if (n >= 0) {
        return n;
    }
    return would_block(errno) ? 0 : -1;
}

ptrdiff_t nats__tcp_write(int fd, const void *data, size_t len)
{
    return write_with(fd, data, len, 0);
}

ptrdiff_t nats__tcp_write_part(int fd, const void *data, size_t len)
{
    return write_with(fd, data, len, MSG_MORE);
}

int nats__tcp_unsent(int fd)
{
    int bytes = 0;
    return ioctl(fd, SIOCOUTQ, &bytes) == 0 ? bytes : -1;
}
