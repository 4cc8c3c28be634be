/* Queues of messages that wait: of subscriptions and of requests. One that nobody asks may not keep
 * much memory alive for few bytes, so what all of a connection's queues keep is counted together
 * (client/hold.c). The connection's mu is held throughout. */
#ifndef NATS_CLIENT_QUEUE_H
#define NATS_CLIENT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/chunk.h"

enum {
    /* What a waiting message keeps besides its bytes: its record, and the rest of its line. */
    NATS__WAIT_RECORD = sizeof(nats_msg) + 16,
    /* Chunks that a connection's queues may hold beyond NATS__HOLD_FACTOR times what waits in
     * them. A queue that is emptied as it fills has two at a time, with 850 KiB each when its
     * messages are tiny: it is never compacted. */
    NATS__HOLD_SLACK = 2 * 1024 * 1024,
    NATS__HOLD_FACTOR = 4
};

typedef struct nats__queue {
    nats_msg *head; /* oldest first, linked by sub_next */
    nats_msg *tail;
    uint64_t msgs;
    uint64_t msgs_max;
    uint64_t bytes;
    uint64_t bytes_max;
    struct nats__queue *next; /* of those that are not empty */
    struct nats__queue *prev;
    struct nats_sub *sub; /* NULL: a request's */
    bool slow;     /* dropping, until it is down to half */
} nats__queue;

/* What all queues of a connection hold. */
typedef struct nats__hold {
    uint64_t msgs; /* that wait */
    size_t memory; /* of the chunks that they are in, with their records */
    uint64_t bytes;
    nats__chunk_pool *pool;
    nats__chunk *newest;  /* counted last: it may still grow */
    nats__chunk *compact; /* messages whose chunks are dear to hold are copied there */
    nats__queue *first;   /* those that are not empty; who was looked at goes to the end */
    nats__queue *last;
    size_t queue_count;
    size_t round; /* queues that are still to be looked at */
    unsigned pause; /* times not to try: there was no memory for copies */
} nats__hold;

/* hold.c */
void nats__hold_add(nats__hold *hold, nats__queue *queue);    /* it has its first message */
void nats__hold_remove(nats__hold *hold, nats__queue *queue); /* it is empty */
void nats__hold_count(nats__hold *hold, nats__chunk *chunk);  /* the first message of it waits */
void nats__hold_forget(nats__hold *hold, nats__chunk *chunk); /* none does any more */
/* Copy messages out of chunks that hold few, if too much is held. Records of messages that wait
 * become other ones. */
void nats__hold_compact(nats__hold *hold);
/* A message for a queue that drops most of what comes: a copy, which does not keep what was read with it.
 * The message itself when it is large, or memory is out. */
nats_msg *nats__hold_lone(nats__hold *hold, nats_msg *msg);
void nats__hold_rest(nats__hold *hold); /* give back what is kept for messages to come */

static inline void nats__hold_check(nats__hold *hold)
{
    if (hold->memory > NATS__HOLD_SLACK) {
        nats__hold_compact(hold);
    }
}

/* Is a message of that size within the limits? */
static inline bool nats__queue_takes(const nats__queue *queue, size_t size)
{
    return queue->msgs < queue->msgs_max && queue->bytes + size <= queue->bytes_max;
}

/* Last: the message may be another record afterwards. */
static inline __attribute__((always_inline)) void nats__queue_put(nats__hold *hold,
                                                                  nats__queue *queue,
                                                                  nats_msg *msg, size_t size)
{
    nats__chunk *chunk = msg->chunk;
    size_t waiting = chunk->waiting;
    chunk->waiting = waiting + size + NATS__WAIT_RECORD;
    msg->sub_next = NULL;
    if (queue->tail != NULL) {
        queue->tail->sub_next = msg;
    } else {
        queue->head = msg;
        nats__hold_add(hold, queue);
    }
    queue->tail = msg;
    queue->msgs++;
    queue->bytes += size;
    hold->msgs++;
    hold->bytes += size;
    if (waiting == 0) {
        nats__hold_count(hold, chunk);
    }
}

/* The oldest is taken out, there is one; its size is added to *bytes. Who takes several counts
 * them down together: nats__queue_took(). */
static inline __attribute__((always_inline)) nats_msg *nats__queue_next(nats__hold *hold,
                                                                        nats__queue *queue,
                                                                        uint64_t *bytes)
{
    nats_msg *msg = queue->head;
    nats__chunk *chunk = msg->chunk;
    size_t size = nats__msg_size(msg);
    *bytes += size;
    queue->head = msg->sub_next;
    if (queue->head == NULL) {
        queue->tail = NULL;
        nats__hold_remove(hold, queue);
    }
    chunk->waiting -= size + NATS__WAIT_RECORD;
    if (chunk->waiting == 0) {
        nats__hold_forget(hold, chunk);
    }
    return msg;
}

static inline void nats__queue_took(nats__hold *hold, nats__queue *queue, size_t count,
                                    uint64_t bytes)
{
    queue->msgs -= count;
    queue->bytes -= bytes;
    hold->msgs -= count;
    hold->bytes -= bytes;
    /* Down to half of both limits: what comes over them next is a new slow_consumer event. */
    if (queue->slow && queue->msgs <= queue->msgs_max / 2 &&
        queue->bytes <= queue->bytes_max / 2) {
        queue->slow = false;
    }
}

static inline nats_msg *nats__queue_pop(nats__hold *hold, nats__queue *queue)
{
    uint64_t bytes = 0;
    nats_msg *msg = nats__queue_next(hold, queue, &bytes);
    nats__queue_took(hold, queue, 1, bytes);
    return msg;
}

/* `copy` stands for msg from now on, which comes behind `before` (NULL: it is the oldest). */
void nats__queue_replace(nats__queue *queue, nats_msg *before, nats_msg *msg, nats_msg *copy);

#endif
