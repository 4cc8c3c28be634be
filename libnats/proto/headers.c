#include "proto/headers.h"

#include <string.h>

#include "base/error.h"

#define VERSION_LINE "NATS/1.0"

enum { VERSION_LEN = sizeof VERSION_LINE - 1 };

/* ---- building ---- */

static nats_status check_key(const char *key, size_t len)
{
    if (len == 0) {
        return nats__fail(NATS_ERR_INVALID, "header key", "header key: is empty");
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)key[i];
        if (byte > 0x20 && byte < 0x7F && byte != ':') {
            continue;
        }
        return nats__fail(NATS_ERR_INVALID, "header key",
                          "header key: byte %zu (0x%02x) is %s", i, byte,
                          byte == ':'    ? "a colon"
                          : byte == ' '  ? "a blank"
                          : byte >= 0x80 ? "not ASCII"
                                         : "a control character");
    }
    return NATS_OK;
}

static nats_status check_value(const char *value, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char byte = value[i];
        if (byte != '\r' && byte != '\n' && byte != '\0') {
            continue;
        }
        return nats__fail(NATS_ERR_INVALID, "header value",
                          "header value: byte %zu (0x%02x) is %s", i, (unsigned)byte,
                          byte == '\r'   ? "a carriage return"
                          : byte == '\n' ? "a line feed"
                                         : "a NUL");
    }
    return NATS_OK;
}

/* Room for a pair is taken before anything changes: the block is whole at every moment. */
static nats_status reserve_pair(nats__buf *block, size_t key_len, size_t value_len)
{
    enum { EXTRA = VERSION_LEN + 2 + 2 + 2 + 2 }; /* version line, ": ", end of line, blank line */
    if (key_len > NATS__HEADERS_MAX || value_len > NATS__HEADERS_MAX ||
        block->len + key_len + value_len + EXTRA > NATS__HEADERS_MAX) {
        return nats__fail(NATS_ERR_LIMIT, "headers",
                          "headers: %zu bytes there, a pair of %zu and %zu more is over %d",
                          block->len, key_len, value_len, NATS__HEADERS_MAX);
    }
    if (!nats__buf_reserve(block, key_len + value_len + EXTRA)) {
        return nats__fail(NATS_ERR_NO_MEMORY, "headers", "headers: no memory for a pair");
    }
    return NATS_OK;
}

static void put(nats__buf *block, const char *bytes, size_t len)
{
    if (len > 0) {
        memcpy(block->data + block->len, bytes, len);
        block->len += len;
    }
}

nats_status nats__headers_add(nats_headers *headers, const char *key, size_t key_len,
                              const char *value, size_t value_len)
{
    nats__buf *block = &headers->block;
    nats_status status = reserve_pair(block, key_len, value_len);
    if (status == NATS_OK) {
        status = check_key(key, key_len);
    }
    if (status == NATS_OK) {
        status = check_value(value, value_len);
    }
    if (status != NATS_OK) {
        return status;
    }
    if (block->len == 0) {
        put(block, VERSION_LINE "\r\n", VERSION_LEN + 2);
    } else {
        block->len -= 2; /* the blank line moves behind the new pair */
    }
    put(block, key, key_len);
    put(block, ": ", 2);
    put(block, value, value_len);
    put(block, "\r\n\r\n", 4);
    headers->count++;
    return NATS_OK;
}

/* ---- reading: any publisher may have written the block, so any bytes may be in it ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void cut_blanks(const char **text, size_t *len)
{
    while (*len > 0 && is_blank(**text)) {
        (*text)++;
        (*len)--;
    }
    while (*len > 0 && is_blank((*text)[*len - 1])) {
        (*len)--;
    }
}

/* The line that begins at `at`, without its end; *next: where the next one begins. A line ends
 * with LF, and a CR right before it belongs to the end; a last line without LF ends with the
 * block. */
static size_t line_len(const char *block, size_t len, size_t at, size_t *next)
{
    const char *feed = memchr(block + at, '\n', len - at);
    size_t end = feed == NULL ? len : (size_t)(feed - block);
    *next = feed == NULL ? len : end + 1;
    if (end > at && block[end - 1] == '\r') {
        end--;
    }
    return end - at;
}

static bool has_version(const char *block, size_t len)
{
    return len >= VERSION_LEN && memcmp(block, VERSION_LINE, VERSION_LEN) == 0;
}

static int32_t three_digits(const char *text, size_t len)
{
    if (len < 3 || (len > 3 && !is_blank(text[3]))) {
        return 0;
    }
    int32_t number = 0;
    for (size_t i = 0; i < 3; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return 0;
        }
        number = number * 10 + (text[i] - '0');
    }
    return number;
}

int32_t nats__headers_status(const char *block, size_t len, const char **desc_out,
                             size_t *desc_len_out)
{
    *desc_out = "";
    *desc_len_out = 0;
    if (!has_version(block, len)) {
        return 0;
    }
    size_t next;
    size_t rest_len = line_len(block, len, 0, &next) - VERSION_LEN;
    const char *rest = block + VERSION_LEN;
    if (rest_len == 0 || !is_blank(*rest)) {
        return 0;
    }
    cut_blanks(&rest, &rest_len);
    int32_t status = three_digits(rest, rest_len);
    if (status == 0) {
        return 0;
    }
    rest += 3;
    rest_len -= 3;
    cut_blanks(&rest, &rest_len);
    *desc_out = rest;
    *desc_len_out = rest_len;
    return status;
}

/* "key: value". A folded line (one that begins with a blank) is none: ADR-4 has no folding. */
static bool split_pair(const char *line, size_t len, const char **key_out, size_t *key_len_out,
                       const char **value_out, size_t *value_len_out)
{
    const char *colon = memchr(line, ':', len);
    if (colon == NULL || colon == line || is_blank(*line)) {
        return false;
    }
    *key_out = line;
    *key_len_out = (size_t)(colon - line);
    *value_out = colon + 1;
    *value_len_out = len - *key_len_out - 1;
    cut_blanks(value_out, value_len_out);
    return true;
}

bool nats__headers_next(const char *block, size_t len, size_t *cursor, const char **key_out,
                        size_t *key_len_out, const char **value_out, size_t *value_len_out)
{
    size_t at = *cursor;
    if (at == 0 && !has_version(block, len)) {
        at = len;
    } else if (at == 0) {
        line_len(block, len, 0, &at);
    }
    while (at < len) {
        const char *line = block + at;
        size_t n = line_len(block, len, at, &at);
        if (n == 0) {
            break; /* the blank line: what may follow it is no header */
        }
        if (split_pair(line, n, key_out, key_len_out, value_out, value_len_out)) {
            *cursor = at;
            return true;
        }
    }
    *cursor = len;
    return false;
}
