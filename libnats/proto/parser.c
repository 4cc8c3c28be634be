#include "proto/parser.h"

#include <assert.h>
#include <string.h>

enum {
    READ_MIN = 4096, /* room worth a read: with less, the rest moves to a fresh chunk */
    ARGS_MAX = 5     /* HMSG has the most: subject sid reply header-size size */
};

/* ---- room ---- */

void nats__parser_init(nats__parser *parser, nats__chunk_pool *pool)
{
    memset(parser, 0, sizeof *parser);
    parser->pool = pool;
}

void nats__parser_reset(nats__parser *parser)
{
    nats__chunk_pool *pool = parser->pool;
    size_t payload_max = parser->payload_max;
    uint64_t answer_sid = parser->answer_sid;

    nats__parser_free(parser);
    nats__parser_init(parser, pool);
    parser->payload_max = payload_max;
    parser->answer_sid = answer_sid;
}

void nats__parser_free(nats__parser *parser)
{
    if (parser->chunk != NULL) {
        nats__chunk_leave(parser->chunk);
        parser->chunk = NULL;
    }
}

/* Where the bytes begin that the next operation needs: an awaited payload needs its line too,
 * for the message's subject stands there. */
static size_t kept_from(const nats__parser *parser)
{
    return parser->body_need > 0 ? parser->pending_text : parser->chunk->pos;
}

/* What the current operation still needs in one piece, from kept_from() on. A line of unknown
 * length gets twice what it has: a long one is copied O(n) in all. */
static size_t wanted(const nats__parser *parser, size_t kept)
{
    if (parser->body_need > 0) {
        return parser->chunk->pos - parser->pending_text + parser->body_need;
    }
    return 2 * kept + READ_MIN;
}

/* Move what is not done yet to a fresh chunk with room for `more`. The old one lives on in its
 * messages. */
static bool move_on(nats__parser *parser, size_t more)
{
    nats__chunk *old = parser->chunk;
    size_t from = kept_from(parser);
    size_t kept = old->len - from;
    size_t size = wanted(parser, kept);
    if (size < kept + more) {
        size = kept + more;
    }
    if (parser->busy && size < NATS__CHUNK_SIZE) {
        size = NATS__CHUNK_SIZE;
    }

    nats__chunk *fresh = nats__chunk_new(parser->pool, size);
    if (fresh == NULL) {
        return false;
    }
    memcpy(fresh->bytes, old->bytes + from, kept);
    fresh->len = kept;
    fresh->pos = old->pos - from;
    parser->offset += from;
    parser->pending_text = 0;
    parser->chunk = fresh;
    nats__chunk_leave(old);
    return true;
}

/* All was parsed and no message is held: begin at the chunk's front again, where the caches are
 * warm. */
static bool rewind_chunk(nats__parser *parser)
{
    nats__chunk *chunk = parser->chunk;
    size_t parsed = chunk->pos;
    if (parser->body_need > 0 || parsed < chunk->len || !nats__chunk_rewind(chunk)) {
        return false;
    }
    parser->offset += parsed;
    return true;
}

/* Is what is left of the chunk worth a read? The rest of a payload must fit; and it is cheaper
 * to move a few bytes on than to read a few. */
static bool has_room(const nats__parser *parser)
{
    const nats__chunk *chunk = parser->chunk;
    size_t room = chunk->cap - chunk->len;
    if (parser->body_need == 0) {
        return room >= READ_MIN;
    }
    size_t missing = parser->body_need - (chunk->len - chunk->pos);
    bool kept_is_much = chunk->len - parser->pending_text > READ_MIN;
    return room >= missing && (room >= READ_MIN || kept_is_much);
}

static bool make_room(nats__parser *parser)
{
    if (parser->chunk == NULL) {
        parser->chunk = nats__chunk_new(parser->pool, NATS__CHUNK_SMALL);
        return parser->chunk != NULL;
    }
    bool grow = parser->busy && parser->chunk->cap < NATS__CHUNK_SIZE;
    if (!grow && (rewind_chunk(parser) || has_room(parser))) {
        return true;
    }
    return move_on(parser, 0);
}

bool nats__parser_reserve(nats__parser *parser, uint8_t **space, size_t *size)
{
    if (!make_room(parser)) {
        return false;
    }

    nats__chunk *chunk = parser->chunk;
    *space = chunk->bytes + chunk->len;
    *size = chunk->cap - chunk->len;
    return true;
}

void nats__parser_rest(nats__parser *parser)
{
    nats__chunk *chunk = parser->chunk;
    parser->busy = false;
    if (chunk == NULL || parser->body_need > 0 || chunk->pos < chunk->len) {
        return;
    }
    parser->offset += chunk->len;
    parser->chunk = NULL;
    nats__chunk_leave(chunk);
}

bool nats__parser_reserve_all(nats__parser *parser, size_t len, uint8_t **space)
{
    size_t size;
    if (!nats__parser_reserve(parser, space, &size)) {
        return false;
    }
    if (size < len && !move_on(parser, len)) {
        return false;
    }
    *space = parser->chunk->bytes + parser->chunk->len;
    return true;
}

void nats__parser_commit(nats__parser *parser, size_t len)
{
    nats__chunk *chunk = parser->chunk;
    assert(chunk != NULL && len <= chunk->cap - chunk->len);

    /* A read that fills a small chunk says that more is waiting; one that leaves most of a large
     * chunk empty says that the rush is over. */
    if (len == chunk->cap - chunk->len) {
        parser->busy = true;
    } else if (len < NATS__CHUNK_SMALL / 4) {
        parser->busy = false;
    }
    chunk->len += len;
}

uint64_t nats__parser_offset(const nats__parser *parser)
{
    return parser->offset + (parser->chunk != NULL ? parser->chunk->len : 0);
}

/* ---- lines ---- */

static nats__op bad(nats__parser *parser, const char *error, size_t at)
{
    parser->error = error;
    parser->error_offset = parser->offset + at;
    return NATS__OP_BAD;
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

typedef struct arg {
    const uint8_t *text;
    size_t len;
} arg;

/* Cut a line's arguments at runs of blanks. Returns how many; ARGS_MAX + 1 for more than fit. */
static size_t split(const uint8_t *at, const uint8_t *end, arg *args)
{
    size_t count = 0;
    for (;;) {
        while (at < end && is_blank(*at)) {
            at++;
        }
        if (at == end) {
            return count;
        }
        if (count == ARGS_MAX) {
            return ARGS_MAX + 1;
        }
        const uint8_t *start = at;
        while (at < end && !is_blank(*at)) {
            at++;
        }
        args[count].text = start;
        args[count].len = (size_t)(at - start);
        count++;
    }
}

/* A decimal number without sign, at most max. */
static bool number(arg text, uint64_t max, uint64_t *out)
{
    if (text.len == 0 || text.len > 20) {
        return false;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint64_t digit = (uint64_t)text.text[i] - '0';
        if (digit > 9 || digit > max || value > (max - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

/* The line at chunk->pos, its end (without CRLF) and how long it is with it. */
typedef struct line {
    const uint8_t *start;
    const uint8_t *end;
    size_t len;
} line;

static size_t place(const nats__parser *parser, const uint8_t *at)
{
    return (size_t)(at - parser->chunk->bytes);
}

/* Remember the message whose line was read; its payload comes next. */
static nats__op expect_body(nats__parser *parser, const line *at, const arg *args, size_t count,
                            bool with_headers)
{
    size_t fixed = with_headers ? 4 : 3; /* arguments without a reply subject */
    if (count != fixed && count != fixed + 1) {
        return bad(parser, "wrong number of arguments", place(parser, at->start));
    }
    arg none = {args[0].text + args[0].len, 0};
    arg reply = count == fixed ? none : args[2];
    arg size = args[count - 1];
    uint64_t sid;
    uint64_t total;
    uint64_t header = 0;
    if (!number(args[1], UINT64_MAX, &sid)) {
        return bad(parser, "sid is not a number", place(parser, args[1].text));
    }
    if (!number(size, UINT32_MAX, &total)) {
        return bad(parser, "size is not a number below 2^32", place(parser, size.text));
    }
    if (with_headers && !number(args[count - 2], total, &header)) {
        return bad(parser, "header size is not a number up to the size",
                   place(parser, args[count - 2].text));
    }
    uint64_t added = header < NATS__SERVER_HEADERS_MAX ? header : NATS__SERVER_HEADERS_MAX;
    bool may_answer = sid == parser->answer_sid && sid != 0 && total <= NATS__ANSWER_MAX;
    if (total > parser->payload_max + added && !may_answer) {
        return bad(parser, "size is over max_payload", place(parser, size.text));
    }

    nats_msg *msg = &parser->pending;
    const uint8_t *text = args[0].text;
    msg->sid = sid;
    msg->subject_len = (uint16_t)args[0].len;
    msg->reply = (uint16_t)(reply.text - text);
    msg->reply_len = (uint16_t)reply.len;
    msg->body = (uint32_t)(at->start + at->len - text);
    msg->header_len = (uint32_t)header;
    msg->data_len = (uint32_t)(total - header);
    parser->pending_text = place(parser, text);
    parser->body_need = (size_t)total + 2;
    return NATS__OP_MSG;
}

/* An operation's name, and what its line means. `at` is past the name; name_len bytes were
 * compared. */
static nats__op on_msg(nats__parser *parser, const line *at, const uint8_t *args_at)
{
    arg args[ARGS_MAX];
    size_t count = split(args_at, at->end, args);
    return expect_body(parser, at, args, count, false);
}

static nats__op on_hmsg(nats__parser *parser, const line *at, const uint8_t *args_at)
{
    arg args[ARGS_MAX];
    size_t count = split(args_at, at->end, args);
    return expect_body(parser, at, args, count, true);
}

static void set_text(nats__parser *parser, const line *at, const uint8_t *args_at)
{
    while (args_at < at->end && is_blank(*args_at)) {
        args_at++;
    }
    parser->text = (const char *)args_at;
    parser->text_len = (size_t)(at->end - args_at);
}

static nats__op on_info(nats__parser *parser, const line *at, const uint8_t *args_at)
{
    set_text(parser, at, args_at);
    return NATS__OP_INFO;
}

static nats__op on_err(nats__parser *parser, const line *at, const uint8_t *args_at)
{
    set_text(parser, at, args_at);
    return NATS__OP_ERR;
}

static nats__op on_ping(nats__parser *parser, const line *at, const uint8_t *args_at)
{
    (void)parser, (void)at, (void)args_at;
    return NATS__OP_PING;
}

static nats__op on_pong(nats__parser *parser, const line *at, const uint8_t *args_at)
{
    (void)parser, (void)at, (void)args_at;
    return NATS__OP_PONG;
}

static nats__op on_ok(nats__parser *parser, const line *at, const uint8_t *args_at)
{
    (void)parser, (void)at, (void)args_at;
    return NATS__OP_OK;
}

typedef struct operation {
    const char *name; /* upper case */
    size_t name_len;
    size_t line_max;
    nats__op (*read)(nats__parser *, const line *, const uint8_t *);
} operation;

static const operation operations[] = {
    {"MSG", 3, NATS__CONTROL_LINE_MAX, on_msg},
    {"HMSG", 4, NATS__CONTROL_LINE_MAX, on_hmsg},
    {"PING", 4, NATS__CONTROL_LINE_MAX, on_ping},
    {"PONG", 4, NATS__CONTROL_LINE_MAX, on_pong},
    {"INFO", 4, NATS__INFO_LINE_MAX, on_info},
    {"+OK", 3, NATS__CONTROL_LINE_MAX, on_ok},
    {"-ERR", 4, NATS__CONTROL_LINE_MAX, on_err},
};

static bool ends_word(uint8_t byte)
{
    return is_blank(byte) || byte == '\r';
}

/* The operation that the first bytes name, as far as they are there: upper or lower case, as
 * servers and clients have always taken it. NULL when there is none such. */
static const operation *find_operation(const uint8_t *start, size_t len)
{
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        const operation *op = &operations[i];
        size_t n = len < op->name_len ? len : op->name_len;
        size_t same = 0;
        while (same < n && (start[same] == (uint8_t)op->name[same] ||
                            start[same] == ((uint8_t)op->name[same] | 0x20))) {
            same++;
        }
        if (same == n && (len <= n || ends_word(start[n]))) {
            return op;
        }
    }
    return NULL;
}

/* No whole line yet: is it one that may still become good? */
static nats__op partial_line(nats__parser *parser, const uint8_t *start, size_t len)
{
    if (len == 0) {
        return NATS__OP_MORE;
    }
    const operation *op = find_operation(start, len);
    if (op == NULL) {
        return bad(parser, "unknown operation", place(parser, start));
    }
    if (len > op->line_max) {
        return bad(parser, "line is too long", place(parser, start) + op->line_max);
    }
    parser->scanned = len;
    return NATS__OP_MORE;
}

static nats__op read_line(nats__parser *parser)
{
    nats__chunk *chunk = parser->chunk;
    const uint8_t *start = chunk->bytes + chunk->pos;
    size_t len = chunk->len - chunk->pos;
    const uint8_t *newline =
        memchr(start + parser->scanned, '\n', len - parser->scanned);
    if (newline == NULL) {
        return partial_line(parser, start, len);
    }

    line at = {start, newline, (size_t)(newline - start) + 1};
    if (at.end > at.start && at.end[-1] == '\r') {
        at.end--;
    }
    size_t text_len = (size_t)(at.end - at.start);
    const operation *op = text_len > 0 ? find_operation(start, text_len) : NULL;
    if (op == NULL || text_len < op->name_len) {
        return bad(parser, "unknown operation", place(parser, start));
    }
    if (at.len > op->line_max) {
        return bad(parser, "line is too long", place(parser, start) + op->line_max);
    }
    parser->scanned = 0;
    nats__op result = op->read(parser, &at, start + op->name_len);
    if (result != NATS__OP_BAD) {
        chunk->pos += at.len;
    }
    return result;
}

/* ---- payloads ---- */

static bool ends_well(const uint8_t *end)
{
    return end[0] == '\r' && end[1] == '\n';
}

/* NULs go where blanks and line ends were, so that C programs may read the texts as strings. */
static void terminate(uint8_t *text, const nats_msg *msg, uint8_t *end)
{
    text[msg->subject_len] = '\0';
    text[msg->reply + msg->reply_len] = '\0';
    end[0] = '\0';
}

/* The line was read before; when the payload is whole too, make the record. */
static nats__op read_body(nats__parser *parser)
{
    nats__chunk *chunk = parser->chunk;
    if (chunk->len - chunk->pos < parser->body_need) {
        return NATS__OP_MORE;
    }
    uint8_t *end = chunk->bytes + chunk->pos + parser->body_need - 2;
    if (!ends_well(end)) {
        return bad(parser, "payload is not followed by CR LF", place(parser, end));
    }

    nats_msg *msg = nats__chunk_msg(chunk);
    if (msg == NULL) {
        return NATS__OP_NO_MEMORY;
    }
    *msg = parser->pending;
    msg->chunk = chunk;
    uint8_t *text = chunk->bytes + parser->pending_text;
    msg->text = text;
    terminate(text, msg, end);
    chunk->pos += parser->body_need;
    parser->body_need = 0;
    parser->msg = msg;
    return NATS__OP_MSG;
}

/* ---- the way of nearly every message ---- */

/* Called in several places: the compiler would stop at the first. */
#define ALWAYS_INLINE inline __attribute__((always_inline))

enum { SID_DIGITS_SAFE = 19, SIZE_DIGITS_SAFE = 9 }; /* so many cannot overflow */

/* Digits up to something else. Returns where they end. */
static ALWAYS_INLINE const uint8_t *read_digits(const uint8_t *at, const uint8_t *end,
                                                uint64_t *out)
{
    uint64_t value = 0;
    while (at < end && (uint8_t)(*at - '0') <= 9) {
        value = value * 10 + (uint64_t)(*at++ - '0');
    }
    *out = value;
    return at;
}

/* The first byte that is a blank or a control byte, or end; eight bytes at a time where there are
 * as many. Subtracting 0x21 from such a byte borrows, which shows in its high bit. */
static ALWAYS_INLINE const uint8_t *find_word_end(const uint8_t *at, const uint8_t *end)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    while (end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        uint64_t found = (word - ones * 0x21) & ~word & (ones << 7);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        if (found != 0) {
            return at + __builtin_ctzll(found) / 8;
        }
#else
        if (found != 0) {
            break;
        }
#endif
        at += 8;
    }
    while (at < end && *at > ' ') {
        at++;
    }
    return at;
}

/* A line that is being read the fast way, and the ends of its words. */
typedef struct fast_line {
    uint8_t *start;
    uint8_t *text; /* the subject */
    const uint8_t *end; /* of what may belong to the line */
    const uint8_t *subject_end;
    const uint8_t *reply;
    const uint8_t *reply_end;
    uint64_t sid;
    uint64_t header;
    uint64_t size;
} fast_line;

/* "NAME subject sid ", up to where the reply or a size begins. */
static ALWAYS_INLINE bool fast_head(const nats__parser *parser, size_t name_len, fast_line *at)
{
    const uint8_t *bytes_end = parser->chunk->bytes + parser->chunk->len;
    at->text = at->start + name_len;
    at->end = bytes_end - at->start > NATS__CONTROL_LINE_MAX ? at->start + NATS__CONTROL_LINE_MAX
                                                             : bytes_end;
    at->subject_end = find_word_end(at->text, at->end);
    if (at->subject_end == at->text || at->subject_end == at->end || *at->subject_end != ' ') {
        return false;
    }
    const uint8_t *sid_end = read_digits(at->subject_end + 1, at->end, &at->sid);
    at->reply = sid_end + 1;
    at->reply_end = at->reply;
    return sid_end < at->end && *sid_end == ' ' && sid_end > at->subject_end + 1 &&
           sid_end - at->subject_end - 1 <= SID_DIGITS_SAFE;
}

/* The word at at->reply is one. Returns what follows its blank; at->end when that is not so. */
static ALWAYS_INLINE const uint8_t *fast_reply(fast_line *at)
{
    at->reply_end = find_word_end(at->reply, at->end);
    bool blank = at->reply_end > at->reply && at->reply_end < at->end && *at->reply_end == ' ';
    return blank ? at->reply_end + 1 : at->end;
}

/* Digits from..to were a size: few enough, and there. */
static ALWAYS_INLINE bool is_size(const uint8_t *from, const uint8_t *to)
{
    return to > from && to - from <= SIZE_DIGITS_SAFE;
}

/* The line ends at size_end: is all that it tells of there? Then it is a message. */
static ALWAYS_INLINE bool fast_take(nats__parser *parser, const fast_line *at,
                                    const uint8_t *size_end)
{
    nats__chunk *chunk = parser->chunk;
    if (at->end - size_end < 2 || !ends_well(size_end) || at->size > parser->payload_max) {
        return false;
    }
    uint8_t *body = at->start + (size_end + 2 - at->start);
    size_t there = (size_t)(chunk->bytes + chunk->len - body);
    if (there < at->size + 2 || !ends_well(body + at->size)) {
        return false;
    }

    nats_msg *msg = nats__chunk_msg(chunk);
    if (msg == NULL) {
        return false;
    }
    msg->text = at->text;
    msg->sid = at->sid;
    msg->data_len = (uint32_t)(at->size - at->header);
    msg->header_len = (uint32_t)at->header;
    msg->body = (uint32_t)(body - at->text);
    msg->subject_len = (uint16_t)(at->subject_end - at->text);
    msg->reply_len = (uint16_t)(at->reply_end - at->reply);
    msg->reply = (uint16_t)((at->reply_end > at->reply ? at->reply : at->subject_end) - at->text);
    terminate(at->text, msg, body + at->size);
    chunk->pos = (size_t)(body + at->size + 2 - chunk->bytes);
    parser->msg = msg;
    return true;
}

/* "MSG subject sid [reply] size\r\n" */
static ALWAYS_INLINE bool fast_msg(nats__parser *parser, uint8_t *start)
{
    fast_line at = {.start = start};
    if (!fast_head(parser, 4, &at)) {
        return false;
    }
    const uint8_t *digits = at.reply;
    const uint8_t *size_end = read_digits(digits, at.end, &at.size);
    if (size_end < at.end && *size_end != '\r') {
        digits = fast_reply(&at);
        size_end = read_digits(digits, at.end, &at.size);
    }
    return is_size(digits, size_end) && fast_take(parser, &at, size_end);
}

/* "HMSG subject sid [reply] header-size size\r\n": what comes first may be a reply that looks like
 * a number. Out of line, to leave the registers to messages without headers. */
static __attribute__((noinline)) bool fast_hmsg(nats__parser *parser, uint8_t *start)
{
    fast_line at = {.start = start};
    if (!fast_head(parser, 5, &at)) {
        return false;
    }
    const uint8_t *first = at.reply;
    const uint8_t *first_end = read_digits(first, at.end, &at.header);
    const uint8_t *second = first_end < at.end ? first_end + 1 : at.end;
    const uint8_t *second_end = read_digits(second, at.end, &at.size);
    if (first_end == at.end || *first_end != ' ' || second_end == at.end || *second_end != '\r') {
        first = fast_reply(&at);
        first_end = read_digits(first, at.end, &at.header);
        second = first_end < at.end && *first_end == ' ' ? first_end + 1 : at.end;
        second_end = read_digits(second, at.end, &at.size);
    }
    return is_size(first, first_end) && is_size(second, second_end) && at.header <= at.size &&
           fast_take(parser, &at, second_end);
}

/* Messages as servers write them, whole and with their payload, in one pass. False for all that is
 * not exactly that, also when it is only not all there yet: the careful way reads it then and finds
 * the words for what is wrong. */
static ALWAYS_INLINE bool fast(nats__parser *parser)
{
    enum { SHORTEST = 12 };
    nats__chunk *chunk = parser->chunk;
    uint8_t *start = chunk->bytes + chunk->pos;
    if (chunk->len - chunk->pos < SHORTEST) {
        return false;
    }
    if (memcmp(start, "MSG ", 4) == 0) {
        return fast_msg(parser, start);
    }
    return memcmp(start, "HMSG ", 5) == 0 && fast_hmsg(parser, start);
}

nats__op nats__parser_next(nats__parser *parser)
{
    if (parser->chunk == NULL) {
        return NATS__OP_MORE;
    }
    if (parser->body_need == 0) {
        if (parser->scanned == 0 && fast(parser)) {
            return NATS__OP_MSG;
        }
        nats__op op = read_line(parser);
        if (op != NATS__OP_MSG) {
            return op;
        }
    }
    return read_body(parser);
}
