#include "jetstream/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "jetstream/keys.h"
#include "jetstream/shape.h"
#include "proto/chunk.h"

static const char *data_of(const nats_msg *msg)
{
    return (const char *)msg->text + msg->body + msg->header_len;
}

static int32_t number_of(const nats__json *object, const char *name)
{
    int64_t number;
    bool fits = nats__json_int(nats__json_get(object, name), &number) && number > 0 &&
                number <= INT32_MAX;
    return fits ? (int32_t)number : 0;
}

static nats_status server_error(const char *what, const nats__json *error)
{
    nats__said said = {.code = number_of(error, "code"), .err_code = number_of(error, "err_code")};
    nats__json_text(nats__json_get(error, "description"), &said.description, &said.len);
    return nats__fail_said(&said, what, what);
}

nats_status nats__js_answer_read(const char *what, const nats_msg *msg, nats__json **out)
{
    const char *why;
    *out = nats__json_parse(data_of(msg), msg->data_len, &why);
    if (*out == NULL) {
        return nats__fail(NATS_ERR_PROTOCOL, what, "%s: the answer is not JSON: %s", what, why);
    }
    const nats__json *error = nats__json_get(*out, "error");
    nats_status status = NATS_OK;
    if (nats__json_kind_of(*out) != NATS__JSON_OBJECT) {
        status = nats__fail(NATS_ERR_PROTOCOL, what, "%s: the answer is not a JSON object", what);
    } else if (nats__json_kind_of(error) == NATS__JSON_OBJECT) {
        status = server_error(what, error);
    }
    if (status != NATS_OK) {
        nats__json_free(*out);
        *out = NULL;
    }
    return status;
}

/* ---- what the server dropped ---- */

/* "2.10.4" after "2.9": numbers, not letters. */
static bool is_newer(const char *a, const char *b)
{
    while (*a != '\0' || *b != '\0') {
        char *a_end;
        char *b_end;
        long a_part = strtol(a, &a_end, 10);
        long b_part = strtol(b, &b_end, 10);
        if (a_part != b_part) {
            return a_part > b_part;
        }
        a = *a_end == '.' ? a_end + 1 : a_end;
        b = *b_end == '.' ? b_end + 1 : b_end;
        if (a == a_end && b == b_end) {
            return false; /* no more numbers in either */
        }
    }
    return false;
}

static void note(nats__js_dropped *out, const nats__js_key *key)
{
    size_t len = strlen(out->names);
    snprintf(out->names + len, sizeof out->names - len, "%s%s", len > 0 ? ", " : "", key->name);
    if (out->since == NULL || is_newer(key->since, out->since)) {
        out->since = key->since;
    }
}

static void compare(nats__js_dropped *out, const char *object, const nats__json *asked,
                    const nats__json *made);

static void compare_list(nats__js_dropped *out, const nats__js_key *key, const nats__json *asked,
                         const nats__json *made)
{
    for (size_t i = 0; i < nats__json_count(asked) && i < nats__json_count(made); i++) {
        compare(out, key->of, nats__json_at(asked, i), nats__json_at(made, i));
    }
}

/* What was given as the one that stands for none: a server may leave it out. */
static bool is_default(const nats__js_key *key, const nats__json *value)
{
    const char *text;
    size_t len;
    if (nats__js_is_nothing(value)) {
        return true;
    }
    return key->kind == NATS__JS_CHOICE && nats__json_text(value, &text, &len) &&
           strcspn(key->of, "|@") == len && memcmp(key->of, text, len) == 0;
}

/* Other values than were asked for are the server's right: it may know better. Only what it does not
 * have at all, it does not know. */
static void compare(nats__js_dropped *out, const char *object, const nats__json *asked,
                    const nats__json *made)
{
    void *cursor = NULL;
    const char *name;
    const nats__json *value;
    while (nats__json_next(asked, &cursor, &name, &value)) {
        const nats__js_key *key = nats__js_key_find(object, name);
        const nats__json *there = nats__json_get(made, name);
        if (key == NULL || is_default(key, value)) {
            continue;
        }
        if (nats__js_is_nothing(there)) {
            note(out, key);
        } else if (key->kind == NATS__JS_OBJECT) {
            compare(out, key->of, value, there);
        } else if (key->kind == NATS__JS_OBJECTS) {
            compare_list(out, key, value, there);
        }
    }
}

nats__js_dropped nats__js_answer_compare(const char *object, const nats__json *asked,
                                         const nats__json *made)
{
    nats__js_dropped out = {.names = "", .since = NULL};
    compare(&out, object, asked, made);
    return out;
}
