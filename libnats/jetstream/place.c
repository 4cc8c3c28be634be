#include "jetstream/place.h"

#include <string.h>

#include "base/decimal.h"
#include "proto/chunk.h"
#include "proto/headers.h"

enum {
    TOKENS_SHORT = 9,  /* of an ack subject without a domain */
    TOKENS_LONG = 11,  /* with one; what follows is for subjects to be unique */
    PREFIX_TOKENS = 2, /* "$JS", "ACK" */
    DAY_S = 24 * 60 * 60,
    YEAR_MIN = 1970,
    YEAR_MAX = 2261 /* the last whole year of int64_t ns */
};

static const char prefix[] = "$JS.ACK.";
enum { PREFIX_LEN = sizeof prefix - 1 };

/* ---- by the reply subject ---- */

typedef struct token {
    const char *at;
    size_t len;
} token;

/* The tokens behind the prefix, at most nine of them; *count_out: of all of the subject. False when
 * one is empty. */
static bool split(const char *reply, size_t len, token tokens[TOKENS_LONG - PREFIX_TOKENS],
                  size_t *count_out)
{
    const char *at = reply + PREFIX_LEN;
    const char *end = reply + len;
    size_t count = 0;
    for (;;) {
        const char *dot = memchr(at, '.', (size_t)(end - at));
        size_t token_len = (size_t)((dot != NULL ? dot : end) - at);
        if (token_len == 0) {
            return false;
        }
        if (count < TOKENS_LONG - PREFIX_TOKENS) {
            tokens[count] = (token){at, token_len};
        }
        count++;
        if (dot == NULL) {
            break;
        }
        at = dot + 1;
    }
    *count_out = count + PREFIX_TOKENS;
    return true;
}

bool nats__place_parse(const char *reply, size_t len, nats__place *out)
{
    token tokens[TOKENS_LONG - PREFIX_TOKENS];
    size_t count;
    if (len <= PREFIX_LEN || memcmp(reply, prefix, PREFIX_LEN) != 0 ||
        !split(reply, len, tokens, &count)) {
        return false;
    }
    if (count != TOKENS_SHORT && count < TOKENS_LONG) {
        return false;
    }

    const token *at = tokens;
    out->domain = "";
    out->domain_len = 0;
    if (count >= TOKENS_LONG) {
        bool none = at->len == 1 && at->at[0] == '_';
        out->domain = none ? "" : at->at;
        out->domain_len = none ? 0 : at->len;
        at += 2; /* the account's hash is of no use here */
    }
    out->stream = at[0].at;
    out->stream_len = at[0].len;
    out->consumer = at[1].at;
    out->consumer_len = at[1].len;
    return nats__decimal_read(at[2].at, at[2].len, &out->delivered) &&
           nats__decimal_read(at[3].at, at[3].len, &out->stream_seq) &&
           nats__decimal_read(at[4].at, at[4].len, &out->consumer_seq) &&
           nats__decimal_read(at[5].at, at[5].len, &out->time_ns) &&
           nats__decimal_read(at[6].at, at[6].len, &out->pending);
}

bool nats__place_acks(const nats_msg *msg)
{
    nats__place place;
    return nats__place_parse((const char *)msg->text + msg->reply, msg->reply_len, &place);
}

/* ---- by headers ---- */

/* Days from 1970-01-01 to a date of the Gregorian calendar: years begin in March, so that the day
 * that may be there or not is the last. */
static uint64_t days_to(uint64_t year, uint64_t month, uint64_t day)
{
    uint64_t y = month <= 2 ? year - 1 : year;
    uint64_t in_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    return y * 365 + y / 4 - y / 100 + y / 400 + in_year - 719468;
}

typedef struct cursor {
    const char *at;
    const char *end;
} cursor;

static bool take_char(cursor *text, char wanted)
{
    if (text->at == text->end || *text->at != wanted) {
        return false;
    }
    text->at++;
    return true;
}

static bool take_digits(cursor *text, size_t count, uint64_t max, uint64_t *out)
{
    bool enough = (size_t)(text->end - text->at) >= count;
    if (!enough || !nats__decimal_read(text->at, count, out) || *out > max) {
        return false;
    }
    text->at += count;
    return true;
}

/* What follows the seconds: up to nine digits count. */
static bool take_fraction(cursor *text, uint64_t *ns_out)
{
    uint64_t unit = 100000000;
    *ns_out = 0;
    if (!take_char(text, '.')) {
        return true;
    }
    const char *begin = text->at;
    for (; text->at < text->end && *text->at >= '0' && *text->at <= '9'; text->at++) {
        *ns_out += (uint64_t)(*text->at - '0') * unit;
        unit /= 10;
    }
    return text->at > begin;
}

/* "Z", "+01:00", or as Go prints it " +0000 UTC". *minutes_out: to subtract. */
static bool take_zone(cursor *text, int64_t *minutes_out)
{
    uint64_t hours;
    uint64_t minutes;
    *minutes_out = 0;
    if (take_char(text, 'Z')) {
        return text->at == text->end;
    }
    take_char(text, ' ');
    bool minus = take_char(text, '-');
    if (!minus && !take_char(text, '+')) {
        return false;
    }
    if (!take_digits(text, 2, 23, &hours)) {
        return false;
    }
    take_char(text, ':');
    if (!take_digits(text, 2, 59, &minutes)) {
        return false;
    }
    *minutes_out = (int64_t)(hours * 60 + minutes) * (minus ? -1 : 1);
    return text->at == text->end || *text->at == ' ';
}

/* A time as servers write it in headers: RFC 3339, or (before 2.11) as Go prints times. */
static bool read_time(const char *text, size_t len, uint64_t *ns_out)
{
    cursor at = {text, text + len};
    uint64_t part[6];
    uint64_t fraction;
    int64_t zone;
    bool ok = take_digits(&at, 4, YEAR_MAX, &part[0]) && take_char(&at, '-') &&
              take_digits(&at, 2, 12, &part[1]) && take_char(&at, '-') &&
              take_digits(&at, 2, 31, &part[2]) && (take_char(&at, 'T') || take_char(&at, ' ')) &&
              take_digits(&at, 2, 23, &part[3]) && take_char(&at, ':') &&
              take_digits(&at, 2, 59, &part[4]) && take_char(&at, ':') &&
              take_digits(&at, 2, 60, &part[5]) && take_fraction(&at, &fraction) &&
              take_zone(&at, &zone);
    if (!ok || part[0] < YEAR_MIN || part[1] == 0 || part[2] == 0) {
        return false;
    }
    int64_t seconds = (int64_t)(days_to(part[0], part[1], part[2]) * DAY_S + part[3] * 3600 +
                                part[4] * 60 + part[5]) - zone * 60;
    if (seconds < 0) {
        return false;
    }
    *ns_out = (uint64_t)seconds * 1000000000U + fraction;
    return true;
}

static bool is_key(const char *key, size_t len, const char *wanted)
{
    return strlen(wanted) == len && memcmp(key, wanted, len) == 0;
}

/* What the server adds comes last: a message may have such headers of its own, as one that was
 * republished and stored again. */
static bool by_headers(const nats_msg *msg, nats__place *out)
{
    size_t at = 0;
    const char *key;
    const char *value;
    size_t key_len;
    size_t len;
    bool seq = false;
    bool stream = false;
    *out = (nats__place){.stream = "", .consumer = "", .domain = ""};
    while (nats__headers_next((const char *)msg->text + msg->body, msg->header_len, &at, &key,
                              &key_len, &value, &len)) {
        if (is_key(key, key_len, "Nats-Stream")) {
            out->stream = value;
            out->stream_len = len;
            stream = len > 0;
        } else if (is_key(key, key_len, "Nats-Sequence")) {
            seq = nats__decimal_read(value, len, &out->stream_seq);
        } else if (is_key(key, key_len, "Nats-Num-Pending")) {
            nats__decimal_read(value, len, &out->pending);
        } else if (is_key(key, key_len, "Nats-Time-Stamp")) {
            read_time(value, len, &out->time_ns);
        }
    }
    return seq && stream;
}

bool nats__place_of(const nats_msg *msg, nats__place *out)
{
    const char *reply = (const char *)msg->text + msg->reply;
    return nats__place_parse(reply, msg->reply_len, out) || by_headers(msg, out);
}
