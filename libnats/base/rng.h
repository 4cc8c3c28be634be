/* A deterministic random source (the seed is an argument): server order, jitter, inboxes. */
#ifndef NATS_BASE_RNG_H
#define NATS_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

typedef struct nats__rng {
    uint64_t s[4];
} nats__rng;

void nats__rng_seed(nats__rng *rng, const void *seed, size_t seed_len);
uint64_t nats__rng_next(nats__rng *rng);
/* A number in [0, bound), bound > 0, without bias. */
uint64_t nats__rng_below(nats__rng *rng, uint64_t bound);

#endif
