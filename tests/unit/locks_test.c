/* Locks that are spun for: a thread that is stopped within one, and has no processor, does not keep
 * another at it for long. What that costs is seen in the processor's time of who waits: on a busy machine it
 * may have to wait, and here it may not work meanwhile. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "base/spin.h"
#include "proto/chunk.h"
#include "sanitized.h"
#include "unit.h"

enum {
    ROUNDS = 3000,
    PAUSE_NS = 50000,
    OPERATIONS = 5,
    WORK_MAX_US = 2000, /* a turn of the processor is more; these operations take one or two */
    WORK_SHARE = 4      /* and a fourth of the time that passed: who sleeps wakes now and then */
};

typedef struct lazy {
    void (*body)(void *);
    void *what;
    atomic_bool over;
} lazy;

/* It has the processor only when nobody else wants it. */
static void *be_lazy(void *arg)
{
    lazy *self = arg;
    const struct sched_param param = {0};
    assert_int_equal(pthread_setschedparam(pthread_self(), SCHED_IDLE, &param), 0);
    while (!self->over) {
        self->body(self->what);
    }
    return NULL;
}

static int64_t read_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static cpu_set_t share_a_processor(void)
{
    cpu_set_t before;
    cpu_set_t one;
    int at = 0;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    while (!CPU_ISSET(at, &before)) {
        at++;
    }
    CPU_ZERO(&one);
    CPU_SET(at, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    return before;
}

/* First of all in a test: who skips does not come back, and would leave what it took. */
static void skip_if_sanitized(void)
{
    if (SANITIZED) {
        skip(); /* their allocators have spin locks of their own */
    }
}

static void check_work(void (*body)(void *), void *what)
{
    lazy other = {.body = body, .what = what};
    pthread_t thread;
    int64_t worst = 0;
    cpu_set_t before = share_a_processor();
    assert_int_equal(pthread_create(&thread, NULL, be_lazy, &other), 0);
    for (int round = 0; round < ROUNDS; round++) {
        const struct timespec pause = {0, PAUSE_NS};
        nanosleep(&pause, NULL);
        int64_t began = read_us(CLOCK_MONOTONIC);
        int64_t worked = read_us(CLOCK_THREAD_CPUTIME_ID);
        for (int i = 0; i < OPERATIONS; i++) {
            body(what);
        }
        worked = read_us(CLOCK_THREAD_CPUTIME_ID) - worked;
        worked -= (read_us(CLOCK_MONOTONIC) - began) / WORK_SHARE;
        worst = worked > worst ? worked : worst;
    }
    other.over = true;
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
    assert_in_range(worst, 0, WORK_MAX_US);
}

static void take_chunk(void *pool)
{
    nats__chunk_leave(nats__chunk_new(pool, 100));
}

static void chunks_are_not_waited_for(void **state)
{
    (void)state;
    skip_if_sanitized();
    nats__chunk_pool *pool = nats__chunk_pool_new();
    check_work(take_chunk, pool);
    nats__chunk_pool_close(pool);
}

static void take_spin(void *spin)
{
    static int counted;
    nats__spin_lock(spin);
    counted++;
    nats__spin_unlock(spin);
}

static void spin_locks_give_way(void **state)
{
    (void)state;
    skip_if_sanitized();
    nats__spin spin = {0};
    check_work(take_spin, &spin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_are_not_waited_for),
        cmocka_unit_test(spin_locks_give_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
