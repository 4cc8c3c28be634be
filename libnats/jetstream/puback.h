/* What a stream answers to a publish (ADR-1, ADR-49, ADR-50): read in place, for there is one for each
 * message and most hold two fields. No memory is taken for an answer of the usual kind; one with
 * escapes, with bytes beyond ASCII or with something nested that is not known here is looked at by the JSON
 * library as well, so that what is taken for an answer is always JSON. */
#ifndef NATS_JETSTREAM_PUBACK_H
#define NATS_JETSTREAM_PUBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A text of the answer as it stands there, between its quotes. */
typedef struct nats__raw_text {
    const char *at; /* NULL: it is not there, or no text */
    size_t len;
} nats__raw_text;

typedef enum nats__puback_kind {
    NATS__PUBACK_NONE,   /* no answer to a publish: not JSON, or a field is missing or out of range */
    NATS__PUBACK_STORED, /* stream and seq are there */
    NATS__PUBACK_ERROR,
    NATS__PUBACK_FLOW, /* these three: of a fast ingest that goes on */
    NATS__PUBACK_GAP,
    NATS__PUBACK_FLAW
} nats__puback_kind;

typedef struct nats__puback {
    nats__puback_kind kind;
    bool duplicate;
    int32_t code;
    int32_t err_code;
    nats__raw_text description;
    nats__raw_text stream;
    nats__raw_text batch;
    uint64_t seq;
    uint64_t count;    /* of a batch: how many were stored */
    uint64_t last_seq; /* of a gap: what was expected */
    uint64_t msgs;     /* of a flow: an answer comes after so many */
} nats__puback;

/* Texts of *out point into text. Returns its kind. */
nats__puback_kind nats__puback_read(const char *text, size_t len, nats__puback *out);

/* A raw text without its escapes, cut to what fits, and NUL-terminated. */
void nats__puback_text(nats__raw_text raw, char *out, size_t size);

/* Note the error of an answer of the kind ERROR or FLAW as this thread's last one, in words that begin with
 * what ("publish to orders.new"). Returns its status. */
int32_t nats__puback_fail(const nats__puback *ack, const char *about, const char *what);

#endif
