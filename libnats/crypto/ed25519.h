/* Ed25519 (RFC 8032), by OpenSSL. A build without it has none/ed25519.c in place of ed25519.c. */
#ifndef NATS_CRYPTO_ED25519_H
#define NATS_CRYPTO_ED25519_H

#include <polynats/status.h>

enum { NATS__ED25519_KEY = 32, NATS__ED25519_SIGNATURE = 64 };

/* The public key that belongs to a private one. Errors: NO_MEMORY, NOT_SUPPORTED. */
nats_status nats__ed25519_public(const uint8_t seed[NATS__ED25519_KEY],
                                 uint8_t out[NATS__ED25519_KEY]);
/* Errors: NO_MEMORY, NOT_SUPPORTED. */
nats_status nats__ed25519_sign(const uint8_t seed[NATS__ED25519_KEY], const void *data, size_t len,
                               uint8_t out[NATS__ED25519_SIGNATURE]);

#endif
