/* Names to addresses, without holding anybody up: numbers at once, names in a thread of their
 * own. */
#ifndef NATS_IO_RESOLVE_H
#define NATS_IO_RESOLVE_H

#include "io/tcp.h"

enum { NATS__ADDRESSES_MAX = 16 }; /* addresses of one name that are tried */

typedef struct nats__resolve nats__resolve;

/* Begin. notify_fd: an eventfd that is written to when a name's answer is there (owned by the
 * caller; a copy is kept). Errors: NO_MEMORY, IO (no thread). */
nats_status nats__resolve_start(const char *host, uint16_t port, int notify_fd,
                                nats__resolve **out);
/* False: not yet. True: *count_out addresses (IPv4 and IPv6 as the system orders them), or
 * *status_out says why not (IO; text noted). */
bool nats__resolve_done(nats__resolve *resolve, nats__address *out, size_t max, size_t *count_out,
                        nats_status *status_out);
/* Give it up or free it; a thread under way ends by itself. */
void nats__resolve_free(nats__resolve *resolve);

#endif
