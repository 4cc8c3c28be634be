/* One message to a stream. */
#ifndef NATS_JETSTREAM_PUBLISH_H
#define NATS_JETSTREAM_PUBLISH_H

#include <polynats/jetstream_publish.h>

#include "jetstream/js.h"
#include "jetstream/shape.h"

/* What is to be known of a publish besides its message. */
typedef struct nats__publishing {
    nats_js *js;
    const nats__js_needs *needs; /* of the server: it is asked for what it can do, once for a connection */
    int64_t timeout_ms;
    bool borrowed;        /* the frame's parts stay where they are until the future is freed */
    nats_js_batch *batch; /* NULL: it is of none */
    bool first;           /* of the batch: its answer is empty */
} nats__publishing;

/* The future's reply is the acknowledgement; when the stream refuses, it fails in the server's words. */
nats_status nats__publish_start(const nats__frame *frame, const nats__publishing *how,
                                nats_future **out);

/* Can the server do what is needed? It is asked, and waited for, once for a connection. mu not held. Errors:
 * NOT_SUPPORTED, and as of a request. */
nats_status nats__publish_may(nats_js *js, const nats__js_needs *needs);

#endif
