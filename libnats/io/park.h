/* A thread sleeps until another one wakes it. A condition variable could do that, but would not
 * tell of signals. */
#ifndef NATS_IO_PARK_H
#define NATS_IO_PARK_H

#include <stdatomic.h>
#include <stdint.h>

/* 0: nobody woke it yet. One thread sleeps on it, once. */
typedef _Atomic uint32_t nats__park;

typedef enum nats__park_end {
    NATS__PARK_WOKEN,
    NATS__PARK_TIME,  /* deadline_ns has come */
    NATS__PARK_SIGNAL /* a signal handler ran in this thread */
} nats__park_end;

/* Sleep, at most until deadline_ns of the monotonic clock. */
nats__park_end nats__park_wait(nats__park *park, int64_t deadline_ns);
void nats__park_wake(nats__park *park);

#endif
