/* The parser: every operation, every limit, every split. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/parser.h"

enum { LOG_MAX = 4096 };

typedef struct reader {
    nats__parser parser;
    char log[LOG_MAX];
    size_t log_len;
} reader;

static void setup_reader(reader *self)
{
    memset(self, 0, sizeof *self);
    nats__parser_init(&self->parser, nats__chunk_pool_new());
    self->parser.payload_max = 1024;
}

static void end_reader(reader *self)
{
    nats__chunk_pool *pool = self->parser.pool;
    nats__parser_free(&self->parser);
    nats__chunk_pool_close(pool);
}

static void note(reader *self, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(self->log + self->log_len, LOG_MAX - self->log_len, format, args);
    va_end(args);
    assert_true(n >= 0 && (size_t)n < LOG_MAX - self->log_len);
    self->log_len += (size_t)n;
}

static void note_msg(reader *self)
{
    nats_msg *msg = self->parser.msg;
    size_t reply_len;
    size_t data_len;
    size_t header_len;
    const char *reply = nats_msg_reply(msg, &reply_len);
    const char *data = nats_msg_data(msg, &data_len);
    nats_msg_headers_raw(msg, &header_len);
    note(self, "msg %s %llu %s h%zu ", nats_msg_subject(msg, NULL),
         (unsigned long long)nats_msg_sid(msg), reply != NULL ? reply : "-", header_len);
    for (size_t i = 0; i < data_len; i++) {
        note(self, data[i] >= 33 && data[i] < 127 ? "%c" : "%%%02x", (unsigned char)data[i]);
    }
    assert_int_equal(data[data_len], 0);
    note(self, "|");
    nats_msg_free(msg);
}

/* Pull all there is. False once the bytes turned out bad. */
static int pull(reader *self)
{
    for (;;) {
        nats__op op = nats__parser_next(&self->parser);
        switch (op) {
        case NATS__OP_MORE:
            return 1;
        case NATS__OP_MSG:
            note_msg(self);
            break;
        case NATS__OP_INFO:
        case NATS__OP_ERR:
            note(self, "%s %.*s|", op == NATS__OP_INFO ? "info" : "err",
                 (int)self->parser.text_len, self->parser.text);
            break;
        case NATS__OP_BAD:
            note(self, "bad %llu %s|", (unsigned long long)self->parser.error_offset,
                 self->parser.error);
            return 0;
        default:
            note(self, "%s|", op == NATS__OP_PING ? "ping" : op == NATS__OP_PONG ? "pong" : "ok");
        }
    }
}

static int feed(reader *self, const char *bytes, size_t len)
{
    while (len > 0) {
        uint8_t *space;
        size_t size;
        assert_true(nats__parser_reserve(&self->parser, &space, &size));
        size_t n = len < size ? len : size;
        memcpy(space, bytes, n);
        nats__parser_commit(&self->parser, n);
        bytes += n;
        len -= n;
        if (!pull(self)) {
            return 0;
        }
    }
    return 1;
}

typedef struct vector {
    const char *bytes;
    const char *events;
} vector;

static const vector vectors[] = {
    {"PING\r\n", "ping|"},
    {"ping\r\nPong\r\n", "ping|pong|"},
    {"+OK\r\n+ok\r\n", "ok|ok|"},
    {"PING\n", "ping|"},
    {"-ERR 'Unknown Protocol'\r\n", "err 'Unknown Protocol'|"},
    {"-ERR\r\n", "err |"},
    {"INFO {}\r\n", "info {}|"},
    {"INFO \t{\"a\":1} \r\n", "info {\"a\":1} |"},
    {"MSG a 1 0\r\n\r\n", "msg a 1 - h0 |"},
    {"MSG a 1 3\r\nabc\r\n", "msg a 1 - h0 abc|"},
    {"MSG a.b 12 r.x 4\r\nPING\r\nPING\r\n", "msg a.b 12 r.x h0 PING|ping|"},
    {"MSG a 1 77 3\r\nabc\r\n", "msg a 1 77 h0 abc|"},
    {"msg\ta \t 1   3 \r\n\r\n\n\r\n", "msg a 1 - h0 %0d%0a%0a|"},
    {"MSG a 007 003\r\nabc\r\n", "msg a 7 - h0 abc|"},
    {"HMSG a 1 12 15\r\nNATS/1.0\r\n\r\nabc\r\n", "msg a 1 - h12 abc|"},
    {"HMSG a 1 r 12 12\r\nNATS/1.0\r\n\r\n\r\n", "msg a 1 r h12 |"},
    {"MSG a 18446744073709551615 0\r\n\r\n", "msg a 18446744073709551615 - h0 |"},
    {"MSG a.long.subject.of.many.bytes 1 r.e.p.l.y.of.many 3\r\nabc\r\n",
     "msg a.long.subject.of.many.bytes 1 r.e.p.l.y.of.many h0 abc|"},
    /* bad ones name the byte */
    {"MSG a\nb 1 0\r\n\r\n", "bad 0 wrong number of arguments|"},
    {"MSG a 1 b\nc 3\r\nabc\r\n", "bad 8 size is not a number below 2^32|"},
    {"MSG a 18446744073709551616 0\r\n\r\n", "bad 6 sid is not a number|"},
    {"PING\r\nMSG a x 0\r\n\r\n", "ping|bad 12 sid is not a number|"},
    {"MSG a 1 -1\r\n", "bad 8 size is not a number below 2^32|"},
    {"MSG a 1 4294967296\r\n", "bad 8 size is not a number below 2^32|"},
    {"MSG a 1 99999999999999999999999\r\n", "bad 8 size is not a number below 2^32|"},
    {"MSG a 1 1025\r\n", "bad 8 size is over max_payload|"},
    {"MSG a 1\r\n", "bad 0 wrong number of arguments|"},
    {"MSG a 1 b 2 3\r\n", "bad 0 wrong number of arguments|"},
    {"MSG a 1 b 2 3 4 5\r\n", "bad 0 wrong number of arguments|"},
    {"MSG\r\n", "bad 0 wrong number of arguments|"},
    {"MSG a 1 3\r\nabcd\r\n", "bad 14 payload is not followed by CR LF|"},
    {"MSG a 1 3\r\nabc\n\n", "bad 14 payload is not followed by CR LF|"},
    {"HMSG a 1 13 12\r\n", "bad 9 header size is not a number up to the size|"},
    {"HMSG a 1 12\r\n", "bad 0 wrong number of arguments|"},
    {"\r\n", "bad 0 unknown operation|"},
    {"GARBAGE", "bad 0 unknown operation|"},
    {"PINGPONG\r\n", "bad 0 unknown operation|"},
    {"+OKAY\r\n", "bad 0 unknown operation|"},
    {"HMSG a 1 9 5\r\nhello\r\n", "bad 9 header size is not a number up to the size|"},
    {"HMSG a 1 77 0\r\n\r\n", "bad 9 header size is not a number up to the size|"},
    {"HMSG a 1 7 12 12\r\nNATS/1.0\r\n\r\n\r\n", "msg a 1 7 h12 |"},
    {"MSGa 1 0\r\n\r\n", "bad 0 unknown operation|"},
    {"PUB a 0\r\n\r\n", "bad 0 unknown operation|"},
};

static void play(const vector *one, size_t first, size_t step)
{
    reader self;
    setup_reader(&self);
    size_t len = strlen(one->bytes);
    size_t at = first < len ? first : len;
    int good = feed(&self, one->bytes, at);
    while (good && at < len) {
        size_t n = step < len - at ? step : len - at;
        good = feed(&self, one->bytes + at, n);
        at += n;
    }
    assert_string_equal(self.log, one->events);
    end_reader(&self);
}

static void reads_every_operation_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        play(&vectors[i], SIZE_MAX, SIZE_MAX);
    }
}

static void reads_the_same_byte_by_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        play(&vectors[i], 1, 1);
    }
}

static void reads_the_same_at_every_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        for (size_t at = 1; at < strlen(vectors[i].bytes); at++) {
            play(&vectors[i], at, SIZE_MAX);
        }
    }
}

static void refuses_a_control_line_that_never_ends(void **state)
{
    (void)state;
    reader self;
    setup_reader(&self);
    char line[NATS__CONTROL_LINE_MAX + 16];
    memset(line, 'a', sizeof line);
    memcpy(line, "MSG ", 4);

    assert_false(feed(&self, line, sizeof line));

    assert_string_equal(self.log, "bad 8192 line is too long|");
    end_reader(&self);
}

static void takes_a_long_info_and_refuses_an_endless_one(void **state)
{
    (void)state;
    size_t len = NATS__INFO_LINE_MAX + 1;
    char *line = malloc(len);
    memset(line, 'x', len);
    memcpy(line, "INFO ", 5);
    memcpy(line + len - 3, "\r\n", 2);
    reader self;
    setup_reader(&self);
    for (size_t at = 0; at < len - 1; at += 1000) {
        size_t n = len - 1 - at < 1000 ? len - 1 - at : 1000;
        uint8_t *space;
        size_t size;
        assert_true(nats__parser_reserve(&self.parser, &space, &size));
        assert_true(size >= n);
        memcpy(space, line + at, n);
        nats__parser_commit(&self.parser, n);
        nats__op op = nats__parser_next(&self.parser);
        assert_int_equal(op, at + n == len - 1 ? NATS__OP_INFO : NATS__OP_MORE);
    }
    assert_int_equal(self.parser.text_len, len - 1 - 7);

    line[len - 3] = line[len - 2] = 'x';
    assert_false(feed(&self, line, len) && feed(&self, line, len));
    assert_non_null(strstr(self.log, "line is too long"));
    end_reader(&self);
    free(line);
}

static void messages_outlive_the_parser(void **state)
{
    (void)state;
    reader self;
    setup_reader(&self);
    uint8_t *space;
    size_t size;
    assert_true(nats__parser_reserve(&self.parser, &space, &size));
    memcpy(space, "MSG a 1 2\r\nhi\r\n", 15);
    nats__parser_commit(&self.parser, 15);
    assert_int_equal(nats__parser_next(&self.parser), NATS__OP_MSG);
    nats_msg *msg = self.parser.msg;

    end_reader(&self);

    assert_string_equal(nats_msg_subject(msg, NULL), "a");
    assert_string_equal(nats_msg_data(msg, NULL), "hi");
    nats_msg_free(msg);
}

static void answers_may_be_over_max_payload(void **state)
{
    (void)state;
    char head[64];
    for (int over = 0; over < 2; over++) {
        reader self;
        setup_reader(&self);
        self.parser.answer_sid = 7;
        nats__parser_reset(&self.parser); /* whose answers they are outlives a connection */
        snprintf(head, sizeof head, "MSG a 7 %d\r\n", NATS__ANSWER_MAX + over);
        assert_int_equal(feed(&self, head, strlen(head)), over == 0);
        assert_string_equal(self.log, over == 0 ? "" : "bad 8 size is over max_payload|");
        end_reader(&self);
    }
    play(&(vector){"MSG a 7 1025\r\n", "bad 8 size is over max_payload|"}, SIZE_MAX, SIZE_MAX);
}

static void large_payloads_arrive_unchanged_in_any_piece(void **state)
{
    (void)state;
    enum { SIZE = 300000 };
    reader self;
    setup_reader(&self);
    self.parser.payload_max = SIZE;
    char head[64];
    int head_len = snprintf(head, sizeof head, "MSG big 9 %d\r\n", SIZE);
    size_t len = (size_t)head_len + SIZE + 2;
    char *bytes = malloc(len);
    memcpy(bytes, head, (size_t)head_len);
    for (size_t i = 0; i < SIZE; i++) {
        bytes[(size_t)head_len + i] = (char)(i * 31 + i / 256);
    }
    memcpy(bytes + len - 2, "\r\n", 2);

    size_t pieces[] = {1, 7, 4096, 5000, 131072, SIZE};
    for (size_t p = 0; p < sizeof pieces / sizeof pieces[0]; p++) {
        size_t at = 0;
        nats__op op = NATS__OP_MORE;
        while (at < len) {
            uint8_t *space;
            size_t size;
            assert_true(nats__parser_reserve(&self.parser, &space, &size));
            size_t n = len - at < pieces[p] ? len - at : pieces[p];
            n = n < size ? n : size;
            memcpy(space, bytes + at, n);
            nats__parser_commit(&self.parser, n);
            at += n;
            op = nats__parser_next(&self.parser);
        }
        assert_int_equal(op, NATS__OP_MSG);
        assert_memory_equal(nats_msg_data(self.parser.msg, NULL), bytes + head_len, SIZE);
        nats_msg_free(self.parser.msg);
        assert_int_equal(nats__parser_next(&self.parser), NATS__OP_MORE);
    }
    free(bytes);
    end_reader(&self);
}

static void a_size_over_the_limit_takes_no_memory(void **state)
{
    (void)state;
    reader self;
    setup_reader(&self);
    const char *line = "MSG a 1 67108864\r\n";

    assert_false(feed(&self, line, strlen(line)));

    assert_true(self.parser.chunk->cap <= NATS__CHUNK_SIZE);
    end_reader(&self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_operation_whole),
        cmocka_unit_test(reads_the_same_byte_by_byte),
        cmocka_unit_test(reads_the_same_at_every_split),
        cmocka_unit_test(refuses_a_control_line_that_never_ends),
        cmocka_unit_test(takes_a_long_info_and_refuses_an_endless_one),
        cmocka_unit_test(messages_outlive_the_parser),
        cmocka_unit_test(answers_may_be_over_max_payload),
        cmocka_unit_test(large_payloads_arrive_unchanged_in_any_piece),
        cmocka_unit_test(a_size_over_the_limit_takes_no_memory),
    };
    return cmocka_run_group_tests_name("parser", tests, NULL, NULL);
}
