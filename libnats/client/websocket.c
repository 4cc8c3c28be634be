/* Frames in and out, between the socket and the rest. What makes the WebSocket is in upgrading.c. */
#include "client/websocket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/wipe.h"
#include "io/tcp.h"

enum {
    IN_MAX = 64 * 1024,   /* compressed bytes taken from the socket at once */
    DEFLATE_MIN = 65,     /* as the server's own: a shorter message would not get shorter */
};

static ptrdiff_t link_read(nats__ws_link link, void *space, size_t size)
{
    return link.tls != NULL ? nats__tls_read(link.tls, space, size)
                            : nats__tcp_read(link.fd, space, size);
}

static ptrdiff_t link_write(nats__ws_link link, const void *data, size_t len)
{
    return link.tls != NULL ? nats__tls_write(link.tls, data, len)
                            : nats__tcp_write(link.fd, data, len);
}

nats_status nats__ws_new(nats__ws **out)
{
    nats__ws *ws = calloc(1, sizeof *ws);
    if (ws == NULL || !nats__buf_reserve(&ws->writer.frame, NATS__WS_FRAME_MIN)) {
        free(ws);
        *out = NULL;
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    nats__ws_reader_init(&ws->reader);
    ws->writer.key_at = NATS__WS_KEYS;
    *out = ws;
    return NATS_OK;
}

void nats__ws_free(nats__ws *ws)
{
    if (ws == NULL) {
        return;
    }
    nats__wipe(ws->request.data, ws->request.len);
    nats__buf_free(&ws->request);
    nats__buf_free(&ws->in);
    nats__wipe(ws->writer.frame.data, ws->writer.secret ? ws->writer.frame.len : 0);
    nats__buf_free(&ws->writer.frame);
    nats__zip_free(ws->zip);
    free(ws);
}

/* ---- in ---- */

const char *nats__ws_why(const nats__ws *ws)
{
    return ws->why;
}

static bool is_over(const nats__ws *ws)
{
    return ws->reader.closed || ws->reader.error != NULL;
}

static ptrdiff_t broken(nats__ws *ws, const char *why)
{
    ws->reader.error = why;
    snprintf(ws->why, sizeof ws->why, "WebSocket: %s", why);
    errno = EPROTO;
    return -1;
}

static ptrdiff_t end(nats__ws *ws)
{
    const nats__ws_reader *reader = &ws->reader;
    if (reader->error != NULL) {
        return broken(ws, reader->error);
    }
    bool coded = reader->code != NATS__WS_NO_CODE;
    char code[16] = "";
    if (coded) {
        snprintf(code, sizeof code, " with %u", (unsigned)reader->code);
    }
    snprintf(ws->why, sizeof ws->why, "the server closed the WebSocket%s%s%s", code,
             reader->reason[0] != '\0' ? ": " : "", reader->reason);
    return -2;
}

/* Take what was left over first. */
static ptrdiff_t refill(nats__ws *ws, nats__ws_link link, uint8_t *space, size_t size,
                        nats__ws_sight *out)
{
    size_t left = ws->in.len - ws->in_at;
    if (left == 0) {
        ptrdiff_t n = link_read(link, space, size);
        out->raw = n > 0 ? (size_t)n : 0;
        out->more = out->raw == size;
        return n;
    }
    size_t n = left < size ? left : size;
    memcpy(space, ws->in.data + ws->in_at, n);
    ws->in_at += n;
    out->more = true;
    if (n == left) {
        nats__buf_free(&ws->in);
        ws->in_at = 0;
    }
    return (ptrdiff_t)n;
}

static ptrdiff_t read_plain(nats__ws *ws, nats__ws_link link, uint8_t *space, size_t size,
                            nats__ws_sight *out)
{
    ptrdiff_t n = refill(ws, link, space, size, out);
    if (n <= 0) {
        return n;
    }
    size_t kept = nats__ws_reader_strip(&ws->reader, space, (size_t)n);
    if (kept == 0 && is_over(ws)) {
        return end(ws);
    }
    out->more = out->more || is_over(ws);
    return (ptrdiff_t)kept;
}

/* The bytes that a compressed message ends with, and that are not sent. */
static const uint8_t message_tail[] = {0x00, 0x00, 0xFF, 0xFF};

/* The piece is used up: what comes after it? */
static void end_piece(nats__ws *ws)
{
    bool whole = ws->piece.deflated && ws->piece.last;
    ws->in_piece = whole && !ws->in_tail;
    if (ws->in_piece) {
        ws->in_tail = true;
        ws->piece.data = message_tail;
        ws->piece.len = sizeof message_tail;
        return;
    }
    ws->in_tail = false;
    if (whole && !ws->upgrade.takes_over) {
        nats__zip_forget(ws->zip);
    }
}

/* Unpack of the piece under way what there is room for; -1 when it is broken. */
static ptrdiff_t unpack(nats__ws *ws, uint8_t *space, size_t size)
{
    nats__ws_piece *piece = &ws->piece;
    if (piece->deflated) {
        ptrdiff_t n = nats__zip_inflate(ws->zip, &piece->data, &piece->len, space, size);
        if (n >= 0 && (size_t)n < size) {
            end_piece(ws);
        }
        return n;
    }
    size_t n = piece->len < size ? piece->len : size;
    memcpy(space, piece->data, n);
    piece->data += n;
    piece->len -= n;
    if (piece->len == 0) {
        end_piece(ws);
    }
    return (ptrdiff_t)n;
}

static bool next_piece(nats__ws *ws)
{
    const uint8_t *at = ws->in.data + ws->in_at;
    size_t left = ws->in.len - ws->in_at;
    ws->in_piece = left > 0 && nats__ws_reader_next(&ws->reader, &at, &left, &ws->piece);
    ws->in_at = ws->in.len - left;
    return ws->in_piece;
}

/* Unpack what was read, until the room is full or nothing is left. Returns how much; -1 when it is
 * broken. */
static ptrdiff_t unpack_all(nats__ws *ws, uint8_t *space, size_t size)
{
    size_t done = 0;
    while (done < size && (ws->in_piece || next_piece(ws))) {
        ptrdiff_t n = unpack(ws, space + done, size - done);
        if (n < 0) {
            return broken(ws, "what was compressed cannot be unpacked");
        }
        done += (size_t)n;
    }
    return (ptrdiff_t)done;
}

/* Whatever is in there unpacks to: no more of it than there is room for. */
static ptrdiff_t read_packed(nats__ws *ws, nats__ws_link link, uint8_t *space, size_t size,
                             nats__ws_sight *out)
{
    ptrdiff_t done = unpack_all(ws, space, size);
    if (done == 0 && !is_over(ws)) {
        ws->in.len = 0;
        ws->in_at = 0;
        if (!nats__buf_reserve(&ws->in, IN_MAX)) {
            errno = ENOMEM;
            return -1;
        }
        ptrdiff_t n = link_read(link, ws->in.data, IN_MAX);
        if (n <= 0) {
            return n;
        }
        out->raw = (size_t)n;
        ws->in.len = (size_t)n;
        done = unpack_all(ws, space, size);
    }
    if (done == 0 && is_over(ws)) {
        return end(ws);
    }
    bool left = ws->in_piece || ws->in_at < ws->in.len || out->raw == IN_MAX;
    out->more = left || is_over(ws);
    return done;
}

ptrdiff_t nats__ws_read(nats__ws *ws, nats__ws_link link, uint8_t *space, size_t size,
                        nats__ws_sight *out)
{
    *out = (nats__ws_sight){0};
    if (is_over(ws) && !ws->in_piece) {
        return end(ws);
    }
    return ws->zip != NULL ? read_packed(ws, link, space, size, out)
                           : read_plain(ws, link, space, size, out);
}

bool nats__ws_pong(nats__ws *ws)
{
    nats__ws_reader *reader = &ws->reader;
    uint8_t key[NATS__WS_KEY];
    if (!reader->pinged || !nats__random(key, sizeof key)) {
        return false;
    }
    reader->pinged = false;
    ws->writer.control_len = nats__ws_control(ws->writer.control, NATS__WS_PONG, reader->ping,
                                              reader->ping_len, key);
    return true;
}

/* ---- out ---- */

/* Random keys from the system, many at a time. NULL when it has none. */
static const uint8_t *next_key(nats__ws_writer *writer)
{
    if (writer->key_at == NATS__WS_KEYS) {
        if (!nats__random(writer->keys, sizeof writer->keys)) {
            return NULL;
        }
        writer->key_at = 0;
    }
    return writer->keys[writer->key_at++];
}

/* Payload stands where the longest head would leave it; the head ends there. */
static void put_head(nats__ws_writer *writer, size_t len, const uint8_t *key)
{
    uint8_t head[NATS__WS_HEAD_MAX];
    writer->head_len = nats__ws_head(head, NATS__WS_BINARY, writer->deflated, len, key);
    writer->at = NATS__WS_HEAD_MAX - writer->head_len;
    writer->frame.len = NATS__WS_HEAD_MAX + len;
    memcpy(writer->frame.data + writer->at, head, writer->head_len);
}

/* How much of len bytes goes into a frame. With less memory than it wants it takes less. */
static size_t make_room(nats__ws_writer *writer, size_t len)
{
    size_t most = len < NATS__WS_FRAME_MAX ? len : NATS__WS_FRAME_MAX;
    if (writer->frame.cap < NATS__WS_HEAD_MAX + most) {
        nats__buf_reserve(&writer->frame, NATS__WS_HEAD_MAX + most);
    }
    size_t room = writer->frame.cap - NATS__WS_HEAD_MAX;
    return room < most ? room : most;
}

/* False when there is no key. */
static bool put_frame(nats__ws_writer *writer, const uint8_t *data, size_t len, size_t deflate_max)
{
    const uint8_t *key = next_key(writer);
    if (key == NULL) {
        return false;
    }
    size_t covers = make_room(writer, len);
    size_t packed = 0;
    uint8_t *payload = writer->frame.data + NATS__WS_HEAD_MAX;
    if (writer->zip != NULL && deflate_max >= DEFLATE_MIN && covers >= DEFLATE_MIN) {
        covers = covers < deflate_max ? covers : deflate_max;
        packed = nats__zip_deflate(writer->zip, data, covers, payload, covers);
    }
    writer->deflated = packed > 0;
    writer->covers = covers;
    writer->secret = deflate_max == 0;
    size_t payload_len = packed > 0 ? packed : covers;
    nats__ws_mask(payload, packed > 0 ? payload : data, payload_len, key);
    put_head(writer, payload_len, key);
    return true;
}

bool nats__ws_waits(nats__ws_writer *writer)
{
    if (writer->at < writer->frame.len) {
        return true;
    }
    if (writer->control_len == 0) {
        return false;
    }
    memcpy(writer->frame.data, writer->control, writer->control_len);
    writer->frame.len = writer->control_len;
    writer->control_len = 0;
    return true;
}

static void end_frame(nats__ws_writer *writer)
{
    if (writer->secret) {
        nats__wipe(writer->frame.data, writer->frame.len);
    }
    writer->frame.len = 0;
    writer->at = 0;
    writer->covers = 0;
    writer->secret = false;
}

ptrdiff_t nats__ws_write(nats__ws_writer *writer, nats__ws_link link, const uint8_t *data,
                         size_t len, size_t deflate_max, size_t *covered_out)
{
    *covered_out = 0;
    if (writer->at == writer->frame.len && !put_frame(writer, data, len, deflate_max)) {
        return -1;
    }
    ptrdiff_t n = link_write(link, writer->frame.data + writer->at, writer->frame.len - writer->at);
    writer->at += n > 0 ? (size_t)n : 0;
    if (n > 0 && writer->at == writer->frame.len) {
        *covered_out = writer->covers;
        end_frame(writer);
    }
    return n;
}

size_t nats__ws_uncertain(const nats__ws_writer *writer)
{
    size_t begin = NATS__WS_HEAD_MAX - writer->head_len;
    bool begun = writer->at < writer->frame.len && writer->covers > 0 && writer->at > begin;
    if (!begun) {
        return 0;
    }
    if (writer->deflated) {
        return writer->covers; /* it cannot be told which of them */
    }
    return writer->at > NATS__WS_HEAD_MAX ? writer->at - NATS__WS_HEAD_MAX : 0;
}

void nats__ws_rest(nats__ws_writer *writer)
{
    if (writer->at < writer->frame.len || writer->frame.cap <= NATS__WS_FRAME_MIN) {
        return;
    }
    nats__buf less = {0};
    if (nats__buf_reserve(&less, NATS__WS_FRAME_MIN)) {
        nats__buf_swap(&less, &writer->frame);
    }
    nats__buf_free(&less);
}

void nats__ws_bye(nats__ws *ws, nats__ws_link link)
{
    uint8_t frame[NATS__WS_HEAD_MAX + NATS__WS_CONTROL_MAX];
    uint8_t key[NATS__WS_KEY];
    if (!ws->up || ws->writer.at < ws->writer.frame.len || !nats__random(key, sizeof key)) {
        return;
    }
    uint16_t code = ws->reader.closed          ? ws->reader.code
                    : ws->reader.error != NULL ? NATS__WS_PROTOCOL_ERROR
                                               : NATS__WS_NORMAL;
    link_write(link, frame, nats__ws_close(frame, code, key));
}
