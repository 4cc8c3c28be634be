/* JetStream by the raw socket loop: what the server gives to who only counts. */
#ifndef POLYNATS_BENCH_RAW_JS_H
#define POLYNATS_BENCH_RAW_JS_H

#include "bench.h"

void raw_js_pub(const bench_args *args);
void raw_js_fetch(const bench_args *args);
void raw_js_consume(const bench_args *args);
void raw_js_ordered(const bench_args *args);

#endif
