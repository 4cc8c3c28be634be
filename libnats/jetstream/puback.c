#include "jetstream/puback.h"

#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "json/json.h"

enum {
    STATUS_MAX = 0xFFFFFF,
    NAME_SIZE = 16 /* longer ones than those that are known need not be told apart */
};

typedef struct scan {
    const char *at;
    const char *end;
    bool exotic; /* something that only the JSON library can judge */
    char name[NAME_SIZE]; /* one that had escapes */
} scan;

/* What was found in the members, in whatever order they came. */
typedef struct found {
    nats__puback *ack;
    bool seq;
    bool error;
    nats__raw_text type;
} found;

typedef struct value {
    enum { TEXT, UINT, TRUE, FALSE, OTHER } kind;
    nats__raw_text text;
    uint64_t number;
} value;

/* ---- words ---- */

static void skip_blanks(scan *s)
{
    while (s->at < s->end &&
           (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t')) {
        s->at++;
    }
}

static bool take(scan *s, char c)
{
    skip_blanks(s);
    if (s->at == s->end || *s->at != c) {
        return false;
    }
    s->at++;
    return true;
}

/* At a quote. */
static bool read_text(scan *s, nats__raw_text *out)
{
    const char *begin = ++s->at;
    for (; s->at < s->end; s->at++) {
        unsigned char c = (unsigned char)*s->at;
        if (c == '"') {
            *out = (nats__raw_text){begin, (size_t)(s->at - begin)};
            s->at++;
            return true;
        }
        if (c < 0x20) {
            return false;
        }
        s->exotic = s->exotic || c == '\\' || c >= 0x80;
        s->at += c == '\\' && s->at + 1 < s->end;
    }
    return false;
}

static bool is_digit(const scan *s)
{
    return s->at < s->end && *s->at >= '0' && *s->at <= '9';
}

/* The usual number is a whole one. Every other is left to the library. */
static bool read_number(scan *s, value *out)
{
    const char *begin = s->at;
    uint64_t number = 0;
    bool fits = true;
    for (; is_digit(s); s->at++) {
        unsigned digit = (unsigned)(*s->at - '0');
        fits = fits && number <= (UINT64_MAX - digit) / 10;
        number = number * 10 + digit;
    }
    size_t len = (size_t)(s->at - begin);
    bool whole = len > 0 && fits && (len == 1 || *begin != '0');
    bool more = s->at < s->end && memchr("-+.eE", *s->at, 5) != NULL;
    if (whole && !more) {
        *out = (value){.kind = UINT, .number = number};
        return true;
    }
    s->exotic = true;
    while (s->at < s->end && (is_digit(s) || memchr("-+.eE", *s->at, 5) != NULL)) {
        s->at++;
    }
    *out = (value){.kind = OTHER};
    return s->at > begin;
}

static bool read_literal(scan *s, const char *word, size_t len)
{
    if ((size_t)(s->end - s->at) < len || memcmp(s->at, word, len) != 0) {
        return false;
    }
    s->at += len;
    return true;
}

/* Step over an array or object, whose inside the library judges. */
static bool skip_nested(scan *s)
{
    size_t depth = 0;
    s->exotic = true;
    while (s->at < s->end) {
        char c = *s->at;
        nats__raw_text ignored;
        if (c == '"') {
            if (!read_text(s, &ignored)) {
                return false;
            }
            continue;
        }
        s->at++;
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
        if (depth == 0) {
            return true;
        }
    }
    return false;
}

static bool read_value(scan *s, value *out)
{
    skip_blanks(s);
    *out = (value){.kind = OTHER};
    if (s->at == s->end) {
        return false;
    }
    switch (*s->at) {
    case '"':
        out->kind = TEXT;
        return read_text(s, &out->text);
    case 't':
        out->kind = TRUE;
        return read_literal(s, "true", 4);
    case 'f':
        out->kind = FALSE;
        return read_literal(s, "false", 5);
    case 'n':
        return read_literal(s, "null", 4);
    case '{':
    case '[':
        return skip_nested(s);
    default:
        return read_number(s, out);
    }
}

/* ---- members ---- */

static bool is_named(nats__raw_text name, const char *wanted)
{
    return name.len == strlen(wanted) && memcmp(name.at, wanted, name.len) == 0;
}

static int32_t small(const value *read)
{
    return read->kind == UINT && read->number <= STATUS_MAX ? (int32_t)read->number : 0;
}

static bool read_error_member(scan *s, nats__raw_text name, nats__puback *ack)
{
    value read;
    if (!read_value(s, &read)) {
        return false;
    }
    if (is_named(name, "code")) {
        ack->code = small(&read);
    } else if (is_named(name, "err_code")) {
        ack->err_code = small(&read);
    } else if (is_named(name, "description")) {
        ack->description = read.kind == TEXT ? read.text : (nats__raw_text){NULL, 0};
    }
    return true;
}

static uint64_t number_of(const value *read)
{
    return read->kind == UINT ? read->number : 0;
}

static nats__raw_text text_of(const value *read)
{
    return read->kind == TEXT ? read->text : (nats__raw_text){NULL, 0};
}

static void note_member(nats__raw_text name, const value *read, found *all)
{
    nats__puback *ack = all->ack;
    if (is_named(name, "seq")) {
        all->seq = read->kind == UINT;
        ack->seq = number_of(read);
    } else if (is_named(name, "stream")) {
        ack->stream = text_of(read);
    } else if (is_named(name, "duplicate")) {
        ack->duplicate = read->kind == TRUE;
    } else if (is_named(name, "type")) {
        all->type = text_of(read);
    } else if (is_named(name, "batch")) {
        ack->batch = text_of(read);
    } else if (is_named(name, "count")) {
        ack->count = number_of(read);
    } else if (is_named(name, "msgs")) {
        ack->msgs = number_of(read);
    } else if (is_named(name, "last_seq")) {
        ack->last_seq = number_of(read);
    }
}

/* An object's name and the colon behind it; false at what is none. */
static bool read_name(scan *s, nats__raw_text *out)
{
    skip_blanks(s);
    if (s->at == s->end || *s->at != '"' || !read_text(s, out)) {
        return false;
    }
    if (s->exotic && memchr(out->at, '\\', out->len) != NULL) {
        nats__puback_text(*out, s->name, sizeof s->name);
        *out = (nats__raw_text){s->name, strlen(s->name)};
    }
    return take(s, ':');
}

static bool read_error(scan *s, found *all)
{
    s->at++; /* the brace */
    all->error = true;
    nats__puback *ack = all->ack;
    ack->code = 0;
    ack->err_code = 0;
    ack->description = (nats__raw_text){NULL, 0};
    if (take(s, '}')) {
        return true;
    }
    do {
        nats__raw_text name;
        if (!read_name(s, &name) || !read_error_member(s, name, ack)) {
            return false;
        }
    } while (take(s, ','));
    return take(s, '}');
}

static bool read_member(scan *s, found *all)
{
    nats__raw_text name;
    value read;
    if (!read_name(s, &name)) {
        return false;
    }
    skip_blanks(s);
    if (is_named(name, "error") && s->at < s->end && *s->at == '{') {
        return read_error(s, all);
    }
    if (!read_value(s, &read)) {
        return false;
    }
    all->error = all->error && !is_named(name, "error"); /* the last of a name counts */
    note_member(name, &read, all);
    return true;
}

static bool read_object(scan *s, found *all)
{
    if (!take(s, '{')) {
        return false;
    }
    if (take(s, '}')) {
        return true;
    }
    do {
        if (!read_member(s, all)) {
            return false;
        }
    } while (take(s, ','));
    return take(s, '}');
}

/* ---- the whole ---- */

static nats__puback_kind kind_of(const found *all)
{
    const nats__puback *ack = all->ack;
    if (all->type.at != NULL && is_named(all->type, "ack")) {
        return all->seq && ack->msgs > 0 ? NATS__PUBACK_FLOW : NATS__PUBACK_NONE;
    }
    if (all->type.at != NULL && is_named(all->type, "gap")) {
        return all->seq ? NATS__PUBACK_GAP : NATS__PUBACK_NONE;
    }
    if (all->error) {
        return all->type.at != NULL && is_named(all->type, "err") ? NATS__PUBACK_FLAW
                                                                  : NATS__PUBACK_ERROR;
    }
    bool stored = all->seq && ack->stream.len > 0;
    return stored ? NATS__PUBACK_STORED : NATS__PUBACK_NONE;
}

static bool judge(const char *text, size_t len)
{
    nats__json *doc = nats__json_parse(text, len, NULL);
    bool good = doc != NULL;
    nats__json_free(doc);
    return good;
}

nats__puback_kind nats__puback_read(const char *text, size_t len, nats__puback *out)
{
    *out = (nats__puback){.kind = NATS__PUBACK_NONE};
    if (len == 0) {
        return out->kind;
    }
    scan s = {.at = text, .end = text + len};
    found all = {.ack = out};
    if (!read_object(&s, &all)) {
        return out->kind;
    }
    skip_blanks(&s);
    if (s.at == s.end && (!s.exotic || judge(text, len))) {
        out->kind = kind_of(&all);
    }
    return out->kind;
}

/* ---- texts ---- */

static int hex_of(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four digits behind \u; a half of a pair stands for nothing that could be shown. */
static uint32_t read_point(const char *digits)
{
    uint32_t point = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_of(digits[i]);
        if (digit < 0) {
            return '?';
        }
        point = point << 4 | (uint32_t)digit;
    }
    return point >= 0xD800 && point <= 0xDFFF ? '?' : point;
}

/* At a backslash. The bytes that it stands for; *at goes behind it. */
static size_t unescape(const char **at, const char *end, char bytes[4])
{
    char c = end - *at > 1 ? (*at)[1] : '\\';
    if (c == 'u' && end - *at >= 6) {
        uint32_t point = read_point(*at + 2);
        *at += 6;
        return nats__utf8_write(point, bytes);
    }
    *at += end - *at > 1 ? 2 : 1;
    bytes[0] = c == '"' || c == '\\' || c == '/' ? c : ' '; /* the others are blanks of a kind */
    return 1;
}

void nats__puback_text(nats__raw_text raw, char *out, size_t size)
{
    const char *at = raw.at;
    const char *end = raw.len > 0 ? raw.at + raw.len : at;
    size_t len = 0;
    while (at < end) {
        char bytes[4] = {*at};
        size_t n = 1;
        if (*at == '\\') {
            n = unescape(&at, end, bytes);
        } else {
            at++;
        }
        if (len + n >= size) {
            break;
        }
        memcpy(out + len, bytes, n);
        len += n;
    }
    out[len] = '\0';
}

int32_t nats__puback_fail(const nats__puback *ack, const char *about, const char *what)
{
    char text[NATS__ERROR_SAID_MAX];
    nats__puback_text(ack->description, text, sizeof text);
    nats__said said = {.code = ack->code,
                       .err_code = ack->err_code,
                       .description = text,
                       .len = strlen(text)};
    return nats__fail_said(&said, about, what);
}
