/* An atomic batch (ADR-50): messages that a stream stores together, or not at all. */
#ifndef NATS_JETSTREAM_BATCH_H
#define NATS_JETSTREAM_BATCH_H

#include <polynats/jetstream_publish.h>

#include "jetstream/js.h"
#include "jetstream/shape.h"

nats_status nats__batch_new(nats_js *js, nats_js_batch **out);
void nats__batch_free(nats_js_batch *batch); /* the handle's reference */
nats_client *nats__batch_client(const nats_js_batch *batch);
int64_t nats__batch_timeout_ms(const nats_js_batch *batch);

/* *out stays NULL where there is nothing to wait for: of all messages between the first and the last. */
nats_status nats__batch_add(nats_js_batch *batch, const nats__frame *frame, nats__js_needs *needs,
                            int64_t timeout_ms, nats_future **out);
/* frame NULL: without a message (nats-server 2.14). */
nats_status nats__batch_commit(nats_js_batch *batch, const nats__frame *frame,
                               nats__js_needs *needs, int64_t timeout_ms, nats_future **out);

/* A future for a message that nothing is waited for: it has ended. mu not held. */
nats_status nats__batch_sent(nats_js_batch *batch, nats_future **out);

/* A message of it that an answer was asked for has ended. Any lock may be held. */
void nats__batch_told(nats_js_batch *batch, bool last, nats_status status);
void nats__batch_ref(nats_js_batch *batch);
void nats__batch_unref(nats_js_batch *batch);

#endif
