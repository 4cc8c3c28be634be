/* In place of crypto/ed25519.c where there is no OpenSSL. */
#include "crypto/ed25519.h"

#include "base/error.h"

static nats_status not_built(void)
{
    return nats__fail(NATS_ERR_NOT_SUPPORTED, NULL,
                      "this build of polynats has no OpenSSL, and signs nothing");
}

nats_status nats__ed25519_public(const uint8_t seed[NATS__ED25519_KEY],
                                 uint8_t out[NATS__ED25519_KEY])
{
    (void)seed, (void)out;
    return not_built();
}

nats_status nats__ed25519_sign(const uint8_t seed[NATS__ED25519_KEY], const void *data, size_t len,
                               uint8_t out[NATS__ED25519_SIGNATURE])
{
    (void)seed, (void)data, (void)len, (void)out;
    return not_built();
}
