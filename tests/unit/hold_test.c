/* Messages that wait, one in each chunk: they are moved together before much is held, in their
 * order, and stay where they are when there is no memory for that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/queue.h"

enum {
    QUEUES = 3,
    MSGS = 100,
    CHUNK_MEMORY = NATS__CHUNK_SIZE + 10 * 1024, /* with one slab of records */
    BIG = 3 * NATS__CHUNK_SIZE                   /* a message that gets a chunk for itself */
};

#if defined(__has_feature)
#define HAS_FEATURE(name) __has_feature(name)
#else
#define HAS_FEATURE(name) 0
#endif
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && \
    !HAS_FEATURE(address_sanitizer) && !HAS_FEATURE(thread_sanitizer)
#define OWN_MALLOC 1

extern void *__libc_malloc(size_t size);

static size_t size_max = SIZE_MAX;

void *malloc(size_t size)
{
    return size > size_max ? NULL : __libc_malloc(size);
}
#endif

typedef struct bench {
    nats__chunk_pool *pool;
    nats__hold hold;
    nats__queue queues[QUEUES];
} bench;

static bench bench_new(void)
{
    bench self = {.pool = nats__chunk_pool_new()};
    assert_non_null(self.pool);
    self.hold.pool = self.pool;
    return self;
}

/* A message of `data_len` bytes that begins with its number, at the end of a chunk of `cap`. */
static nats_msg *msg_new(bench *self, size_t cap, uint32_t number, size_t data_len)
{
    static const char line[] = "s 1 4\r\n";
    nats__chunk *chunk = nats__chunk_new(self->pool, cap);
    assert_non_null(chunk);
    nats_msg *msg = nats__chunk_msg(chunk);
    assert_non_null(msg);
    uint8_t *text = chunk->bytes + chunk->cap - sizeof(line) - data_len - 1;
    *msg = (nats_msg){.chunk = chunk,
                      .text = text,
                      .subject_len = 1,
                      .body = sizeof(line) - 1,
                      .data_len = (uint32_t)data_len};
    memcpy(text, line, sizeof(line));
    memcpy(text + msg->body, &number, sizeof(number));
    text[msg->body + data_len] = '\0';
    nats__chunk_leave(chunk);
    return msg;
}

static void put(bench *self, size_t queue, nats_msg *msg)
{
    nats__queue_put(&self->hold, &self->queues[queue], msg, nats__msg_size(msg));
}

static void take(bench *self, size_t queue, uint32_t expected)
{
    uint32_t number;
    nats_msg *msg = nats__queue_pop(&self->hold, &self->queues[queue]);
    memcpy(&number, msg->text + msg->body, sizeof(number));
    assert_int_equal(number, expected);
    nats__chunk_unref(msg->chunk, 1);
}

static void fill(bench *self)
{
    for (uint32_t i = 0; i < QUEUES * MSGS; i++) {
        put(self, i % QUEUES, msg_new(self, NATS__CHUNK_SIZE, i, sizeof(i)));
    }
}

static void take_all(bench *self)
{
    for (uint32_t i = 0; i < QUEUES * MSGS; i++) {
        take(self, i % QUEUES, i);
    }
}

static void bench_end(bench *self)
{
    assert_int_equal(self->hold.memory, 0);
    assert_int_equal(self->hold.msgs, 0);
    assert_int_equal(self->hold.bytes, 0);
    assert_int_equal(self->hold.queue_count, 0);
    assert_null(self->hold.first);
    nats__hold_rest(&self->hold);
    nats__chunk_pool_close(self->pool);
}

static size_t allowed(const bench *self)
{
    uint64_t waits = self->hold.bytes + self->hold.msgs * NATS__WAIT_RECORD;
    return NATS__HOLD_SLACK + NATS__HOLD_FACTOR * waits;
}

static void sparse_chunks_are_given_back(void **state)
{
    (void)state;
    bench self = bench_new();
    for (uint32_t i = 0; i < QUEUES * MSGS; i++) {
        put(&self, i % QUEUES, msg_new(&self, NATS__CHUNK_SIZE, i, sizeof(i)));
        assert_true(self.hold.memory <= allowed(&self));
    }
    take_all(&self);
    bench_end(&self);
}

/* What is taken and dropped counts as what comes: the few that are left are moved then. */
static void taking_compacts(void **state)
{
    (void)state;
    bench self = bench_new();
    put(&self, 0, msg_new(&self, BIG, 1, NATS__CHUNK_SIZE));
    for (uint32_t i = 0; i < MSGS; i++) {
        put(&self, 1, msg_new(&self, NATS__CHUNK_SIZE, i, NATS__CHUNK_SIZE / 2));
        put(&self, 2, msg_new(&self, NATS__CHUNK_SIZE, i, NATS__CHUNK_SIZE / 4));
    }
    for (uint32_t i = 0; i < MSGS; i++) {
        take(&self, 1, i);
        nats__hold_check(&self.hold);
        assert_true(self.hold.memory <= allowed(&self));
    }
    take(&self, 0, 1);
    for (uint32_t i = 0; i < MSGS; i++) {
        take(&self, 2, i);
    }
    bench_end(&self);
}

/* Half of a chunk and more: not put together with others. */
static void large_messages_move_alone(void **state)
{
    (void)state;
    bench self = bench_new();
    size_t large = NATS__CHUNK_SIZE - 1024;
    for (uint32_t i = 0; i < MSGS; i++) {
        put(&self, 0, msg_new(&self, 10 * NATS__CHUNK_SIZE, i, large));
        assert_true(self.hold.memory <= allowed(&self) + 10 * NATS__CHUNK_SIZE);
    }
    assert_null(self.hold.compact);
    for (uint32_t i = 0; i < MSGS; i++) {
        take(&self, 0, i);
    }
    bench_end(&self);
}

static void without_memory_they_stay(void **state)
{
    (void)state;
#ifdef OWN_MALLOC
    bench self = bench_new();
    nats_msg *msgs[QUEUES * MSGS];
    for (uint32_t i = 0; i < QUEUES * MSGS; i++) {
        msgs[i] = msg_new(&self, NATS__CHUNK_SIZE, i, sizeof(i));
    }
    size_max = NATS__CHUNK_SMALL;
    for (uint32_t i = 0; i < QUEUES * MSGS / 2; i++) {
        put(&self, i % QUEUES, msgs[i]);
    }
    assert_true(self.hold.memory > QUEUES * MSGS / 2 * (size_t)NATS__CHUNK_SIZE);
    size_max = SIZE_MAX;
    for (uint32_t i = QUEUES * MSGS / 2; i < QUEUES * MSGS; i++) {
        put(&self, i % QUEUES, msgs[i]);
    }
    assert_true(self.hold.memory <= allowed(&self));
    take_all(&self);
    bench_end(&self);
#else
    skip(); /* sanitizers have an allocator of their own */
#endif
}

static void chunks_are_counted_once(void **state)
{
    (void)state;
    bench self = bench_new();
    fill(&self);
    take_all(&self);
    nats_msg *msg = msg_new(&self, NATS__CHUNK_SIZE, 1, 4);
    put(&self, 0, msg);
    assert_true(self.hold.memory > NATS__CHUNK_SIZE && self.hold.memory < CHUNK_MEMORY);
    take(&self, 0, 1);
    bench_end(&self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sparse_chunks_are_given_back), cmocka_unit_test(taking_compacts),
        cmocka_unit_test(large_messages_move_alone),    cmocka_unit_test(without_memory_they_stay),
        cmocka_unit_test(chunks_are_counted_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
