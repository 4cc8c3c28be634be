#include "proto/encoder.h"

#include <string.h>

#include "base/decimal.h"

/* What a line needs besides its texts: a verb, blanks, two numbers, CRLF. */
enum { LINE_EXTRA = 8 + 4 + 2 * NATS__DECIMAL_MAX + 2 };

/* A line is reserved as a whole before its first byte is put, so that none is ever cut. */
static bool reserve_line(nats__buf *out, size_t text_len)
{
    return nats__buf_reserve(out, LINE_EXTRA + text_len);
}

static void put(nats__buf *out, const char *text, size_t len)
{
    if (len > 0) {
        memcpy(out->data + out->len, text, len);
        out->len += len;
    }
}

static void put_number(nats__buf *out, uint64_t number)
{
    out->len += nats__decimal_write((char *)out->data + out->len, number);
}

bool nats__encode_sub(nats__buf *out, uint64_t sid, const char *subject, size_t subject_len,
                      const char *queue, size_t queue_len)
{
    if (!reserve_line(out, subject_len + queue_len)) {
        return false;
    }
    put(out, "SUB ", 4);
    put(out, subject, subject_len);
    put(out, " ", 1);
    if (queue_len > 0) {
        put(out, queue, queue_len);
        put(out, " ", 1);
    }
    put_number(out, sid);
    put(out, "\r\n", 2);
    return true;
}

bool nats__encode_unsub(nats__buf *out, uint64_t sid, uint64_t max)
{
    if (!reserve_line(out, 0)) {
        return false;
    }
    put(out, "UNSUB ", 6);
    put_number(out, sid);
    if (max > 0) {
        put(out, " ", 1);
        put_number(out, max);
    }
    put(out, "\r\n", 2);
    return true;
}

bool nats__encode_ping(nats__buf *out)
{
    return nats__buf_append(out, "PING\r\n", 6);
}

bool nats__encode_pong(nats__buf *out)
{
    return nats__buf_append(out, "PONG\r\n", 6);
}

bool nats__encode_connect(nats__buf *out, const char *json)
{
    size_t len = strlen(json);
    if (!reserve_line(out, len)) {
        return false;
    }
    put(out, "CONNECT ", 8);
    put(out, json, len);
    put(out, "\r\n", 2);
    return true;
}
