/* Fast ingest (ADR-50; nats-server 2.14): messages of a publisher go to one stream in a batch that is open as long
 * as there are some. The stream acknowledges many at once, and says how many may be under way; the
 * batch is ended to have the last of them acknowledged, and the next message begins another.
 *
 * Every message names its number in the batch, and they must come in that order: `order` is held while
 * one gets its number and its place in the outbox. It is taken before the connection's mu. */
#ifndef NATS_JETSTREAM_INGEST_H
#define NATS_JETSTREAM_INGEST_H

#include "jetstream/publisher.h"

enum { NATS__INGEST_LOOK_MS = 500 }; /* a batch that nobody adds to for so long is ended; the server's is 10 s */

typedef enum nats__ingest_phase {
    NATS__INGEST_NONE,
    NATS__INGEST_BEGUN, /* the first message waits for the stream's word */
    NATS__INGEST_GOING,
    NATS__INGEST_ENDING
} nats__ingest_phase;

typedef struct nats__ingest {
    pthread_mutex_t order;
    atomic_ullong last;  /* the last message's number; order */
    atomic_ullong limit; /* numbers up to here may be sent; mu, and `order` or a batch that ends */
    atomic_bool end_wanted; /* as soon as it goes on, or who has `order` leaves it */
    nats__ingest_phase phase; /* this and all below: mu */
    uint64_t settled;         /* numbers up to here are acknowledged or failed */
    uint64_t base;            /* the number before the batch's first message */
    uint64_t seen;            /* `last` when time was looked at */
    int64_t progress_ns;
    uint32_t flow; /* messages for one answer, at most */
    nats__failure flaw; /* of the message that ends the batch */
    nats__buf subject;  /* of its last message: order and mu */
    uint64_t subject_from; /* messages from this number on have that subject */
    char id[NATS__NUID_LEN + 1];
} nats__ingest;

nats_status nats__ingest_new(nats_js_publisher *publisher, uint32_t max_pending);
void nats__ingest_free(nats__ingest *ingest);

/* mu not held, as nats__publisher_publish(). */
nats_status nats__ingest_publish(nats_js_publisher *publisher, nats__frame *frame,
                                 uint64_t *id_out);
/* Have the last messages acknowledged: at once, or when who publishes right now has done so. */
void nats__ingest_end(nats_js_publisher *publisher);

/* ingest_answers.c: mu held. */
void nats__ingest_end_soon(nats_js_publisher *publisher); /* as nats__ingest_end(); also of one without */
void nats__ingest_fail_all(nats_js_publisher *publisher, const nats__failure *why);
/* `order` held too. */
void nats__ingest_send_end(nats_js_publisher *publisher);
extern const nats__hook_calls nats__ingest_calls;

/* The subject that an answer to message `seq` of the batch comes to. Returns its length. */
enum {
    NATS__INGEST_REPLY_MAX = NATS_SUBJECT_MAX + 2 * NATS__NUID_LEN + 3 * NATS__DECIMAL_MAX + 24
};
typedef enum nats__ingest_op {
    NATS__INGEST_OP_BEGIN = 0,
    NATS__INGEST_OP_ADD = 1,
    NATS__INGEST_OP_END = 3 /* without a message */
} nats__ingest_op;
size_t nats__ingest_reply(const nats_js_publisher *publisher, uint64_t seq, nats__ingest_op op,
                          char out[NATS__INGEST_REPLY_MAX]);

#endif
