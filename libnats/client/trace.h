/* The lines that a connection sends and receives, for the option trace. They are noted by whoever
 * reads or writes, who may not wait for the connection's mutex, and become events in the driver's
 * next round. */
#ifndef NATS_CLIENT_TRACE_H
#define NATS_CLIENT_TRACE_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/tap.h"

enum { NATS__TRACE_LINES_MAX = 1024 }; /* noted and not told yet: as many as a client keeps events */

typedef struct nats__trace_line {
    struct nats__trace_line *next;
    int64_t time_ns;
    char text[]; /* NUL-terminated */
} nats__trace_line;

typedef struct nats__trace {
    pthread_mutex_t mu; /* the innermost but for that of TLS */
    nats__tap in;
    nats__tap out;
    nats__trace_line *first;
    nats__trace_line **last;
    size_t count;
    uint64_t dropped; /* since the lines were taken */
} nats__trace;

nats__trace *nats__trace_new(void); /* NULL when memory is out */
void nats__trace_free(nats__trace *trace); /* NULL is fine */
/* A new connection: what was left of the last one's lines is forgotten. */
void nats__trace_begin(nats__trace *trace);
void nats__trace_in(nats__trace *trace, const void *bytes, size_t len);
/* Around a write, so that no answer is noted before what it answers. len: of the bytes, as many as
 * were written. */
void nats__trace_hold(nats__trace *trace);
void nats__trace_out(nats__trace *trace, const void *bytes, size_t len);
/* What was noted: owned by the caller, who frees each. *dropped_out: lines that were too many. */
nats__trace_line *nats__trace_take(nats__trace *trace, uint64_t *dropped_out);

#endif
