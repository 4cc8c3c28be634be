/* A call of JetStream's API: one or more requests under one future. */
#ifndef NATS_JETSTREAM_CALL_H
#define NATS_JETSTREAM_CALL_H

#include "jetstream/js.h"

/* As nats_js_call_start(); one: of nats_js_call(), which takes one answer only. */
nats_status nats__js_call_start(nats_js *js, const char *verb, const char *arguments,
                                size_t arguments_len, int64_t timeout_ms, bool one,
                                nats_future **out);

#endif
