/* JetStream: streams, consumers and messages that are kept, on a client's connection.
 *
 *     nats_js *js;
 *     nats_client_jetstream(client, NULL, NULL, -1, &js);
 *     nats_js_call(js, "create_stream", "{\"config\":{\"name\":\"ORDERS\",\"subjects\":[\"orders.>\"]}}",
 *                  NATS_Z, -1, NULL);
 *     nats_js_publish(js, "orders.new", NATS_Z, NULL, "42", 2, -1, NULL);
 *     nats_sub *sub;
 *     nats_js_consume(js, "ordered", "{\"stream\":\"ORDERS\"}", NATS_Z, -1, &sub);
 *     nats_msg *msg;
 *     while (nats_sub_next(sub, 1000, &msg) == NATS_OK && msg) { … nats_msg_free(msg); }
 *     nats_sub_free(sub);
 *     nats_js_free(js);
 *
 * Management is one function, nats_js_call(): verbs and their arguments go by name, as options do,
 * in JSON of the server's own schema, and docs/jetstream.md has the table. Every other thing is
 * what it is without JetStream: messages are nats_msg, what does not block is a nats_future, what
 * brings messages is a nats_sub, which get() and next() poll.
 *
 * Delivery: a message whose ack was received is in the stream, of which it goes by the server's
 * policy; what a consumer delivers is delivered at least once, until it is acknowledged.
 * docs/jetstream.md says what each call promises.
 *
 * Threads, times, texts and errors: as in client.h. An error that the server told is SERVER, with
 * nats_last_err_code(). */
#ifndef POLYNATS_JETSTREAM_H
#define POLYNATS_JETSTREAM_H

#include "client.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nats_js nats_js;

/* JetStream as a client sees it. domain: of the leaf or hub to talk to (ADR-1: the subjects begin with
 * $JS.<domain>.API), prefix: of the API's subjects where an account imports it under another one;
 * each NULL or "" for none, not both. timeout_ms: what a -1 stands for in the calls below; -1: 5000.
 * js_out: owned, free with nats_js_free(); it keeps the client's memory, not its connection. Errors:
 * INVALID, CLOSED, FORKED, NO_MEMORY. */
NATS_API nats_status nats_client_jetstream(nats_client *client, const char *domain,
                                           const char *prefix, int64_t timeout_ms,
                                           nats_js **js_out);
/* Free the handle; calls and subscriptions under way go on. NULL is fine. */
NATS_API void nats_js_free(nats_js *js);

#ifdef __cplusplus
}
#endif

#endif
