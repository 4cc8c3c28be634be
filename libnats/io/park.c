#include "io/park.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { NS_PER_S = 1000000000 };

nats__park_end nats__park_wait(nats__park *park, int64_t deadline_ns)
{
    /* With a time, however far away, the kernel returns after a signal even when the handler was
     * set with SA_RESTART. */
    struct timespec until = {(time_t)(deadline_ns / NS_PER_S), (long)(deadline_ns % NS_PER_S)};
    while (atomic_load(park) == 0) {
        long failed = syscall(SYS_futex, park, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 0, &until,
                              NULL, FUTEX_BITSET_MATCH_ANY);
        if (failed != 0 && errno == ETIMEDOUT) {
            return atomic_load(park) != 0 ? NATS__PARK_WOKEN : NATS__PARK_TIME;
        }
        if (failed != 0 && errno == EINTR) {
            return atomic_load(park) != 0 ? NATS__PARK_WOKEN : NATS__PARK_SIGNAL;
        }
    }
    return NATS__PARK_WOKEN;
}

void nats__park_wake(nats__park *park)
{
    atomic_store(park, 1);
    syscall(SYS_futex, park, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
}
