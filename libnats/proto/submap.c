#include "proto/submap.h"

#include <stdlib.h>

enum { SLOTS_MIN = 16, SLOTS_MIN_BITS = 4 };

static void put(nats__submap *map, nats__subrec *rec)
{
    size_t mask = map->slot_count - 1;
    size_t i = nats__submap_home(map, rec->sid);
    while (map->slots[i] != NULL) {
        i = (i + 1) & mask;
    }
    map->slots[i] = rec;
}

static bool grow(nats__submap *map)
{
    size_t count = map->slot_count == 0 ? SLOTS_MIN : map->slot_count * 2;
    nats__subrec **slots = calloc(count, sizeof(*slots));
    if (slots == NULL) {
        return false;
    }
    free(map->slots);
    map->shift = map->slot_count == 0 ? 64 - SLOTS_MIN_BITS : map->shift - 1;
    map->slots = slots;
    map->slot_count = count;
    for (nats__subrec *rec = map->first; rec != NULL; rec = rec->next) {
        put(map, rec);
    }
    return true;
}

static void list_in(nats__submap *map, nats__subrec *rec)
{
    rec->next = NULL;
    rec->prev = map->last;
    if (map->last != NULL) {
        map->last->next = rec;
    } else {
        map->first = rec;
    }
    map->last = rec;
    if (map->refused_next == NULL) {
        map->refused_next = rec;
    }
}

static void list_out(nats__submap *map, nats__subrec *rec)
{
    if (rec->prev != NULL) {
        rec->prev->next = rec->next;
    } else {
        map->first = rec->next;
    }
    if (rec->next != NULL) {
        rec->next->prev = rec->prev;
    } else {
        map->last = rec->prev;
    }
    if (map->refused_next == rec) {
        map->refused_next = rec->next;
    }
}

bool nats__submap_add(nats__submap *map, nats__subrec *rec)
{
    if ((map->count + 1) * 3 > map->slot_count * 2 && !grow(map)) {
        return false;
    }
    put(map, rec);
    list_in(map, rec);
    map->count++;
    return true;
}

/* Close the gap: records behind it that belong before it move up, so that no search stops short. */
void nats__submap_remove(nats__submap *map, uint64_t sid)
{
    nats__subrec *rec = nats__submap_find(map, sid);
    if (rec == NULL) {
        return;
    }
    list_out(map, rec);
    size_t mask = map->slot_count - 1;
    size_t gap = nats__submap_home(map, sid);
    while (map->slots[gap]->sid != sid) {
        gap = (gap + 1) & mask;
    }
    for (size_t i = (gap + 1) & mask; map->slots[i] != NULL; i = (i + 1) & mask) {
        size_t home = nats__submap_home(map, map->slots[i]->sid);
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
