#include "proto/subject.h"

#include <string.h>

#include "base/error.h"
#include "base/utf8.h"

size_t nats__text_len(const char *text, size_t len)
{
    if (text == NULL) {
        return 0;
    }
    return len == NATS_Z ? strlen(text) : len;
}

/* ---- the fast path: eight bytes at a time ---- */

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))
#define HIGH EACH(0x80)

/* A letter: what a short word is filled up with. */
#define FILLER EACH('x')

/* The first byte in memory becomes the lowest one. */
static inline uint64_t load_eight(const char *text)
{
    uint64_t word;
    memcpy(&word, text, sizeof word);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static inline uint64_t byte_at(const char *text, size_t at)
{
    return (uint64_t)(unsigned char)text[at] << (8 * at);
}

/* The same of 1 to 7 bytes. */
static inline uint64_t load_some(const char *text, size_t len)
{
    uint64_t word = FILLER << (8 * len);
    if (len >= 4) {
        uint32_t low;
        uint32_t high;
        memcpy(&low, text, sizeof low);
        /* It overlaps low in 8 - len bytes, which say the same. */
        memcpy(&high, text + len - 4, sizeof high);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        low = __builtin_bswap32(low);
        high = __builtin_bswap32(high);
#endif
        return word | low | (uint64_t)high << (8 * (len - 4));
    }
    return word | byte_at(text, 0) | byte_at(text, len / 2) | byte_at(text, len - 1);
}

/* Looks at eight bytes. The high bits of the result are all 0 when they need no second look:
 * printable ASCII, no wildcard (nor colon), no dot next to another. Bit 7 of *before: the byte
 * before was no dot; then the same for the byte after.
 *
 * Each sum and difference shows in a byte's high bit. It carries into the next byte only from a
 * byte that is itself not printable ASCII: the first such byte is always seen, and one is
 * enough. */
static inline uint64_t look_at(uint64_t word, uint64_t *before)
{
    /* Below '!' or over 0xA0; over '~'. */
    uint64_t odd = (word - EACH(0x21)) | (word + EACH(0x01));
    uint64_t other = word ^ EACH('.');
    uint64_t not_dot = other + EACH(0x7F);
    /* '*' 2A, '.' 2E, ':' 3A and '>' 3E differ in the bits of 14 only. */
    uint64_t not_special = (other & EACH(0xFF - 0x14)) + EACH(0x7F);
    uint64_t alone = not_dot | not_dot << 8 | *before;
    *before = not_dot >> 56;
    return odd | (not_dot ^ not_special) | ~alone;
}

enum { DOT_BEFORE = 0, NO_DOT_BEFORE = 0x80 };

/* More than 16 bytes; out of line, so that what is shorter needs no registers saved. */
static __attribute__((noinline)) bool plain_long(const char *subject, size_t len)
{
    uint64_t before = DOT_BEFORE;
    uint64_t seen = 0;
    for (size_t at = 0; at + 8 <= len; at += 8) {
        seen |= look_at(load_eight(subject + at), &before);
    }
    if (len % 8 != 0) {
        /* The last eight overlap the eight before, where that was looked at. */
        before = NO_DOT_BEFORE;
        seen |= look_at(load_eight(subject + len - 8), &before);
    }
    return (seen & HIGH) == 0;
}

/* True: it is fit to publish to. False: it may be, look closer. A dot at the very start is found
 * like the second of two. */
static inline bool plain_subject(const char *subject, size_t len)
{
    uint64_t before = DOT_BEFORE;
    if (subject[len - 1] == '.') {
        return false;
    }
    if (len > 16) {
        return plain_long(subject, len);
    }
    if (len < 8) {
        return (look_at(load_some(subject, len), &before) & HIGH) == 0;
    }
    uint64_t seen = look_at(load_eight(subject), &before);
    if (len < 16) {
        before = NO_DOT_BEFORE; /* the last eight overlap the first, where that was looked at */
    }
    seen |= look_at(load_eight(subject + len - 8), &before);
    return (seen & HIGH) == 0;
}

/* ---- byte by byte ---- */

typedef enum flaw {
    FLAW_NONE,
    FLAW_EMPTY,
    FLAW_LONG,
    FLAW_BLANK,
    FLAW_CONTROL,
    FLAW_UTF8,
    FLAW_EMPTY_TOKEN,
    FLAW_WILDCARD,   /* in a subject */
    FLAW_NOT_LAST    /* '>' before the end of a pattern */
} flaw;

typedef struct finding {
    flaw flaw;
    size_t at;    /* offset of the byte */
    size_t token; /* from 1 */
} finding;

static finding found(flaw flaw, size_t at, size_t token)
{
    return (finding){flaw, at, token};
}

/* Length and bytes: the rules that all names share. */
static finding find_bad_byte(const char *text, size_t len)
{
    if (len == 0) {
        return found(FLAW_EMPTY, 0, 0);
    }
    if (len > NATS_SUBJECT_MAX) {
        return found(FLAW_LONG, 0, 0);
    }
    size_t utf8_end = nats__utf8_check(text, len);
    for (size_t i = 0; i < utf8_end; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte == ' ' || byte == '\t') {
            return found(FLAW_BLANK, i, 0);
        }
        if (byte < 0x20 || byte == 0x7F) {
            return found(FLAW_CONTROL, i, 0);
        }
    }
    return utf8_end < len ? found(FLAW_UTF8, utf8_end, 0) : found(FLAW_NONE, 0, 0);
}

/* '*' and '>' are wildcards only when they are a whole token; within one they are letters to the
 * server. */
static flaw token_flaw(const char *token, size_t len, bool last, bool pattern)
{
    if (len == 0) {
        return FLAW_EMPTY_TOKEN;
    }
    if (len > 1 || (*token != '*' && *token != '>')) {
        return FLAW_NONE;
    }
    if (!pattern) {
        return FLAW_WILDCARD;
    }
    return *token == '>' && !last ? FLAW_NOT_LAST : FLAW_NONE;
}

static finding find_flaw(const char *text, size_t len, bool pattern)
{
    finding bad = find_bad_byte(text, len);
    if (bad.flaw != FLAW_NONE) {
        return bad;
    }
    size_t begin = 0;
    for (size_t token = 1; begin <= len; token++) {
        const char *dot = memchr(text + begin, '.', len - begin);
        size_t end = dot == NULL ? len : (size_t)(dot - text);
        flaw flaw = token_flaw(text + begin, end - begin, end == len, pattern);
        if (flaw != FLAW_NONE) {
            return found(flaw, begin, token);
        }
        begin = end + 1;
    }
    return found(FLAW_NONE, 0, 0);
}

/* Out of line for the same reason as plain_long(). */
static __attribute__((noinline)) bool look_closer(const char *subject, size_t len)
{
    return find_flaw(subject, len, false).flaw == FLAW_NONE;
}

bool nats__subject_ok(const char *subject, size_t len)
{
    if (len == 0 || len > NATS_SUBJECT_MAX) {
        return false;
    }
    return plain_subject(subject, len) || look_closer(subject, len);
}

/* ---- checks that say what is wrong ---- */

static nats_status fail_finding(const char *what, const char *text, size_t len, finding bad)
{
    unsigned byte = bad.at < len ? (unsigned char)text[bad.at] : 0;
    switch (bad.flaw) {
    case FLAW_EMPTY:
        return nats__fail(NATS_ERR_INVALID, what, "%s: is empty", what);
    case FLAW_LONG:
        return nats__fail(NATS_ERR_INVALID, what, "%s: %zu bytes, at most %d", what, len,
                          NATS_SUBJECT_MAX);
    case FLAW_BLANK:
        return nats__fail(NATS_ERR_INVALID, what, "%s: byte %zu (0x%02x) is a blank", what,
                          bad.at, byte);
    case FLAW_CONTROL:
        return nats__fail(NATS_ERR_INVALID, what, "%s: byte %zu (0x%02x) is a control character",
                          what, bad.at, byte);
    case FLAW_UTF8:
        return nats__fail(NATS_ERR_INVALID, what, "%s: byte %zu (0x%02x) is not valid UTF-8", what,
                          bad.at, byte);
    case FLAW_EMPTY_TOKEN:
        return nats__fail(NATS_ERR_INVALID, what, "%s: token %zu is empty at byte %zu", what,
                          bad.token, bad.at);
    case FLAW_WILDCARD:
        return nats__fail(NATS_ERR_INVALID, what,
                          "%s: token %zu at byte %zu is the wildcard '%c', which only a pattern "
                          "may have",
                          what, bad.token, bad.at, (int)byte);
    case FLAW_NOT_LAST:
        return nats__fail(NATS_ERR_INVALID, what,
                          "%s: token %zu at byte %zu is '>', which only the last token may be",
                          what, bad.token, bad.at);
    case FLAW_NONE:
        break;
    }
    return NATS_OK;
}

nats_status nats__subject_check(const char *what, const char *subject, size_t len)
{
    return fail_finding(what, subject, len, find_flaw(subject, len, false));
}

nats_status nats__pattern_check(const char *what, const char *pattern, size_t len)
{
    return fail_finding(what, pattern, len, find_flaw(pattern, len, true));
}

/* No name at all is no queue group, which is fine. */
nats_status nats__queue_check(const char *queue, size_t len)
{
    if (len == 0) {
        return NATS_OK;
    }
    return fail_finding("queue", queue, len, find_bad_byte(queue, len));
}

nats_status nats__inbox_prefix_check(const char *prefix, size_t len)
{
    return nats__subject_check("inbox_prefix", prefix, len);
}

/* ---- matching ---- */

static size_t token_len(const char *text, size_t len)
{
    const char *dot = memchr(text, '.', len);
    return dot == NULL ? len : (size_t)(dot - text);
}

bool nats__subject_match(const char *pattern, size_t pattern_len, const char *subject,
                         size_t subject_len)
{
    for (;;) {
        size_t want = token_len(pattern, pattern_len);
        size_t have = token_len(subject, subject_len);
        bool one = want == 1 && *pattern == '*';
        if (want == 1 && *pattern == '>' && want == pattern_len) {
            return true;
        }
        if (!one && (want != have || memcmp(pattern, subject, want) != 0)) {
            return false;
        }
        if (want == pattern_len || have == subject_len) {
            return want == pattern_len && have == subject_len;
        }
        pattern += want + 1;
        pattern_len -= want + 1;
        subject += have + 1;
        subject_len -= have + 1;
    }
}

/* ---- inboxes ---- */

void nats__nuid(nats__rng *rng, char out[NATS__NUID_LEN])
{
    static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    enum { BASE = sizeof alphabet - 1, DIGITS = 10 }; /* 62^10 is the last power below 2^64 */
    const uint64_t run = UINT64_C(839299365868340224); /* 62^10 */
    uint64_t number = 0;
    for (size_t i = 0; i < NATS__NUID_LEN; i++) {
        if (i % DIGITS == 0) {
            number = nats__rng_below(rng, run);
        }
        out[i] = alphabet[number % BASE];
        number /= BASE;
    }
}
