#include <pthread.h>

#include "client/conn.h"

/* Counted up in every child: a handle that was made under another number belongs to the parent.
 * One write per fork, while the child has a single thread. */
atomic_uint nats__forks;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void in_child(void)
{
    atomic_fetch_add_explicit(&nats__forks, 1, memory_order_relaxed);
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, in_child);
}

void nats__fork_watch(void)
{
    pthread_once(&once, watch_forks);
}
