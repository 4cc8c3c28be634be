/* Ack subjects: what is read of them, against the rules written down plainly. */
#include "check.h"
#include "jetstream/place.h"

enum { TOKENS_MAX = 64 };

typedef struct piece {
    const char *at;
    size_t len;
} piece;

/* All tokens, as far as there is room: how many there are. */
static size_t cut(const char *text, size_t len, piece *pieces)
{
    size_t count = 0;
    size_t begin = 0;
    for (size_t i = 0; i <= len; i++) {
        if (i == len || text[i] == '.') {
            if (count < TOKENS_MAX) {
                pieces[count] = (piece){text + begin, i - begin};
            }
            count++;
            begin = i + 1;
        }
    }
    return count;
}

static bool is(piece token, const char *text)
{
    return token.len == strlen(text) && memcmp(token.at, text, token.len) == 0;
}

static bool naive_number(piece token, uint64_t *out)
{
    char digits[32];
    size_t zeros = 0;
    while (zeros + 1 < token.len && token.at[zeros] == '0') {
        zeros++;
    }
    size_t len = token.len - zeros;
    if (token.len == 0 || len > 20) {
        return false;
    }
    memcpy(digits, token.at + zeros, len);
    digits[len] = '\0';
    if (strspn(digits, "0123456789") != len ||
        (len == 20 && strcmp(digits, "18446744073709551615") > 0)) {
        return false;
    }
    *out = strtoull(digits, NULL, 10);
    return true;
}

static bool naive(const char *text, size_t len, nats__place *out)
{
    piece t[TOKENS_MAX];
    size_t count = cut(text, len, t);
    size_t seen = count < TOKENS_MAX ? count : TOKENS_MAX;
    if (count < 9 || count == 10 || !is(t[0], "$JS") || !is(t[1], "ACK")) {
        return false;
    }
    for (size_t i = 0; i < seen; i++) {
        if (t[i].len == 0) {
            return false;
        }
    }
    size_t at = count == 9 ? 2 : 4;
    bool domain = count > 9 && !is(t[2], "_");
    out->domain = domain ? t[2].at : "";
    out->domain_len = domain ? t[2].len : 0;
    out->stream = t[at].at;
    out->stream_len = t[at].len;
    out->consumer = t[at + 1].at;
    out->consumer_len = t[at + 1].len;
    return naive_number(t[at + 2], &out->delivered) && naive_number(t[at + 3], &out->stream_seq) &&
           naive_number(t[at + 4], &out->consumer_seq) && naive_number(t[at + 5], &out->time_ns) &&
           naive_number(t[at + 6], &out->pending);
}

static bool has_empty_token(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '.' && (i + 1 == len || text[i + 1] == '.')) {
            return true;
        }
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1); /* of that size, so that a byte too many is seen */
    CHECK(text != NULL);
    memcpy(text, data, size);
    nats__place got = {0};
    nats__place want = {0};
    bool read = nats__place_parse(text, size, &got);
    CHECK(read == (naive(text, size, &want) && !has_empty_token(text, size)));
    if (read) {
        CHECK(got.stream_seq == want.stream_seq && got.consumer_seq == want.consumer_seq);
        CHECK(got.delivered == want.delivered && got.pending == want.pending);
        CHECK(got.time_ns == want.time_ns);
        CHECK(got.stream == want.stream && got.stream_len == want.stream_len);
        CHECK(got.consumer == want.consumer && got.consumer_len == want.consumer_len);
        CHECK(got.domain_len == want.domain_len);
        CHECK(got.domain_len == 0 || got.domain == want.domain);
    }
    free(text);
    return 0;
}
