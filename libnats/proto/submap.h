/* Subscriptions by sid: an open table, and a list in the order in which they came. Sids count up:
 * taken as they are, a thousand of them would be one run of a thousand full slots, which a removal
 * would have to walk. A hash that mixes them leaves gaps. */
#ifndef NATS_PROTO_SUBMAP_H
#define NATS_PROTO_SUBMAP_H

#include "proto/session.h"

typedef struct nats__submap {
    nats__subrec **slots; /* a power of two of them, at least a third free */
    size_t slot_count;
    size_t count;
    uint32_t shift; /* what a hash is shifted right by to be a place: 64 less the places' bits */
    nats__subrec *first;
    nats__subrec *last;
    nats__subrec *refused_next; /* where the search for the next refused one begins */
} nats__submap;

/* False when memory is out. The sid is not in the map yet. */
bool nats__submap_add(nats__submap *map, nats__subrec *rec);
void nats__submap_remove(nats__submap *map, uint64_t sid);
void nats__submap_free(nats__submap *map); /* not the records */

/* The highest bits of a product with 2^64 divided by the golden ratio: neighbours lie far apart. */
static inline size_t nats__submap_home(const nats__submap *map, uint64_t sid)
{
    return (size_t)((sid * UINT64_C(0x9E3779B97F4A7C15)) >> map->shift);
}

static inline nats__subrec *nats__submap_find(const nats__submap *map, uint64_t sid)
{
    if (map->count == 0) {
        return NULL;
    }
    size_t mask = map->slot_count - 1;
    for (size_t i = nats__submap_home(map, sid); map->slots[i] != NULL; i = (i + 1) & mask) {
        if (map->slots[i]->sid == sid) {
            return map->slots[i];
        }
    }
    return NULL;
}

#endif
