#include "crypto/sha1.h"

#include <openssl/evp.h>

bool nats__sha1(const void *data, size_t len, uint8_t out[NATS__SHA1])
{
    return EVP_Digest(data, len, out, NULL, EVP_sha1(), NULL) == 1;
}
