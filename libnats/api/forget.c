/* Clients that a collector found: closing may wait for the server, and a collection may not. A thread
 * of its own does it, and the end of the process, or of the library, waits for those threads. */
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "api/enter.h"

enum {
    LAST_MS = 3000, /* longer than a close takes, which waits for the server at most two seconds */
    LOOK_MS = 2
};

/* How many are being closed, and in the upper half the generation of fork() whose they are: a child has
 * none of its parent's threads. */
static atomic_ullong burials;

static uint64_t count_of(uint64_t state)
{
    return state >> 32 == nats__fork_generation() ? state & UINT32_MAX : 0;
}

static void count(int change)
{
    unsigned long long before = atomic_load(&burials);
    unsigned long long after;
    do {
        after = (uint64_t)nats__fork_generation() << 32 | (count_of(before) + (uint64_t)change);
    } while (!atomic_compare_exchange_weak(&burials, &before, after));
}

static void *bury(void *client)
{
    nats_client_free(client);
    count(-1);
    return NULL;
}

/* Signals are the program's own business: none is delivered to this thread. */
static bool bury_later(nats_client *client)
{
    sigset_t all;
    sigset_t before;
    pthread_t thread;
    sigfillset(&all);
    count(1);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool begun = pthread_create(&thread, NULL, bury, client) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (begun) {
        pthread_detach(thread);
    } else {
        count(-1);
    }
    return begun;
}

void nats_client_forget(nats_client *client)
{
    if (client == NULL || nats__enter(client) != NATS_OK) {
        return; /* a child of fork() leaves all to its parent */
    }
    if (client->closed || !bury_later(client)) {
        nats_client_free(client);
    }
}

/* What they had published goes out before the process ends. */
__attribute__((destructor)) static void wait_for_burials(void)
{
    const struct timespec look = {0, LOOK_MS * 1000000};
    for (int ms = 0; ms < LAST_MS && count_of(atomic_load(&burials)) > 0; ms += LOOK_MS) {
        nanosleep(&look, NULL);
    }
}
