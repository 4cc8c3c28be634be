/* The servers that may be tried: given, discovered; in which order, and how soon again. */
#ifndef NATS_PROTO_POOL_H
#define NATS_PROTO_POOL_H

#include "base/buf.h"
#include "base/rng.h"
#include "proto/url.h"

typedef struct nats__server {
    nats__url url;
    bool discovered;
    bool lame_duck;        /* it said so: last choice from then on */
    bool gone;             /* the cluster did not name it since: when it does again, it was started
                            * anew, and is no lame duck */
    bool removed;          /* by the user, while in use: not to be tried again */
    int32_t attempts;      /* failed ones in a row */
    int64_t not_before_ns; /* back-off: not tried earlier; NATS__AT_ONCE: no wait */
    char *told_by;         /* the host given by the user that told of it; NULL: given itself */
    bool told_in_clear;    /* before TLS was up, so by anybody */
    char *auth_error;      /* the last authentication error it gave, NULL after a success */
} nats__server;

typedef struct nats__pool {
    nats__server *servers;
    size_t count;
    size_t current; /* index of the server in use or tried last; count when none */
} nats__pool;

enum { NATS__POOL_MAX = 1024 }; /* servers; a cluster that tells of more is cut off there */
#define NATS__AT_ONCE INT64_MIN   /* due on any clock, also one that begins below zero */

/* list: as nats_proto_new(); NULL: nats://127.0.0.1:4222. shuffle: random order. Errors: INVALID
 * (also WebSocket and others mixed: what a cluster tells of is for one of them), NO_MEMORY, LIMIT. */
nats_status nats__pool_init(nats__pool *pool, const char *list, bool shuffle, nats__rng *rng);
void nats__pool_free(nats__pool *pool);
/* One that is there already stays, no longer to be removed, and counts as given if it is now. */
nats_status nats__pool_add(nats__pool *pool, const nats__url *url, bool discovered,
                           bool *added_out);
bool nats__pool_remove(nats__pool *pool, size_t index);
/* The same at the user's wish: the current one stays until it is lost. */
bool nats__pool_drop(nats__pool *pool, size_t index);

/* Choose the server to try next: the one after the current that is due earliest, those given up
 * left out, lame ducks last. Returns NULL when none is left; else sets current. */
nats__server *nats__pool_next(nats__pool *pool, int32_t max_reconnects);
nats__server *nats__pool_current(nats__pool *pool);
/* Is there another that may be tried, and is no lame duck? */
bool nats__pool_has_better(const nats__pool *pool, int32_t max_reconnects);

/* Bring discovered servers in line with connect_urls: new ones are added (in random places
 * unless shuffle is false), discovered ones that are gone and not in use are removed. The texts
 * of the new ones are appended to `news`, commas between. */
void nats__pool_discover(nats__pool *pool, const char *const *urls, size_t url_count, bool shuffle,
                         bool in_clear, nats__rng *rng, nats__buf *news);

enum {
    NATS__BACKOFF_MIN_MS = 10, /* where doubling begins when wait is 0 */
    NATS__BACKOFF_FREE = 3     /* failures after which wait 0 is over: no server gains by more */
};

/* Back-off after `attempts` failures (>= 1): full jitter over wait * 2^(attempts-1), at most
 * wait_max. With wait 0 the first NATS__BACKOFF_FREE are followed by none, and those after them by
 * NATS__BACKOFF_MIN_MS and so on, or a server that is down would be asked thousands of times a
 * second. In ns. */
int64_t nats__backoff_ns(int32_t attempts, int64_t wait_ms, int64_t wait_max_ms, nats__rng *rng);

#endif
