#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

enum { CAP_FIRST = 64 }; /* below this, the allocator's own overhead is what counts */

/* Twice the old capacity, so that n appends cost O(n); what was asked for when doubling
 * overflows. */
static size_t grown(size_t cap, size_t need)
{
    size_t wanted = cap < CAP_FIRST ? CAP_FIRST : cap;
    while (wanted < need) {
        if (wanted > SIZE_MAX / 2) {
            return need;
        }
        wanted *= 2;
    }
    return wanted;
}

bool nats__buf_reserve(nats__buf *buf, size_t more)
{
    if (more <= buf->cap - buf->len) {
        return true;
    }
    if (more > SIZE_MAX - buf->len) {
        return false;
    }
    size_t cap = grown(buf->cap, buf->len + more);
    uint8_t *data = realloc(buf->data, cap);
    if (data == NULL) {
        return false;
    }
    buf->data = data;
    buf->cap = cap;
    return true;
}

bool nats__buf_append(nats__buf *buf, const void *data, size_t len)
{
    if (len == 0) {
        return true;
    }
    if (!nats__buf_reserve(buf, len)) {
        return false;
    }
    memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    return true;
}

bool nats__buf_append_text(nats__buf *buf, const char *text)
{
    return nats__buf_append(buf, text, strlen(text));
}

void nats__buf_consume(nats__buf *buf, size_t n)
{
    if (n >= buf->len) {
        buf->len = 0;
        return;
    }
    memmove(buf->data, buf->data + n, buf->len - n);
    buf->len -= n;
}

void nats__buf_swap(nats__buf *a, nats__buf *b)
{
    nats__buf held = *a;
    *a = *b;
    *b = held;
}

void nats__buf_shrink(nats__buf *buf, size_t keep)
{
    if (buf->len == 0 && buf->cap > keep) {
        nats__buf_free(buf);
    }
}

void nats__buf_free(nats__buf *buf)
{
    free(buf->data);
    *buf = (nats__buf){0};
}
