/* A growing run of bytes. */
#ifndef NATS_BASE_BUF_H
#define NATS_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct nats__buf {
    uint8_t *data;
    size_t len;
    size_t cap;
} nats__buf;

/* Make room for `more` bytes after len. False when memory is out: nothing was changed. */
bool nats__buf_reserve(nats__buf *buf, size_t more);
bool nats__buf_append(nats__buf *buf, const void *data, size_t len);
bool nats__buf_append_text(nats__buf *buf, const char *text);
/* Drop the first n bytes. */
void nats__buf_consume(nats__buf *buf, size_t n);
void nats__buf_swap(nats__buf *a, nats__buf *b);
/* Give memory back when empty and larger than keep. */
void nats__buf_shrink(nats__buf *buf, size_t keep);
void nats__buf_free(nats__buf *buf);

#endif
