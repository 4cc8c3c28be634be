#include "proto/err.h"

#include <string.h>

#include "base/utf8.h"

#define UTF8_LAST 0x10ffff /* the last code point there is */

/* The server's texts as it sends them (ADR-40 and the server's sendErr calls), compared by their
 * beginning and without case. Longer ones stand before those they begin with. */
typedef struct err_rule {
    const char *text;
    int32_t kind; /* NATS_KIND_… */
    nats_status status;
    bool recoverable;
} err_rule;

static const err_rule rules[] = {
    {"permissions violation for publish", NATS_KIND_PERMISSION_PUBLISH, NATS_ERR_PERMISSION, true},
    {"permissions violation for subscription", NATS_KIND_PERMISSION_SUBSCRIBE, NATS_ERR_PERMISSION,
     true},
    {"permissions violation", NATS_KIND_PERMISSION, NATS_ERR_PERMISSION, true},
    {"subscribe permission violation", NATS_KIND_PERMISSION, NATS_ERR_PERMISSION, true},

    {"authorization violation", NATS_KIND_AUTH_VIOLATION, NATS_ERR_AUTH, false},
    {"authorization timeout", NATS_KIND_AUTH_TIMEOUT, NATS_ERR_AUTH, false},
    {"authentication timeout", NATS_KIND_AUTH_TIMEOUT, NATS_ERR_AUTH, false},
    {"authentication error", NATS_KIND_AUTH_VIOLATION, NATS_ERR_AUTH, false},
    {"authentication expired", NATS_KIND_AUTH_EXPIRED, NATS_ERR_AUTH, false},
    {"authentication revoked", NATS_KIND_AUTH_REVOKED, NATS_ERR_AUTH, false},
    {"user authentication expired", NATS_KIND_AUTH_EXPIRED, NATS_ERR_AUTH, false},
    {"user authentication revoked", NATS_KIND_AUTH_REVOKED, NATS_ERR_AUTH, false},
    {"account authentication expired", NATS_KIND_AUTH_EXPIRED, NATS_ERR_AUTH, false},
    {"account authentication revoked", NATS_KIND_AUTH_REVOKED, NATS_ERR_AUTH, false},
    {"certificate not pinned", NATS_KIND_AUTH_VIOLATION, NATS_ERR_AUTH, false},
    {"proxy is not trusted", NATS_KIND_AUTH_VIOLATION, NATS_ERR_AUTH, false},

    {"maximum connections exceeded", NATS_KIND_MAX_CONNECTIONS, NATS_ERR_LIMIT, false},
    {"maximum account active connections exceeded", NATS_KIND_MAX_ACCOUNT_CONNECTIONS,
     NATS_ERR_LIMIT, false},
    {"maximum account connections exceeded", NATS_KIND_MAX_ACCOUNT_CONNECTIONS, NATS_ERR_LIMIT,
     false},
    {"connection throttled", NATS_KIND_THROTTLED, NATS_ERR_LIMIT, false},
    {"maximum control line exceeded", NATS_KIND_MAX_CONTROL_LINE, NATS_ERR_LIMIT, false},
    {"maximum subscriptions exceeded", NATS_KIND_MAX_SUBSCRIPTIONS, NATS_ERR_LIMIT, true},
    {"subject has exceeded number of tokens limit", NATS_KIND_MAX_TOKENS, NATS_ERR_LIMIT, true},
    {"maximum payload", NATS_KIND_MAX_PAYLOAD, NATS_ERR_MAX_PAYLOAD, false},

    {"stale connection", NATS_KIND_STALE, NATS_ERR_DISCONNECTED, false},
    {"server shutdown", NATS_KIND_SHUTDOWN, NATS_ERR_DISCONNECTED, false},
    {"connection closed", NATS_KIND_SHUTDOWN, NATS_ERR_DISCONNECTED, false},
    {"slow consumer", NATS_KIND_SLOW_CONSUMER, NATS_ERR_SLOW_CONSUMER, false},

    {"unknown protocol operation", NATS_KIND_BAD_PROTOCOL, NATS_ERR_PROTOCOL, false},
    {"parser error", NATS_KIND_BAD_PROTOCOL, NATS_ERR_PROTOCOL, false},
    {"invalid client protocol", NATS_KIND_BAD_PROTOCOL, NATS_ERR_PROTOCOL, false},
    {"message headers not supported", NATS_KIND_NO_HEADERS, NATS_ERR_NOT_SUPPORTED, false},
    {"no responders requires headers support", NATS_KIND_NO_HEADERS, NATS_ERR_NOT_SUPPORTED, false},
    {"minimum version required", NATS_KIND_VERSION, NATS_ERR_NOT_SUPPORTED, false},
    /* … Route Port, … Leaf Node Port */
    {"attempted to connect to", NATS_KIND_WRONG_PORT, NATS_ERR_PROTOCOL, false},
    /* … - TLS Required */
    {"secure connection", NATS_KIND_TLS_REQUIRED, NATS_ERR_TLS, false},

    {"invalid subject", NATS_KIND_INVALID_SUBJECT, NATS_ERR_INVALID, true},
    {"invalid publish subject", NATS_KIND_INVALID_SUBJECT, NATS_ERR_INVALID, true},
    {"malformed subject", NATS_KIND_INVALID_SUBJECT, NATS_ERR_INVALID, true},
    {"reserved internal subject", NATS_KIND_INVALID_SUBJECT, NATS_ERR_INVALID, true},
};

typedef struct words {
    const char *at;
    size_t len;
} words;

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool begins_with(words text, const char *prefix)
{
    size_t len = strlen(prefix);
    if (text.len < len) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (lower(text.at[i]) != prefix[i]) {
            return false;
        }
    }
    return true;
}

static void skip(words *text, size_t n)
{
    text->at += n;
    text->len -= n;
}

static bool is_edge(char c)
{
    return c == ' ' || c == '\t' || c == '\'';
}

static words without_quotes(const char *text, size_t len)
{
    words rest = {text, len};
    while (rest.len > 0 && is_edge(*rest.at)) {
        skip(&rest, 1);
    }
    while (rest.len > 0 && is_edge(rest.at[rest.len - 1])) {
        rest.len--;
    }
    return rest;
}

/* Go to right behind the next `mark`. False when there is none. */
static bool skip_past(words *text, const char *mark)
{
    while (text->len > 0) {
        if (begins_with(*text, mark)) {
            skip(text, strlen(mark));
            return true;
        }
        skip(text, 1);
    }
    return false;
}

/* What comes before the closing double quote; text goes behind it. The server quotes as Go's %q
 * does, so a quote in a subject has a backslash before it, and stays that way: the result is
 * borrowed, and nats__err_unquote() undoes it. */
static words take_quoted(words *text)
{
    words quoted = {text->at, 0};
    while (quoted.len < text->len && text->at[quoted.len] != '"') {
        quoted.len += text->at[quoted.len] == '\\' ? 2 : 1;
    }
    if (quoted.len >= text->len) {
        return (words){NULL, 0};
    }
    skip(text, quoted.len + 1);
    return quoted;
}

/* ---- what %q did ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return lower(c) >= 'a' && lower(c) <= 'f' ? lower(c) - 'a' + 10 : -1;
}

/* `count` hex digits at the beginning. Negative when they are not there. */
static int64_t hex_number(words text, size_t count)
{
    int64_t number = 0;
    if (text.len < count) {
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        int digit = hex_digit(text.at[i]);
        if (digit < 0) {
            return -1;
        }
        number = number * 16 + digit;
    }
    return number;
}

/* One character of an escape without digits; 0 when it is none. */
static char simple_escape(char c)
{
    static const char letters[] = "abfnrtv\\\"'";
    static const char meant[] = "\a\b\f\n\r\t\v\\\"'";
    const char *found = c != '\0' ? strchr(letters, c) : NULL;
    return found != NULL ? meant[found - letters] : '\0';
}

/* The escape at the beginning (behind its backslash), as bytes; text goes behind it. 0 bytes when it
 * is none. */
static size_t take_escape(words *text, char bytes[4])
{
    char letter = text->len > 0 ? *text->at : '\0';
    bytes[0] = simple_escape(letter);
    if (bytes[0] != '\0') {
        skip(text, 1);
        return 1;
    }
    size_t digits = letter == 'x' ? 2 : letter == 'u' ? 4 : letter == 'U' ? 8 : 0;
    if (digits == 0) {
        return 0;
    }
    int64_t number = hex_number((words){text->at + 1, text->len - 1}, digits);
    if (number < 0 || number > UTF8_LAST) {
        return 0;
    }
    skip(text, 1 + digits);
    if (letter == 'x') {
        bytes[0] = (char)number; /* of what was no UTF-8 */
        return 1;
    }
    return nats__utf8_write((uint32_t)number, bytes);
}

size_t nats__err_unquote(const char *text, size_t len, char *buffer, size_t size)
{
    words rest = {text, text != NULL ? len : 0};
    size_t used = 0;
    while (rest.len > 0) {
        char bytes[4] = {*rest.at};
        skip(&rest, 1);
        size_t count = bytes[0] == '\\' ? take_escape(&rest, bytes) : 1;
        if (count == 0) {
            bytes[0] = '\\';
            count = 1;
        }
        if (used + count >= size) {
            break;
        }
        memcpy(buffer + used, bytes, count);
        used += count;
    }
    buffer[used] = '\0';
    return used;
}

/* ---- permissions ---- */

static uint64_t number_of(words digits)
{
    uint64_t number = 0;
    if (digits.len == 0 || digits.len > 19) { /* 19 digits always fit 64 bits */
        return 0;
    }
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.at[i] < '0' || digits.at[i] > '9') {
            return 0;
        }
        number = number * 10 + (uint64_t)(digits.at[i] - '0');
    }
    return number;
}

/* … for Publish to "S" · for Publish with Reply of "R" · for Subscription to "S"[ using queue
 * "Q"][ (sid "N")] · for Subscription to "S", too many tokens. A subject may contain the very words
 * that are looked for, so each is looked for behind the one before. */
static void parse_permission(words text, nats__err *out)
{
    out->of_reply = begins_with(text, "permissions violation for publish with reply of \"");
    if (!skip_past(&text, "\"")) {
        return;
    }
    words subject = take_quoted(&text);
    if (subject.at == NULL) {
        return;
    }
    out->subject = subject.at;
    out->subject_len = subject.len;
    if (begins_with(text, " using queue \"")) {
        skip_past(&text, "\"");
        words queue = take_quoted(&text);
        out->queue = queue.at;
        out->queue_len = queue.len;
    }
    if (begins_with(text, " (sid \"")) {
        skip_past(&text, "\"");
        out->sid = number_of(take_quoted(&text));
    }
    if (begins_with(text, ", too many tokens")) {
        out->kind = NATS_KIND_MAX_TOKENS;
        out->status = NATS_ERR_LIMIT;
    }
}

void nats__err_parse(const char *text, size_t len, nats__err *out)
{
    *out = (nats__err){.kind = NATS_KIND_UNKNOWN, .status = NATS_ERR_SERVER, .recoverable = true};
    words rest = without_quotes(text, len);
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (!begins_with(rest, rules[i].text)) {
            continue;
        }
        out->kind = rules[i].kind;
        out->status = rules[i].status;
        out->recoverable = rules[i].recoverable;
        break;
    }
    if (out->kind == NATS_KIND_PERMISSION_PUBLISH || out->kind == NATS_KIND_PERMISSION_SUBSCRIBE) {
        parse_permission(rest, out);
    }
}
