/* The wire: any bytes, cut anywhere, give the same operations as in one piece, each of them within
 * what was handed in, and memory stays in bounds. The first byte of the input chooses the cuts. */
#include "check.h"
#include "proto/parser.h"

enum {
    PAYLOAD_MAX = 4096,
    FNV_PRIME = 16777619,
    TEXT_MAX = 2048 /* bytes of an operation's texts that the digest looks at, from each end */
};

typedef struct digest {
    uint32_t sum;
    size_t messages;
    bool bad;
    uint64_t bad_at;
} digest;

static void mix(digest *out, const void *data, size_t len)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < len; i++) {
        out->sum = (out->sum ^ bytes[i]) * FNV_PRIME;
    }
}

static void mix_number(digest *out, uint64_t number)
{
    mix(out, &number, sizeof number);
}

static void mix_msg(digest *out, nats_msg *msg)
{
    size_t header_len;
    size_t data_len;
    size_t reply_len;
    const char *subject = nats_msg_subject(msg, NULL);
    const char *reply = nats_msg_reply(msg, &reply_len);
    const char *data = nats_msg_data(msg, &data_len);
    const char *headers = nats_msg_headers_raw(msg, &header_len);
    CHECK(data_len <= PAYLOAD_MAX);
    CHECK(header_len <= PAYLOAD_MAX + NATS__SERVER_HEADERS_MAX);
    CHECK(msg->subject_len > 0 && subject[msg->subject_len] == '\0');
    CHECK(reply == NULL || reply[reply_len] == '\0');
    CHECK(data[data_len] == '\0');
    CHECK(is_within(subject, nats__msg_room(msg), msg->chunk->bytes, msg->chunk->cap));
    mix_number(out, nats_msg_sid(msg));
    mix(out, subject, msg->subject_len);
    mix(out, reply, reply_len);
    mix(out, headers, header_len);
    mix(out, data, data_len);
    out->messages++;
    nats_msg_free(msg);
}

static void mix_text(digest *out, const nats__parser *parser)
{
    size_t len = parser->text_len;
    CHECK(is_within(parser->text, len, parser->chunk->bytes, parser->chunk->len));
    mix_number(out, len);
    mix(out, parser->text, len < TEXT_MAX ? len : TEXT_MAX);
}

/* False once the bytes turned out bad. */
static bool pull(nats__parser *parser, digest *out)
{
    nats__op op;
    while ((op = nats__parser_next(parser)) != NATS__OP_MORE) {
        CHECK(op != NATS__OP_NO_MEMORY);
        mix(out, &op, sizeof op);
        if (op == NATS__OP_BAD) {
            CHECK(parser->error != NULL && parser->error_offset <= nats__parser_offset(parser));
            out->bad = true;
            out->bad_at = parser->error_offset;
            return false;
        }
        if (op == NATS__OP_MSG) {
            mix_msg(out, parser->msg);
        } else if (op == NATS__OP_INFO || op == NATS__OP_ERR) {
            mix_text(out, parser);
        }
    }
    return true;
}

static void put(nats__parser *parser, const uint8_t *data, size_t len, bool whole)
{
    while (len > 0) {
        uint8_t *space;
        size_t size = len;
        CHECK(whole ? nats__parser_reserve_all(parser, len, &space)
                    : nats__parser_reserve(parser, &space, &size));
        CHECK(size > 0);
        size_t n = len < size ? len : size;
        memcpy(space, data, n);
        nats__parser_commit(parser, n);
        data += n;
        len -= n;
    }
}

/* cut 0: in one piece; else in pieces of 1 to `cut` bytes. */
static digest parse(nats__chunk_pool *pool, const uint8_t *data, size_t size, unsigned cut)
{
    nats__parser parser;
    digest out = {.sum = 2166136261u};
    nats__parser_init(&parser, pool);
    parser.payload_max = PAYLOAD_MAX;
    size_t piece = 0;
    for (size_t at = 0; at < size; at += piece) {
        piece = cut == 0 ? size : (at * 7 + piece) % cut + 1;
        piece = piece < size - at ? piece : size - at;
        put(&parser, data + at, piece, cut == 0 || at % 2 == 0);
        if (!pull(&parser, &out)) {
            break;
        }
        CHECK(parser.chunk->cap <= 2 * (size_t)NATS__INFO_LINE_MAX + NATS__CHUNK_SIZE + piece);
    }
    nats__parser_free(&parser);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    nats__chunk_pool *pool = nats__chunk_pool_new();
    CHECK(pool != NULL);
    digest whole = parse(pool, data + 1, size - 1, 0);
    const unsigned cuts[] = {1, (unsigned)data[0] + 1, 5000};
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        digest pieces = parse(pool, data + 1, size - 1, cuts[i]);
        CHECK(pieces.bad == whole.bad && pieces.messages == whole.messages);
        CHECK(pieces.bad_at == whole.bad_at);
        CHECK(pieces.sum == whole.sum);
    }
    nats__chunk_pool_close(pool);
    return 0;
}
