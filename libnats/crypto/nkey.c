#include "crypto/nkey.h"

#include <string.h>

#include "base/error.h"
#include "base/wipe.h"

enum {
    SEED_BYTES = 36,   /* two of prefixes, the key, two of the CRC */
    PUBLIC_BYTES = 35, /* one of prefix */
    CRC_BYTES = 2,
    PREFIX_SEED = 18 << 3, /* S */
    PREFIX_USER = 20 << 3, /* U */
    CRC_POLYNOMIAL = 0x1021
};

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* -1: none of the alphabet. By comparing, for a table's index would tell of the secret through the
 * cache. */
static int digit_value(char c)
{
    int from_letter = c - 'A';
    int from_digit = c - '2' + 26;
    bool letter = c >= 'A' && c <= 'Z';
    bool digit = c >= '2' && c <= '7';
    return letter ? from_letter : digit ? from_digit : -1;
}

/* CRC-16/XMODEM. */
static uint16_t crc16(const uint8_t *data, size_t len)
{
    uint16_t crc = 0;
    for (size_t i = 0; i < len; i++) {
        crc = (uint16_t)(crc ^ data[i] << 8);
        for (int bit = 0; bit < 8; bit++) {
            uint16_t carry = (crc & 0x8000) != 0 ? CRC_POLYNOMIAL : 0;
            crc = (uint16_t)(crc << 1 ^ carry);
        }
    }
    return crc;
}

/* False when a character is not of the alphabet, or bits that must be zero are not: *at tells
 * which. */
static bool decode(const char *text, size_t len, uint8_t *out, size_t *at)
{
    uint32_t bits = 0;
    int held = 0;
    for (*at = 0; *at < len; (*at)++) {
        int value = digit_value(text[*at]);
        if (value < 0) {
            return false;
        }
        bits = bits << 5 | (uint32_t)value;
        held += 5;
        if (held >= 8) {
            held -= 8;
            *out++ = (uint8_t)(bits >> held);
        }
    }
    *at = len - 1;
    return (bits & ((1U << held) - 1)) == 0;
}

static void encode(const uint8_t *data, size_t len, char *out)
{
    uint32_t bits = 0;
    int held = 0;
    for (size_t i = 0; i < len; i++) {
        bits = bits << 8 | data[i];
        held += 8;
        while (held >= 5) {
            held -= 5;
            *out++ = alphabet[bits >> held & 31];
        }
    }
    *out = '\0';
}

static nats_status refuse(const char *why)
{
    return nats__fail(NATS_ERR_INVALID, "nkey", "nkey: %s", why);
}

bool nats__nkey_looks_like_seed(const char *text, size_t len)
{
    if (len != NATS__NKEY_SEED_LEN || text[0] != 'S') {
        return false;
    }
    size_t i = 0;
    while (i < len && digit_value(text[i]) >= 0) {
        i++;
    }
    return i == len;
}

/* The bytes of a seed: are they whole, and a user's? */
static nats_status check(const uint8_t bytes[SEED_BYTES])
{
    const uint8_t *end = bytes + SEED_BYTES - CRC_BYTES;
    uint16_t told = (uint16_t)(end[0] | end[1] << 8);
    if (crc16(bytes, SEED_BYTES - CRC_BYTES) != told) {
        return refuse("the check sum of the seed is wrong: it was mistyped or cut");
    }
    if ((bytes[0] & 0xF8) != PREFIX_SEED) {
        return refuse("this is no seed (SU…): only a seed can sign");
    }
    uint8_t type = (uint8_t)((bytes[0] & 7) << 5 | bytes[1] >> 3);
    if (type != PREFIX_USER || (bytes[1] & 7) != 0) {
        return refuse("this is not the seed of a user (SU…)");
    }
    return NATS_OK;
}

static nats_status derive(const uint8_t bytes[SEED_BYTES], nats__nkey *out)
{
    uint8_t public[PUBLIC_BYTES] = {PREFIX_USER};
    memcpy(out->seed, bytes + 2, NATS__ED25519_KEY);
    nats_status status = nats__ed25519_public(out->seed, public + 1);
    if (status != NATS_OK) {
        return status;
    }
    uint16_t crc = crc16(public, PUBLIC_BYTES - CRC_BYTES);
    public[PUBLIC_BYTES - 2] = (uint8_t)(crc & 0xFF);
    public[PUBLIC_BYTES - 1] = (uint8_t)(crc >> 8);
    encode(public, PUBLIC_BYTES, out->public_key);
    return NATS_OK;
}

nats_status nats__nkey_parse(const char *text, size_t len, nats__nkey *out)
{
    uint8_t bytes[SEED_BYTES + 1];
    size_t at;
    *out = (nats__nkey){0};
    if (len != NATS__NKEY_SEED_LEN) {
        return nats__fail(NATS_ERR_INVALID, "nkey", "nkey: a seed has %d characters, not %zu",
                          NATS__NKEY_SEED_LEN, len);
    }
    nats_status status = NATS_OK;
    if (!decode(text, len, bytes, &at)) {
        status = nats__fail(NATS_ERR_INVALID, "nkey",
                            "nkey: character %zu of the seed is not of base32", at + 1);
    }
    if (status == NATS_OK) {
        status = check(bytes);
    }
    if (status == NATS_OK) {
        status = derive(bytes, out);
    }
    nats__wipe(bytes, sizeof bytes);
    if (status != NATS_OK) {
        nats__nkey_wipe(out);
    }
    return status;
}

nats_status nats__nkey_sign(const nats__nkey *nkey, const void *data, size_t len,
                            uint8_t out[NATS__ED25519_SIGNATURE])
{
    return nats__ed25519_sign(nkey->seed, data, len, out);
}

void nats__nkey_wipe(nats__nkey *nkey)
{
    nats__wipe(nkey, sizeof *nkey);
}
