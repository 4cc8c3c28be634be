/* What the works of this library's own program share. */
#ifndef POLYNATS_BENCH_OURS_H
#define POLYNATS_BENCH_OURS_H

#include <polynats.h>

#include "bench.h"

void ours_check(nats_status status, const char *what);
nats_client *ours_open(const bench_args *args);
/* Gives back a batch and returns how many bytes of payload were in it. */
uint64_t ours_take(nats_msg **batch, size_t count);

/* polynats_js.c */
void ours_js_pub(const bench_args *args);
void ours_js_fast(const bench_args *args);
void ours_js_fill(const bench_args *args); /* what the ones below read */
void ours_js_fetch(const bench_args *args);
void ours_js_consume(const bench_args *args);
void ours_js_ordered(const bench_args *args);

#endif
