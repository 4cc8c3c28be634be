#include "proto/chunk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/copy.h"

enum {
    SLABS_FREE_MAX = 16, /* records of two full chunks of small messages */
    REST_TRIES = 1000    /* at a list that another thread has in hand, for a few instructions */
};

typedef struct nats__slab {
    struct nats__slab *next;
    nats_msg msgs[NATS__SLAB_MSGS];
} slab;

/* Chunks come back from any thread, so the free lists have a lock: a word that is held for a few
 * instructions. Nobody waits for it, for who holds it may not run: of a lower priority, it never would.
 * Who finds it taken goes to the allocator instead. `owners` counts the chunks that are out, and the
 * pool's creator. */
struct nats__chunk_pool {
    atomic_flag lock;
    atomic_uint owners;
    atomic_bool closed;
    bool resting; /* nothing is kept until chunks are asked for again */
    const atomic_uint *forks;
    unsigned born; /* what *forks was */
    nats__chunk *free;
    size_t free_count;
    slab *free_slabs;
    size_t free_slab_count;
};

/* False: another thread has it. */
static bool pool_lock(nats__chunk_pool *pool)
{
    return !atomic_flag_test_and_set_explicit(&pool->lock, memory_order_acquire);
}

static void pool_unlock(nats__chunk_pool *pool)
{
    atomic_flag_clear_explicit(&pool->lock, memory_order_release);
}

nats__chunk_pool *nats__chunk_pool_new(void)
{
    nats__chunk_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL) {
        return NULL;
    }

    atomic_flag_clear(&pool->lock);
    atomic_init(&pool->owners, 1);
    return pool;
}

static void slabs_free(slab *slabs)
{
    while (slabs != NULL) {
        slab *next = slabs->next;
        free(slabs);
        slabs = next;
    }
}

static void chunks_free(nats__chunk *chunks)
{
    while (chunks != NULL) {
        nats__chunk *next = chunks->next;
        free(chunks);
        chunks = next;
    }
}

static void pool_disown(nats__chunk_pool *pool)
{
    if (atomic_fetch_sub_explicit(&pool->owners, 1, memory_order_acq_rel) != 1) {
        return;
    }
    chunks_free(pool->free);
    slabs_free(pool->free_slabs);
    free(pool);
}

void nats__chunk_pool_watch(nats__chunk_pool *pool, const atomic_uint *forks)
{
    pool->forks = forks;
    pool->born = atomic_load_explicit(forks, memory_order_relaxed);
}

/* Free what is kept. If the lists are in somebody's hand all the time it stays, until the next rest, or
 * until the last owner leaves. */
void nats__chunk_pool_rest(nats__chunk_pool *pool)
{
    int tries = 0;
    while (!pool_lock(pool)) {
        if (++tries == REST_TRIES) {
            return;
        }
    }
    nats__chunk *chunks = pool->free;
    slab *slabs = pool->free_slabs;
    pool->free = NULL;
    pool->free_count = 0;
    pool->free_slabs = NULL;
    pool->free_slab_count = 0;
    pool->resting = true;
    pool_unlock(pool);
    chunks_free(chunks);
    slabs_free(slabs);
}

void nats__chunk_pool_close(nats__chunk_pool *pool)
{
    if (pool == NULL) {
        return;
    }

    atomic_store_explicit(&pool->closed, true, memory_order_relaxed);
    nats__chunk_pool_rest(pool);
    pool_disown(pool);
}

static size_t size_class(size_t size)
{
    if (size <= NATS__CHUNK_SMALL) {
        return NATS__CHUNK_SMALL;
    }
    return size <= NATS__CHUNK_SIZE ? NATS__CHUNK_SIZE : size;
}

/* The first free chunk of that capacity: the list is short. */
static nats__chunk *pool_take(nats__chunk_pool *pool, size_t cap)
{
    if (!pool_lock(pool)) {
        return NULL;
    }
    pool->resting = false;
    nats__chunk **link = &pool->free;
    while (*link != NULL && (*link)->cap != cap) {
        link = &(*link)->next;
    }
    nats__chunk *chunk = *link;
    if (chunk != NULL) {
        *link = chunk->next;
        pool->free_count--;
    }
    pool_unlock(pool);
    return chunk;
}

nats__chunk *nats__chunk_new(nats__chunk_pool *pool, size_t size)
{
    size_t cap = size_class(size);
    nats__chunk *chunk = pool_take(pool, cap);
    if (chunk == NULL) {
        chunk = malloc(sizeof *chunk + cap);
        if (chunk == NULL) {
            return NULL;
        }
    }

    atomic_init(&chunk->refs, 1);
    chunk->credit = 0;
    chunk->slab_left = 0;
    chunk->slab_next = NULL;
    chunk->cap = cap;
    chunk->slab_count = 0;
    chunk->waiting = 0;
    chunk->counted = 0;
    chunk->pos = 0;
    chunk->len = 0;
    chunk->slabs = NULL;
    chunk->pool = pool;
    chunk->next = NULL;
    atomic_fetch_add_explicit(&pool->owners, 1, memory_order_relaxed);
    return chunk;
}

/* Keep what a free list has room for; what it has not is left in *slabs for the caller to free. The lock
 * is held. */
static void pool_keep_slabs(nats__chunk_pool *pool, slab **slabs)
{
    while (*slabs != NULL && pool->free_slab_count < SLABS_FREE_MAX) {
        slab *first = *slabs;
        *slabs = first->next;
        first->next = pool->free_slabs;
        pool->free_slabs = first;
        pool->free_slab_count++;
    }
}

/* True when the chunk is kept. What it needs no more of its records is left in *slabs. */
static bool pool_keep(nats__chunk_pool *pool, nats__chunk *chunk, slab **slabs)
{
    if (!pool_lock(pool)) {
        return false;
    }
    bool keep = false;
    if (!atomic_load_explicit(&pool->closed, memory_order_relaxed) && !pool->resting) {
        pool_keep_slabs(pool, slabs);
        keep = chunk->cap <= NATS__CHUNK_SIZE && pool->free_count < NATS__POOL_CHUNKS_MAX;
    }
    if (keep) {
        chunk->next = pool->free;
        pool->free = chunk;
        pool->free_count++;
    }
    pool_unlock(pool);
    return keep;
}

static void chunk_release(nats__chunk *chunk)
{
    nats__chunk_pool *pool = chunk->pool;
    slab *slabs = chunk->slabs;
    if (pool->forks != NULL &&
        atomic_load_explicit(pool->forks, memory_order_relaxed) != pool->born) {
        return; /* the parent's: a thread of it that is not here may have held the lock */
    }

    bool kept = pool_keep(pool, chunk, &slabs);
    slabs_free(slabs);
    if (!kept) {
        free(chunk);
    }
    pool_disown(pool);
}

void nats__chunk_unref(nats__chunk *chunk, unsigned count)
{
    if (atomic_fetch_sub_explicit(&chunk->refs, count, memory_order_acq_rel) == count) {
        chunk_release(chunk);
    }
}

void nats__chunk_leave(nats__chunk *chunk)
{
    nats__chunk_unref(chunk, 1 + chunk->credit);
}

bool nats__chunk_rewind(nats__chunk *chunk)
{
    unsigned own = 1 + chunk->credit;
    if (atomic_load_explicit(&chunk->refs, memory_order_acquire) != own) {
        return false;
    }
    chunk->pos = 0;
    chunk->len = 0;
    if (chunk->slabs == NULL) {
        return true;
    }

    slab *rest = chunk->slabs->next;
    chunk->slabs->next = NULL;
    chunk->slab_count = 1;
    chunk->slab_next = chunk->slabs->msgs;
    chunk->slab_left = NATS__SLAB_MSGS;
    chunk->credit = NATS__SLAB_MSGS;
    atomic_store_explicit(&chunk->refs, 1 + NATS__SLAB_MSGS, memory_order_relaxed);
    if (rest != NULL && pool_lock(chunk->pool)) {
        pool_keep_slabs(chunk->pool, &rest);
        pool_unlock(chunk->pool);
    }
    slabs_free(rest);
    return true;
}

static slab *slab_new(nats__chunk_pool *pool)
{
    slab *fresh = NULL;
    if (pool_lock(pool)) {
        fresh = pool->free_slabs;
        pool->free_slabs = fresh != NULL ? fresh->next : NULL;
        pool->free_slab_count -= fresh != NULL;
        pool_unlock(pool);
    }
    if (fresh == NULL) {
        fresh = malloc(sizeof *fresh);
    }
    return fresh;
}

bool nats__chunk_grow(nats__chunk *chunk)
{
    slab *fresh = slab_new(chunk->pool);
    if (fresh == NULL) {
        return false;
    }
    fresh->next = chunk->slabs;
    chunk->slabs = fresh;
    chunk->slab_count++;
    chunk->slab_next = fresh->msgs;
    chunk->slab_left = NATS__SLAB_MSGS;
    chunk->credit += NATS__SLAB_MSGS;
    atomic_fetch_add_explicit(&chunk->refs, NATS__SLAB_MSGS, memory_order_relaxed);
    return true;
}

size_t nats__chunk_memory(const nats__chunk *chunk)
{
    return sizeof *chunk + chunk->cap + chunk->slab_count * sizeof(slab);
}

size_t nats__msg_room(const nats_msg *msg)
{
    return (size_t)msg->body + msg->header_len + msg->data_len + 1;
}

nats_msg *nats__msg_copy(const nats_msg *msg, nats__chunk *into)
{
    size_t room = nats__msg_room(msg);
    assert(into->cap - into->len >= room);

    nats_msg *copy = nats__chunk_msg(into);
    if (copy == NULL) {
        return NULL;
    }
    *copy = *msg;
    copy->chunk = into;
    copy->text = into->bytes + into->len;
    memcpy(into->bytes + into->len, msg->text, room);
    into->len += room;
    return copy;
}

nats_msg *nats__msg_make(nats__chunk_pool *pool, const char *subject, size_t subject_len,
                         const void *headers, size_t headers_len, const void *data,
                         size_t data_len)
{
    size_t room = subject_len + 1 + headers_len + data_len + 1;
    nats__chunk *chunk = nats__chunk_new(pool, room);
    nats_msg *msg = chunk != NULL ? nats__chunk_msg(chunk) : NULL;
    if (msg != NULL) {
        uint8_t *at = chunk->bytes;
        at = nats__copy(at, subject, subject_len);
        *at++ = '\0';
        at = nats__copy(at, headers, headers_len);
        at = nats__copy(at, data, data_len);
        *at = '\0';
        chunk->len = room;
        *msg = (nats_msg){.chunk = chunk,
                          .text = chunk->bytes,
                          .subject_len = (uint16_t)subject_len,
                          .body = (uint32_t)subject_len + 1,
                          .header_len = (uint32_t)headers_len,
                          .data_len = (uint32_t)data_len};
    }
    if (chunk != NULL) {
        nats__chunk_leave(chunk);
    }
    return msg;
}
