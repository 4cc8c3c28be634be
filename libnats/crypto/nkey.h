/* NATS' keys of users as texts: base32 of a prefix, the key and a CRC-16. A seed ("SU…", 58
 * characters) is the private one, a public key has 56 ("U…"). */
#ifndef NATS_CRYPTO_NKEY_H
#define NATS_CRYPTO_NKEY_H

#include <stdbool.h>

#include "crypto/ed25519.h"

enum { NATS__NKEY_SEED_LEN = 58, NATS__NKEY_PUBLIC_LEN = 56 };

typedef struct nats__nkey {
    uint8_t seed[NATS__ED25519_KEY];
    char public_key[NATS__NKEY_PUBLIC_LEN + 1];
} nats__nkey;

/* Has the text the form of a seed, be it a wrong one? Else it may be a file's name. */
bool nats__nkey_looks_like_seed(const char *text, size_t len);

/* Read the seed of a user. *out is wiped on failure. Errors: INVALID (the text tells why and never
 * what was given; about "nkey"), NOT_SUPPORTED. */
nats_status nats__nkey_parse(const char *text, size_t len, nats__nkey *out);
nats_status nats__nkey_sign(const nats__nkey *nkey, const void *data, size_t len,
                            uint8_t out[NATS__ED25519_SIGNATURE]);
void nats__nkey_wipe(nats__nkey *nkey);

#endif
