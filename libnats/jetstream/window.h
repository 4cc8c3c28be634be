/* Messages of a publisher that are under way: a fixed number of places, one for each.
 *
 * Publishers take places, under a spin lock of their own; who reads answers gives them back, under
 * the connection's mu. Between the two there is a ring of free places, which each side moves on by one
 * atomic number: a publish never waits for whoever reads, nor the other way round.
 *
 * An answer names its place and, as its generation, the lower half of the message's number: one that
 * comes late, twice, or was made up finds another number there. */
#ifndef NATS_JETSTREAM_WINDOW_H
#define NATS_JETSTREAM_WINDOW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/spin.h"
#include "proto/frame.h"

enum {
    NATS__PLACES_MAX = 65536,   /* a token has 16 bits for them */
    NATS__PLACES_USUAL = 4000,  /* as nats.go has under way */
    NATS__WINDOW_TOKEN_LEN = 8, /* 48 bits, six in a character */
    NATS__WINDOW_RETRIES = 2,   /* of a message that nobody took (ADR-22) */
    NATS__KEPT_MAX = 64 * 1024, /* a larger message is not kept: few are, and all of a window would be much */
    NATS__KEPT_SUM = 64 * 1024 * 1024 /* nor is one beyond so much in a publisher */
};

/* A message, to be sent again when nobody took it: its subject, its headers, its data. The room stays
 * with its place. */
typedef struct nats__kept {
    size_t size; /* of bytes */
    size_t subject_len;
    size_t headers_len;
    size_t data_len;
    uint8_t bytes[];
} nats__kept;

typedef struct nats__slot {
    atomic_ullong id; /* of the message that is here; 0: free. Written last */
    int64_t deadline_ns;
    int64_t retry_ns; /* when it is sent again; 0: it is under way */
    nats__kept *room; /* NULL: none yet */
    uint32_t subject; /* a hash of it: a refusal names the subject alone */
    uint8_t retries;  /* that are left; 0 also where it was not kept */
} nats__slot;

typedef struct nats__window {
    nats__slot *places;
    uint32_t *ring; /* free places: from `taken` on, up to `returned` */
    uint32_t count;
    uint32_t mask;        /* of the ring, whose size is a power of two */
    atomic_uint returned; /* ever, the first filling of the ring counted too; mu */
    atomic_uint taken;    /* ever; lock */
    uint32_t seen;        /* of returned; lock: it is not looked at anew for each message */
    nats__spin lock;
    uint64_t last_id; /* lock */
    atomic_size_t kept; /* bytes of room that all places have */
} nats__window;

/* False when memory is out. */
bool nats__window_init(nats__window *window, uint32_t count);
void nats__window_free(nats__window *window);

/* Places that are free: of a moment. */
static inline uint32_t nats__window_room(const nats__window *window)
{
    uint32_t returned = atomic_load_explicit(&window->returned, memory_order_acquire);
    return returned - atomic_load_explicit(&window->taken, memory_order_relaxed);
}

/* A free place, or -1. lock held. */
static inline int32_t nats__window_take(nats__window *window)
{
    uint32_t taken = atomic_load_explicit(&window->taken, memory_order_relaxed);
    if (taken == window->seen) {
        window->seen = atomic_load_explicit(&window->returned, memory_order_acquire);
        if (taken == window->seen) {
            return -1;
        }
    }
    atomic_store_explicit(&window->taken, taken + 1, memory_order_relaxed);
    return (int32_t)window->ring[taken & window->mask];
}

static inline uint32_t nats__window_hash(const char *subject, size_t len)
{
    uint64_t hash = len;
    for (; len >= sizeof(uint64_t); len -= sizeof(uint64_t), subject += sizeof(uint64_t)) {
        uint64_t part;
        memcpy(&part, subject, sizeof part);
        hash = (hash ^ part) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 32;
    }
    for (; len > 0; len--) {
        hash = (hash ^ (unsigned char)*subject++) * UINT64_C(0x9E3779B97F4A7C15);
    }
    return (uint32_t)(hash >> 32);
}

/* Keep a message in its place, which is taken and not filled yet. False: it is too much, or memory is out. */
bool nats__window_keep(nats__window *window, int32_t place, const nats__frame *frame);
/* What was kept there. */
nats__frame nats__window_kept(const nats__window *window, uint32_t place);
/* The subject of the message that is there, cut to what fits; "" when there was no memory for it. */
void nats__window_subject(const nats__window *window, uint32_t place, char *out, size_t size);

/* The message is under way from now on. */
static inline void nats__window_fill(nats__window *window, int32_t place, uint64_t id,
                                     int64_t deadline_ns, uint32_t subject, bool kept)
{
    window->places[place].retry_ns = 0;
    window->places[place].retries = kept ? NATS__WINDOW_RETRIES : 0;
    window->places[place].deadline_ns = deadline_ns;
    window->places[place].subject = subject;
    atomic_store_explicit(&window->places[place].id, id, memory_order_release);
}

static inline uint64_t nats__window_at(const nats__window *window, uint32_t place)
{
    return atomic_load_explicit(&window->places[place].id, memory_order_acquire);
}

/* It is not under way any more. mu held. */
static inline void nats__window_return(nats__window *window, uint32_t place)
{
    uint32_t returned = atomic_load_explicit(&window->returned, memory_order_relaxed);
    atomic_store_explicit(&window->places[place].id, 0, memory_order_relaxed);
    window->ring[returned & window->mask] = place;
    atomic_store_explicit(&window->returned, returned + 1, memory_order_release);
}

/* The last token of the subject that the answer comes to. */
void nats__window_token(uint32_t place, uint64_t id, char out[NATS__WINDOW_TOKEN_LEN]);
/* Whose answer it is: the message's number, and its place in *place_out; 0: nobody's. */
uint64_t nats__window_find(const nats__window *window, const uint8_t *token, size_t len,
                           uint32_t *place_out);

#endif
