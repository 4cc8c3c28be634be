#include "base/rng.h"

#include <assert.h>
#include <string.h>

/* The generator is xoshiro256** (Blackman and Vigna): four words of state, a period of 2^256 -
 * 1, a few instructions a number. It is not for secrets: what must not be guessed comes from the
 * system. */

static uint64_t rotated(uint64_t x, int by)
{
    return (x << by) | (x >> (64 - by));
}

/* The finalizer of splitmix64: every bit of x has a say in every bit of the result. */
static uint64_t mixed(uint64_t x)
{
    x += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

/* Let every word of the state depend on every other one. */
static void diffuse(nats__rng *rng)
{
    for (int i = 0; i < 8; i++) {
        rng->s[i & 3] = mixed(rng->s[i & 3] ^ rotated(rng->s[(i + 3) & 3], 17));
    }
}

void nats__rng_seed(nats__rng *rng, const void *seed, size_t seed_len)
{
    const uint8_t *bytes = seed;
    for (uint64_t i = 0; i < 4; i++) {
        rng->s[i] = mixed(i);
    }
    /* Without its length, a seed and the same seed with zeros after it would be one. */
    rng->s[3] ^= seed_len;
    for (size_t at = 0, lane = 0; at < seed_len; at += 8, lane = (lane + 1) & 3) {
        uint64_t word = 0;
        for (size_t i = 0; i < 8 && at + i < seed_len; i++) {
            word |= (uint64_t)bytes[at + i] << (8 * i); /* the same on every byte order */
        }
        rng->s[lane] = mixed(rng->s[lane] ^ word);
    }
    diffuse(rng);
    /* All zero is the one state the generator cannot leave. */
    if ((rng->s[0] | rng->s[1] | rng->s[2] | rng->s[3]) == 0) {
        rng->s[0] = 1;
    }
}

uint64_t nats__rng_next(nats__rng *rng)
{
    uint64_t *s = rng->s;
    uint64_t result = rotated(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotated(s[3], 45);
    return result;
}

uint64_t nats__rng_below(nats__rng *rng, uint64_t bound)
{
    assert(bound > 0);
    /* 2^64 is seldom a multiple of bound: the numbers of the incomplete first run are drawn
     * again. */
    uint64_t skip = (0 - bound) % bound;
    uint64_t x = nats__rng_next(rng);
    while (x < skip) {
        x = nats__rng_next(rng);
    }
    return x % bound;
}
