/* What messages that wait keep alive. A message points into a chunk, and keeps all of it. Each
 * chunk knows how much of it waits; when the chunks of a connection are too much for what waits in
 * them, a round over all queues copies the messages of sparse chunks to a chunk of their own.
 *
 * Why that costs little per message: chunks that are not sparse hold less than SPARSE times what
 * waits in them, and a round begins above NATS__HOLD_FACTOR times that and the slack. So a round
 * gives back at least what waits, and as much must come, or a good part of what waits must be
 * taken, before the next. */
#include "client/queue.h"

enum {
    SPARSE = 3,       /* a chunk is when less than one part in so many of its memory waits */
    STEP_MSGS = 4096, /* messages to look at in one go: under a millisecond. Queues are not cut */
    PAUSE = 64,       /* times that are passed over when memory was out */
    OWN_ROOM = NATS__CHUNK_SIZE / 2 /* a message that large gets a chunk for itself */
};

/* ---- the queues that are not empty ---- */

void nats__hold_add(nats__hold *hold, nats__queue *queue)
{
    queue->next = NULL;
    queue->prev = hold->last;
    if (hold->last != NULL) {
        hold->last->next = queue;
    } else {
        hold->first = queue;
    }
    hold->last = queue;
    hold->queue_count++;
}

void nats__hold_remove(nats__hold *hold, nats__queue *queue)
{
    if (queue->prev != NULL) {
        queue->prev->next = queue->next;
    } else {
        hold->first = queue->next;
    }
    if (queue->next != NULL) {
        queue->next->prev = queue->prev;
    } else {
        hold->last = queue->prev;
    }
    hold->queue_count--;
}

/* ---- their chunks ---- */

/* It has more records now than when it was counted, perhaps. */
static void recount(nats__hold *hold, nats__chunk *chunk)
{
    size_t memory = nats__chunk_memory(chunk);
    hold->memory += memory - chunk->counted;
    chunk->counted = memory;
}

void nats__hold_count(nats__hold *hold, nats__chunk *chunk)
{
    if (hold->newest != NULL) {
        recount(hold, hold->newest);
    }
    recount(hold, chunk);
    hold->newest = chunk;
    nats__hold_check(hold);
}

void nats__hold_forget(nats__hold *hold, nats__chunk *chunk)
{
    hold->memory -= chunk->counted;
    chunk->counted = 0;
    if (hold->newest == chunk) {
        hold->newest = NULL;
    }
}

/* ---- compacting ---- */

static bool is_too_much(const nats__hold *hold)
{
    uint64_t waits = hold->bytes + hold->msgs * NATS__WAIT_RECORD;
    return hold->memory > NATS__HOLD_SLACK + NATS__HOLD_FACTOR * waits;
}

static bool is_sparse(const nats__hold *hold, const nats__chunk *chunk)
{
    return chunk != hold->compact && chunk->waiting < chunk->counted / SPARSE;
}

/* Room for a copy, NULL when memory is out. A chunk that is its message's own is left by who
 * asked for it. */
static nats__chunk *find_room(nats__hold *hold, size_t room)
{
    if (room > OWN_ROOM) {
        return nats__chunk_new(hold->pool, room);
    }
    nats__chunk *chunk = hold->compact;
    if (chunk != NULL && chunk->cap - chunk->len >= room) {
        return chunk;
    }
    if (chunk != NULL && chunk->waiting == 0 && nats__chunk_rewind(chunk)) {
        return chunk;
    }
    nats__chunk *fresh = nats__chunk_new(hold->pool, NATS__CHUNK_SIZE);
    if (fresh == NULL) {
        return NULL;
    }
    nats__hold_rest(hold);
    hold->compact = fresh;
    return fresh;
}

nats_msg *nats__hold_lone(nats__hold *hold, nats_msg *msg)
{
    size_t room = nats__msg_room(msg);
    nats__chunk *into = room <= OWN_ROOM ? find_room(hold, room) : NULL;
    nats_msg *copy = into != NULL ? nats__msg_copy(msg, into) : NULL;
    if (copy == NULL) {
        return msg;
    }
    nats__chunk_unref(msg->chunk, 1);
    return copy;
}

static nats_msg *copy_out(nats__hold *hold, const nats_msg *msg)
{
    nats__chunk *into = find_room(hold, nats__msg_room(msg));
    if (into == NULL) {
        return NULL;
    }
    nats_msg *copy = nats__msg_copy(msg, into);
    if (copy != NULL) {
        into->waiting += nats__msg_size(msg) + NATS__WAIT_RECORD;
        recount(hold, into);
    }
    if (into != hold->compact) {
        nats__chunk_leave(into);
    }
    return copy;
}

static void let_go(nats__hold *hold, nats_msg *msg)
{
    nats__chunk *chunk = msg->chunk;
    chunk->waiting -= nats__msg_size(msg) + NATS__WAIT_RECORD;
    if (chunk->waiting == 0) {
        nats__hold_forget(hold, chunk);
    }
    nats__chunk_unref(chunk, 1);
}

/* False when memory is out: what was not copied stays where it is. */
static bool compact_queue(nats__hold *hold, nats__queue *queue)
{
    nats_msg *before = NULL;
    for (nats_msg *msg = queue->head; msg != NULL; msg = msg->sub_next) {
        if (is_sparse(hold, msg->chunk)) {
            nats_msg *copy = copy_out(hold, msg);
            if (copy == NULL) {
                return false;
            }
            nats__queue_replace(queue, before, msg, copy);
            let_go(hold, msg);
            msg = copy;
        }
        before = msg;
    }
    return true;
}

void nats__hold_compact(nats__hold *hold)
{
    if (hold->round == 0 && !is_too_much(hold)) {
        return;
    }
    if (hold->pause > 0) {
        hold->pause--;
        return;
    }
    if (hold->newest != NULL) {
        recount(hold, hold->newest);
    }
    if (hold->round == 0) {
        hold->round = hold->queue_count;
    }
    uint64_t seen = 0;
    while (hold->round > 0 && hold->first != NULL && seen < STEP_MSGS) {
        nats__queue *queue = hold->first;
        nats__hold_remove(hold, queue);
        nats__hold_add(hold, queue);
        hold->round--;
        seen += queue->msgs;
        if (!compact_queue(hold, queue)) {
            hold->round = 0;
            hold->pause = PAUSE;
        }
    }
}

/* Nothing more is copied to that chunk. */
void nats__hold_rest(nats__hold *hold)
{
    if (hold->compact != NULL) {
        nats__chunk_leave(hold->compact);
        hold->compact = NULL;
    }
}
