#include "proto/websocket.h"

#include <assert.h>
#include <string.h>

#include "base/utf8.h"

enum {
    FINAL = 0x80,
    DEFLATED = 0x40, /* RSV1, of permessage-deflate */
    RESERVED = 0x30,
    OP = 0x0F,
    OP_CONTROL = 0x08, /* set in the numbers of control frames */
    MASKED = 0x80,
    LEN_16 = 126, /* two bytes of length follow, or eight */
    LEN_64 = 127
};

/* ---- out ---- */

static size_t put_len(uint8_t *out, size_t len)
{
    if (len < LEN_16) {
        out[0] = (uint8_t)(MASKED | len);
        return 1;
    }
    size_t bytes = len <= UINT16_MAX ? 2 : 8;
    out[0] = MASKED | (bytes == 2 ? LEN_16 : LEN_64);
    for (size_t i = 0; i < bytes; i++) {
        out[1 + i] = (uint8_t)((uint64_t)len >> (8 * (bytes - 1 - i)));
    }
    return 1 + bytes;
}

size_t nats__ws_head(uint8_t out[NATS__WS_HEAD_MAX], nats__ws_op op, bool deflated, size_t len,
                     const uint8_t key[NATS__WS_KEY])
{
    out[0] = (uint8_t)(FINAL | (deflated ? DEFLATED : 0) | op);
    size_t at = 1 + put_len(out + 1, len);
    memcpy(out + at, key, NATS__WS_KEY);
    return at + NATS__WS_KEY;
}

/* Eight bytes at a time, which compilers make more of. */
void nats__ws_mask(uint8_t *to, const uint8_t *from, size_t len, const uint8_t key[NATS__WS_KEY])
{
    uint8_t twice[2 * NATS__WS_KEY];
    memcpy(twice, key, NATS__WS_KEY);
    memcpy(twice + NATS__WS_KEY, key, NATS__WS_KEY);
    uint64_t mask;
    memcpy(&mask, twice, sizeof mask);

    size_t at = 0;
    for (; len - at >= sizeof mask; at += sizeof mask) {
        uint64_t word;
        memcpy(&word, from + at, sizeof word);
        word ^= mask;
        memcpy(to + at, &word, sizeof word);
    }
    for (; at < len; at++) {
        to[at] = from[at] ^ key[at % NATS__WS_KEY];
    }
}

size_t nats__ws_control(uint8_t out[NATS__WS_HEAD_MAX + NATS__WS_CONTROL_MAX], nats__ws_op op,
                        const void *payload, size_t len, const uint8_t key[NATS__WS_KEY])
{
    assert(len <= NATS__WS_CONTROL_MAX);
    size_t head = nats__ws_head(out, op, false, len, key);
    nats__ws_mask(out + head, payload, len, key);
    return head + len;
}

size_t nats__ws_close(uint8_t out[NATS__WS_HEAD_MAX + NATS__WS_CONTROL_MAX], uint16_t code,
                      const uint8_t key[NATS__WS_KEY])
{
    const uint8_t payload[2] = {(uint8_t)(code >> 8), (uint8_t)code};
    size_t len = code == NATS__WS_NO_CODE ? 0 : sizeof payload;
    return nats__ws_control(out, NATS__WS_CLOSE, payload, len, key);
}

/* ---- in: the head of a frame ---- */

void nats__ws_reader_init(nats__ws_reader *reader)
{
    memset(reader, 0, sizeof *reader);
}

static bool fail(nats__ws_reader *reader, const char *error)
{
    reader->error = error;
    return false;
}

static bool is_control(uint8_t op)
{
    return (op & OP_CONTROL) != 0;
}

static bool check_control(nats__ws_reader *reader, uint8_t first, uint8_t len)
{
    if ((first & FINAL) == 0) {
        return fail(reader, "a control frame is fragmented");
    }
    if ((first & DEFLATED) != 0) {
        return fail(reader, "a control frame is compressed");
    }
    return len <= NATS__WS_CONTROL_MAX || fail(reader, "a control frame is longer than 125 bytes");
}

static bool check_data(nats__ws_reader *reader, uint8_t first)
{
    bool continues = (first & OP) == NATS__WS_CONTINUATION;
    if (continues && !reader->in_message) {
        return fail(reader, "a continuation of nothing");
    }
    if (!continues && reader->in_message) {
        return fail(reader, "a message begins within another");
    }
    if (continues && (first & DEFLATED) != 0) {
        return fail(reader, "a continuation is marked as compressed");
    }
    return (first & DEFLATED) == 0 || reader->deflate ||
           fail(reader, "a compressed message, and compression was not agreed on");
}

/* What its first two bytes tell: is it one that may come? */
static bool check_frame(nats__ws_reader *reader)
{
    uint8_t first = reader->head[0];
    uint8_t op = first & OP;
    bool known = op <= NATS__WS_BINARY || (op >= NATS__WS_CLOSE && op <= NATS__WS_PONG);
    if ((first & RESERVED) != 0) {
        return fail(reader, "reserved bits are set");
    }
    if (!known) {
        return fail(reader, "an unknown kind of frame");
    }
    if ((reader->head[1] & MASKED) != 0) {
        return fail(reader, "a frame is masked, which is the client's to do");
    }
    return is_control(op) ? check_control(reader, first, reader->head[1])
                          : check_data(reader, first);
}

/* How long the head is, by as much of it as is there. */
static size_t head_size(const nats__ws_reader *reader)
{
    if (reader->head_len < 2) {
        return 2;
    }
    uint8_t len = reader->head[1] & ~MASKED;
    return len == LEN_64 ? 10 : len == LEN_16 ? 4 : 2;
}

static bool read_len(nats__ws_reader *reader, size_t size)
{
    if (size == 2) {
        reader->left = reader->head[1];
        return true;
    }
    uint64_t len = 0;
    for (size_t i = 2; i < size; i++) {
        len = len << 8 | reader->head[i];
    }
    if (len > INT64_MAX) {
        return fail(reader, "a frame's length is over 2^63");
    }
    uint64_t shorter_max = size == 4 ? LEN_16 - 1 : UINT16_MAX;
    reader->left = len;
    return len > shorter_max || fail(reader, "a frame's length is not written the shortest way");
}

static void begin_frame(nats__ws_reader *reader)
{
    uint8_t first = reader->head[0];
    reader->op = first & OP;
    reader->final = (first & FINAL) != 0;
    reader->in_frame = true;
    reader->head_len = 0;
    reader->control_len = 0;
    if (is_control(reader->op)) {
        return;
    }
    if (reader->op != NATS__WS_CONTINUATION) {
        reader->deflated = (first & DEFLATED) != 0;
    }
    reader->in_message = !reader->final;
}

/* Take bytes of the head. False while it is not whole, or when it is no good. */
static bool read_head(nats__ws_reader *reader, const uint8_t **data, size_t *len)
{
    while (*len > 0) {
        reader->head[reader->head_len++] = *(*data)++;
        *len -= 1;
        if (reader->head_len == 2 && !check_frame(reader)) {
            return false;
        }
        size_t size = head_size(reader);
        if (reader->head_len < size) {
            continue;
        }
        if (!read_len(reader, size)) {
            return false;
        }
        begin_frame(reader);
        return true;
    }
    return false;
}

/* ---- in: control frames ---- */

/* By the RFC these are never on the wire, or not given out. */
static bool is_good_code(uint16_t code)
{
    enum { FIRST = 1000, FIRST_UNUSED = 1015, FIRST_OWN = 3000, LAST = 4999 };
    bool unused = code == 1004 || code == NATS__WS_NO_CODE || code == 1006;
    return (code >= FIRST && code < FIRST_UNUSED && !unused) ||
           (code >= FIRST_OWN && code <= LAST);
}

static void read_close(nats__ws_reader *reader)
{
    size_t len = reader->control_len;
    reader->code = NATS__WS_NO_CODE;
    if (len == 0) {
        reader->closed = true;
        return;
    }
    uint16_t code = len >= 2 ? (uint16_t)(reader->control[0] << 8 | reader->control[1]) : 0;
    if (!is_good_code(code)) {
        fail(reader, "a close frame has a code that there is not");
        return;
    }
    const char *reason = (const char *)reader->control + 2;
    size_t reason_len = len - 2;
    if (nats__utf8_check(reason, reason_len) != reason_len) {
        fail(reader, "a close frame's reason is not UTF-8");
        return;
    }
    reader->closed = true;
    reader->code = code;
    memcpy(reader->reason, reason, reason_len);
    reader->reason[reason_len] = '\0';
}

static void end_control(nats__ws_reader *reader)
{
    reader->in_frame = false;
    if (reader->op == NATS__WS_CLOSE) {
        read_close(reader);
    } else if (reader->op == NATS__WS_PING) {
        reader->pinged = true;
        reader->ping_len = reader->control_len;
        memcpy(reader->ping, reader->control, reader->control_len);
    }
}

static void read_control(nats__ws_reader *reader, const uint8_t **data, size_t *len)
{
    size_t n = *len < reader->left ? *len : (size_t)reader->left;
    memcpy(reader->control + reader->control_len, *data, n);
    reader->control_len += n;
    reader->left -= n;
    *data += n;
    *len -= n;
    if (reader->left == 0) {
        end_control(reader);
    }
}

/* ---- in: payload ---- */

/* False for a piece that says nothing. */
static bool read_data(nats__ws_reader *reader, const uint8_t **data, size_t *len,
                      nats__ws_piece *out)
{
    size_t n = *len < reader->left ? *len : (size_t)reader->left;
    reader->left -= n;
    reader->in_frame = reader->left > 0;
    *out = (nats__ws_piece){.data = *data,
                            .len = n,
                            .deflated = reader->deflated,
                            .last = reader->left == 0 && reader->final};
    *data += n;
    *len -= n;
    return n > 0 || (out->deflated && out->last);
}

bool nats__ws_reader_next(nats__ws_reader *reader, const uint8_t **data, size_t *len,
                          nats__ws_piece *out)
{
    while (!reader->closed && reader->error == NULL) {
        if (!reader->in_frame && !read_head(reader, data, len)) {
            return false;
        }
        if (reader->left > 0 && *len == 0) {
            return false;
        }
        if (is_control(reader->op)) {
            read_control(reader, data, len);
        } else if (read_data(reader, data, len, out)) {
            return true;
        }
    }
    return false;
}

size_t nats__ws_reader_strip(nats__ws_reader *reader, uint8_t *data, size_t len)
{
    const uint8_t *at = data;
    size_t kept = 0;
    nats__ws_piece piece;
    while (nats__ws_reader_next(reader, &at, &len, &piece)) {
        if (piece.data != data + kept) {
            memmove(data + kept, piece.data, piece.len);
        }
        kept += piece.len;
    }
    return kept;
}
