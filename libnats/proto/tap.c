#include "proto/tap.h"

#include <string.h>

#include "base/utf8.h"
#include "base/wipe.h"

#define MORE "..."
#define CONNECT "CONNECT {"
#define HIDDEN "\"***\""

typedef struct span {
    const char *at;
    size_t len;
} span;

/* What is told of a line. */
typedef struct words {
    char text[NATS__TAP_LINE_MAX + 1];
    size_t len;
    bool full;
} words;

static void put(words *out, const char *text, size_t len)
{
    size_t room = NATS__TAP_LINE_MAX - (sizeof MORE - 1) - out->len;
    if (out->full || len > room) {
        len = out->full ? 0 : room;
        out->full = true;
    }
    memcpy(out->text + out->len, text, len);
    out->len += len;
}

static void put_text(words *out, const char *text)
{
    put(out, text, strlen(text));
}

static void end_words(words *out, bool cut)
{
    if (out->full || cut) {
        memcpy(out->text + out->len, MORE, sizeof MORE - 1);
        out->len += sizeof MORE - 1;
    }
    out->text[out->len] = '\0';
    nats__utf8_printable(out->text);
}

static bool begins_with(span text, const char *prefix)
{
    size_t len = strlen(prefix);
    return text.len >= len && memcmp(text.at, prefix, len) == 0;
}

/* ---- CONNECT ---- */

static void skip(span *text, size_t n)
{
    text->at += n;
    text->len -= n;
}

/* A string with its quotes; len 0 when it does not end here. */
static span take_string(span *text)
{
    span string = {text->at, 1};
    while (string.len < text->len && text->at[string.len] != '"') {
        string.len += text->at[string.len] == '\\' ? 2 : 1;
    }
    if (string.len >= text->len) {
        return (span){text->at, 0};
    }
    string.len++;
    skip(text, string.len);
    return string;
}

/* A string, a number, true, false or null: CONNECT has no others. */
static span take_value(span *text)
{
    if (begins_with(*text, "\"")) {
        return take_string(text);
    }
    span value = {text->at, 0};
    while (value.len < text->len && text->at[value.len] != ',' && text->at[value.len] != '}') {
        value.len++;
    }
    if (value.len == text->len) {
        return (span){text->at, 0};
    }
    skip(text, value.len);
    return value;
}

/* Fields that are never a secret: a new one is hidden until it stands here. */
static bool is_open(span name)
{
    static const char *const open[] = {
        "\"verbose\"", "\"pedantic\"", "\"tls_required\"", "\"name\"",    "\"lang\"",
        "\"version\"", "\"protocol\"", "\"echo\"",         "\"headers\"", "\"no_responders\"",
    };
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++) {
        if (name.len == strlen(open[i]) && memcmp(name.at, open[i], name.len) == 0) {
            return true;
        }
    }
    return false;
}

/* False when the rest is no field, or was cut off: it is not shown. */
static bool put_field(words *out, span *rest)
{
    span name = begins_with(*rest, "\"") ? take_string(rest) : (span){NULL, 0};
    if (name.len == 0 || !begins_with(*rest, ":")) {
        return false;
    }
    skip(rest, 1);
    span value = take_value(rest);
    if (value.len == 0) {
        return false;
    }
    put(out, name.at, name.len);
    put_text(out, ":");
    if (is_open(name)) {
        put(out, value.at, value.len);
    } else {
        put_text(out, HIDDEN);
    }
    return true;
}

static void put_connect(words *out, span line)
{
    put_text(out, CONNECT);
    skip(&line, sizeof CONNECT - 1);
    bool whole = true;
    while (whole && line.len > 0 && line.at[0] != '}') {
        if (line.at[0] == ',') {
            put_text(out, ",");
            skip(&line, 1);
        }
        whole = put_field(out, &line);
    }
    if (whole) {
        put_text(out, "}");
    }
    end_words(out, !whole);
}

/* ---- lines ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* As the parser takes it: in letters of any case, with blanks of any kind behind. */
static bool has_payload(span line)
{
    static const char *const names[] = {"msg", "pub", "hmsg", "hpub"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t len = strlen(names[i]);
        size_t same = 0;
        while (same < len && same < line.len && (line.at[same] | 0x20) == names[i][same]) {
            same++;
        }
        if (same == len && line.len > len && is_blank(line.at[len])) {
            return true;
        }
    }
    return false;
}

/* A line without its LF. cut: its end is not there. */
static void end_line(nats__tap *tap, span line, bool cut, nats__tap_fn tell, void *who)
{
    words out = {.len = 0};
    if (line.len > 0 && line.at[line.len - 1] == '\r') {
        line.len--;
    }
    if (begins_with(line, CONNECT)) {
        put_connect(&out, line);
    } else if (begins_with(line, "CONNECT")) {
        put_text(&out, "CONNECT");
        end_words(&out, true);
    } else {
        put(&out, line.at, line.len);
        end_words(&out, cut);
    }
    tap->payload = has_payload(line) ? tap->number + 2 : 0;
    tap->number = 0;
    tap->gap = false;
    if (out.len > 0) {
        tell(who, out.text);
    }
}

static void note_number(nats__tap *tap, span piece)
{
    for (size_t i = 0; i < piece.len; i++) {
        char c = piece.at[i];
        if (c == '\r' || is_blank(c)) {
            tap->gap = tap->gap || c != '\r';
            continue;
        }
        uint64_t before = tap->gap ? 0 : tap->number;
        tap->number = c >= '0' && c <= '9' ? before * 10 + (uint64_t)(c - '0') : 0;
        tap->gap = false;
    }
}

/* Of a line that has not ended: its beginning is enough. */
static void keep(nats__tap *tap, span piece)
{
    size_t room = tap->len < NATS__TAP_LINE_MAX ? NATS__TAP_LINE_MAX - tap->len : 0;
    memcpy(tap->line + NATS__TAP_LINE_MAX - room, piece.at, piece.len < room ? piece.len : room);
    tap->len += piece.len;
}

static void end_kept(nats__tap *tap, nats__tap_fn tell, void *who)
{
    bool cut = tap->len > NATS__TAP_LINE_MAX;
    size_t len = cut ? NATS__TAP_LINE_MAX : tap->len;
    end_line(tap, (span){tap->line, len}, cut, tell, who);
    nats__wipe(tap->line, len); /* it may have been a CONNECT */
    tap->len = 0;
}

void nats__tap_feed(nats__tap *tap, const void *bytes, size_t len, nats__tap_fn tell, void *who)
{
    span rest = {bytes, len};
    while (rest.len > 0) {
        if (tap->payload > 0) {
            size_t n = tap->payload < rest.len ? (size_t)tap->payload : rest.len;
            tap->payload -= n;
            skip(&rest, n);
            continue;
        }
        const char *end = memchr(rest.at, '\n', rest.len);
        span piece = {rest.at, end != NULL ? (size_t)(end - rest.at) : rest.len};
        skip(&rest, piece.len + (end != NULL ? 1 : 0));
        note_number(tap, piece);
        if (end != NULL && tap->len == 0) {
            end_line(tap, piece, false, tell, who);
            continue;
        }
        keep(tap, piece);
        if (end != NULL) {
            end_kept(tap, tell, who);
        }
    }
}
