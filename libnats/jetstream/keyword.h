/* What a publish says besides its data: keywords of languages, headers on the wire. */
#ifndef NATS_JETSTREAM_KEYWORD_H
#define NATS_JETSTREAM_KEYWORD_H

#include <polynats/status.h>

#include <stddef.h>
#include <stdint.h>

#include "jetstream/shape.h"
#include "proto/outbox.h"

typedef struct nats__keyword {
    const char *name;
    const char *header;
    int32_t kind;  /* NATS_JSON_… */
    int level; /* of the server's API that knows it */
} nats__keyword;

/* NULL past the last, or when there is none of that name. */
const nats__keyword *nats__keyword_at(size_t index);
const nats__keyword *nats__keyword_find(const char *name);

/* Is the frame fit for a stream? Headers that a server would pass over silently, because their value is
 * none, are refused. What they need of the server is added to *needs. Errors: INVALID (names the header). */
nats_status nats__keywords_check(const nats__frame *frame, nats__js_needs *needs);

/* The nats-server that brought a level of the API. */
const char *nats__keyword_since(int level);

#endif
