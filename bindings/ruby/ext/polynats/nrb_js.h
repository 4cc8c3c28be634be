/* JetStream's part of the extension. The classes are written in Ruby, in lib/polynats; here is what
 * begins a call, what must be quick, and JSON. What is private there has a name that begins with open_
 * or raw_. */
#ifndef NRB_JS_H
#define NRB_JS_H

#include "nrb.h"

#include <polynats/jetstream.h>
#include <polynats/jetstream_consume.h>
#include <polynats/jetstream_publish.h>

extern VALUE nrb_js_class;
extern VALUE nrb_publisher_class;

/* ---- store.c ---- */

/* What a publish to JetStream is made of. */
typedef struct nrb_storing {
    VALUE subject_string;
    VALUE data_string;
    VALUE box; /* of the headers */
    nrb_text subject;
    nrb_text data;
    const nats_headers *headers;
    int64_t timeout_ms;
} nrb_storing;

/* (subject, data = nil, headers: nil, timeout: nil, and the keywords of nats_js_header()). timed:
 * there is a timeout. optional: subject may be nil, and then its ptr is NULL. */
void nrb_storing_read(nrb_storing *self, int argc, VALUE *argv, bool timed, bool optional);
/* Nobody else changes its strings from here on: before a wait without the GVL. */
void nrb_storing_keep(nrb_storing *self);
void nrb_storing_free(nrb_storing *self);
void nrb_store_init(void);

/* ---- json.c ---- */

/* A time in ns since 1970, in UTC. */
VALUE nrb_time(int64_t ns);
void nrb_json_init(void);

/* ---- jetstream.c, publisher.c, batch.c, ack.c ---- */

typedef struct nrb_js {
    nats_js *js;
    VALUE client;
} nrb_js;

nrb_js *nrb_js_get(VALUE object);
/* Begin something: with the GVL while the connection's buffer has room for it. what: whose strings
 * are kept for a wait; may be NULL. undo: of what was begun, when an exception comes in its place. */
void nrb_js_begin(VALUE client, size_t size, nrb_step step, void (*undo)(void *arg), void *arg,
                  nrb_storing *what);
/* A future of the client's for what the library has begun. made: by nrb_future_new(). */
VALUE nrb_js_future(VALUE made, nats_future *future);
nats_js_publisher *nrb_publisher_get(VALUE object);
VALUE nrb_publisher_stats_hash(const uint64_t *values);
void nrb_publisher_init(void);
void nrb_batch_init(void);
void nrb_ack_init(void);

#endif
