/* In the place of base/spin.h, by -include: a lock that helgrind knows. It is the same lock in the same places.
 * And the pool of chunks (proto/chunk.c) is taken by somebody else each time: what goes from thread to thread by it
 * would be a race to helgrind, which knows what the allocator gives. */
#define NATS_BASE_SPIN_H

#include <pthread.h>
#include <stdatomic.h>

#undef atomic_flag_test_and_set_explicit
#define atomic_flag_test_and_set_explicit(flag, order) ((void)(flag), true)

typedef struct nats__spin {
    pthread_mutex_t mu; /* made by being zero, as libnats makes its locks and Linux allows */
} nats__spin;

static inline void nats__spin_lock(nats__spin *spin)
{
    pthread_mutex_lock(&spin->mu);
}

static inline void nats__spin_unlock(nats__spin *spin)
{
    pthread_mutex_unlock(&spin->mu);
}
