#include "json/json.h"

#include <json-c/json.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/decimal.h"
#include "json/grammar.h"

/* A nats__json is json-c's object behind another name. json-c has no object for null, where NULL
 * here means "not there": this one stands for it. */
static const char null_value;

static const nats__json *wrapped(const json_object *object)
{
    return object == NULL ? (const nats__json *)(const void *)&null_value
                          : (const nats__json *)(const void *)object;
}

/* json-c's readers take no const, but those used here change nothing. */
static json_object *unwrapped(const nats__json *value)
{
    if ((const void *)value == (const void *)&null_value) {
        return NULL;
    }
    return (json_object *)(uintptr_t)value;
}

/* An address that is only compared, where json-c or a cursor wants a plain pointer. */
static void *mark(const char *of)
{
    return (void *)(uintptr_t)of;
}

/* ---- reading ---- */

static const char *parse_error(json_tokener *tokener, const json_object *object)
{
    enum json_tokener_error error = json_tokener_get_error(tokener);
    if (error == json_tokener_continue || error == json_tokener_error_parse_eof) {
        return "the text ends too early";
    }
    if (error == json_tokener_error_depth) {
        return "nested too deep";
    }
    if (error != json_tokener_success) {
        return "not JSON";
    }
    /* json-c 0.16 has no error number for the lack of memory: it just has nothing to give. */
    return object == NULL ? "out of memory" : NULL;
}

/* A text that is null and nothing else, for which json-c has no object. */
static bool is_null_word(const char *text, size_t len)
{
    const char *blanks = " \t\r\n";
    while (len > 0 && strchr(blanks, *text) != NULL) {
        text++;
        len--;
    }
    while (len > 0 && strchr(blanks, text[len - 1]) != NULL) {
        len--;
    }
    return len == 4 && memcmp(text, "null", 4) == 0;
}

static json_object *parse_with(json_tokener *tokener, const char *text, size_t len,
                               const char **error)
{
    json_object *object = json_tokener_parse_ex(tokener, text, (int)len);
    size_t end = json_tokener_get_parse_end(tokener);
    if (json_tokener_get_error(tokener) == json_tokener_continue) {
        /* A number or a literal at the top ends only with the text, which a NUL tells the
         * parser. */
        object = json_tokener_parse_ex(tokener, "", 1);
        end = len;
    }
    *error = parse_error(tokener, object);
    if (*error == NULL && end != len) {
        *error = "bytes after the end";
    }
    if (*error != NULL) {
        json_object_put(object);
        return NULL;
    }
    return object;
}

enum {
    ROOM_BASE = 4096,      /* bytes: the tokener and the first table of members */
    ROOM_FACTOR = 16,      /* what becomes of one byte: an INFO takes ten, with tables that grow */
    ROOM_MAX = 32 * 1024   /* what the allocator keeps by itself when it is freed */
};

/* json-c 0.16 looks at some of its allocations only: without memory for a name it crashes, and without
 * memory for a text it cuts it. So it does not begin when there is none. Between this and the last of
 * its allocations another thread may take it: docs/reliability.md tells. */
static bool is_room_for(size_t len)
{
    size_t room = len < ROOM_MAX / ROOM_FACTOR ? ROOM_BASE + len * ROOM_FACTOR : ROOM_MAX;
    void *volatile probe = malloc(room); /* compilers take one that is not used for granted */
    free(probe);
    return probe != NULL;
}

static nats__json *parse(const char *text, size_t len, const char **error)
{
    json_tokener *tokener = is_room_for(len) ? json_tokener_new_ex(NATS__JSON_DEPTH_MAX) : NULL;
    if (tokener == NULL) {
        *error = "out of memory";
        return NULL;
    }
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    json_object *object = parse_with(tokener, text, len, error);
    json_tokener_free(tokener);
    return (nats__json *)(void *)object;
}

nats__json *nats__json_parse(const char *text, size_t len, const char **error_out)
{
    const char *unused;
    const char **error = error_out == NULL ? &unused : error_out;
    *error = len > INT_MAX - 1 ? "too long" : nats__json_check_words(text, len);
    if (*error != NULL) {
        return NULL;
    }
    if (is_null_word(text, len)) {
        return (nats__json *)mark(&null_value);
    }
    return parse(text, len, error);
}

void nats__json_free(nats__json *doc)
{
    if (doc != NULL) {
        json_object_put(unwrapped(doc));
    }
}

nats__json_kind nats__json_kind_of(const nats__json *value)
{
    if (value == NULL) {
        return NATS__JSON_NULL;
    }
    switch (json_object_get_type(unwrapped(value))) {
    case json_type_boolean:
        return NATS__JSON_BOOL;
    case json_type_int:
        return NATS__JSON_INT;
    case json_type_double:
        return NATS__JSON_REAL;
    case json_type_string:
        return NATS__JSON_TEXT;
    case json_type_array:
        return NATS__JSON_ARRAY;
    case json_type_object:
        return NATS__JSON_OBJECT;
    default:
        return NATS__JSON_NULL;
    }
}

const nats__json *nats__json_get(const nats__json *value, const char *name)
{
    json_object *member = NULL;
    if (nats__json_kind_of(value) != NATS__JSON_OBJECT ||
        !json_object_object_get_ex(unwrapped(value), name, &member)) {
        return NULL;
    }
    return wrapped(member);
}

const nats__json *nats__json_at(const nats__json *value, size_t index)
{
    if (nats__json_kind_of(value) != NATS__JSON_ARRAY || index >= nats__json_count(value)) {
        return NULL;
    }
    return wrapped(json_object_array_get_idx(unwrapped(value), index));
}

size_t nats__json_count(const nats__json *value)
{
    nats__json_kind kind = nats__json_kind_of(value);
    if (kind == NATS__JSON_ARRAY) {
        return json_object_array_length(unwrapped(value));
    }
    if (kind == NATS__JSON_OBJECT) {
        return (size_t)json_object_object_length(unwrapped(value));
    }
    return 0;
}

/* The end of the list cannot be told from its beginning by NULL, so the end has a mark of its
 * own. */
static const char past_last;

bool nats__json_next(const nats__json *object, void **cursor, const char **name_out,
                     const nats__json **value_out)
{
    if (nats__json_kind_of(object) != NATS__JSON_OBJECT || *cursor == (const void *)&past_last) {
        return false;
    }
    struct lh_entry *entry = *cursor;
    if (entry == NULL) {
        entry = lh_table_head(json_object_get_object(unwrapped(object)));
    }
    if (entry == NULL) {
        *cursor = mark(&past_last);
        return false;
    }
    *name_out = lh_entry_k(entry);
    *value_out = wrapped(lh_entry_v(entry));
    struct lh_entry *next = lh_entry_next(entry);
    *cursor = next == NULL ? mark(&past_last) : next;
    return true;
}

bool nats__json_text(const nats__json *value, const char **out, size_t *len_out)
{
    if (nats__json_kind_of(value) != NATS__JSON_TEXT) {
        return false;
    }
    *out = json_object_get_string(unwrapped(value));
    if (len_out != NULL) {
        *len_out = (size_t)json_object_get_string_len(unwrapped(value));
    }
    return true;
}

bool nats__json_int(const nats__json *value, int64_t *out)
{
    if (nats__json_kind_of(value) != NATS__JSON_INT ||
        json_object_get_uint64(unwrapped(value)) > INT64_MAX) {
        return false;
    }
    *out = json_object_get_int64(unwrapped(value));
    return true;
}

bool nats__json_uint(const nats__json *value, uint64_t *out)
{
    if (nats__json_kind_of(value) != NATS__JSON_INT ||
        json_object_get_int64(unwrapped(value)) < 0) {
        return false;
    }
    *out = json_object_get_uint64(unwrapped(value));
    return true;
}

bool nats__json_bool(const nats__json *value, bool *out)
{
    if (nats__json_kind_of(value) != NATS__JSON_BOOL) {
        return false;
    }
    *out = json_object_get_boolean(unwrapped(value)) != 0;
    return true;
}

bool nats__json_real(const nats__json *value, double *out)
{
    nats__json_kind kind = nats__json_kind_of(value);
    if (kind != NATS__JSON_INT && kind != NATS__JSON_REAL) {
        return false;
    }
    *out = json_object_get_double(unwrapped(value));
    return true;
}

/* ---- writing ---- */

/* Not json-c's own writer: that one drops what it has no memory for, and keeps a copy in the
 * object, which two threads may be reading. */
static bool write_value(nats__buf *out, const nats__json *value);

static bool write_escape(nats__buf *out, unsigned char byte)
{
    static const char hex[] = "0123456789abcdef";
    if (byte == '"' || byte == '\\') {
        char escaped[2] = {'\\', (char)byte};
        return nats__buf_append(out, escaped, sizeof escaped);
    }
    char escaped[6] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]};
    return nats__buf_append(out, escaped, sizeof escaped);
}

static bool write_text(nats__buf *out, const char *text, size_t len)
{
    bool ok = nats__buf_append(out, "\"", 1);
    size_t plain = 0; /* where the bytes begin that need no escape */
    for (size_t i = 0; ok && i < len; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7F) {
            continue;
        }
        ok = nats__buf_append(out, text + plain, i - plain) && write_escape(out, byte);
        plain = i + 1;
    }
    return ok && nats__buf_append(out, text + plain, len - plain) && nats__buf_append(out, "\"", 1);
}

static bool write_int(nats__buf *out, const nats__json *value)
{
    char digits[NATS__DECIMAL_MAX + 1];
    size_t at = 0;
    uint64_t number;
    if (!nats__json_uint(value, &number)) {
        int64_t negative = json_object_get_int64(unwrapped(value));
        number = (uint64_t)-(negative + 1) + 1; /* INT64_MIN too */
        digits[at++] = '-';
    }
    at += nats__decimal_write(digits + at, number);
    return nats__buf_append(out, digits, at);
}

/* json-c keeps the text that a parsed real number came from as its userdata. */
static bool write_real(nats__buf *out, const nats__json *value)
{
    const char *text = json_object_get_userdata(unwrapped(value));
    return text != NULL && nats__buf_append_text(out, text);
}

static bool write_array(nats__buf *out, const nats__json *value)
{
    bool ok = nats__buf_append(out, "[", 1);
    for (size_t i = 0; ok && i < nats__json_count(value); i++) {
        ok = (i == 0 || nats__buf_append(out, ",", 1)) &&
             write_value(out, nats__json_at(value, i));
    }
    return ok && nats__buf_append(out, "]", 1);
}

static bool write_object(nats__buf *out, const nats__json *value)
{
    void *cursor = NULL;
    const char *name;
    const nats__json *member;
    bool ok = nats__buf_append(out, "{", 1);
    bool first = true;
    while (ok && nats__json_next(value, &cursor, &name, &member)) {
        ok = (first || nats__buf_append(out, ",", 1)) && write_text(out, name, strlen(name)) &&
             nats__buf_append(out, ":", 1) && write_value(out, member);
        first = false;
    }
    return ok && nats__buf_append(out, "}", 1);
}

/* Recursion is bounded: a document is at most NATS__JSON_DEPTH_MAX deep. */
static bool write_value(nats__buf *out, const nats__json *value)
{
    const char *text;
    size_t len;
    switch (nats__json_kind_of(value)) {
    case NATS__JSON_BOOL:
        return nats__buf_append_text(out, json_object_get_boolean(unwrapped(value)) ? "true"
                                                                                    : "false");
    case NATS__JSON_INT:
        return write_int(out, value);
    case NATS__JSON_REAL:
        return write_real(out, value);
    case NATS__JSON_TEXT:
        return nats__json_text(value, &text, &len) && write_text(out, text, len);
    case NATS__JSON_ARRAY:
        return write_array(out, value);
    case NATS__JSON_OBJECT:
        return write_object(out, value);
    case NATS__JSON_NULL:
        break;
    }
    return nats__buf_append_text(out, "null");
}

/* Marks an object that lacks a member for which there was no memory. */
static const char incomplete;

static bool is_incomplete(const nats__json *value)
{
    return nats__json_kind_of(value) == NATS__JSON_OBJECT &&
           json_object_get_userdata(unwrapped(value)) == mark(&incomplete);
}

char *nats__json_write(const nats__json *value)
{
    if (value == NULL || is_incomplete(value)) {
        return NULL;
    }
    nats__buf out = {0};
    if (!write_value(&out, value) || !nats__buf_append(&out, "", 1)) {
        nats__buf_free(&out);
        return NULL;
    }
    return (char *)out.data;
}

bool nats__json_put(nats__buf *out, const nats__json *value)
{
    return write_value(out, value);
}

bool nats__json_put_text(nats__buf *out, const char *text, size_t len)
{
    return write_text(out, text, len);
}

/* ---- building ---- */

nats__json *nats__json_object(void)
{
    return (nats__json *)(void *)json_object_new_object();
}

static void set_member(nats__json *object, const char *name, json_object *member)
{
    if (object == NULL) {
        json_object_put(member);
        return;
    }
    if (member != NULL && json_object_object_add(unwrapped(object), name, member) == 0) {
        return;
    }
    json_object_put(member);
    json_object_set_userdata(unwrapped(object), mark(&incomplete), NULL);
}

void nats__json_set_text(nats__json *object, const char *name, const char *text, size_t len)
{
    json_object *member = len > INT_MAX - 1 ? NULL : json_object_new_string_len(text, (int)len);
    set_member(object, name, member);
}

void nats__json_set_int(nats__json *object, const char *name, int64_t value)
{
    set_member(object, name, json_object_new_int64(value));
}

void nats__json_set_uint(nats__json *object, const char *name, uint64_t value)
{
    set_member(object, name, json_object_new_uint64(value));
}

void nats__json_set_bool(nats__json *object, const char *name, bool value)
{
    set_member(object, name, json_object_new_boolean(value));
}

void nats__json_remove(nats__json *object, const char *name)
{
    json_object_object_del(unwrapped(object), name);
}
