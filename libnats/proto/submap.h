/* Subscriptions by sid: a table that a sid nearly always indexes directly, for sids count up. */
#ifndef NATS_PROTO_SUBMAP_H
#define NATS_PROTO_SUBMAP_H

#include "proto/session.h"

typedef struct nats__submap {
    nats__subrec **slots; /* a power of two of them, at least a third free */
    size_t slot_count;
    size_t count;
} nats__submap;

/* False when memory is out. The sid is not in the map yet. */
bool nats__submap_add(nats__submap *map, nats__subrec *rec);
void nats__submap_remove(nats__submap *map, uint64_t sid);
void nats__submap_free(nats__submap *map); /* not the records */

static inline nats__subrec *nats__submap_find(const nats__submap *map, uint64_t sid)
{
    if (map->count == 0) {
        return NULL;
    }
    size_t mask = map->slot_count - 1;
    for (size_t i = (size_t)sid & mask; map->slots[i] != NULL; i = (i + 1) & mask) {
        if (map->slots[i]->sid == sid) {
            return map->slots[i];
        }
    }
    return NULL;
}

#endif
