/* A lock for the time of a copy: taking it is one atomic exchange, giving it back a plain store,
 * which is a quarter of what a mutex costs on the publish path. Held while a message is copied, now
 * and then while a buffer grows or what was lost is counted, and never over a call that waits; who
 * finds it taken gives way to the thread that holds it, and sleeps when that does not help: by giving way
 * alone a thread of a high priority would wait for ever for one of a low priority. */
#ifndef NATS_BASE_SPIN_H
#define NATS_BASE_SPIN_H

#include <sched.h>
#include <stdatomic.h>
#include <time.h>

typedef struct nats__spin {
    atomic_int held;
} nats__spin;

enum {
    NATS__SPIN_TRIES = 64,     /* looks before giving way: about the time a small message is copied in */
    NATS__SPIN_YIELDS = 32,    /* before sleeping: who holds it has had its turn by then, if it can */
    NATS__SPIN_SLEEP_NS = 50000 /* what a system makes of the shortest sleep */
};

/* Apart from the way of a publish, which nearly always finds the lock free. */
static __attribute__((noinline, cold, unused)) void nats__spin_give_way(int yields)
{
    if (yields <= NATS__SPIN_YIELDS) {
        sched_yield();
        return;
    }
    const struct timespec a_while = {0, NATS__SPIN_SLEEP_NS};
    nanosleep(&a_while, NULL);
}

static inline void nats__spin_lock(nats__spin *spin)
{
    int tries = 0;
    int yields = 0;
    while (atomic_exchange_explicit(&spin->held, 1, memory_order_acquire) != 0) {
        while (atomic_load_explicit(&spin->held, memory_order_relaxed) != 0) {
            if (++tries > NATS__SPIN_TRIES) {
                nats__spin_give_way(++yields);
                tries = 0;
            }
        }
    }
}

static inline void nats__spin_unlock(nats__spin *spin)
{
    atomic_store_explicit(&spin->held, 0, memory_order_release);
}

#endif
