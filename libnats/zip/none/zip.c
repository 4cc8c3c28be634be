/* In place of zip/zip.c where there is no zlib. Nothing is made, so nothing else is called. */
#include "zip/zip.h"

#include "base/error.h"

nats_status nats__zip_new(nats__zip **out)
{
    *out = NULL;
    return nats__fail(NATS_ERR_NOT_SUPPORTED, "ws_compression",
                      "ws_compression: this build of polynats has no zlib");
}

void nats__zip_free(nats__zip *zip)
{
    (void)zip;
}

ptrdiff_t nats__zip_inflate(nats__zip *zip, const uint8_t **in, size_t *in_len, uint8_t *out,
                            size_t size)
{
    (void)zip, (void)in, (void)in_len, (void)out, (void)size;
    return -1;
}

void nats__zip_forget(nats__zip *zip)
{
    (void)zip;
}

size_t nats__zip_deflate(nats__zip *zip, const void *data, size_t len, uint8_t *out, size_t size)
{
    (void)zip, (void)data, (void)len, (void)out, (void)size;
    return 0;
}
