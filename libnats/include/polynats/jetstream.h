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
typedef struct nats_js_publisher nats_js_publisher;
typedef struct nats_js_batch nats_js_batch;

/* JetStream as a client sees it. domain: of the leaf or hub to talk to (ADR-1: the subjects begin with
 * $JS.<domain>.API), prefix: of the API's subjects where an account imports it under another one;
 * each NULL or "" for none, not both. timeout_ms: what a -1 stands for in the calls below; -1: 5000.
 * js_out: owned, free with nats_js_free(); it keeps the client's memory, not its connection. Errors:
 * INVALID, CLOSED, FORKED, NO_MEMORY. */
NATS_API nats_status nats_client_jetstream(nats_client *client, const char *domain,
                                           const char *prefix, int64_t timeout_ms,
                                           nats_js **js_out);
NATS_API void nats_js_free(nats_js *js);

/* The err_code of JetStream (10059: stream not found …) that this thread's last failed call was
 * answered with; 0 when it was none of the server's. docs/jetstream.md lists those a user meets.
 * nats_last_code(): the HTTP-like code besides (404 …), also of a status message. */
NATS_API int32_t nats_last_err_code(void);
NATS_API int32_t nats_last_code(void);

/* ---- management ---- */

/* Ask JetStream for something, and wait. verb: "create_stream", "stream_info" …; arguments: a JSON
 * object, or NULL for none ("" with NATS_Z, likewise); durations in it are numbers of nanoseconds or
 * texts ("2m", "500ms"), times are texts. result_out (may be NULL): owned; its payload is the
 * server's answer, JSON text; of the verbs that get a message, that message: its subject, headers
 * and payload as they are stored, and nats_msg_js_uint() tells of its place.
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

/* ---- publish ---- */

/* Publish and wait until the stream has it. headers: NULL, or what the stream is to look at besides:
 * nats_js_header() names them ("Nats-Msg-Id" …). ack_out (may be NULL): owned; its payload is the
 * server's answer, {"stream":…,"seq":…,"duplicate":…,"domain":…,"val":…}; nats_msg_ack_seq() reads it.
 * When no stream answers it is sent again twice, 250 ms apart (ADR-22). Errors: NO_RESPONDERS (no
 * stream takes this subject), TIMEOUT (it may be in the stream, or not), SERVER
 * (nats_last_err_code(), such as 10071 for a wrong last sequence), and as nats_client_request(). */
NATS_API nats_status nats_js_publish(nats_js *js, const char *subject, size_t subject_len,
                                     const nats_headers *headers, const void *data,
                                     size_t data_len, int64_t timeout_ms, nats_msg **ack_out);
/* The same without waiting. future_out: owned. For many messages a publisher is cheaper. */
NATS_API nats_status nats_js_publish_start(nats_js *js, const char *subject, size_t subject_len,
                                           const nats_headers *headers, const void *data,
                                           size_t data_len, int64_t timeout_ms,
                                           nats_future **future_out);
/* Read an ack: 1 and its sequence and whether it was a duplicate, or 0 when it is none. Each output
 * may be NULL. */
NATS_API int32_t nats_msg_ack_seq(const nats_msg *ack, uint64_t *seq_out, int32_t *duplicate_out);

/* The header that stands for a keyword of publish: "msg_id", "expect_stream", "expect_last_seq",
 * "expect_last_subject_seq", "expect_last_subject_seq_subject", "expect_last_msg_id", "ttl",
 * "incr", "schedule" …; NULL when there is none such. kind_out: NATS_JSON_TEXT, _UINT or _DURATION. */
NATS_API const char *nats_js_header(const char *keyword, int32_t *kind_out);
/* Keyword `index`, NULL past the last. */
NATS_API const char *nats_js_keyword(size_t index);

/* ---- a publisher: many messages under way ---- */

/* A window of publishes that are not acknowledged yet. max_pending: how many, 1 … 65536, 0 for 4000;
 * publisher_out: owned. One that is full makes publish wait, at most the js's timeout. */
NATS_API nats_status nats_js_publisher_new(nats_js *js, int64_t max_pending,
                                           nats_js_publisher **publisher_out);
/* Publish, wait only for room in the window. *id_out (may be NULL): the message's number, from 1, by
 * which a failure is told. Errors: TIMEOUT (no room: not accepted), DISCONNECTED, and as
 * nats_client_publish_with(). */
NATS_API nats_status nats_js_publisher_publish(nats_js_publisher *publisher, const char *subject,
                                               size_t subject_len, const nats_headers *headers,
                                               const void *data, size_t data_len,
                                               uint64_t *id_out);
/* Many payloads to one subject; ids follow each other. *published_out: how many were accepted. */
NATS_API nats_status nats_js_publisher_publish_many(nats_js_publisher *publisher,
                                                    const char *subject, size_t subject_len,
                                                    const void *const *datas,
                                                    const size_t *data_lens, size_t count,
                                                    uint64_t *first_id_out, size_t *published_out);
/* Wait until every message has its ack or its failure. NATS_OK: no message failed since the last
 * flush. Else the error of the first that did; all are told by nats_js_publisher_next_failure(). Errors:
 * TIMEOUT (acks are still to come; -1 for the js's timeout), INTERRUPTED, CLOSED, and those of messages. */
NATS_API nats_status nats_js_publisher_flush(nats_js_publisher *publisher, int64_t timeout_ms);
NATS_API nats_status nats_js_publisher_flush_start(nats_js_publisher *publisher,
                                                   int64_t timeout_ms, nats_future **future_out);
/* The oldest failure that was not told yet: NATS_OK with *id_out 0 when there is none; else the error of
 * message *id_out is this thread's last error, and returned. Failures that are not taken are kept, at most
 * as many as the window has places; then publish fails with LIMIT. Of TIMEOUT and DISCONNECTED it is
 * not known whether the stream has the message. */
NATS_API nats_status nats_js_publisher_next_failure(nats_js_publisher *publisher,
                                                    uint64_t *id_out);
/* Counters: published, acked, duplicates, failed, pending. Returns how many there are. */
NATS_API size_t nats_js_publisher_stats(nats_js_publisher *publisher, uint64_t *values,
                                        size_t count);
/* Free; acks that come later are dropped and counted. NULL is fine. */
NATS_API void nats_js_publisher_free(nats_js_publisher *publisher);

/* ---- an atomic batch (ADR-50; nats-server 2.12, stream option allow_atomic) ---- */

/* All messages of a batch are stored, or none. batch_out: owned. Nothing is sent yet. */
NATS_API nats_status nats_js_batch_new(nats_js *js, nats_js_batch **batch_out);
/* Add a message, at most 1000. The first waits for the server's word that it takes the batch.
 * Errors: SERVER, LIMIT, NOT_SUPPORTED, and as nats_js_publish(); after one the batch is abandoned. */
NATS_API nats_status nats_js_batch_add(nats_js_batch *batch, const char *subject,
                                       size_t subject_len, const nats_headers *headers,
                                       const void *data, size_t data_len, int64_t timeout_ms);
/* Add the last one, and store all. *ack_out (may be NULL): owned, of the last; its payload has
 * "batch" and "count". */
NATS_API nats_status nats_js_batch_commit(nats_js_batch *batch, const char *subject,
                                          size_t subject_len, const nats_headers *headers,
                                          const void *data, size_t data_len, int64_t timeout_ms,
                                          nats_msg **ack_out);
/* The same without waiting; each future ends as the call does. */
NATS_API nats_status nats_js_batch_add_start(nats_js_batch *batch, const char *subject,
                                             size_t subject_len, const nats_headers *headers,
                                             const void *data, size_t data_len,
                                             int64_t timeout_ms, nats_future **future_out);
NATS_API nats_status nats_js_batch_commit_start(nats_js_batch *batch, const char *subject,
                                                size_t subject_len, const nats_headers *headers,
                                                const void *data, size_t data_len,
                                                int64_t timeout_ms, nats_future **future_out);
/* Abandon and free: the server forgets what was added when 10 s pass. NULL is fine. */
NATS_API void nats_js_batch_free(nats_js_batch *batch);

/* ---- consume ---- */

/* Have a consumer's messages come to a subscription. how:
 *   "consume"  pull, without end: its requests are topped up before they run dry, heartbeats are
 *              watched, and it goes on over a reconnect, a new leader, a restart of the server
 *   "fetch"    one pull: it ends with its last message, or when its time is up
 *   "push"     a consumer that delivers by itself: one that exists, or as `config` says
 *   "ordered"  all of a stream in order, without holes or duplicates (ADR-17): the consumer is made
 *              anew where a message is missed
 * arguments: JSON object, its keys by `how` in docs/jetstream.md: stream, consumer, config, max_messages,
 * max_bytes, expires, idle_heartbeat, no_wait, group, min_pending, min_ack_pending, priority …
 * sub_out: owned. Messages are taken by nats_sub_next(), nats_sub_get() and, unless the subscription is
 * made private, nats_client_get(); status messages are not seen. When it ends by itself, next() and get()
 * tell why once, when the last message was taken: nats_last_code() (409: the consumer was deleted …); CLOSED then, and
 * for the end of a fetch that ran its course.
 * Waits until the consumer is known to be there ("push", "ordered": until it is made), at most timeout_ms.
 * Errors: INVALID, SERVER, NOT_SUPPORTED, NO_RESPONDERS, TIMEOUT, and as nats_client_subscribe(). */
NATS_API nats_status nats_js_consume(nats_js *js, const char *how, const char *arguments,
                                     size_t arguments_len, int64_t timeout_ms, nats_sub **sub_out);
/* The same without waiting: both are owned; the future ends when the consumer is there, or fails and then the
 * subscription has ended. */
NATS_API nats_status nats_js_consume_start(nats_js *js, const char *how, const char *arguments,
                                           size_t arguments_len, int64_t timeout_ms,
                                           nats_sub **sub_out, nats_future **future_out);

/* ---- messages ---- */

/* How a message is acknowledged. */
enum {
    NATS_ACK = 1,         /* done */
    NATS_NAK = 2,         /* again; delay_ms */
    NATS_IN_PROGRESS = 3, /* more time, please: any number of times */
    NATS_TERM = 4         /* never again; text: the reason (nats-server 2.10.4) */
};

/* Acknowledge a message of a consumer, once: another ACK, NAK or TERM of the same message is INVALID. It does
 * not wait. client: any on the connection that it came by. delay_ms: of a NAK, 0 for at once. reason: of a TERM, NULL for none. Errors:
 * INVALID (no JetStream message, or acknowledged), and as nats_client_publish(). */
NATS_API nats_status nats_client_ack(nats_client *client, nats_msg *msg, int32_t how,
                                     int64_t delay_ms, const char *reason, size_t reason_len);
/* Acknowledge each of a batch that is one of JetStream's and was not yet. *acked_out (may be NULL): how many;
 * on an error the rest was not. */
NATS_API nats_status nats_client_ack_many(nats_client *client, nats_msg *const *batch,
                                          size_t count, size_t *acked_out);
/* ACK, and wait until the server has taken note (double ack). Errors: as nats_client_request(); after TIMEOUT
 * and DISCONNECTED it may be called again. */
NATS_API nats_status nats_client_ack_sync(nats_client *client, nats_msg *msg, int64_t timeout_ms);
NATS_API nats_status nats_client_ack_sync_start(nats_client *client, nats_msg *msg,
                                                int64_t timeout_ms, nats_future **future_out);

/* What a message's reply subject (ADR-1: 9 tokens, or 11 and more), or, of one that was got from the
 * stream, its headers tell of its place. */
enum {
    NATS_JS_STREAM_SEQ = 0,
    NATS_JS_CONSUMER_SEQ = 1, /* 0 of one that was got */
    NATS_JS_DELIVERED = 2,    /* how often, this time included; 0 of one that was got */
    NATS_JS_PENDING = 3,      /* messages that the consumer has after this one */
    NATS_JS_TIME_NS = 4,      /* when it was stored, ns since 1970 */
    NATS_JS_UINT_COUNT = 5,
    NATS_JS_STREAM = 16,
    NATS_JS_CONSUMER = 17, /* "" of one that was got */
    NATS_JS_DOMAIN = 18    /* "" without one */
};
/* A number of these: 1, or 0 (and 0 in *out) when it is no message of JetStream. Costs no memory. */
NATS_API int32_t nats_msg_js_uint(const nats_msg *msg, int32_t what, uint64_t *out);
/* All numbers at once, NATS_JS_UINT_COUNT of them: 1, or 0. */
NATS_API int32_t nats_msg_js_uints(const nats_msg *msg, uint64_t *values);
/* A text of these, borrowed, not NUL-terminated; NULL when it is no message of JetStream. */
NATS_API const char *nats_msg_js_text(const nats_msg *msg, int32_t what, size_t *len_out);

#ifdef __cplusplus
}
#endif

#endif
