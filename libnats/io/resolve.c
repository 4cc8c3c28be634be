#include "io/resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "io/poll.h"

enum {
    HOST_MAX = 256,  /* a DNS name has at most 253 characters */
    FRESH_MS = 10000 /* an answer that nobody waited for is used for so long: twice the longest
                      * back-off that nobody chose */
};

/* Shared by who asked and the thread that asks the system: the last of them frees it. */
struct nats__lookup {
    atomic_int owners;
    atomic_bool done;
    int notify_fd;
    char host[HOST_MAX];
    int64_t done_ns;
    int error; /* of getaddrinfo */
    int system_error;
    size_t count;
    nats__address addresses[NATS__ADDRESSES_MAX];
};

static void disown(nats__lookup *lookup)
{
    if (atomic_fetch_sub(&lookup->owners, 1) == 1) {
        nats__fd_close(lookup->notify_fd);
        free(lookup);
    }
}

static void look_up(nats__lookup *lookup, int flags)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    lookup->error = getaddrinfo(lookup->host, "0", &hints, &list);
    lookup->system_error = errno;
    for (struct addrinfo *at = list; at != NULL; at = at->ai_next) {
        if (lookup->count == NATS__ADDRESSES_MAX) {
            break;
        }
        nats__address *address = &lookup->addresses[lookup->count];
        if (at->ai_addrlen <= sizeof address->bytes) {
            memcpy(address->bytes, at->ai_addr, at->ai_addrlen);
            address->len = (uint32_t)at->ai_addrlen;
            lookup->count++;
        }
    }
    if (list != NULL) {
        freeaddrinfo(list);
    }
}

static void *resolve_main(void *arg)
{
    nats__lookup *lookup = arg;
    look_up(lookup, 0);
    lookup->done_ns = nats__now_ns();
    atomic_store(&lookup->done, true);
    nats__wake_set(lookup->notify_fd);
    disown(lookup);
    return NULL;
}

/* Signals are the program's own business: none is delivered to a thread of ours. */
static int start_thread(nats__lookup *lookup)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    int error = pthread_create(&thread, NULL, resolve_main, lookup);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0) {
        pthread_detach(thread);
    }
    return error;
}

/* Numbers are there at once, without a thread. */
static nats_status lookup_new(const char *host, int notify_fd, nats__lookup **out)
{
    *out = NULL;
    if (strlen(host) >= HOST_MAX) {
        return nats__fail(NATS_ERR_IO, host, "host name is longer than %d characters",
                          HOST_MAX - 1);
    }
    nats__lookup *lookup = calloc(1, sizeof *lookup);
    if (lookup == NULL) {
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    atomic_init(&lookup->owners, 1);
    lookup->notify_fd = -1;
    snprintf(lookup->host, sizeof lookup->host, "%s", host);

    look_up(lookup, AI_NUMERICHOST);
    if (lookup->error == 0) {
        atomic_store(&lookup->done, true);
        *out = lookup;
        return NATS_OK;
    }

    lookup->notify_fd = fcntl(notify_fd, F_DUPFD_CLOEXEC, 0);
    atomic_store(&lookup->owners, 2);
    int error = lookup->notify_fd < 0 ? errno : start_thread(lookup);
    if (error != 0) {
        atomic_store(&lookup->owners, 1);
        disown(lookup);
        return nats__fail(NATS_ERR_IO, host, "resolve %s: %s", host, strerror(error));
    }
    *out = lookup;
    return NATS_OK;
}

bool nats__address_parse(const char *text, nats__address *out)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *list = NULL;
    struct in_addr ipv4;
    *out = (nats__address){0};
    if (strchr(text, ':') == NULL && inet_pton(AF_INET, text, &ipv4) != 1) {
        return false; /* the system would take 1.2.3 for 1.2.0.3 */
    }
    if (getaddrinfo(text, NULL, &hints, &list) != 0) {
        return false;
    }
    memcpy(out->bytes, list->ai_addr, list->ai_addrlen);
    out->len = (uint32_t)list->ai_addrlen;
    freeaddrinfo(list);
    return true;
}

/* ---- the look-ups of a connection ---- */

static void forget(nats__resolver *resolver, size_t at)
{
    nats__lookup *lookup = resolver->lookups[at];
    resolver->current = resolver->current == lookup ? NULL : resolver->current;
    resolver->lookups[at] = resolver->lookups[--resolver->count];
    disown(lookup);
}

/* An answer that came while nobody waited for it, and is of no use now. */
static bool is_stale(const nats__lookup *lookup)
{
    return lookup->error != 0 || lookup->count == 0 ||
           nats__now_ns() - lookup->done_ns > (int64_t)FRESH_MS * NATS__MS;
}

static void forget_stale(nats__resolver *resolver)
{
    for (size_t i = resolver->count; i-- > 0;) {
        if (atomic_load(&resolver->lookups[i]->done) && is_stale(resolver->lookups[i])) {
            forget(resolver, i);
        }
    }
}

/* An answer that is fresh and not asked for gives its place to what is. */
static bool make_room(nats__resolver *resolver)
{
    for (size_t i = 0; i < resolver->count && resolver->count == NATS__LOOKUPS_MAX; i++) {
        if (atomic_load(&resolver->lookups[i]->done)) {
            forget(resolver, i);
        }
    }
    return resolver->count < NATS__LOOKUPS_MAX;
}

nats_status nats__resolver_ask(nats__resolver *resolver, const char *host, uint16_t port,
                               int notify_fd)
{
    nats__resolver_leave(resolver);
    forget_stale(resolver);
    resolver->port = port;
    for (size_t i = 0; i < resolver->count; i++) {
        if (strcmp(resolver->lookups[i]->host, host) == 0) {
            resolver->current = resolver->lookups[i];
            return NATS_OK;
        }
    }
    if (!make_room(resolver)) {
        return nats__fail(NATS_ERR_IO, host, "resolve %s: the resolver hangs, %d other names wait",
                          host, NATS__LOOKUPS_MAX);
    }
    nats__lookup *lookup;
    nats_status status = lookup_new(host, notify_fd, &lookup);
    if (status == NATS_OK) {
        resolver->lookups[resolver->count++] = lookup;
        resolver->current = lookup;
    }
    return status;
}

/* Of one name many servers may have ports of their own. */
static void copy_address(const nats__address *from, uint16_t port, nats__address *to)
{
    struct sockaddr_storage storage = {0};
    *to = *from;
    memcpy(&storage, from->bytes, from->len);
    if (storage.ss_family == AF_INET6) {
        ((struct sockaddr_in6 *)&storage)->sin6_port = htons(port);
    } else if (storage.ss_family == AF_INET) {
        ((struct sockaddr_in *)&storage)->sin_port = htons(port);
    }
    memcpy(to->bytes, &storage, from->len);
}

bool nats__resolver_done(nats__resolver *resolver, nats__address *out, size_t max,
                         size_t *count_out, nats_status *status_out)
{
    const nats__lookup *lookup = resolver->current;
    *count_out = 0;
    *status_out = NATS_OK;
    if (!atomic_load(&lookup->done)) {
        return false;
    }
    if (lookup->error != 0 || lookup->count == 0) {
        const char *why = lookup->error == EAI_SYSTEM ? strerror(lookup->system_error)
                          : lookup->error != 0        ? gai_strerror(lookup->error)
                                                      : "no address";
        *status_out = nats__fail(NATS_ERR_IO, lookup->host, "resolve %s: %s", lookup->host, why);
    }
    while (*status_out == NATS_OK && *count_out < lookup->count && *count_out < max) {
        copy_address(&lookup->addresses[*count_out], resolver->port, &out[*count_out]);
        ++*count_out;
    }
    nats__resolver_leave(resolver);
    return true;
}

/* One that is over has been seen; one that is not goes on. */
void nats__resolver_leave(nats__resolver *resolver)
{
    for (size_t i = resolver->count; i-- > 0;) {
        if (resolver->lookups[i] == resolver->current && atomic_load(&resolver->current->done)) {
            forget(resolver, i);
        }
    }
    resolver->current = NULL;
}

void nats__resolver_free(nats__resolver *resolver)
{
    while (resolver->count > 0) {
        forget(resolver, resolver->count - 1);
    }
}
