#include "base/utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* What a lead byte asks for: how many bytes in all, and the range of the second one. That range
 * is where overlong forms (E0, F0), surrogates (ED) and what is over U+10FFFF (F4) are kept out. */
typedef struct lead {
    uint8_t len; /* 0: no lead byte */
    uint8_t second_min;
    uint8_t second_max;
} lead;

static lead lead_of(uint8_t byte)
{
    if (byte >= 0xC2 && byte <= 0xDF) {
        return (lead){2, 0x80, 0xBF};
    }
    if (byte >= 0xE0 && byte <= 0xEF) {
        return (lead){3, byte == 0xE0 ? 0xA0 : 0x80, byte == 0xED ? 0x9F : 0xBF};
    }
    if (byte >= 0xF0 && byte <= 0xF4) {
        return (lead){4, byte == 0xF0 ? 0x90 : 0x80, byte == 0xF4 ? 0x8F : 0xBF};
    }
    return (lead){0, 0, 0};
}

/* Bytes of the sequence that begins here, 0 when it is not well-formed or cut off. */
static size_t sequence_len(const uint8_t *bytes, size_t len)
{
    lead first = lead_of(bytes[0]);
    if (first.len == 0 || first.len > len) {
        return 0;
    }
    if (bytes[1] < first.second_min || bytes[1] > first.second_max) {
        return 0;
    }
    for (size_t i = 2; i < first.len; i++) {
        if ((bytes[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return first.len;
}

static bool eight_ascii(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return (word & UINT64_C(0x8080808080808080)) == 0;
}

size_t nats__utf8_check(const char *text, size_t len)
{
    const uint8_t *bytes = (const uint8_t *)text;
    size_t at = 0;
    while (at < len) {
        if (len - at >= 8 && eight_ascii(bytes + at)) {
            at += 8;
            continue;
        }
        if (bytes[at] < 0x80) {
            at++;
            continue;
        }
        size_t n = sequence_len(bytes + at, len - at);
        if (n == 0) {
            return at;
        }
        at += n;
    }
    return len;
}

static char tail(uint32_t bits)
{
    return (char)(0x80 | (bits & 0x3F));
}

void nats__utf8_printable(char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)text[i];
        text[i] = byte < ' ' || byte == 0x7F ? '?' : text[i];
    }
    size_t bad = 0;
    while ((bad += nats__utf8_check(text + bad, len - bad)) < len) {
        text[bad] = '?';
    }
}

size_t nats__utf8_write(uint32_t point, char bytes[4])
{
    if (point < 0x80) {
        bytes[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        bytes[0] = (char)(0xC0 | (point >> 6));
        bytes[1] = tail(point);
        return 2;
    }
    if (point < 0x10000) {
        bytes[0] = (char)(0xE0 | (point >> 12));
        bytes[1] = tail(point >> 6);
        bytes[2] = tail(point);
        return 3;
    }
    bytes[0] = (char)(0xF0 | (point >> 18));
    bytes[1] = tail(point >> 12);
    bytes[2] = tail(point >> 6);
    bytes[3] = tail(point);
    return 4;
}
