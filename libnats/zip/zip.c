#include "zip/zip.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/error.h"

enum {
    WINDOW = -MAX_WBITS, /* negative: bare DEFLATE, without zlib's head and check sum */
    MEMORY = 8,          /* zlib's own choice: 256 KiB */
    TAIL = 4             /* 00 00 ff ff, which a flush ends with, is not sent */
};

struct nats__zip {
    z_stream in;
    z_stream out;
};

nats_status nats__zip_new(nats__zip **out)
{
    *out = NULL;
    nats__zip *zip = calloc(1, sizeof *zip);
    bool in = zip != NULL && inflateInit2(&zip->in, WINDOW) == Z_OK;
    /* The quickest: servers do the same, and who asks for it saves a network, not a disk. */
    if (in && deflateInit2(&zip->out, Z_BEST_SPEED, Z_DEFLATED, WINDOW, MEMORY,
                           Z_DEFAULT_STRATEGY) == Z_OK) {
        *out = zip;
        return NATS_OK;
    }
    if (in) {
        inflateEnd(&zip->in);
    }
    free(zip);
    return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
}

void nats__zip_free(nats__zip *zip)
{
    if (zip == NULL) {
        return;
    }
    inflateEnd(&zip->in);
    deflateEnd(&zip->out);
    free(zip);
}

/* A block that says that it is the last one is not: the message goes on behind it (RFC 7692,
 * 7.2.3.5). */
static bool step(z_stream *stream)
{
    int result = inflate(stream, Z_SYNC_FLUSH);
    if (result == Z_STREAM_END) {
        return inflateReset(stream) == Z_OK;
    }
    return result == Z_OK || result == Z_BUF_ERROR;
}

ptrdiff_t nats__zip_inflate(nats__zip *zip, const uint8_t **in, size_t *in_len, uint8_t *out,
                            size_t size)
{
    assert(*in_len <= UINT_MAX && size <= UINT_MAX && size > 0);
    z_stream *stream = &zip->in;
    stream->next_in = (Bytef *)*in;
    stream->avail_in = (uInt)*in_len;
    stream->next_out = out;
    stream->avail_out = (uInt)size;
    bool ok = true;
    do {
        ok = step(stream);
    } while (ok && stream->avail_in > 0 && stream->avail_out > 0);
    *in = stream->next_in;
    *in_len = stream->avail_in;
    return ok ? (ptrdiff_t)(size - stream->avail_out) : -1;
}

void nats__zip_forget(nats__zip *zip)
{
    inflateReset(&zip->in);
}

size_t nats__zip_deflate(nats__zip *zip, const void *data, size_t len, uint8_t *out, size_t size)
{
    assert(len <= UINT_MAX && size <= UINT_MAX);
    z_stream *stream = &zip->out;
    deflateReset(stream);
    stream->next_in = (Bytef *)data;
    stream->avail_in = (uInt)len;
    stream->next_out = out;
    stream->avail_out = (uInt)size;
    int result = deflate(stream, Z_SYNC_FLUSH);
    size_t written = size - stream->avail_out;
    bool whole = result == Z_OK && stream->avail_in == 0 && stream->avail_out > 0;
    return whole && written > TAIL ? written - TAIL : 0;
}
