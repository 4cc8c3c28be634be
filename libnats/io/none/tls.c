/* In place of io/tls.c where there is no OpenSSL. Nothing is made, so nothing else is called. */
#include "io/tls.h"

#include <errno.h>

#include "base/error.h"

nats_status nats__tls_new(int fd, const nats__tls_wishes *wishes, nats__tls_memory **memory_io,
                          nats__tls **out)
{
    (void)fd, (void)wishes, (void)memory_io;
    *out = NULL;
    return nats__fail(NATS_ERR_NOT_SUPPORTED, "tls",
                      "TLS is needed, and this build of polynats has no OpenSSL");
}

nats_status nats__tls_handshake(nats__tls *tls, int *wants_out)
{
    (void)tls, (void)wants_out;
    return NATS_ERR_NOT_SUPPORTED;
}

void nats__tls_goodbye(nats__tls *tls)
{
    (void)tls;
}

void nats__tls_free(nats__tls *tls)
{
    (void)tls;
}

void nats__tls_forget(nats__tls_memory *memory)
{
    (void)memory;
}

const char *nats__tls_why(const nats__tls *tls)
{
    (void)tls;
    return "";
}

ptrdiff_t nats__tls_read(nats__tls *tls, void *data, size_t size)
{
    (void)tls, (void)data, (void)size;
    errno = EPROTO;
    return -1;
}

ptrdiff_t nats__tls_write(nats__tls *tls, const void *data, size_t len)
{
    (void)tls, (void)data, (void)len;
    errno = EPROTO;
    return -1;
}

nats__tls_facts nats__tls_facts_of(nats__tls *tls)
{
    (void)tls;
    return (nats__tls_facts){"", "", false};
}

void nats__tls_overhead(const nats__tls *tls, uint64_t *in_out, uint64_t *out_out)
{
    (void)tls;
    *in_out = 0;
    *out_out = 0;
}
