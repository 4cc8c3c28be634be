/* The answer, or answers, to a request that were not waited for.
 *
 *     nats_future *future;
 *     nats_client_request_start(client, "svc", NATS_Z, NULL, "2+2", 3, 1000, &future);
 *     … do something else …
 *     nats_msg *reply;
 *     if (nats_future_wait(future, -1, &reply) == NATS_OK) { … nats_msg_free(reply); }
 *     nats_future_free(future);
 *
 * A future of nats_client_request_start() gives one reply; one of nats_client_request_many() gives
 * replies until it ends. One of nats_connect_start(), nats_client_flush_start() and the drains
 * gives none: it ends as many replies do, or fails. What waits in one of many replies is bounded by
 * the options pending_msgs and pending_bytes: see nats_client_request_many(). Freeing it cancels
 * it; a reply that comes too late is dropped and counted.
 * Threads: one thread at a time.
 */
#ifndef POLYNATS_FUTURE_H
#define POLYNATS_FUTURE_H

#include "msg.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nats_future nats_future;

/* What is there now, without waiting and without I/O of its own (some call on the client, or its
 * keeper, moves the bytes). *msg_out: owned, or NULL. *done_out: 1 when nothing more will come.
 * NATS_OK with *msg_out = NULL and *done_out = 0 when it is still open.
 * Errors, with *done_out = 1: TIMEOUT, NO_RESPONDERS, PERMISSION, DISCONNECTED, each once; CLOSED
 * (the client is, or the future was cancelled or already gave all it had), FORKED. */
NATS_API nats_status nats_future_poll(nats_future *future, nats_msg **msg_out, int32_t *done_out);

/* Wait for the next reply, at most wait_ms (-1: as long as the request's own timeout lasts). For
 * one reply: NATS_OK and an owned message, or an error: TIMEOUT (of the request; or wait_ms was
 * up, and then the future is still open: nats_future_done() tells), NO_RESPONDERS, PERMISSION,
 * DISCONNECTED, CLOSED, INTERRUPTED (still open), FORKED. For many: NATS_OK and a message; NATS_OK
 * and NULL once at the end, CLOSED afterwards; errors as above. */
NATS_API nats_status nats_future_wait(nats_future *future, int64_t wait_ms, nats_msg **msg_out);

/* 1 when nothing more will come out of it, else 0. */
NATS_API int32_t nats_future_done(nats_future *future);

/* Give it up; what comes later is dropped and counted. What had come can still be taken. Twice is
 * fine. */
NATS_API void nats_future_cancel(nats_future *future);

/* Cancel and free. NULL is fine. */
NATS_API void nats_future_free(nats_future *future);

#ifdef __cplusplus
}
#endif

#endif
