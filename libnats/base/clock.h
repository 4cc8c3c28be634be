/* The system's clock and random source. Not for proto/: there, both are arguments. */
#ifndef NATS_BASE_CLOCK_H
#define NATS_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NATS__MS = 1000000 }; /* ns in a ms */

/* Nanoseconds of the monotonic clock. */
int64_t nats__now_ns(void);
/* Fill with random bytes from the system. False when it has none. */
bool nats__random(void *out, size_t len);

#endif
