/* In the place of base/spin.h, by -include: a lock that helgrind knows. It is the same lock in the same places. */
#define NATS_BASE_SPIN_H

#include <pthread.h>

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
