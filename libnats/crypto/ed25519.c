#include "crypto/ed25519.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdbool.h>

#include "base/error.h"

/* Keys of the right length are never refused: what fails then is memory, of which OpenSSL may even
 * have too little to note that, or an OpenSSL whose policy leaves Ed25519 out. */
static nats_status refused(void)
{
    unsigned long code = ERR_get_error();
    bool no_memory = code == 0;
    for (; code != 0; code = ERR_get_error()) {
        no_memory = no_memory || ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;
    }
    if (no_memory) {
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    return nats__fail(NATS_ERR_NOT_SUPPORTED, NULL, "OpenSSL does not sign with Ed25519 here");
}

static EVP_PKEY *private_key(const uint8_t *seed)
{
    return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, NATS__ED25519_KEY);
}

nats_status nats__ed25519_public(const uint8_t seed[NATS__ED25519_KEY],
                                 uint8_t out[NATS__ED25519_KEY])
{
    size_t len = NATS__ED25519_KEY;
    ERR_clear_error();
    EVP_PKEY *key = private_key(seed);
    bool ok = key != NULL && EVP_PKEY_get_raw_public_key(key, out, &len) == 1;
    EVP_PKEY_free(key);
    return ok ? NATS_OK : refused();
}

nats_status nats__ed25519_sign(const uint8_t seed[NATS__ED25519_KEY], const void *data, size_t len,
                               uint8_t out[NATS__ED25519_SIGNATURE])
{
    size_t size = NATS__ED25519_SIGNATURE;
    ERR_clear_error();
    EVP_PKEY *key = private_key(seed);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = key != NULL && context != NULL &&
              EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
              EVP_DigestSign(context, out, &size, data, len) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return ok ? NATS_OK : refused();
}
