/* In place of crypto/sha1.c where there is no OpenSSL: ws:// does without it (FIPS 180-4). */
#include "crypto/sha1.h"

#include <string.h>

enum { BLOCK = 64, LENGTH_AT = 56, ROUNDS = 80 };

static uint32_t turn(uint32_t word, unsigned bits)
{
    return word << bits | word >> (32 - bits);
}

static void spread(const uint8_t *block, uint32_t words[ROUNDS])
{
    for (size_t i = 0; i < 16; i++) {
        words[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
                   (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    }
    for (size_t i = 16; i < ROUNDS; i++) {
        words[i] = turn(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
    }
}

/* What round i adds, and how it mixes three of the five words. */
static uint32_t mix(size_t i, const uint32_t w[5])
{
    switch (i / 20) {
    case 0:
        return ((w[1] & w[2]) | (~w[1] & w[3])) + UINT32_C(0x5A827999);
    case 1:
        return (w[1] ^ w[2] ^ w[3]) + UINT32_C(0x6ED9EBA1);
    case 2:
        return ((w[1] & w[2]) | (w[1] & w[3]) | (w[2] & w[3])) + UINT32_C(0x8F1BBCDC);
    default:
        return (w[1] ^ w[2] ^ w[3]) + UINT32_C(0xCA62C1D6);
    }
}

static void add_block(uint32_t sum[5], const uint8_t *block)
{
    uint32_t words[ROUNDS];
    uint32_t w[5];
    spread(block, words);
    memcpy(w, sum, sizeof w);
    for (size_t i = 0; i < ROUNDS; i++) {
        uint32_t next = turn(w[0], 5) + mix(i, w) + w[4] + words[i];
        w[4] = w[3];
        w[3] = w[2];
        w[2] = turn(w[1], 30);
        w[1] = w[0];
        w[0] = next;
    }
    for (size_t i = 0; i < 5; i++) {
        sum[i] += w[i];
    }
}

bool nats__sha1(const void *data, size_t len, uint8_t out[NATS__SHA1])
{
    uint32_t sum[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    const uint8_t *at = data;
    size_t left = len;
    for (; left >= BLOCK; left -= BLOCK, at += BLOCK) {
        add_block(sum, at);
    }
    uint8_t end[2 * BLOCK] = {0};
    size_t end_len = left < LENGTH_AT ? BLOCK : 2 * BLOCK;
    if (left > 0) {
        memcpy(end, at, left);
    }
    end[left] = 0x80;
    for (size_t i = 0; i < 8; i++) {
        end[end_len - 1 - i] = (uint8_t)((uint64_t)len * 8 >> (8 * i));
    }
    add_block(sum, end);
    if (end_len > BLOCK) {
        add_block(sum, end + BLOCK);
    }
    for (size_t i = 0; i < NATS__SHA1; i++) {
        out[i] = (uint8_t)(sum[i / 4] >> (24 - 8 * (i % 4)));
    }
    return true;
}
