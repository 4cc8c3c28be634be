/* SHA-1, which the WebSocket upgrade wants to see: it protects nothing. */
#ifndef NATS_CRYPTO_SHA1_H
#define NATS_CRYPTO_SHA1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NATS__SHA1 = 20 };

/* False when OpenSSL does not do it here. */
bool nats__sha1(const void *data, size_t len, uint8_t out[NATS__SHA1]);

#endif
