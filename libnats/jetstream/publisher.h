/* A publisher: messages under way, their answers, what came to nothing, and who waits for the rest. */
#ifndef NATS_JETSTREAM_PUBLISHER_H
#define NATS_JETSTREAM_PUBLISHER_H

#include <polynats/jetstream_publish.h>

#include "client/hook.h"
#include "jetstream/failure.h"
#include "jetstream/js.h"
#include "jetstream/puback.h"
#include "jetstream/window.h"
#include "proto/subject.h"

/* Why a publish may not simply go on. */
enum {
    NATS__PUBLISHER_ENDED = 1,  /* no answer can come any more */
    NATS__PUBLISHER_FULL = 2,   /* of failures that nobody takes */
    NATS__PUBLISHER_UNTIMED = 4 /* nobody looks for messages whose time is up */
};

/* Somebody waits for all that was published before. A message that is under way and no later holds it up;
 * which one is found by going once over the places. */
typedef struct nats__flushing {
    struct nats_js_publisher *publisher;
    nats_future *future; /* NULL: a thread waits */
    uint64_t target;     /* the last message's number */
    uint32_t cursor;     /* places below hold none of them */
    const void *key;     /* who is told; NULL: who waits for this itself */
    struct nats__flushing *next;
} nats__flushing;

struct nats_js_publisher {
    nats__hook hook; /* first; below the subscription to the answers */
    nats_client *client;
    nats_js *js; /* referenced */
    int64_t timeout_ms;
    uint32_t max_pending;
    struct nats__ingest *ingest; /* NULL: each message has a place in the window, and an answer of its own */
    nats__window window;
    atomic_uint gate;      /* NATS__PUBLISHER_…; 0: publish goes on */
    atomic_ullong epoch;   /* of the connection that messages are for */
    uint64_t acked; /* this and all below: mu */
    uint64_t duplicates;
    uint64_t failed;
    nats__failures failures;
    nats__flushing *flushes;
    nats__flushing drain; /* of the client; its publisher is NULL before */
    uint32_t room_waiters;
    uint32_t room_wanted; /* by one of them, at least */
    size_t prefix_len;
    char prefix[]; /* of the subjects that answers come to, up to the token */
};

nats_status nats__publisher_new(nats_js *js, uint32_t max_pending, bool fast,
                                nats_js_publisher **out);
void nats__publisher_free(nats_js_publisher *publisher); /* mu not held */

/* mu not held. The frame's reply is set here. */
nats_status nats__publisher_publish(nats_js_publisher *publisher, nats__frame *frame,
                                    uint64_t *id_out);
nats_status nats__publisher_publish_many(nats_js_publisher *publisher, nats__frame *frame,
                                         const void *const *datas, const size_t *lens,
                                         size_t count, uint64_t *first_id_out,
                                         size_t *published_out);

/* May nothing be published, and why? */
bool nats__publisher_is_shut(const nats_js_publisher *publisher);
nats_status nats__publisher_refuse(const nats_js_publisher *publisher);
/* After a message was given its number, and before it is sent: will somebody look for its end? Either the gate is
 * seen shut here, or who shut it finds the message. mu not held. */
void nats__publisher_pass_gate(nats_js_publisher *publisher, int64_t deadline_ns);

/* mu held. */
/* How many messages can be published now without waiting. One that is shut waits for nothing. */
int64_t nats__publisher_room(const nats_js_publisher *publisher);
uint64_t nats__publisher_pending(const nats_js_publisher *publisher);
nats_status nats__publisher_next_failure(nats_js_publisher *publisher, uint64_t *id_out);
void nats__publisher_stats(const nats_js_publisher *publisher, uint64_t *values);

/* answers.c: mu held. */
/* The message here has come to this: its place is free. NATS_OK: acknowledged. */
void nats__publisher_settle(nats_js_publisher *publisher, uint32_t place,
                            const nats__failure *failure);
void nats__publisher_keep(nats_js_publisher *publisher, const nats__failure *failure);
/* An answer came: for a message, or for none. */
void nats__publisher_count(nats_js_publisher *publisher, bool ours);
void nats__publisher_freed(nats__hook *hook);
void nats__publisher_fail_all(nats_js_publisher *publisher, nats_status status);
/* End what has had its time. Returns when the next one has; INT64_MAX: none is under way. */
int64_t nats__publisher_expire(nats_js_publisher *publisher, int64_t now_ns);
extern const nats__hook_calls nats__publisher_calls;

/* flush.c: mu held. */
bool nats__publisher_flushed(nats__flushing *flush);
void nats__publisher_told(nats_js_publisher *publisher); /* a message has come to something */
bool nats__publisher_on_drain(nats__hook *hook);
nats_status nats__publisher_flush(nats_js_publisher *publisher, int64_t deadline_ns);
nats_status nats__publisher_flush_start(nats_js_publisher *publisher, int64_t timeout_ms,
                                        nats_future **out);

#endif
