#include "jetstream/place.h"

#include <string.h>

#include "base/decimal.h"
#include "proto/chunk.h"
#include "proto/headers.h"

enum {
    CHECKED_FROM = 20, /* digits of a number that may be too large */
    DAY_S = 24 * 60 * 60,
    YEAR_MIN = 1970,
    YEAR_MAX = 2261 /* the last whole year of int64_t ns */
};

static const char prefix[] = "$JS.ACK.";
enum { PREFIX_LEN = sizeof prefix - 1 };

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

/* ---- by the reply subject: $JS.ACK, then 7 tokens; or first the domain and the account's hash, and behind them
 * what is there for subjects to be unique ---- */

/* Another one follows. */
static bool take_token(cursor *text, const char **at_out, size_t *len_out)
{
    const char *dot = memchr(text->at, '.', (size_t)(text->end - text->at));
    if (dot == NULL || dot == text->at) {
        return false;
    }
    *at_out = text->at;
    *len_out = (size_t)(dot - text->at);
    text->at = dot + 1;
    return true;
}

static bool take_number(cursor *text, uint64_t *out)
{
    const char *begin = text->at;
    const char *at = begin;
    uint64_t value = 0;
    for (; at < text->end; at++) {
        unsigned digit = (unsigned char)*at - (unsigned)'0';
        if (digit > 9) {
            break;
        }
        value = value * 10 + digit;
    }
    size_t len = (size_t)(at - begin);
    text->at = at;
    *out = value;
    return len > 0 && (len < CHECKED_FROM || nats__decimal_read(begin, len, out));
}

static bool take_place(cursor *text, nats__place *out)
{
    return take_token(text, &out->stream, &out->stream_len) &&
           take_token(text, &out->consumer, &out->consumer_len) &&
           take_number(text, &out->delivered) && take_char(text, '.') &&
           take_number(text, &out->stream_seq) && take_char(text, '.') &&
           take_number(text, &out->consumer_seq) && take_char(text, '.') &&
           take_number(text, &out->time_ns) && take_char(text, '.') &&
           take_number(text, &out->pending);
}

/* Nothing, or more tokens. */
static bool is_rest(cursor text)
{
    const char *at;
    size_t len;
    if (text.at == text.end) {
        return true;
    }
    if (!take_char(&text, '.')) {
        return false;
    }
    while (take_token(&text, &at, &len)) {
    }
    return text.at < text.end && *text.at != '.';
}

bool nats__place_parse(const char *reply, size_t len, nats__place *out)
{
    if (len <= PREFIX_LEN || memcmp(reply, prefix, PREFIX_LEN) != 0) {
        return false;
    }
    cursor text = {reply + PREFIX_LEN, reply + len};
    cursor plain = text;
    const char *account;
    size_t account_len;
    out->domain = "";
    out->domain_len = 0;
    if (take_place(&plain, out) && plain.at == plain.end) {
        return true;
    }
    bool found = take_token(&text, &out->domain, &out->domain_len) &&
                 take_token(&text, &account, &account_len) && take_place(&text, out) &&
                 is_rest(text);
    if (out->domain_len == 1 && out->domain[0] == '_') { /* there is none */
        out->domain = "";
        out->domain_len = 0;
    }
    return found;
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
