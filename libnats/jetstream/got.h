/* Messages that were got from a stream: as they were stored, with headers that tell of their place. */
#ifndef NATS_JETSTREAM_GOT_H
#define NATS_JETSTREAM_GOT_H

#include "proto/chunk.h"

/* Of the answer to STREAM.MSG.GET, which is JSON with the message in base64. *out: owned. The last of
 * each of the headers Nats-Stream, Nats-Subject, Nats-Sequence and Nats-Time-Stamp tells where it is, as
 * in direct get (ADR-31). Errors: PROTOCOL, NO_MEMORY, as nats__js_answer_read(). */
nats_status nats__js_got_json(const char *what, const char *stream, nats__chunk_pool *pool,
                              const nats_msg *answer, nats_msg **out);

/* Of the answer to a direct get: the same message, by its own subject. bare: the subject of one that was asked for
 * without headers, and has none that could tell; NULL: it must have its place. Errors: SERVER (a status: 404 is
 * err_code 10037), PROTOCOL, NO_MEMORY. */
nats_status nats__js_got_direct(const char *what, nats__chunk_pool *pool, const nats_msg *answer,
                                int32_t status, const char *bare, nats_msg **out);

#endif
