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

#ifdef __cplusplus
}
#endif

#endif
