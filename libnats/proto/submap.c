#include "proto/submap.h"

#include <stdlib.h>

enum { SLOTS_MIN = 16 };

static void put(nats__subrec **slots, size_t mask, nats__subrec *rec)
{
    size_t i = (size_t)rec->sid & mask;
    while (slots[i] != NULL) {
        i = (i + 1) & mask;
    }
    slots[i] = rec;
}

static bool grow(nats__submap *map)
{
    size_t count = map->slot_count == 0 ? SLOTS_MIN : map->slot_count * 2;
    nats__subrec **slots = calloc(count, sizeof(*slots));
    if (slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < map->slot_count; i++) {
        if (map->slots[i] != NULL) {
            put(slots, count - 1, map->slots[i]);
        }
    }
    free(map->slots);
    map->slots = slots;
    map->slot_count = count;
    return true;
}

bool nats__submap_add(nats__submap *map, nats__subrec *rec)
{
    if ((map->count + 1) * 3 > map->slot_count * 2 && !grow(map)) {
        return false;
    }
    put(map->slots, map->slot_count - 1, rec);
    map->count++;
    return true;
}

/* Close the gap: records behind it that belong before it move up, so that no search stops short. */
void nats__submap_remove(nats__submap *map, uint64_t sid)
{
    if (nats__submap_find(map, sid) == NULL) {
        return;
    }
    size_t mask = map->slot_count - 1;
    size_t gap = (size_t)sid & mask;
    while (map->slots[gap]->sid != sid) {
        gap = (gap + 1) & mask;
    }
    for (size_t i = (gap + 1) & mask; map->slots[i] != NULL; i = (i + 1) & mask) {
        size_t home = (size_t)map->slots[i]->sid & mask;
        if (((i - home) & mask) >= ((i - gap) & mask)) {
            map->slots[gap] = map->slots[i];
            gap = i;
        }
    }
    map->slots[gap] = NULL;
    map->count--;
}

void nats__submap_free(nats__submap *map)
{
    free(map->slots);
    *map = (nats__submap){0};
}
