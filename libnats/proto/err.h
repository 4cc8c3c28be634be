/* What the server means by -ERR (ADR-40): texts are compared case-insensitively. */
#ifndef NATS_PROTO_ERR_H
#define NATS_PROTO_ERR_H

#include <polynats/kind.h>
#include <polynats/status.h>

#include <stdbool.h>
#include <stddef.h>

typedef struct nats__err {
    int32_t kind; /* NATS_KIND_… */
    nats_status status;
    bool recoverable; /* the connection goes on */
    /* Of a permissions violation; borrowed from the text, NULL when not said. */
    const char *subject;
    size_t subject_len;
    const char *queue;
    size_t queue_len;
    uint64_t sid; /* 0 when not said */
} nats__err;

/* text: what follows -ERR, with or without its quotes. Never fails: unknown texts are SERVER,
 * recoverable (the server closes the connection itself if it wants to). */
void nats__err_parse(const char *text, size_t len, nats__err *out);

#endif
