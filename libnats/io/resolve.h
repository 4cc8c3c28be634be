/* Names to addresses, without holding anybody up: numbers at once, each name in a thread of its
 * own. */
#ifndef NATS_IO_RESOLVE_H
#define NATS_IO_RESOLVE_H

#include <stddef.h>

#include "io/tcp.h"

enum {
    NATS__ADDRESSES_MAX = 16, /* addresses of one name that are tried */
    NATS__LOOKUPS_MAX = 8     /* names that hang at once, each of which holds a thread */
};

/* An address in numbers, of any port. False when it is none. */
bool nats__address_parse(const char *text, nats__address *out);

/* The look-ups of one connection. One that hangs cannot be called off: it goes on, and who asks
 * for that name again waits for the same answer, so that threads do not pile up. */
typedef struct nats__lookup nats__lookup;
typedef struct nats__resolver {
    nats__lookup *lookups[NATS__LOOKUPS_MAX];
    size_t count;
    nats__lookup *current; /* whose answer is waited for; NULL: none */
    uint16_t port;
} nats__resolver;

/* Begin, or join the look-up of this name that is under way; an answer that came after it was
 * given up counts if it is fresh. notify_fd: an eventfd that is written to when a name's answer is
 * there (owned by the caller; a copy is kept), always the same one. Errors: NO_MEMORY, IO (no
 * thread, or too many names hang). */
nats_status nats__resolver_ask(nats__resolver *resolver, const char *host, uint16_t port,
                               int notify_fd);
/* False: not yet. True: *count_out addresses (IPv4 and IPv6 as the system orders them), or
 * *status_out says why not (IO; text noted); then it is over. Only while something is asked for. */
bool nats__resolver_done(nats__resolver *resolver, nats__address *out, size_t max,
                         size_t *count_out, nats_status *status_out);
/* Nobody waits for the answer any more. */
void nats__resolver_leave(nats__resolver *resolver);
/* Leave and forget all; threads under way end by themselves. */
void nats__resolver_free(nats__resolver *resolver);

#endif
