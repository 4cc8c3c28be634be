/* What JetStream answers (ADR-1, ADR-7). */
#ifndef NATS_JETSTREAM_ANSWER_H
#define NATS_JETSTREAM_ANSWER_H

#include <polynats/msg.h>

#include "json/json.h"

enum {
    NATS__JS_STREAM_NOT_FOUND = 10059,
    NATS__JS_STREAM_EXISTS = 10058,
    NATS__JS_CONSUMER_NOT_FOUND = 10014,
    NATS__JS_CONSUMER_EXISTS = 10148,
    NATS__JS_CONSUMER_DOES_NOT_EXIST = 10149,
    NATS__JS_NO_MESSAGE = 10037
};

/* Read it. *out: owned, NULL on failure. what: the verb, for the words of errors. Errors: SERVER (with
 * its codes), PROTOCOL (it is no JSON object), NO_MEMORY. */
nats_status nats__js_answer_read(const char *what, const nats_msg *msg, nats__json **out);

enum { NATS__JS_DROPPED_MAX = 160 };

/* What was asked for (as an `object` of keys.def) and is not in what was made of it. */
typedef struct nats__js_dropped {
    char names[NATS__JS_DROPPED_MAX]; /* "metadata, compression"; "": nothing */
    const char *since;                /* the newest nats-server that one of them needs */
} nats__js_dropped;

nats__js_dropped nats__js_answer_compare(const char *object, const nats__json *asked,
                                         const nats__json *made);

#endif
