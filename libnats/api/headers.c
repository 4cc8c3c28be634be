#include <polynats/headers.h>

#include <stdlib.h>

#include "base/error.h"
#include "proto/headers.h"
#include "proto/subject.h"

nats_status nats_headers_new(nats_headers **headers_out)
{
    if (headers_out == NULL) {
        return nats__fail(NATS_ERR_INVALID, "headers_out", "headers_out: is NULL");
    }
    *headers_out = calloc(1, sizeof **headers_out);
    return *headers_out != NULL ? NATS_OK
                                : nats__fail(NATS_ERR_NO_MEMORY, "headers", "headers: no memory");
}

void nats_headers_free(nats_headers *headers)
{
    if (headers != NULL) {
        nats__buf_free(&headers->block);
        free(headers);
    }
}

nats_status nats_headers_add(nats_headers *headers, const char *key, size_t key_len,
                             const char *value, size_t value_len)
{
    if (headers == NULL) {
        return nats__fail(NATS_ERR_INVALID, "headers", "headers: is NULL");
    }
    return nats__headers_add(headers, key, nats__text_len(key, key_len), value,
                             nats__text_len(value, value_len));
}

void nats_headers_clear(nats_headers *headers)
{
    if (headers != NULL) {
        headers->block.len = 0;
        headers->count = 0;
    }
}

size_t nats_headers_count(const nats_headers *headers)
{
    return headers == NULL ? 0 : headers->count;
}
