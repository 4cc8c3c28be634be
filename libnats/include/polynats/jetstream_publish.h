/* Publishing to JetStream: one message, many at once, a batch that is stored whole or not at all.
 * What jetstream.h says of threads, times, texts and errors holds here. */
#ifndef POLYNATS_JETSTREAM_PUBLISH_H
#define POLYNATS_JETSTREAM_PUBLISH_H

#include "jetstream.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nats_js_publisher nats_js_publisher;
typedef struct nats_js_batch nats_js_batch;

/* ---- publish ---- */

/* Publish and wait until the stream has it. headers: NULL, or what the stream is to look at besides:
 * nats_js_header() names them ("Nats-Msg-Id" …). ack_out (may be NULL): owned; its payload is the
 * server's answer, {"stream":…,"seq":…,"duplicate":…,"domain":…,"val":…}; nats_msg_ack_seq() reads it.
 * When no stream answers it is sent again twice, 250 ms apart, as far as its time goes (ADR-22). Errors:
 * NO_RESPONDERS (no stream takes this subject), TIMEOUT (it may be in the stream, or not), SERVER
 * (nats_last_err_code(), such as 10071 for a wrong last sequence), and as nats_client_request(). */
NATS_API nats_status nats_js_publish(nats_js *js, const char *subject, size_t subject_len,
                                     const nats_headers *headers, const void *data,
                                     size_t data_len, int64_t timeout_ms, nats_msg **ack_out);
/* The same without waiting. future_out: owned. For many messages a publisher is cheaper. */
NATS_API nats_status nats_js_publish_start(nats_js *js, const char *subject, size_t subject_len,
                                           const nats_headers *headers, const void *data,
                                           size_t data_len, int64_t timeout_ms,
                                           nats_future **future_out);
/* Ask the server which level of JetStream's API it has (ADR-44), without waiting. A publisher's message that needs
 * one ("ttl", "incr" …), and nats_js_publisher_fast(), ask by themselves once for each connection, and wait for
 * it: a server that does not know a header would store the message without it. Not so once this future has ended.
 * future_out: owned; it has no reply, and has ended already when the level is known. timeout_ms -1: the js's.
 * Errors: TIMEOUT, DISCONNECTED, and as of a request. */
NATS_API nats_status nats_js_level_start(nats_js *js, int64_t timeout_ms,
                                         nats_future **future_out);
/* Read an ack: 1 and its sequence and whether it was a duplicate, or 0 when it is none. Each output
 * may be NULL. */
NATS_API int32_t nats_msg_ack_seq(const nats_msg *ack, uint64_t *seq_out, int32_t *duplicate_out);

/* The header that stands for a keyword of publish: "msg_id", "expect_stream", "expect_last_seq",
 * "expect_last_subject_seq", "expect_last_subject_seq_subject", "expect_last_msg_id", "ttl",
 * "rollup", "incr" (ADR-49), "schedule" (ADR-51) …; NULL when there is none such. *kind_out (may be NULL):
 * what the keyword's value is, and so how it is written: NATS_JSON_TEXT as it is, NATS_JSON_UINT
 * in decimal, NATS_JSON_INT with its sign always ("+1"), NATS_JSON_DURATION as "90s" or "1500ms" ("ttl"
 * takes "never" too). A text is taken for any of them. All calls below refuse such a header whose value is
 * none (INVALID), for a server would store the message as if it were not there. */
NATS_API const char *nats_js_header(const char *keyword, int32_t *kind_out);
/* Keyword `index`, NULL past the last. */
NATS_API const char *nats_js_keyword(size_t index);

/* ---- a publisher: many messages under way ---- */

/* A window of publishes that are not acknowledged yet. max_pending: how many, 1 … 65536, 0 for 4000;
 * publisher_out: owned. One that is full makes publish wait, at most the js's timeout, which is also what a
 * message has until its ack. Any thread may use it; free it when no other does. A drain of the
 * client waits for what was published before it; a close does not: flush first. */
NATS_API nats_status nats_js_publisher_new(nats_js *js, int64_t max_pending,
                                           nats_js_publisher **publisher_out);
/* The same by fast ingest (ADR-50; nats-server 2.14, stream option allow_batched): one stream takes all its
 * messages, acknowledges many at once, and says how many may be under way, at most max_pending. They are
 * stored in their order: when one is not, those behind it that are under way are not either, and each
 * fails. flush has the last ones acknowledged; when nothing is published for a second that is done by
 * itself. Errors besides: NOT_SUPPORTED, and as of a request, for the server is asked what it can do. */
NATS_API nats_status nats_js_publisher_fast(nats_js *js, int64_t max_pending,
                                            nats_js_publisher **publisher_out);
/* Publish, wait only for room in the window. *id_out (may be NULL): the message's number, by which a
 * failure is told: greater than those before it, the first is 1. What no stream
 * takes (503) is sent again, twice, 250 ms apart (ADR-22), behind what was published meanwhile, unless it
 * is over 64 KiB, or the publisher keeps 64 MiB already; then it fails. What was under way when the connection was
 * lost fails and is not sent twice. Errors: TIMEOUT (no room, or the server did not say its
 * level: not accepted), LIMIT (failures, below), and as
 * nats_client_publish_with(). */
NATS_API nats_status nats_js_publisher_publish(nats_js_publisher *publisher, const char *subject,
                                               size_t subject_len, const nats_headers *headers,
                                               const void *data, size_t data_len,
                                               uint64_t *id_out);
/* How many messages the window takes now without waiting: for event loops, which may not wait and come again.
 * -1: such headers (may be NULL) need an API level of the server, which is not known on this connection yet. Publish
 * would ask for it and wait; nats_js_publisher_level_start() asks without. Where publish would fail at once, that is no
 * waiting, and the number is above 0. */
NATS_API int64_t nats_js_publisher_room(nats_js_publisher *publisher, const nats_headers *headers);
/* As nats_js_level_start(), of the publisher's js. */
NATS_API nats_status nats_js_publisher_level_start(nats_js_publisher *publisher, int64_t timeout_ms,
                                                   nats_future **future_out);
/* Many payloads to one subject; ids follow each other from *first_id_out on. *published_out: how many
 * were accepted, also on an error: then it is the place of the payload that was not, and those behind it were not
 * tried. What becomes of those before is told as ever. Both may be NULL. */
NATS_API nats_status nats_js_publisher_publish_many(nats_js_publisher *publisher,
                                                    const char *subject, size_t subject_len,
                                                    const void *const *datas,
                                                    const size_t *data_lens, size_t count,
                                                    uint64_t *first_id_out, size_t *published_out);
/* Wait until every message published before has its ack or its failure. NATS_OK: no message failed since
 * the last flush. Else the error of the first that did, about its subject; all are told, with their ids, by
 * nats_js_publisher_next_failure(). Errors: TIMEOUT (acks are still to come; -1 for the js's timeout),
 * INTERRUPTED, and those of messages. */
NATS_API nats_status nats_js_publisher_flush(nats_js_publisher *publisher, int64_t timeout_ms);
/* The same without waiting. future_out: owned; it has no reply. */
NATS_API nats_status nats_js_publisher_flush_start(nats_js_publisher *publisher,
                                                   int64_t timeout_ms, nats_future **future_out);
/* The oldest failure that was not told yet: NATS_OK with *id_out 0 when there is none; else the error of
 * message *id_out is this thread's last error, and returned: SERVER (nats_last_err_code()), NO_RESPONDERS (no
 * stream takes its subject), PERMISSION, PROTOCOL (the answer is none); TIMEOUT, DISCONNECTED and
 * CLOSED: it is not known whether the stream has it. Failures that nobody takes are kept; when as many are as the
 * window has places, publish fails with LIMIT. */
NATS_API nats_status nats_js_publisher_next_failure(nats_js_publisher *publisher,
                                                    uint64_t *id_out);

/* Counters of a publisher: published = acked + failed + pending. */
enum {
    NATS_PUBLISHER_PUBLISHED = 0,
    NATS_PUBLISHER_ACKED = 1,
    NATS_PUBLISHER_DUPLICATES = 2, /* of those acked: the stream had their msg_id; 0 of a fast one */
    NATS_PUBLISHER_FAILED = 3,
    NATS_PUBLISHER_PENDING = 4,
    NATS_PUBLISHER_STAT_COUNT = 5
};
/* At most count of them to values (may be NULL). Returns how many there are. */
NATS_API size_t nats_js_publisher_stats(nats_js_publisher *publisher, uint64_t *values,
                                        size_t count);
/* Free; acks that come later are dropped and counted. NULL is fine. */
NATS_API void nats_js_publisher_free(nats_js_publisher *publisher);

/* ---- an atomic batch (ADR-50; nats-server 2.12, stream option allow_atomic) ---- */

/* All messages of a batch are stored, or none. batch_out: owned. Nothing is sent yet. */
NATS_API nats_status nats_js_batch_new(nats_js *js, nats_js_batch **batch_out);
/* Add a message, of 1000 with the last one. The first waits for the server's word that it takes the
 * batch, and fails as nats_js_publish() does; then the batch is abandoned. Those after it are
 * published; what the server has against them is told when the batch is committed.
 * Errors: SERVER, LIMIT, NOT_SUPPORTED, CLOSED (it was committed or abandoned), INVALID. */
NATS_API nats_status nats_js_batch_add(nats_js_batch *batch, const char *subject,
                                       size_t subject_len, const nats_headers *headers,
                                       const void *data, size_t data_len, int64_t timeout_ms);
/* Add the last one, and store all. subject NULL: there is no last one, the batch is what was added
 * (nats-server 2.14). *ack_out (may be NULL): owned; the ack of the last, whose payload has "batch" and
 * "count". Errors: as nats_js_batch_add(). */
NATS_API nats_status nats_js_batch_commit(nats_js_batch *batch, const char *subject,
                                          size_t subject_len, const nats_headers *headers,
                                          const void *data, size_t data_len, int64_t timeout_ms,
                                          nats_msg **ack_out);
/* The same without waiting; each future ends as the call does. That of an add has no reply; that of the
 * first must have ended before anything else is added (INVALID). */
NATS_API nats_status nats_js_batch_add_start(nats_js_batch *batch, const char *subject,
                                             size_t subject_len, const nats_headers *headers,
                                             const void *data, size_t data_len,
                                             int64_t timeout_ms, nats_future **future_out);
/* Commit without waiting. future_out: owned; its reply is the ack. */
NATS_API nats_status nats_js_batch_commit_start(nats_js_batch *batch, const char *subject,
                                                size_t subject_len, const nats_headers *headers,
                                                const void *data, size_t data_len,
                                                int64_t timeout_ms, nats_future **future_out);
/* Free; what was not committed is abandoned: the server forgets it when 10 s pass. NULL is fine. */
NATS_API void nats_js_batch_free(nats_js_batch *batch);

#ifdef __cplusplus
}
#endif

#endif
