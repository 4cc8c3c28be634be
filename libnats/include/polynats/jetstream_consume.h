/* Messages of JetStream: consuming them, acknowledging them, their place in the stream.
 * What jetstream.h says of threads, times, texts and errors holds here. */
#ifndef POLYNATS_JETSTREAM_CONSUME_H
#define POLYNATS_JETSTREAM_CONSUME_H

#include "jetstream.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- consume ---- */

/* Have a consumer's messages come to a subscription. how:
 *   "consume"  pull, without end: its requests are topped up before they run dry, heartbeats are
 *              watched, and it goes on over a reconnect, a new leader, a restart of the server
 *   "fetch"    one pull: it ends with its last message, or when its time is up
 *   "push"     a consumer that delivers by itself: one that exists, or as `config` says
 *   "ordered"  all of a stream in order, without holes or duplicates (ADR-17): the consumer is made
 *              anew where a message is missed
 * arguments: JSON object, its keys by `how` in docs/jetstream.md: stream, consumer, config,
 * max_messages, max_bytes, expires, heartbeat, no_wait, group, min_pending, min_ack_pending,
 * priority …
 * sub_out: owned. Messages are taken by nats_sub_next(), nats_sub_get() and, unless `mode` says
 * "private", nats_client_get(); status messages are not seen. When it ends by itself, next() and
 * get() tell why once, when the last message was taken: nats_last_code() (409: the consumer was
 * deleted …), and an event does; CLOSED then, and for the end of a fetch that ran its course.
 * Waits until the consumer is known to be there ("push", "ordered": until it is made), at most
 * timeout_ms; "fetch" waits for nothing.
 * Errors: INVALID, SERVER, NOT_SUPPORTED, NO_RESPONDERS, TIMEOUT, and as nats_client_subscribe(). */
NATS_API nats_status nats_js_consume(nats_js *js, const char *how, const char *arguments,
                                     size_t arguments_len, int64_t timeout_ms, nats_sub **sub_out);
/* The same without waiting: both are owned; the future ends when the consumer is there, its reply
 * the server's info of it (of a fetch: none), or fails, and then the subscription has ended. Where
 * it is freed before, the subscription tells of a failure. */
NATS_API nats_status nats_js_consume_start(nats_js *js, const char *how, const char *arguments,
                                           size_t arguments_len, int64_t timeout_ms,
                                           nats_sub **sub_out, nats_future **future_out);

/* ---- messages ---- */

/* How a message is acknowledged. */
enum {
    NATS_ACK = 1,         /* done */
    NATS_NAK = 2,         /* again; delay_ms */
    NATS_IN_PROGRESS = 3, /* more time, please: any number of times */
    NATS_TERM = 4         /* never again; text: the reason (nats-server 2.10.4; without it on an older one) */
};

/* Acknowledge a message of a consumer, once: another ACK, NAK or TERM of the same message is
 * INVALID, and so is IN_PROGRESS behind one. It does not wait. Of a consumer whose ack_policy is
 * none nothing is sent, unless a fetch brought it, which does not ask for that. client: any on the
 * connection that it came by. delay_ms: of a NAK, 0 for at once. reason: of a TERM, NULL for none,
 * 4096 bytes at most. Errors: INVALID (no message of a consumer, or acknowledged), and as
 * nats_client_publish(). */
NATS_API nats_status nats_client_ack(nats_client *client, nats_msg *msg, int32_t how,
                                     int64_t delay_ms, const char *reason, size_t reason_len);
/* ACK each of a batch that is a consumer's and was not acknowledged yet; the others are passed
 * over. *acked_out (may be NULL): how many; on an error the rest was not. */
NATS_API nats_status nats_client_ack_many(nats_client *client, nats_msg *const *batch,
                                          size_t count, size_t *acked_out);
/* ACK, and wait until the server has taken note (double ack). Errors: INVALID (acknowledged, or the
 * consumer's ack_policy is none), and as nats_client_request(): NO_RESPONDERS when the consumer is gone, or
 * takes none. After TIMEOUT and DISCONNECTED it may be called again. */
NATS_API nats_status nats_client_ack_sync(nats_client *client, nats_msg *msg, int64_t timeout_ms);
/* The same without waiting. future_out: owned; its reply is empty. msg may be freed meanwhile. */
NATS_API nats_status nats_client_ack_sync_start(nats_client *client, nats_msg *msg,
                                                int64_t timeout_ms, nats_future **future_out);

/* Whether a message is to be acknowledged. */
enum {
    NATS_ACK_STATE_NONE = 0,    /* it was not delivered by a consumer */
    NATS_ACK_STATE_OPEN = 1,    /* it is */
    NATS_ACK_STATE_DONE = 2,    /* it was */
    NATS_ACK_STATE_UNWANTED = 3 /* its consumer's ack_policy is none; of a fetch that is not known */
};
/* Its state (NATS_ACK_STATE_…), for who copies what he keeps of a message and frees it. */
NATS_API int32_t nats_msg_ack_state(const nats_msg *msg);
/* As nats_client_ack() of a message with this reply subject, any number of times: that it be once, and of no
 * consumer that wants none, is the caller's part. */
NATS_API nats_status nats_client_ack_reply(nats_client *client, const char *reply,
                                           size_t reply_len, int32_t how, int64_t delay_ms,
                                           const char *reason, size_t reason_len);
/* As nats_client_ack_sync_start(), likewise. */
NATS_API nats_status nats_client_ack_reply_start(nats_client *client, const char *reply,
                                                 size_t reply_len, int64_t timeout_ms,
                                                 nats_future **future_out);

/* As nats_client_ack_many(), likewise: what is none to acknowledge by is passed over, and so is NULL.
 * reply_lens NULL: all are NUL-terminated. */
NATS_API nats_status nats_client_ack_replies(nats_client *client, const char *const *replies,
                                             const size_t *reply_lens, size_t count,
                                             size_t *acked_out);

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
/* A number of these: 1, or 0 (and 0 in *out) when it is no message of JetStream. Costs no
 * memory. */
NATS_API int32_t nats_msg_js_uint(const nats_msg *msg, int32_t what, uint64_t *out);
/* All numbers at once, NATS_JS_UINT_COUNT of them: 1, or 0. */
NATS_API int32_t nats_msg_js_uints(const nats_msg *msg, uint64_t *values);
/* A text of these, borrowed, not NUL-terminated; NULL when it is no message of JetStream. */
NATS_API const char *nats_msg_js_text(const nats_msg *msg, int32_t what, size_t *len_out);

#ifdef __cplusplus
}
#endif

#endif
