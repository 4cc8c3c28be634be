#include "jetstream/shape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/error.h"
#include "jetstream/check.h"
#include "jetstream/js.h"
#include "jetstream/time.h"
#include "proto/subject.h"

enum { PATH_MAX_LEN = 96 };

/* Where we are. */
typedef struct shape {
    const char *verb;
    nats__buf *out;
    nats__js_needs *needs;
    char path[PATH_MAX_LEN]; /* "config.sources" */
    bool changes;            /* these are changes: an empty object takes one out */
} shape;

static nats_status shape_object(shape *s, const char *object, const nats__json *given);

static nats_status no_memory(void)
{
    return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
}

static nats_status put(const shape *s, const char *text)
{
    return nats__buf_append_text(s->out, text) ? NATS_OK : no_memory();
}

static nats_status put_json(const shape *s, const nats__json *value)
{
    return nats__json_put(s->out, value) ? NATS_OK : no_memory();
}

static nats_status wrong(const shape *s, const nats__js_key *key, const char *wanted)
{
    return nats__fail(NATS_ERR_INVALID, key->name, "%s: %s is not %s", s->verb, s->path, wanted);
}

void nats__js_need(nats__js_needs *needs, int level, const char *what, const char *since)
{
    if (level > needs->level) {
        needs->level = level;
        needs->since = since;
        snprintf(needs->what, sizeof needs->what, "%s", what);
    }
}

bool nats__js_is_nothing(const nats__json *value)
{
    const char *text;
    size_t len;
    bool on;
    int64_t number;
    switch (nats__json_kind_of(value)) {
    case NATS__JSON_BOOL:
        return nats__json_bool(value, &on) && !on;
    case NATS__JSON_INT:
        return nats__json_int(value, &number) && number == 0;
    case NATS__JSON_TEXT:
        return nats__json_text(value, &text, &len) && len == 0;
    case NATS__JSON_ARRAY:
    case NATS__JSON_OBJECT:
        return nats__json_count(value) == 0;
    case NATS__JSON_REAL:
        return false;
    case NATS__JSON_NULL:
        break;
    }
    return true;
}

/* ---- names and subjects ---- */

nats_status nats__js_name_check(const char *verb, const char *about, const char *name, size_t len)
{
    if (len == 0) {
        return nats__fail(NATS_ERR_INVALID, about, "%s: %s is empty", verb, about);
    }
    if (len > NATS__JS_NAME_MAX) {
        return nats__fail(NATS_ERR_INVALID, about, "%s: %s has %zu bytes, the limit is %d", verb,
                          about, len, NATS__JS_NAME_MAX);
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)name[i];
        if (byte <= ' ' || byte == 0x7F) {
            return nats__fail(NATS_ERR_INVALID, about,
                              "%s: %s has a blank or control byte at %zu: a name has none", verb,
                              about, i);
        }
        if (strchr(".*>/\\", byte) != NULL) {
            return nats__fail(NATS_ERR_INVALID, about,
                              "%s: %s has a '%c' at %zu: a name has none of . * > / \\", verb,
                              about, byte, i);
        }
    }
    return NATS_OK;
}

/* Its words say which argument and which verb. */
static nats_status of_verb(const shape *s, const nats__js_key *key, nats_status status)
{
    if (status == NATS_OK) {
        return status;
    }
    return nats__fail(status, key->name, "%s: %s", s->verb, nats__error_get()->text);
}

static nats_status check_text(const shape *s, const nats__js_key *key, nats__js_kind kind,
                              const char *text, size_t len)
{
    switch (kind) {
    case NATS__JS_NAME:
        return nats__js_name_check(s->verb, s->path, text, len);
    case NATS__JS_SUBJECT:
        return of_verb(s, key, nats__subject_check(s->path, text, len));
    case NATS__JS_PATTERN:
        return of_verb(s, key, nats__pattern_check(s->path, text, len));
    default:
        return NATS_OK;
    }
}

/* ---- scalars ---- */

static nats_status shape_text(shape *s, const nats__js_key *key, nats__js_kind kind,
                              const nats__json *given)
{
    const char *text;
    size_t len;
    if (!nats__json_text(given, &text, &len)) {
        return wrong(s, key, "a text");
    }
    nats_status status = check_text(s, key, kind, text, len);
    return status == NATS_OK ? put_json(s, given) : status;
}

/* Among "limits|interest|workqueue@4": its level, -1 when it is not there. */
static int choice_level(const char *of, const char *text, size_t len)
{
    for (const char *at = of; at != NULL; at = strchr(at, '|')) {
        at += *at == '|';
        size_t size = strcspn(at, "|@");
        if (size == len && memcmp(at, text, len) == 0) {
            return at[size] == '@' ? atoi(at + size + 1) : 0;
        }
    }
    return -1;
}

/* The choices as people read them. */
static void spell_choices(char *out, size_t size, const char *of)
{
    size_t len = 0;
    for (const char *at = of; *at != '\0' && len + 3 < size; at++) {
        if (*at == '@') {
            at++; /* a level has one digit */
        } else if (*at == '|') {
            out[len++] = ',';
            out[len++] = ' ';
        } else {
            out[len++] = *at;
        }
    }
    out[len] = '\0';
}

static nats_status shape_choice(shape *s, const nats__js_key *key, const nats__json *given)
{
    const char *text;
    size_t len;
    if (!nats__json_text(given, &text, &len)) {
        return wrong(s, key, "a text");
    }
    int level = choice_level(key->of, text, len);
    if (level < 0) {
        char choices[128];
        spell_choices(choices, sizeof choices, key->of);
        return nats__fail(NATS_ERR_INVALID, key->name, "%s: %s '%.64s' is none of %s", s->verb,
                          s->path, text, choices);
    }
    if (level > 0) {
        char what[sizeof s->needs->what];
        snprintf(what, sizeof what, "%s %s", key->name, text);
        nats__js_need(s->needs, level, what, level >= 4 ? "2.14" : level >= 2 ? "2.12" : "2.11");
    }
    return put_json(s, given);
}

static nats_status shape_duration(shape *s, const nats__js_key *key, const nats__json *given)
{
    const char *text;
    size_t len;
    int64_t ns;
    bool read = nats__json_text(given, &text, &len) ? nats__duration_read(text, len, &ns)
                                                    : nats__json_int(given, &ns);
    if (nats__json_kind_of(given) == NATS__JSON_REAL) { /* languages make their seconds whole ones */
        return wrong(s, key, "a duration: a number is of whole nanoseconds here");
    }
    if (!read || ns < 0) {
        return wrong(s, key,
                     "a duration, 0 or more: a number, or a text as \"250ms\" or \"1h30m\"");
    }
    char digits[NATS__DECIMAL_MAX];
    size_t count = nats__decimal_write(digits, (uint64_t)ns);
    return nats__buf_append(s->out, digits, count) ? NATS_OK : no_memory();
}

static nats_status shape_time(shape *s, const nats__js_key *key, const nats__json *given)
{
    const char *text;
    size_t len;
    int64_t ns;
    if (!nats__json_text(given, &text, &len) ||
        nats__time_read(text, len, &ns) == NATS__TIME_NONE) {
        return wrong(s, key, "a time, as \"2026-01-02T03:04:05Z\"");
    }
    return put_json(s, given);
}

static nats_status shape_int(shape *s, const nats__js_key *key, const nats__json *given)
{
    int64_t number;
    return nats__json_int(given, &number) ? put_json(s, given)
                                          : wrong(s, key, "a whole number of 64 bits");
}

static nats_status shape_uint(shape *s, const nats__js_key *key, const nats__json *given)
{
    uint64_t number;
    return nats__json_uint(given, &number) ? put_json(s, given)
                                           : wrong(s, key, "a whole number, 0 or more");
}

static nats_status shape_bool(shape *s, const nats__js_key *key, const nats__json *given)
{
    bool on;
    return nats__json_bool(given, &on) ? put_json(s, given) : wrong(s, key, "true or false");
}

/* ---- lists and objects ---- */

/* Of changes: what an object must have is not asked of one that is to go. */
static nats_status shape_nested(shape *s, const nats__js_key *key, const nats__json *given)
{
    if (nats__json_kind_of(given) != NATS__JSON_OBJECT) {
        return wrong(s, key, "an object");
    }
    bool changes = s->changes;
    if (changes && key->kind == NATS__JS_OBJECT && nats__json_count(given) == 0) {
        return put(s, "{}");
    }
    s->changes = key->kind == NATS__JS_CHANGES;
    nats_status status = shape_object(s, key->of, given);
    s->changes = changes;
    return status;
}

static nats_status shape_one(shape *s, const nats__js_key *key, nats__js_kind kind,
                             const nats__json *given)
{
    switch (kind) {
    case NATS__JS_CHOICE:
        return shape_choice(s, key, given);
    case NATS__JS_INT:
        return shape_int(s, key, given);
    case NATS__JS_UINT:
        return shape_uint(s, key, given);
    case NATS__JS_BOOL:
        return shape_bool(s, key, given);
    case NATS__JS_DURATION:
        return shape_duration(s, key, given);
    case NATS__JS_TIME:
        return shape_time(s, key, given);
    case NATS__JS_OBJECT:
    case NATS__JS_CHANGES:
        return shape_nested(s, key, given);
    default:
        return shape_text(s, key, kind, given);
    }
}

static nats_status shape_list(shape *s, const nats__js_key *key, nats__js_kind kind,
                              const nats__json *given)
{
    if (nats__json_kind_of(given) != NATS__JSON_ARRAY) {
        return wrong(s, key, "a list");
    }
    nats_status status = put(s, "[");
    for (size_t i = 0; status == NATS_OK && i < nats__json_count(given); i++) {
        status = i == 0 ? NATS_OK : put(s, ",");
        status = status == NATS_OK ? shape_one(s, key, kind, nats__json_at(given, i)) : status;
    }
    return status == NATS_OK ? put(s, "]") : status;
}

static nats_status shape_map(shape *s, const nats__js_key *key, const nats__json *given)
{
    void *cursor = NULL;
    const char *name;
    const nats__json *value;
    if (nats__json_kind_of(given) != NATS__JSON_OBJECT) {
        return wrong(s, key, "a map of texts");
    }
    while (nats__json_next(given, &cursor, &name, &value)) {
        if (nats__json_kind_of(value) != NATS__JSON_TEXT) {
            return nats__fail(NATS_ERR_INVALID, key->name,
                              "%s: %s has '%.64s', which is not a text", s->verb, s->path, name);
        }
    }
    return put_json(s, given);
}

static nats_status shape_value(shape *s, const nats__js_key *key, const nats__json *given)
{
    switch (key->kind) {
    case NATS__JS_TEXTS:
        return shape_list(s, key, NATS__JS_TEXT, given);
    case NATS__JS_NAMES:
        return shape_list(s, key, NATS__JS_NAME, given);
    case NATS__JS_PATTERNS:
        return shape_list(s, key, NATS__JS_PATTERN, given);
    case NATS__JS_DURATIONS:
        return shape_list(s, key, NATS__JS_DURATION, given);
    case NATS__JS_OBJECTS:
        return shape_list(s, key, NATS__JS_OBJECT, given);
    case NATS__JS_MAP:
        return shape_map(s, key, given);
    default:
        return shape_one(s, key, key->kind, given);
    }
}

/* What is not given: null, and the empty text where that cannot be meant. */
static bool is_absent(const nats__js_key *key, const nats__json *value)
{
    bool may_be_empty = key->kind != NATS__JS_SUBJECT && key->kind != NATS__JS_PATTERN &&
                        key->kind != NATS__JS_CHOICE && key->kind != NATS__JS_TIME;
    return nats__json_kind_of(value) == NATS__JSON_NULL ||
           (!may_be_empty && nats__json_kind_of(value) == NATS__JSON_TEXT &&
            nats__js_is_nothing(value));
}

/* A domain is another way to say where the API is. */
static nats_status put_external(shape *s, const nats__js_key *key, const nats__json *given)
{
    const char *domain;
    size_t len;
    if (!nats__json_text(given, &domain, &len)) {
        return wrong(s, key, "a text");
    }
    nats_status status = of_verb(s, key, nats__subject_check(s->path, domain, len));
    if (status != NATS_OK) {
        return status;
    }
    bool ok = nats__buf_append_text(s->out, "\"external\":{\"api\":\"$JS.") &&
              nats__buf_append(s->out, domain, len) &&
              nats__buf_append_text(s->out, ".API\",\"deliver\":\"\"}");
    return ok ? NATS_OK : no_memory();
}

static nats_status shape_member(shape *s, const nats__js_key *key, const nats__json *value)
{
    if (!nats__js_is_nothing(value)) {
        nats__js_need(s->needs, key->level, key->name, key->since);
    }
    if (strcmp(key->object, "stream_source") == 0 && strcmp(key->name, "domain") == 0) {
        return put_external(s, key, value);
    }
    const char *wire = nats__js_key_wire(key);
    bool ok = nats__json_put_text(s->out, wire, strlen(wire)) && nats__buf_append(s->out, ":", 1);
    return ok ? shape_value(s, key, value) : no_memory();
}

static nats_status shape_members(shape *s, const char *object, const nats__json *given)
{
    void *cursor = NULL;
    const char *name;
    const nats__json *value;
    size_t outer = strlen(s->path);
    bool first = true;
    nats_status status = NATS_OK;
    while (status == NATS_OK && nats__json_next(given, &cursor, &name, &value)) {
        const nats__js_key *key = nats__js_key_find(object, name);
        if (is_absent(key, value)) {
            continue;
        }
        snprintf(s->path + outer, sizeof s->path - outer, "%s%s", outer > 0 ? "." : "", name);
        status = first ? NATS_OK : put(s, ",");
        status = status == NATS_OK ? shape_member(s, key, value) : status;
        s->path[outer] = '\0';
        first = false;
    }
    return status;
}

/* A misspelt key is told as such, and not as another that is missing. */
static nats_status check_names(const shape *s, const char *object, const nats__json *given)
{
    void *cursor = NULL;
    const char *name;
    const nats__json *value;
    while (nats__json_next(given, &cursor, &name, &value)) {
        if (nats__js_key_find(object, name) == NULL) {
            return nats__js_key_unknown(s->verb, s->path, object, name);
        }
    }
    return NATS_OK;
}

static nats_status shape_object(shape *s, const char *object, const nats__json *given)
{
    nats_status status = check_names(s, object, given);
    if (status == NATS_OK) {
        status = s->changes ? nats__js_check_some(s->verb, s->path, object, given)
                            : nats__js_check(s->verb, s->path, object, given);
    }
    status = status == NATS_OK ? put(s, "{") : status;
    status = status == NATS_OK ? shape_members(s, object, given) : status;
    return status == NATS_OK ? put(s, "}") : status;
}

/* ---- the whole ---- */

static nats_status parse(const char *verb, const char *text, size_t len, nats__json **out)
{
    const char *why;
    *out = nats__json_parse(text, len, &why);
    if (*out == NULL) {
        return nats__fail(NATS_ERR_INVALID, "arguments", "%s: arguments: %s", verb, why);
    }
    if (nats__json_kind_of(*out) != NATS__JSON_OBJECT) {
        nats__json_free(*out);
        *out = NULL;
        return nats__fail(NATS_ERR_INVALID, "arguments", "%s: arguments: not a JSON object", verb);
    }
    return NATS_OK;
}

nats_status nats__js_shape(const char *verb, const char *object, const char *text, size_t len,
                           nats__js_needs *needs, nats__json **out)
{
    nats__json *given;
    *out = NULL;
    size_t size = text == NULL ? 0 : nats__text_len(text, len);
    nats_status status = size == 0 ? parse(verb, "{}", 2, &given) : parse(verb, text, size, &given);
    if (status != NATS_OK) {
        return status;
    }
    nats__buf made = {0};
    shape s = {.verb = verb, .out = &made, .needs = needs};
    status = shape_object(&s, object, given);
    nats__json_free(given);
    if (status == NATS_OK) {
        status = parse(verb, (const char *)made.data, made.len, out);
    }
    nats__buf_free(&made);
    return status;
}
