/* A subscription: a queue of the messages that arrived for one pattern.
 *
 * Made by nats_client_subscribe(). Its messages are delivered once, to whoever asks first:
 * nats_sub_next(), nats_sub_get() or its client's nats_client_get(). Freeing the handle does not
 * end the subscription (its messages go on coming through nats_client_get(), or
 * nats_client_get_callbacks()), unless it is a private one, whose messages nobody could take then:
 * nats_sub_unsubscribe(), nats_sub_drain() or the end of its client does. After the first two,
 * messages that had arrived can still be taken; nats_client_close() drops them.
 *
 *     nats_sub *sub;
 *     nats_client_subscribe(client, "greet.*", NATS_Z, NULL, 0, 0, &sub);
 *     nats_msg *msg;
 *     while (nats_sub_next(sub, 1000, &msg) == NATS_OK && msg) { … nats_msg_free(msg); }
 *     nats_sub_free(sub);
 *
 * Threads: any number may use a subscription at once; each message goes to one of them. wait_ms
 * everywhere: 0 does not wait, -1 waits for ever. After fork() every call in the child gives
 * FORKED. */
#ifndef POLYNATS_SUB_H
#define POLYNATS_SUB_H

#include "future.h"
#include "msg.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nats_sub nats_sub;

/* Where a subscription's messages are offered besides nats_sub_next() and nats_sub_get(). */
enum {
    NATS_SUB_SHARED = 0,  /* in nats_client_get(): the default */
    NATS_SUB_PRIVATE = 1, /* nowhere else: for iterators; nats_sub_free() ends it */
    NATS_SUB_CALLBACK = 2 /* in nats_client_get_callbacks(): for bindings that call functions */
};

/* What nats_sub_stats() counts, by index. received = delivered + dropped + pending_msgs. */
enum {
    NATS_SUB_STAT_PENDING_MSGS = 0,
    NATS_SUB_STAT_PENDING_BYTES = 1, /* of subject, reply, headers and payload */
    NATS_SUB_STAT_DELIVERED = 2,
    NATS_SUB_STAT_DROPPED = 3,
    NATS_SUB_STAT_RECEIVED = 4,
    NATS_SUB_STAT_COUNT = 5
};

/* Take the next message. *msg_out: owned, NULL when none came within wait_ms (which is NATS_OK).
 * Errors: CLOSED (no message left, and none can come: unsubscribed, its maximum reached, or
 * closed), PERMISSION (the server has refused it: told once, CLOSED then), INVALID (a NULL),
 * INTERRUPTED, FORKED. */
NATS_API nats_status nats_sub_next(nats_sub *sub, int64_t wait_ms, nats_msg **msg_out);

/* Take what has arrived, at most max; wait for the first one if need be.
 * batch: room for max pointers, filled with *count_out owned messages. NATS_OK with *count_out = 0
 * when nothing came. Errors: as nats_sub_next(). */
NATS_API nats_status nats_sub_get(nats_sub *sub, size_t max, int64_t wait_ms, nats_msg **batch,
                                  size_t *count_out);

/* End it: at once (after = 0), or when `after` messages have arrived in all since it began,
 * exactly; at most 999999999, for servers count no further. Once more on an ended subscription is
 * fine. Errors: NO_MEMORY, FORKED; with `after` also INVALID, TIMEOUT (write_deadline: the server
 * takes nothing), INTERRUPTED. */
NATS_API nats_status nats_sub_unsubscribe(nats_sub *sub, uint64_t after);

/* End it without losing what is under way: the server is told to stop, what it had sent before is
 * received, and then this returns. The messages wait to be taken. timeout_ms: -1 for the option
 * drain_timeout. On an error it has ended too, and what was under way may be missing; but after
 * INTERRUPTED nothing has ended yet: call again to go on.
 * Errors: TIMEOUT, CLOSED, DISCONNECTED, INTERRUPTED, NO_MEMORY, FORKED. */
NATS_API nats_status nats_sub_drain(nats_sub *sub, int64_t timeout_ms);

/* The same without waiting, for event loops: when the future's end has been taken, all that was
 * under way waits in the subscription, and it has ended; so it has when the future fails or is
 * cancelled. future_out: owned. Errors: as nats_client_flush_start(). */
NATS_API nats_status nats_sub_drain_start(nats_sub *sub, int64_t timeout_ms,
                                          nats_future **future_out);

/* Change where its messages are offered (NATS_SUB_SHARED …); those that wait move along.
 * Errors: INVALID, FORKED. */
NATS_API nats_status nats_sub_set_mode(nats_sub *sub, int32_t mode);

/* Change how much may wait: in messages and in bytes, each 1 or more, or -1 for no limit. What
 * comes over it is dropped and counted, with one slow_consumer event until the queue is down to
 * half again. Errors: INVALID, FORKED. */
NATS_API nats_status nats_sub_set_limits(nats_sub *sub, int64_t pending_msgs,
                                         int64_t pending_bytes);

/* Copy up to `count` counters (NATS_SUB_STAT_…, from index 0) to values. Returns how many there
 * are; 0 in a child of fork(). An ended subscription still tells. */
NATS_API size_t nats_sub_stats(nats_sub *sub, uint64_t *values, size_t count);

/* The pattern it was made with: borrowed until the handle is freed, NUL-terminated. *len_out (may
 * be NULL): its length. Any thread. */
NATS_API const char *nats_sub_subject(const nats_sub *sub, size_t *len_out);
/* Its queue group, "" without one; likewise. */
NATS_API const char *nats_sub_queue(const nats_sub *sub, size_t *len_out);
/* Its number on the connection, 1 or more, which messages carry: nats_msg_sid(). It stays the same
 * over reconnects, and no other subscription of the connection ever gets it. Any thread. */
NATS_API uint64_t nats_sub_sid(const nats_sub *sub);
/* 1 while messages can still come, else 0. */
NATS_API int32_t nats_sub_active(nats_sub *sub);

/* Free the handle only (see above); with the handle of an ended NATS_SUB_PRIVATE subscription goes
 * what still waits in it. NULL is fine. Not while another thread uses this handle. */
NATS_API void nats_sub_free(nats_sub *sub);

#ifdef __cplusplus
}
#endif

#endif
