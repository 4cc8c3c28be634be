#include "io/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "io/poll.h"

enum { HOST_MAX = 256 }; /* a DNS name has at most 253 characters */

/* Shared by who asked and the thread that asks the system: the last of them frees it. */
struct nats__resolve {
    atomic_int owners;
    atomic_bool done;
    int notify_fd;
    char host[HOST_MAX];
    char port[8];
    int error; /* of getaddrinfo */
    int system_error;
    size_t count;
    nats__address addresses[NATS__ADDRESSES_MAX];
};

static void disown(nats__resolve *resolve)
{
    if (atomic_fetch_sub(&resolve->owners, 1) == 1) {
        nats__fd_close(resolve->notify_fd);
        free(resolve);
    }
}

static void look_up(nats__resolve *resolve, int flags)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    resolve->error = getaddrinfo(resolve->host, resolve->port, &hints, &list);
    resolve->system_error = errno;
    for (struct addrinfo *at = list; at != NULL; at = at->ai_next) {
        if (resolve->count == NATS__ADDRESSES_MAX) {
            break;
        }
        nats__address *address = &resolve->addresses[resolve->count];
        if (at->ai_addrlen <= sizeof address->bytes) {
            memcpy(address->bytes, at->ai_addr, at->ai_addrlen);
            address->len = (uint32_t)at->ai_addrlen;
            resolve->count++;
        }
    }
    if (list != NULL) {
        freeaddrinfo(list);
    }
}

static void *resolve_main(void *arg)
{
    nats__resolve *resolve = arg;
    look_up(resolve, 0);
    atomic_store(&resolve->done, true);
    nats__wake_set(resolve->notify_fd);
    disown(resolve);
    return NULL;
}

/* Signals are the program's own business: none is delivered to a thread of ours. */
static int start_thread(nats__resolve *resolve)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    int error = pthread_create(&thread, NULL, resolve_main, resolve);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0) {
        pthread_detach(thread);
    }
    return error;
}

nats_status nats__resolve_start(const char *host, uint16_t port, int notify_fd,
                                nats__resolve **out)
{
    *out = NULL;
    if (strlen(host) >= HOST_MAX) {
        return nats__fail(NATS_ERR_IO, host, "host name is longer than %d characters",
                          HOST_MAX - 1);
    }
    nats__resolve *resolve = calloc(1, sizeof *resolve);
    if (resolve == NULL) {
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    atomic_init(&resolve->owners, 1);
    resolve->notify_fd = -1;
    snprintf(resolve->host, sizeof resolve->host, "%s", host);
    snprintf(resolve->port, sizeof resolve->port, "%u", (unsigned)port);

    look_up(resolve, AI_NUMERICHOST);
    if (resolve->error == 0) {
        atomic_store(&resolve->done, true);
        *out = resolve;
        return NATS_OK;
    }

    resolve->notify_fd = fcntl(notify_fd, F_DUPFD_CLOEXEC, 0);
    atomic_store(&resolve->owners, 2);
    int error = resolve->notify_fd < 0 ? errno : start_thread(resolve);
    if (error != 0) {
        atomic_store(&resolve->owners, 1);
        disown(resolve);
        return nats__fail(NATS_ERR_IO, host, "resolve %s: %s", host, strerror(error));
    }
    *out = resolve;
    return NATS_OK;
}

bool nats__resolve_done(nats__resolve *resolve, nats__address *out, size_t max, size_t *count_out,
                        nats_status *status_out)
{
    *count_out = 0;
    *status_out = NATS_OK;
    if (!atomic_load(&resolve->done)) {
        return false;
    }
    if (resolve->error != 0 || resolve->count == 0) {
        const char *why = resolve->error == EAI_SYSTEM ? strerror(resolve->system_error)
                          : resolve->error != 0        ? gai_strerror(resolve->error)
                                                       : "no address";
        *status_out = nats__fail(NATS_ERR_IO, resolve->host, "resolve %s: %s", resolve->host, why);
        return true;
    }
    size_t count = resolve->count < max ? resolve->count : max;
    memcpy(out, resolve->addresses, count * sizeof *out);
    *count_out = count;
    return true;
}

void nats__resolve_free(nats__resolve *resolve)
{
    if (resolve != NULL) {
        disown(resolve);
    }
}
