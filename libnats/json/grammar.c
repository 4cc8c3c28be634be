/* json-c 0.16, also in its strict mode: takes NaN, Infinity, 'single quotes', "1." and raw
 * control bytes; turns whole numbers over 64 bits into the nearest that fits; cuts a key at
 * \u0000; and takes overlong and surrogate UTF-8. A server's number must be exact or refused, so
 * each word is looked at first. */
#include "json/grammar.h"

#include <stdbool.h>
#include <string.h>

#include "base/utf8.h"

typedef struct scan {
    const char *at;
    const char *end;
} scan;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_digits(scan *s)
{
    while (s->at < s->end && is_digit(*s->at)) {
        s->at++;
    }
}

/* Compare as texts: both have no leading zeros. */
static bool over(const char *digits, size_t len, const char *limit)
{
    size_t limit_len = strlen(limit);
    if (len != limit_len) {
        return len > limit_len;
    }
    return memcmp(digits, limit, len) > 0;
}

/* A point or an exponent after the whole part: true when there was one. *ok: it had digits. */
static bool skip_fraction(scan *s, bool *ok)
{
    bool real = false;
    *ok = true;
    if (s->at < s->end && *s->at == '.') {
        real = true;
        s->at++;
        *ok = s->at < s->end && is_digit(*s->at);
        skip_digits(s);
    }
    if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
        real = true;
        s->at++;
        if (s->at < s->end && (*s->at == '+' || *s->at == '-')) {
            s->at++;
        }
        *ok = *ok && s->at < s->end && is_digit(*s->at);
        skip_digits(s);
    }
    return real;
}

static const char *check_number(scan *s)
{
    bool negative = *s->at == '-';
    if (negative) {
        s->at++;
    }
    const char *digits = s->at;
    skip_digits(s);
    size_t len = (size_t)(s->at - digits);
    if (len == 0 || (len > 1 && digits[0] == '0')) {
        return "a number is malformed";
    }
    bool ok;
    bool real = skip_fraction(s, &ok);
    if (!ok) {
        return "a number is malformed";
    }
    if (!real && over(digits, len, negative ? "9223372036854775808" : "18446744073709551615")) {
        return "a whole number has more than 64 bits";
    }
    return NULL;
}

/* Step over a string; *has_nul: it has an escaped NUL. */
static const char *skip_string(scan *s, bool *has_nul)
{
    *has_nul = false;
    for (s->at++; s->at < s->end; s->at++) {
        if ((unsigned char)*s->at < 0x20) {
            return "a text has a raw control byte";
        }
        if (*s->at == '"') {
            s->at++;
            return NULL;
        }
        if (*s->at != '\\') {
            continue;
        }
        if (s->end - s->at >= 6 && memcmp(s->at, "\\u0000", 6) == 0) {
            *has_nul = true;
        }
        s->at++;
    }
    return "a text does not end";
}

static const char *check_string(scan *s)
{
    bool has_nul;
    const char *error = skip_string(s, &has_nul);
    if (error != NULL || !has_nul) {
        return error;
    }
    while (s->at < s->end && is_blank(*s->at)) {
        s->at++;
    }
    return s->at < s->end && *s->at == ':' ? "a name has a NUL" : NULL;
}

static const char *check_literal(scan *s)
{
    static const char *const literals[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof literals / sizeof literals[0]; i++) {
        size_t len = strlen(literals[i]);
        if ((size_t)(s->end - s->at) >= len && memcmp(s->at, literals[i], len) == 0) {
            s->at += len;
            return NULL;
        }
    }
    return "an unexpected byte";
}

static const char *check_word(scan *s)
{
    if (is_blank(*s->at) || memchr("{}[]:,", *s->at, 6) != NULL) {
        s->at++;
        return NULL;
    }
    if (*s->at == '"') {
        return check_string(s);
    }
    if (*s->at == '-' || is_digit(*s->at)) {
        return check_number(s);
    }
    return check_literal(s);
}

const char *nats__json_check_words(const char *text, size_t len)
{
    if (nats__utf8_check(text, len) != len) {
        return "not valid UTF-8";
    }
    scan s = {text, text + len};
    const char *error = NULL;
    while (error == NULL && s.at < s.end) {
        error = check_word(&s);
    }
    return error;
}
