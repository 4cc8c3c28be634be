/* Messages of a publisher that came to nothing, until they are told. mu held throughout. */
#ifndef NATS_JETSTREAM_FAILURE_H
#define NATS_JETSTREAM_FAILURE_H

#include <polynats/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct nats__failure {
    uint64_t id; /* of the message; 0: none */
    nats_status status;
    int32_t code;
    int32_t err_code;
    bool said;     /* the text is the server's own */
    bool behind;   /* it is so of a message before this one, for whose sake this one failed */
    char *subject; /* that it was published to; NULL: it was not kept */
    char *text;    /* why; NULL: the usual words of the status */
} nats__failure;

/* Oldest first, in a ring that grows. */
typedef struct nats__failures {
    nats__failure *ring;
    size_t size; /* a power of two, or 0 */
    size_t begin;
    size_t count;
    uint64_t untold; /* that there was no memory for */
    nats__failure first; /* since the last flush */
} nats__failures;

/* The failure's texts are copied. */
void nats__failures_add(nats__failures *all, const nats__failure *failure);
/* Take the oldest out: its error becomes this thread's last, and is returned. NATS_OK and *id_out 0: there is
 * none. */
nats_status nats__failures_take(nats__failures *all, uint64_t *id_out);
/* The first since this was asked last, told likewise. */
nats_status nats__failures_first(nats__failures *all);
void nats__failures_free(nats__failures *all);

#endif
