#include "jetstream/got.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "jetstream/answer.h"
#include "base/decimal.h"
#include "proto/headers.h"
#include "proto/subject.h"

enum { NOT_FOUND = 404, BASE64_BITS = 6 };

#define HEADERS_BEGIN "NATS/1.0\r\n"

static nats_status no_memory(void)
{
    return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
}

static nats_status odd(const char *what, const char *why)
{
    return nats__fail(NATS_ERR_PROTOCOL, what, "%s: the answer's message %s", what, why);
}

/* ---- base64 ---- */

/* -1: it is no letter of it. */
static int letter(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Append the bytes. False: it is not base64, or memory is out (out->data is NULL then). */
static bool decode(nats__buf *out, const char *text, size_t len)
{
    while (len > 0 && text[len - 1] == '=') {
        len--;
    }
    uint32_t bits = 0;
    int count = 0;
    if (!nats__buf_reserve(out, len / 4 * 3 + 3)) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        int value = letter(text[i]);
        if (value < 0) {
            return false;
        }
        bits = bits << BASE64_BITS | (uint32_t)value;
        count += BASE64_BITS;
        if (count >= 8) {
            count -= 8;
            out->data[out->len++] = (uint8_t)(bits >> count);
        }
    }
    return true;
}

/* A member in base64; one that is not there is empty. */
static nats_status decode_member(const char *what, const nats__json *message, const char *name,
                                 nats__buf *out)
{
    const char *text;
    size_t len;
    const nats__json *value = nats__json_get(message, name);
    if (nats__json_kind_of(value) == NATS__JSON_NULL) {
        return NATS_OK;
    }
    if (!nats__json_text(value, &text, &len)) {
        return odd(what, "is not base64");
    }
    if (decode(out, text, len)) {
        return NATS_OK;
    }
    return out->data == NULL && len > 0 ? no_memory() : odd(what, "is not base64");
}

/* ---- headers ---- */

/* A block that can be added to: the blank line at its end is gone. */
static nats_status open_headers(const char *what, nats__buf *block)
{
    size_t begin = strlen(HEADERS_BEGIN);
    if (block->len == 0) {
        return nats__buf_append_text(block, HEADERS_BEGIN) ? NATS_OK : no_memory();
    }
    bool whole = block->len >= begin + 2 && memcmp(block->data, "NATS/1.0", 8) == 0 &&
                 memcmp(block->data + block->len - 4, "\r\n\r\n", 4) == 0;
    if (!whole) {
        return odd(what, "has headers that are none");
    }
    block->len -= 2;
    return NATS_OK;
}

static bool add_header(nats__buf *block, const char *name, const char *value, size_t len)
{
    return nats__buf_append_text(block, name) && nats__buf_append_text(block, ": ") &&
           nats__buf_append(block, value, len) && nats__buf_append_text(block, "\r\n");
}

/* ---- the answer to STREAM.MSG.GET ---- */

typedef struct place {
    const char *subject;
    size_t subject_len;
    const char *time;
    size_t time_len;
    uint64_t seq;
} place;

static bool read_place(const nats__json *message, place *out)
{
    return nats__json_text(nats__json_get(message, "subject"), &out->subject, &out->subject_len) &&
           nats__subject_ok(out->subject, out->subject_len) &&
           nats__json_text(nats__json_get(message, "time"), &out->time, &out->time_len) &&
           strcspn(out->time, "\r\n") == out->time_len &&
           nats__json_uint(nats__json_get(message, "seq"), &out->seq);
}

static nats_status write_place(const char *what, const char *stream, const place *of,
                               nats__buf *block)
{
    char digits[NATS__DECIMAL_MAX];
    size_t count = nats__decimal_write(digits, of->seq);
    nats_status status = open_headers(what, block);
    if (status != NATS_OK) {
        return status;
    }
    bool ok = add_header(block, "Nats-Stream", stream, strlen(stream)) &&
              add_header(block, "Nats-Subject", of->subject, of->subject_len) &&
              add_header(block, "Nats-Sequence", digits, count) &&
              add_header(block, "Nats-Time-Stamp", of->time, of->time_len) &&
              nats__buf_append_text(block, "\r\n");
    return ok ? NATS_OK : no_memory();
}

static nats_status make(const char *what, const char *stream, nats__chunk_pool *pool,
                        const nats__json *message, nats__buf *block, nats__buf *data,
                        nats_msg **out)
{
    place of;
    if (!read_place(message, &of)) {
        return odd(what, "lacks its subject, sequence or time");
    }
    nats_status status = decode_member(what, message, "hdrs", block);
    status = status == NATS_OK ? decode_member(what, message, "data", data) : status;
    status = status == NATS_OK ? write_place(what, stream, &of, block) : status;
    if (status != NATS_OK) {
        return status;
    }
    *out = nats__msg_make(pool, of.subject, of.subject_len, block->data, block->len, data->data,
                          data->len);
    return *out != NULL ? NATS_OK : no_memory();
}

nats_status nats__js_got_json(const char *what, const char *stream, nats__chunk_pool *pool,
                              const nats_msg *answer, nats_msg **out)
{
    nats__json *json;
    *out = NULL;
    nats_status status = nats__js_answer_read(what, answer, &json);
    if (status != NATS_OK) {
        return status;
    }
    nats__buf block = {0};
    nats__buf data = {0};
    status = make(what, stream, pool, nats__json_get(json, "message"), &block, &data, out);
    nats__buf_free(&block);
    nats__buf_free(&data);
    nats__json_free(json);
    return status;
}

/* ---- the answer to a direct get ---- */

static nats_status status_error(const char *what, const nats_msg *answer, int32_t code)
{
    nats__said said = {.code = code, .err_code = code == NOT_FOUND ? NATS__JS_NO_MESSAGE : 0};
    nats__headers_status((const char *)answer->text + answer->body, answer->header_len,
                         &said.description, &said.len);
    return nats__fail_said(&said, what, what);
}

/* The last one is the server's: a message may have been stored with such a header of its own. */
static const char *last_header(const nats_msg *msg, const char *name, size_t *len_out)
{
    const char *found = NULL;
    const char *block = (const char *)msg->text + msg->body;
    size_t cursor = 0;
    const char *key;
    const char *value;
    size_t key_len;
    size_t value_len;
    while (nats__headers_next(block, msg->header_len, &cursor, &key, &key_len, &value,
                              &value_len)) {
        if (key_len == strlen(name) && memcmp(key, name, key_len) == 0) {
            found = value;
            *len_out = value_len;
        }
    }
    return found;
}

nats_status nats__js_got_direct(const char *what, nats__chunk_pool *pool, const nats_msg *answer,
                                int32_t status, const char *bare, nats_msg **out)
{
    *out = NULL;
    if (status != 0) {
        return status_error(what, answer, status);
    }
    size_t len;
    const char *subject = last_header(answer, "Nats-Subject", &len);
    bool placed = subject != NULL && nats__subject_ok(subject, len) &&
                  last_header(answer, "Nats-Sequence", &(size_t){0}) != NULL;
    if (!placed && (bare == NULL || answer->header_len > 0)) {
        return odd(what, "lacks its subject or sequence");
    }
    subject = placed ? subject : bare;
    len = placed ? len : strlen(bare);
    const uint8_t *body = answer->text + answer->body;
    *out = nats__msg_make(pool, subject, len, body, answer->header_len, body + answer->header_len,
                          answer->data_len);
    return *out != NULL ? NATS_OK : no_memory();
}
