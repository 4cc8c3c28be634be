/* What the works of cnats' program share. */
#ifndef POLYNATS_BENCH_THEIRS_H
#define POLYNATS_BENCH_THEIRS_H

#include <nats/nats.h>

#include "bench.h"

void theirs_check(natsStatus status, const char *what);
/* send_asap: write each message at once, where the default leaves it to a thread that comes by every
 * millisecond. Each work gets what suits it best. */
natsConnection *theirs_open(const bench_args *args, bool send_asap);

/* cnats_js.c */
void theirs_js_pub(const bench_args *args);
void theirs_js_fetch(const bench_args *args);
void theirs_js_consume(const bench_args *args);
void theirs_js_ordered(const bench_args *args);

#endif
