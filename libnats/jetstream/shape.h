/* Arguments and configurations, checked against keys.def and written as the server wants them. */
#ifndef NATS_JETSTREAM_SHAPE_H
#define NATS_JETSTREAM_SHAPE_H

#include "base/buf.h"
#include "jetstream/keys.h"
#include "json/json.h"

/* What of a request needs most of the server. */
typedef struct nats__js_needs {
    int level;        /* 0: nothing that every JetStream does not have */
    char what[64];    /* the key, or the verb */
    const char *since; /* the nats-server that brought it */
} nats__js_needs;

void nats__js_need(nats__js_needs *needs, int level, const char *what, const char *since);

/* Read a JSON object (text NULL or len 0: an empty one), check it as an `object` of keys.def, and give it
 * anew: durations as ns, keys by their names on the wire, nulls left out. verb: for the words of
 * errors. len may be NATS_Z. *out: owned, nats__json_free(). Errors: INVALID, NO_MEMORY. */
nats_status nats__js_shape(const char *verb, const char *object, const char *text, size_t len,
                           nats__js_needs *needs, nats__json **out);

/* A name of a stream or consumer (ADR-6). about: which argument. */
nats_status nats__js_name_check(const char *verb, const char *about, const char *name, size_t len);

/* Is a value that stands for "not given": null, false, 0, "", an empty list or map? */
bool nats__js_is_nothing(const nats__json *value);

#endif
