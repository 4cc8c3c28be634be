/* WebSocket: any bytes from a server, cut anywhere, give the same payload, the same notes and the
 * same end as in one piece. The first byte chooses the cuts and what was agreed on. */
#include "check.h"
#include "proto/websocket.h"

typedef struct result {
    uint32_t sum;
    size_t len;
    nats__ws_reader reader;
} result;

static void mix(result *out, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        out->sum = (out->sum ^ data[i]) * 16777619u;
    }
    out->len += len;
}

/* The pieces of a compressed message are looked at as they are; its end is counted in. */
static void take(result *out, const uint8_t *data, size_t len)
{
    const uint8_t *at = data;
    size_t left = len;
    nats__ws_piece piece;
    while (nats__ws_reader_next(&out->reader, &at, &left, &piece)) {
        CHECK(is_within(piece.data, piece.len, data, len));
        CHECK(piece.len > 0 || (piece.deflated && piece.last));
        CHECK(!piece.deflated || out->reader.deflate);
        mix(out, piece.data, piece.len);
        if (piece.deflated && piece.last) {
            mix(out, (const uint8_t *)"|", 1);
        }
    }
    CHECK(is_within(at, left, data, len));
    CHECK(left == 0 || out->reader.closed || out->reader.error != NULL);
}

static void strip(result *out, const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len);
    CHECK(copy != NULL);
    memcpy(copy, data, len);
    size_t kept = nats__ws_reader_strip(&out->reader, copy, len);
    CHECK(kept <= len);
    mix(out, copy, kept);
    free(copy);
}

/* cut 0: in one piece; else in pieces of 1 to `cut` bytes. */
static result read_all(const uint8_t *data, size_t size, unsigned cut, bool deflate)
{
    result out = {.sum = 2166136261u};
    nats__ws_reader_init(&out.reader);
    out.reader.deflate = deflate;
    size_t piece = 0;
    for (size_t at = 0; at < size; at += piece) {
        piece = cut == 0 ? size : (at * 7 + piece) % cut + 1;
        piece = piece < size - at ? piece : size - at;
        if (deflate) {
            take(&out, data + at, piece);
        } else {
            strip(&out, data + at, piece);
        }
    }
    CHECK(out.reader.ping_len <= NATS__WS_CONTROL_MAX);
    CHECK(memchr(out.reader.reason, '\0', sizeof out.reader.reason) != NULL);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    bool deflate = data[0] % 2 == 1;
    result whole = read_all(data + 1, size - 1, 0, deflate);
    const unsigned cuts[] = {1, data[0] / 2u + 1};
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        result pieces = read_all(data + 1, size - 1, cuts[i], deflate);
        CHECK(pieces.sum == whole.sum && pieces.len == whole.len);
        CHECK(pieces.reader.error == whole.reader.error);
        CHECK(pieces.reader.closed == whole.reader.closed);
        CHECK(pieces.reader.code == whole.reader.code);
        CHECK(pieces.reader.pinged == whole.reader.pinged);
        CHECK(pieces.reader.ping_len == whole.reader.ping_len);
    }
    return 0;
}
