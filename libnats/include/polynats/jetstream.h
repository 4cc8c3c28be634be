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
#include "json.h"

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

/* ---- management ---- */

/* Ask JetStream for something, and wait. verb: "create_stream", "stream_info" …; arguments: a JSON
 * object, or NULL for none ("" with NATS_Z, likewise); durations in it are numbers of nanoseconds or
 * texts ("2m", "500ms"), times are texts. result_out (may be NULL): owned; its payload is the
 * server's answer, JSON text; of the verbs that get a message, that message: its subject, headers
 * and payload as they are stored, and nats_msg_js_uint() tells of its place. "update_stream" wants all
 * of a configuration; "change_stream" asks for it, changes what its "config" has, and sends all else
 * back as it came: {"stream":"ORDERS","config":{"max_age":"12h"}}.
 * Errors: INVALID (an unknown verb, argument or configuration key: the text has the nearest known
 * one; a bad name or duration; contradicting ones), SERVER (nats_last_err_code()), NOT_SUPPORTED
 * (this server's JetStream has no such feature: the text names it and the API level that it needs; also
 * when a server has dropped what it did not know: then what was asked for is made, without it),
 * NO_RESPONDERS (JetStream is not enabled, or not in this domain), PROTOCOL (the answer is not what
 * the API says), and as nats_client_request(). */
NATS_API nats_status nats_js_call(nats_js *js, const char *verb, const char *arguments,
                                  size_t arguments_len, int64_t timeout_ms, nats_msg **result_out);
/* The same without waiting. future_out: owned; its reply is what nats_js_call() gives, and it
 * fails as that does. A verb that gets several messages ("get_messages") gives them one by one. */
NATS_API nats_status nats_js_call_start(nats_js *js, const char *verb, const char *arguments,
                                        size_t arguments_len, int64_t timeout_ms,
                                        nats_future **future_out);

/* The table of verbs, for bindings and documentation: name of verb `index`, NULL past the last. */
NATS_API const char *nats_js_verb(size_t index);

/* What arguments and configurations are made of, for bindings that write JSON from their language's own values:
 * the kind of `name` in an object of the type `object` ("create_stream" and the other verbs, or what
 * *object_out told of a member): a NATS_JSON_… ; an ARRAY has *element_out set to the kind of its
 * elements. *object_out: the type of a member that is an object, or a list of such; "" for a map with
 * any keys. 0 when there is no such name. Any of the outputs may be NULL. */
NATS_API int32_t nats_js_key(const char *object, const char *name, int32_t *element_out,
                             const char **object_out);
/* Key `index` of an object of that type, NULL past the last. */
NATS_API const char *nats_js_key_name(const char *object, size_t index);

#ifdef __cplusplus
}
#endif

#endif
